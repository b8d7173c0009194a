//! What a subscriber wants to get, and how: the attributes of a subscription that can be set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::envelope::chat::MessageFormat;
use crate::subscription::delivery_policy::DeliveryPolicy;
use crate::subscription::filter::{Filter, FilterPolicy, FilterScope};
use crate::subscription::redrive_policy::RedrivePolicy;
use crate::subscription::{Endpoint, Protocol};
use crate::{Invalid, NotifyError};

/// Attributes of AWS that would change what is delivered, and are refused by name.
const UNSUPPORTED: &[&str] = &["ReplayPolicy", "SubscriptionRoleArn"];

/// The attributes of one subscription that can be set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Preferences {
    /// Deliver the message alone, without SNS's JSON around it.
    pub(crate) raw_message_delivery: bool,
    /// Which messages are wanted; all if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filter_policy: Option<FilterPolicy>,
    /// What the filter policy looks at. Without one it waits for one.
    pub(crate) filter_policy_scope: FilterScope,
    /// How failed deliveries are tried again, if not as the topic says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delivery_policy: Option<DeliveryPolicy>,
    /// Where messages go that could not be delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redrive_policy: Option<RedrivePolicy>,
    /// Whose JSON is posted instead of SNS's. Groundwatch's own: AWS has no such attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_format: Option<MessageFormat>,
}

impl Preferences {
    /// The attributes of a new subscription.
    pub(crate) fn new(attributes: &BTreeMap<String, String>) -> Result<Self, NotifyError> {
        let mut preferences = Self::default();
        for (name, value) in attributes {
            if !preferences.put(name, value).map_err(upon_subscribing)? {
                return Err(Invalid::UnknownAttribute { name: name.clone() }.into());
            }
        }
        preferences.check_filter().map_err(upon_subscribing)?;
        Ok(preferences)
    }

    /// Whether these attributes of another `Subscribe` are what they are already; what is not said is not
    /// compared.
    pub(crate) fn agree_with(&self, attributes: &BTreeMap<String, String>) -> Result<bool, NotifyError> {
        let mut changed = self.clone();
        for (name, value) in attributes {
            changed.put(name, value)?;
        }
        Ok(changed == *self)
    }

    /// Sets one attribute; an empty value takes it away. `false` if there is no such attribute.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<bool, NotifyError> {
        let known = self.put(name, value)?;
        self.check_filter()?;
        Ok(known)
    }

    /// Refuses what makes no sense for messages that go by `protocol`.
    pub(crate) fn check_protocol(&self, protocol: Protocol) -> Result<(), Invalid> {
        match &self.message_format {
            Some(format) if !matches!(protocol, Protocol::Http | Protocol::Https) => {
                Err(Invalid::AttributeValue { name: "MessageFormat", value: format.name(), alone: false })
            }
            _ => Ok(()),
        }
    }

    /// The filter policy in its scope.
    pub(crate) fn filter(&self) -> Option<Filter<'_>> {
        self.filter_policy.as_ref().map(|policy| Filter::new(policy, self.filter_policy_scope))
    }

    /// Refuses a dead-letter queue that cannot keep the order of the FIFO queue `endpoint`.
    pub(crate) fn check_endpoint(&self, endpoint: &Endpoint) -> Result<(), Invalid> {
        let queue = self.redrive_policy.as_ref().map(RedrivePolicy::queue_arn);
        match queue {
            Some(queue) if endpoint.is_fifo_queue() && !queue.ends_with(".fifo") => Err(Invalid::RedriveFifo),
            _ => Ok(()),
        }
    }

    fn check_filter(&self) -> Result<(), Invalid> {
        self.filter()
            .map_or(Ok(()), |filter| filter.check())
            .map_err(|error| Invalid::FilterPolicy { error, subscribing: false })
    }

    /// Sets one attribute, whether it suits the others or not.
    fn put(&mut self, name: &str, value: &str) -> Result<bool, NotifyError> {
        match name {
            "RawMessageDelivery" => self.raw_message_delivery = flag("RawMessageDelivery", value)?,
            "FilterPolicy" => self.filter_policy = filter_policy(value)?,
            "FilterPolicyScope" => {
                let refused = || refused("FilterPolicyScope", value);
                self.filter_policy_scope = FilterScope::parse(value).ok_or_else(refused)?;
            }
            "DeliveryPolicy" => self.delivery_policy = unless_empty(value, DeliveryPolicy::of_subscription)?,
            "RedrivePolicy" => self.redrive_policy = unless_empty(value, RedrivePolicy::parse)?,
            "MessageFormat" => self.message_format = unless_empty(value, MessageFormat::parse)?,
            _ if UNSUPPORTED.contains(&name) => {
                let what = format!("the attribute {name}");
                return Err(NotifyError::Unsupported { parameter: "Attributes", what });
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The attributes that are set, as `GetSubscriptionAttributes` shows them.
    pub(crate) fn shown(&self) -> BTreeMap<String, String> {
        let mut shown =
            BTreeMap::from([("RawMessageDelivery".to_owned(), self.raw_message_delivery.to_string())]);
        if let Some(policy) = &self.filter_policy {
            shown.insert("FilterPolicy".to_owned(), policy.text().to_owned());
            shown.insert("FilterPolicyScope".to_owned(), self.filter_policy_scope.as_str().to_owned());
        }
        if let Some(policy) = &self.delivery_policy {
            shown.insert("DeliveryPolicy".to_owned(), policy.text().to_owned());
        }
        if let Some(policy) = &self.redrive_policy {
            shown.insert("RedrivePolicy".to_owned(), policy.text().to_owned());
        }
        if let Some(format) = &self.message_format {
            shown.insert("MessageFormat".to_owned(), format.name());
        }
        shown
    }
}

/// AWS words what is wrong with an attribute otherwise when it comes with `Subscribe`.
fn upon_subscribing(error: impl Into<NotifyError>) -> NotifyError {
    match error.into() {
        NotifyError::Invalid(Invalid::FilterPolicy { error, .. }) => {
            Invalid::FilterPolicy { error, subscribing: true }.into()
        }
        NotifyError::Invalid(Invalid::AttributeValue { name, value, .. }) => {
            Invalid::AttributeValue { name, value, alone: false }.into()
        }
        other => other,
    }
}

fn filter_policy(value: &str) -> Result<Option<FilterPolicy>, Invalid> {
    if value.is_empty() {
        return Ok(None);
    }
    FilterPolicy::parse(value).map(Some).map_err(|error| Invalid::FilterPolicy { error, subscribing: false })
}

fn flag(name: &'static str, value: &str) -> Result<bool, Invalid> {
    match value {
        _ if value.eq_ignore_ascii_case("true") => Ok(true),
        _ if value.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(refused(name, value)),
    }
}

fn refused(name: &'static str, value: &str) -> Invalid {
    Invalid::AttributeValue { name, value: value.to_owned(), alone: true }
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
