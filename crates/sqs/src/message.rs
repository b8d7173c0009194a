//! A message: what never changes about it once it is sent.

use std::collections::BTreeMap;

pub use groundwatch_api::{AttributeValue, MessageAttribute};
use groundwatch_core::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The largest message, and the largest batch of messages, with their attributes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// What keeping a message costs besides its texts: its entry, its places in the indices, its allocations.
const OVERHEAD_BYTES: usize = 400;

/// A message as it was sent. Its serde form is a format on disk, by position: see [`record`](crate::record).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
    /// The system attribute `AWSTraceHeader`.
    pub(crate) trace_header: Option<MessageAttribute>,
    pub(crate) group_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
    /// The account that sent it.
    pub(crate) sender_id: String,
    pub(crate) sent: Timestamp,
    /// The queue that it was moved from because it was received too often.
    pub(crate) dead_letter_source_arn: Option<String>,
}

impl Message {
    /// Its size as AWS counts it.
    pub(crate) fn size_bytes(&self) -> usize {
        size_bytes(&self.body, &self.attributes)
    }

    /// What keeping it costs in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        let texts = [&self.group_id, &self.deduplication_id, &self.dead_letter_source_arn];
        let texts: usize = texts.iter().filter_map(|text| text.as_ref().map(String::len)).sum();
        let trace = self.trace_header.as_ref().map_or(0, MessageAttribute::size_bytes);
        self.size_bytes() + texts + trace + self.attributes.len() * 100 + OVERHEAD_BYTES
    }
}

/// The size of a message as AWS counts it: the body, and names, types and values of its attributes.
pub(crate) fn size_bytes(body: &str, attributes: &BTreeMap<String, MessageAttribute>) -> usize {
    let attribute = |(name, attribute): (&String, &MessageAttribute)| name.len() + attribute.size_bytes();
    body.len() + attributes.iter().map(attribute).sum::<usize>()
}
