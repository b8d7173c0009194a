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
    /// Messages went from one queue to another.
    Moved { from: Uuid, to: Uuid, messages: Vec<(u64, Placed)> },
    /// All messages through that place were deleted.
    Purged { queue: Uuid, through: u64 },
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
        deduplication_key.clone().map(|key| Original { key, message_id, sequence: *sequence, sent })
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
