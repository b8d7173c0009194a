//! A log stream, as its document keeps it, and what it knows about its events.

use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::{Document, Key};
use serde::{Deserialize, Serialize};

use crate::incarnation::{GroupId, LogStreamId};

/// A log stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LogStream {
    /// Which life of this name it is.
    pub id: LogStreamId,
    /// When it was created.
    pub created: Timestamp,
    /// Of the events in segments; absent while there are none. What the head holds comes on top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flushed: Option<StreamStatistics>,
}

impl Document for LogStream {
    const KIND: &'static str = "log-stream";
}

/// What is known about the events of a stream without reading them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamStatistics {
    /// The earliest event's time.
    pub first_event: Timestamp,
    /// The latest event's time.
    pub last_event: Timestamp,
    /// When the newest batch arrived.
    pub last_ingestion: Timestamp,
    /// The newest batch.
    pub last_sequence: u64,
    /// Bytes as AWS counts them.
    pub stored_bytes: u64,
}

impl StreamStatistics {
    /// What is known of these events and `other` ones together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            first_event: self.first_event.min(other.first_event),
            last_event: self.last_event.max(other.last_event),
            last_ingestion: self.last_ingestion.max(other.last_ingestion),
            last_sequence: self.last_sequence.max(other.last_sequence),
            stored_bytes: self.stored_bytes + other.stored_bytes,
        }
    }

    /// [`Self::and`] where either may have no events.
    pub fn merge(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.and(other)),
            (one, other) => one.or(other),
        }
    }
}

/// The document key of a stream. It begins with the group's incarnation: what an earlier group of the same
/// name left behind is out of sight, and names sort within their group.
pub(crate) fn stream_key(scope: &Scope, group: GroupId, name: &str) -> Key {
    Key { scope: scope.clone(), name: stream_prefix(group, name) }
}

/// What the keys of all streams of `group` begin with whose names begin with `name_prefix`.
pub(crate) fn stream_prefix(group: GroupId, name_prefix: &str) -> String {
    format!("{group}\0{name_prefix}")
}

/// The stream's name in a key that [`stream_key`] made.
pub(crate) fn stream_name(key_name: &str) -> &str {
    key_name.split_once('\0').map_or("", |(_, name)| name)
}
