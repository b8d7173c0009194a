//! What a subscriber wants to get, and how: the attributes of a subscription that can be set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::delivery_policy::DeliveryPolicy;
use crate::{Invalid, NotifyError};

/// Attributes of AWS that would change what is delivered, and are refused by name.
const UNSUPPORTED: &[&str] =
    &["FilterPolicy", "FilterPolicyScope", "RedrivePolicy", "ReplayPolicy", "SubscriptionRoleArn"];

/// The attributes of one subscription that can be set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Preferences {
    /// Deliver the message alone, without SNS's JSON around it.
    pub(crate) raw_message_delivery: bool,
    /// How failed deliveries are tried again, if not as the topic says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delivery_policy: Option<DeliveryPolicy>,
}

impl Preferences {
    /// The attributes of a new subscription.
    pub(crate) fn new(attributes: &BTreeMap<String, String>) -> Result<Self, NotifyError> {
        let mut preferences = Self::default();
        for (name, value) in attributes {
            if !preferences.set(name, value)? {
                return Err(Invalid::UnknownAttribute { name: name.clone() }.into());
            }
        }
        Ok(preferences)
    }

    /// Sets one attribute; an empty value takes it away. `false` if there is no such attribute.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<bool, NotifyError> {
        match name {
            "RawMessageDelivery" => self.raw_message_delivery = flag("RawMessageDelivery", value)?,
            "DeliveryPolicy" => self.delivery_policy = unless_empty(value, DeliveryPolicy::of_subscription)?,
            _ if UNSUPPORTED.contains(&name) => {
                let what = format!("the attribute {name}");
                return Err(NotifyError::Unsupported { parameter: "Attributes", what });
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Those that are set, as `GetSubscriptionAttributes` shows them.
    pub(crate) fn shown(&self) -> BTreeMap<String, String> {
        let mut shown =
            BTreeMap::from([("RawMessageDelivery".to_owned(), self.raw_message_delivery.to_string())]);
        if let Some(policy) = &self.delivery_policy {
            shown.insert("DeliveryPolicy".to_owned(), policy.text().to_owned());
        }
        shown
    }
}

fn flag(name: &'static str, value: &str) -> Result<bool, Invalid> {
    match value {
        _ if value.eq_ignore_ascii_case("true") => Ok(true),
        "" => Ok(false),
        _ if value.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(Invalid::AttributeValue { name, value: value.to_owned() }),
    }
}

/// What `parse` makes of a value; AWS takes an empty policy, as text or as object, for none.
fn unless_empty<T, E: Into<Invalid>>(
    value: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Invalid> {
    if matches!(value.trim(), "" | "{}") {
        return Ok(None);
    }
    parse(value).map(Some).map_err(Into::into)
}
