//! What the journal and checkpoints hold. Formats on disk: a byte that tells the version, then `postcard`.
//!
//! Fields have no names in it, so whatever is added is a new version, and the old one stays readable.

use std::sync::Arc;

use groundwatch_core::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::backlog::Entry;
use crate::deduplication::Original;
use crate::message::Message;

/// The version of both formats.
const VERSION: u8 = 1;

/// One change, durable as a whole or not at all. Queues are named by their ids: a name can be used again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Record {
    /// Messages were sent.
    Sent { queue: Uuid, messages: Vec<Placed> },
    /// Messages were received at `since`, and are hidden until `until`.
    Received { queue: Uuid, sequences: Vec<u64>, since: Timestamp, until: Timestamp },
    /// Messages were deleted.
    Deleted { queue: Uuid, sequences: Vec<u64> },
    /// Messages are hidden until another moment.
    Hidden { queue: Uuid, sequences: Vec<(u64, Timestamp)> },
    /// Messages went from one queue to another, as if they were never received. Read only: today they are
    /// [carried](Self::Carried).
    Moved { from: Uuid, to: Uuid, messages: Vec<(u64, Placed)> },
    /// All messages through that place were deleted.
    Purged { queue: Uuid, through: u64 },
    /// Messages went from one queue to another, where they count as received so often.
    Carried { from: Uuid, to: Uuid, messages: Vec<(u64, u32, Placed)> },
}

/// A message with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Placed {
    pub(crate) sequence: u64,
    /// `None`: at once.
    pub(crate) visible_at: Option<Timestamp>,
    /// Under which key it is remembered for deduplication.
    pub(crate) deduplication_key: Option<String>,
    pub(crate) message: Arc<Message>,
}

impl Placed {
    /// What deduplication remembers of it.
    pub(crate) fn original(&self) -> Option<Original> {
        let Self { sequence, deduplication_key, message, .. } = self;
        let (message_id, sent) = (message.id, message.sent);
        let key = deduplication_key.as_deref()?.into();
        Some(Original { key, message_id, sequence: *sequence, sent })
    }
}

/// A part of a queue in a checkpoint. A long queue has several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) queue: Uuid,
    pub(crate) next_sequence: u64,
    pub(crate) entries: Vec<(u64, Entry)>,
    pub(crate) recent: Vec<Original>,
}

/// What is on disk cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormatError {
    #[error("its version is {0}, which this release does not know")]
    Version(u8),
    #[error("it is empty")]
    Empty,
    #[error("it does not decode")]
    Damaged(#[source] postcard::Error),
}

/// As it is written.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![VERSION])
        .expect("these types have a form in postcard, and a Vec takes everything")
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FormatError> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(FormatError::Damaged),
        Some((&other, _)) => Err(FormatError::Version(other)),
        None => Err(FormatError::Empty),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use groundwatch_core::Timestamp;

    use super::*;
    use crate::backlog::State;
    use crate::message::{AttributeValue, MessageAttribute};

    fn message() -> Arc<Message> {
        let attribute = |value| MessageAttribute { data_type: "T".to_owned(), value };
        let attributes = BTreeMap::from([
            ("b".to_owned(), attribute(AttributeValue::Binary(vec![0, 255]))),
            ("t".to_owned(), attribute(AttributeValue::Text("v".to_owned()))),
        ]);
        Arc::new(Message {
            id: Uuid::from_u128(2),
            body: "body".to_owned(),
            attributes,
            trace_header: None,
            group_id: Some("g".to_owned()),
            deduplication_id: Some("d".to_owned()),
            sender_id: "1".to_owned(),
            sent: Timestamp::from_millis(1_767_225_600_123),
            dead_letter_source_arn: None,
        })
    }

    fn records() -> Vec<Record> {
        let (queue, at) = (Uuid::from_u128(1), Timestamp::from_millis(1_767_225_601_000));
        let deduplication_key = Some("d".to_owned());
        let placed = Placed { sequence: 300, visible_at: Some(at), deduplication_key, message: message() };
        vec![
            Record::Sent { queue, messages: vec![placed.clone()] },
            Record::Received { queue, sequences: vec![300], since: at, until: at },
            Record::Deleted { queue, sequences: vec![300] },
            Record::Hidden { queue, sequences: vec![(300, at)] },
            Record::Moved { from: queue, to: Uuid::from_u128(3), messages: vec![(300, placed)] },
            Record::Purged { queue, through: 300 },
        ]
    }

    fn parts() -> Vec<Part> {
        let at = Timestamp::from_millis(1_767_225_601_000);
        let entry = |state| Entry { message: message(), state, receives: 1, first_received: Some(at) };
        let states = [
            State::Held,
            State::Delayed { until: at },
            State::Visible,
            State::InFlight { since: at, until: at },
        ];
        let message_id = Uuid::from_u128(2);
        vec![Part {
            queue: Uuid::from_u128(1),
            next_sequence: 5,
            entries: (1..).zip(states.map(entry)).collect(),
            recent: vec![Original { key: "d".into(), message_id, sequence: 1, sent: at }],
        }]
    }

    /// The samples are what version 1 wrote; they are never rewritten.
    #[test]
    fn version_1_stays_readable() {
        let sample = include_bytes!("../tests/data/records.v1");
        assert_eq!(decode::<Vec<Record>>(sample).expect("readable"), records());
        assert_eq!(encode(&records()), sample);
        let sample = include_bytes!("../tests/data/checkpoint.v1");
        assert_eq!(decode::<Vec<Part>>(sample).expect("readable"), parts());
        assert_eq!(encode(&parts()), sample);
    }

    #[test]
    fn what_is_damaged_or_newer_is_told_apart() {
        assert!(matches!(decode::<Record>(&[]), Err(FormatError::Empty)));
        assert!(matches!(decode::<Record>(&[2, 0]), Err(FormatError::Version(2))));
        assert!(matches!(decode::<Record>(&[VERSION, 99]), Err(FormatError::Damaged(_))));
    }
}
