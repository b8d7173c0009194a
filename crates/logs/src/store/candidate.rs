//! What a reader may have to look at: somewhere that events lie, with the bounds of their keys.

use std::sync::Arc;

use super::StreamAddress;
use super::event_batch::EventBatch;
use super::segment::StoredPart;
use crate::event_key::EventKey;

/// Which way events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the oldest to the newest.
    Forward,
    /// From the newest to the oldest.
    Backward,
}

/// Events that lie together.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// The lowest key.
    pub(super) first: EventKey,
    /// The highest key.
    pub(super) last: EventKey,
    /// Where they are.
    pub(super) source: Source,
}

/// Where events are.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// In memory, of one stream.
    Memory(Arc<StreamAddress>, EventBatch),
    /// In a segment, of several streams.
    Segment(StoredPart),
}

impl Candidate {
    pub(super) fn in_memory(address: &Arc<StreamAddress>, batch: &EventBatch) -> Self {
        Self {
            first: batch.first_key(),
            last: batch.last_key(),
            source: Source::Memory(address.clone(), batch.clone()),
        }
    }
}
