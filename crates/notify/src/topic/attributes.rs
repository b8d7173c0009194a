//! A topic's attributes: which can be set, to what, and what `GetTopicAttributes` shows.

use std::collections::BTreeMap;

use groundwatch_core::AccountId;

use crate::envelope::signature::SignatureVersion;
use crate::subscription::delivery_policy::{DeliveryPolicy, EffectivePolicy};
use crate::subscription::{Standing, Subscription};
use crate::topic::permissions;
use crate::topic::{Topic, TopicId};
use crate::{Invalid, NotifyError};

/// The longest policy, in bytes: AWS's 30 KiB.
const POLICY_BYTES_MAX: usize = 30 << 10;

/// The longest display name, in characters.
const DISPLAY_NAME_LENGTH_MAX: usize = 100;

/// Whether an attribute has an effect is decided where it is read; here is whether it can be kept.
pub(crate) fn check(name: &str, value: &str, fifo: bool) -> Result<(), NotifyError> {
    let refused =
        |known: &'static str| Invalid::AttributeValue { name: known, value: value.to_owned(), alone: false };
    match name {
        "DisplayName" => {
            if value.chars().count() > DISPLAY_NAME_LENGTH_MAX || value.chars().any(char::is_control) {
                return Err(refused("DisplayName").into());
            }
        }
        "Policy" => permissions::check(value, POLICY_BYTES_MAX)?,
        "DeliveryPolicy" => {
            if !value.is_empty() {
                DeliveryPolicy::of_topic(value).map_err(Invalid::DeliveryPolicy)?;
            }
        }
        // Stored and returned: encryption at rest is the disk's business.
        "KmsMasterKeyId" => {}
        "TracingConfig" => match value {
            "PassThrough" => {}
            "Active" => return Err(unsupported("active tracing")),
            _ => return Err(refused("TracingConfig").into()),
        },
        "SignatureVersion" => {
            SignatureVersion::parse(value).ok_or_else(|| refused("SignatureVersion"))?;
        }
        "FifoTopic" => {
            flag(value).ok_or_else(|| refused("FifoTopic"))?;
        }
        "ContentBasedDeduplication" => match flag(value) {
            Some(wanted) if fifo || !wanted => {}
            _ => return Err(refused("ContentBasedDeduplication").into()),
        },
        "FifoThroughputScope" => match value {
            "Topic" | "MessageGroup" if fifo => {}
            _ => return Err(refused("FifoThroughputScope").into()),
        },
        "ArchivePolicy" if value.is_empty() => {}
        "ArchivePolicy" => return Err(unsupported("the attribute ArchivePolicy")),
        _ if is_feedback(name) => match value {
            // Terraform sets every sample rate to what it is: nothing is logged.
            "" | "0" => {}
            _ => return Err(unsupported(&format!("the attribute {name}"))),
        },
        _ => return Err(Invalid::UnknownAttribute { name: name.to_owned() }.into()),
    }
    Ok(())
}

/// Whether an attribute is about logs of deliveries: `HTTPSuccessFeedbackSampleRate`,
/// `SQSFailureFeedbackRoleArn`, …
fn is_feedback(name: &str) -> bool {
    let rest =
        ["Application", "Firehose", "HTTP", "Lambda", "SQS"].iter().find_map(|kind| name.strip_prefix(kind));
    matches!(rest, Some("SuccessFeedbackRoleArn" | "FailureFeedbackRoleArn" | "SuccessFeedbackSampleRate"))
}

/// A truth value, which AWS reads in any case; an empty one says nothing.
pub(crate) fn flag(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" | "" => Some(false),
        _ => None,
    }
}

fn unsupported(what: &str) -> NotifyError {
    NotifyError::Unsupported { parameter: "Attributes", what: what.to_owned() }
}

impl Topic {
    /// The topic with an attribute set. An empty value takes it away.
    pub(crate) fn with_attribute(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        let value = match name {
            // What only FIFO topics have is shown for them, whether it was set or not.
            "FifoTopic" | "ContentBasedDeduplication" if flag(value) == Some(true) => "true",
            "FifoTopic" | "ContentBasedDeduplication" => "",
            _ => value,
        };
        if value.is_empty() {
            changed.attributes.remove(name);
        } else {
            changed.attributes.insert(name.to_owned(), value.to_owned());
        }
        changed
    }

    /// Its delivery policy, if it has one.
    pub(crate) fn delivery_policy(&self) -> Option<DeliveryPolicy> {
        self.attributes.get("DeliveryPolicy").and_then(|text| DeliveryPolicy::of_topic(text).ok())
    }

    /// Whether equal messages are the same message, without a word of the publisher.
    pub(crate) fn deduplicates_by_content(&self) -> bool {
        self.attributes.contains_key("ContentBasedDeduplication")
    }

    /// Its policy document: that which was set, or the one that every topic begins with.
    pub(crate) fn policy(&self, id: &TopicId) -> String {
        match self.attributes.get("Policy") {
            Some(policy) => policy.clone(),
            None => permissions::default_policy(&id.arn(), id.scope().account).to_string(),
        }
    }

    /// What `GetTopicAttributes` answers.
    pub(crate) fn shown_attributes(
        &self,
        id: &TopicId,
        subscriptions: impl Iterator<Item = impl AsRef<Subscription>>,
    ) -> BTreeMap<String, String> {
        let (mut confirmed, mut pending) = (0_u64, 0_u64);
        for subscription in subscriptions {
            match subscription.as_ref().standing {
                Standing::Confirmed => confirmed += 1,
                Standing::Pending { .. } => pending += 1,
                Standing::Cancelled { .. } => {}
            }
        }
        let owner: AccountId = id.scope().account;
        let own_policy = self.delivery_policy();
        let effective = EffectivePolicy::new(own_policy.as_ref(), None).of_topic_json(own_policy.as_ref());
        let always = [
            ("TopicArn", id.arn()),
            ("Owner", owner.to_string()),
            ("Policy", self.policy(id)),
            ("DisplayName", String::new()),
            ("SubscriptionsConfirmed", confirmed.to_string()),
            ("SubscriptionsPending", pending.to_string()),
            ("SubscriptionsDeleted", self.subscriptions_deleted.to_string()),
            ("EffectiveDeliveryPolicy", effective),
        ];
        let mut shown: BTreeMap<_, _> =
            always.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if id.is_fifo() {
            shown.insert("ContentBasedDeduplication".to_owned(), "false".to_owned());
        }
        shown.extend(self.attributes.clone());
        shown
    }
}
