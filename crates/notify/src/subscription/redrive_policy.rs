//! Redrive policies: where messages go that could not be delivered.

use groundwatch_core::Arn;
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// The policy of one subscription, kept as the text that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct RedrivePolicy {
    text: String,
    queue_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    dead_letter_target_arn: String,
}

impl RedrivePolicy {
    /// Reads a policy; whether its queue exists shows when it is needed, as in AWS.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let form: Form = serde_json::from_str(text).map_err(|_| Invalid::RedrivePolicy)?;
        let queue_arn = form.dead_letter_target_arn;
        let queue = Arn::parse(&queue_arn).is_ok_and(|arn| arn.service == "sqs" && !arn.resource.is_empty());
        if queue { Ok(Self { text: text.to_owned(), queue_arn }) } else { Err(Invalid::RedriveTarget) }
    }

    /// The text that was given.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The dead-letter queue.
    pub(crate) fn queue_arn(&self) -> &str {
        &self.queue_arn
    }
}

impl TryFrom<String> for RedrivePolicy {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<RedrivePolicy> for String {
    fn from(policy: RedrivePolicy) -> Self {
        policy.text
    }
}
