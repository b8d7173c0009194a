//! A message: what was published, once for all subscribers that still wait for it.

use std::collections::BTreeMap;
use std::fmt;

use groundwatch_core::Timestamp;
use groundwatch_storage::Document;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Invalid;
use crate::attributes::MessageAttributes;
use crate::subscription::Protocol;

/// The longest message, in bytes: 256 KiB, all variants of a structured message together.
pub const MESSAGE_BYTES_MAX: usize = 256 << 10;

/// The longest subject, in characters.
pub const SUBJECT_LENGTH_MAX: usize = 100;

/// The id that a publisher gets and every subscriber sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId(Uuid);

impl MessageId {
    pub(crate) fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is kept of a message under its id, until its last delivery is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: MessageId,
    pub(crate) kind: MessageKind,
    pub(crate) subject: Option<Subject>,
    pub(crate) body: Body,
    #[serde(default, skip_serializing_if = "MessageAttributes::is_empty")]
    pub(crate) attributes: MessageAttributes,
    /// The group that it belongs to, which queues get to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group_id: Option<String>,
    /// Present on FIFO topics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) in_line: Option<InLine>,
    pub(crate) published: Timestamp,
}

/// A message's place on a FIFO topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InLine {
    pub(crate) sequence: u64,
    /// The publisher's, or made from the text.
    pub(crate) deduplication_id: String,
}

impl Message {
    /// How much memory it takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, attribute)| name.len() + attribute.size_bytes());
        self.body.bytes() + attributes.sum::<usize>()
    }
}

impl Document for Message {
    const KIND: &'static str = "sns-message";
}

/// `Type` of a message, which the header `x-amz-sns-message-type` repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MessageKind {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

impl MessageKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

/// One line above the message: 1 to 100 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subject(String);

impl Subject {
    /// A publisher's subject.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let length = text.chars().count();
        if length == 0 || length > SUBJECT_LENGTH_MAX || text.chars().any(char::is_control) {
            return Err(Invalid::Subject);
        }
        Ok(Self(text.to_owned()))
    }

    /// The subject of a service that publishes by itself: made to fit, because an alarm's long name must not
    /// keep its notification back. `None` if nothing is left.
    pub(crate) fn made_to_fit(text: &str) -> Option<Self> {
        let fitting: String =
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SUBJECT_LENGTH_MAX).collect();
        (!fitting.is_empty()).then_some(Self(fitting))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text of a message, which may differ by protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Body {
    default: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    by_protocol: BTreeMap<String, String>,
}

impl Body {
    /// The same text for every protocol.
    pub(crate) fn plain(text: &str) -> Result<Self, Invalid> {
        check_length(text)?;
        Ok(Self { default: text.to_owned(), by_protocol: BTreeMap::new() })
    }

    /// `MessageStructure` `json`: an object with a text a protocol, and one under `default` for all others.
    pub(crate) fn structured(json: &str) -> Result<Self, Invalid> {
        check_length(json)?;
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(json).map_err(|_| Invalid::StructuredMessage)?;
        // AWS ignores keys whose value is not a text.
        let mut by_protocol: BTreeMap<String, String> = object
            .into_iter()
            .filter_map(|(protocol, value)| match value {
                serde_json::Value::String(text) => Some((protocol, text)),
                _ => None,
            })
            .collect();
        let default = by_protocol.remove("default").ok_or(Invalid::NoDefaultMessage)?;
        Ok(Self { default, by_protocol })
    }

    /// What a subscriber reads whose protocol has no text of its own.
    pub(crate) fn default_text(&self) -> &str {
        &self.default
    }

    /// What a subscriber by `protocol` reads.
    pub(crate) fn for_protocol(&self, protocol: Protocol) -> &str {
        self.by_protocol.get(protocol.as_str()).unwrap_or(&self.default)
    }

    /// How much memory it takes, roughly.
    fn bytes(&self) -> usize {
        self.default.len()
            + self.by_protocol.iter().map(|(name, text)| name.len() + text.len()).sum::<usize>()
    }
}

fn check_length(text: &str) -> Result<(), Invalid> {
    match text.len() {
        0 => Err(Invalid::EmptyMessage),
        1..=MESSAGE_BYTES_MAX => Ok(()),
        _ => Err(Invalid::MessageTooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_line_of_up_to_100_characters() {
        let check = |text: &str, allowed: bool| assert_eq!(Subject::parse(text).is_ok(), allowed, "{text:?}");
        check("ALARM: \"disk\" in Europe", true);
        check(&"ü".repeat(100), true);
        check(&"a".repeat(101), false);
        check("", false);
        check("two\nlines", false);
    }

    #[test]
    fn a_services_subject_is_made_to_fit() {
        let fitting = Subject::made_to_fit(&format!("ALARM:\n{}", "ü".repeat(300))).expect("not empty");
        assert_eq!(Subject::parse(fitting.as_str()), Ok(fitting.clone()));
        assert!(fitting.as_str().starts_with("ALARM: ü"));
    }

    #[test]
    fn a_structured_message_differs_by_protocol() {
        let body = Body::structured(r#"{"default":"d","http":"h","sms":1}"#).expect("well formed");
        assert_eq!(body.for_protocol(Protocol::Http), "h");
        assert_eq!(body.for_protocol(Protocol::Https), "d");
    }

    #[test]
    fn messages_have_text_within_bounds() {
        let check = |result: Result<Body, Invalid>, expected: Invalid| assert_eq!(result, Err(expected));
        check(Body::plain(""), Invalid::EmptyMessage);
        check(Body::plain(&"a".repeat(MESSAGE_BYTES_MAX + 1)), Invalid::MessageTooLong);
        assert!(Body::plain(&"a".repeat(MESSAGE_BYTES_MAX)).is_ok());
        check(Body::structured("not json"), Invalid::StructuredMessage);
        check(Body::structured("[]"), Invalid::StructuredMessage);
        check(Body::structured(r#"{"http":"h"}"#), Invalid::NoDefaultMessage);
        check(Body::structured(r#"{"default":1}"#), Invalid::NoDefaultMessage);
    }
}
