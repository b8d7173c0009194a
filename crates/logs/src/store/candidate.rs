//! What a reader may have to look at: somewhere that events lie, with the bounds of their keys.

use std::sync::Arc;

use super::address::StreamAddress;
use super::event_batch::EventBatch;
use super::segment::StoredRun;
use crate::event_key::EventKey;

/// Which way events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the oldest to the newest.
    Forward,
    /// From the newest to the oldest.
    Backward,
}

/// Events of one stream that lie together.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Whose they are.
    pub(super) address: Arc<StreamAddress>,
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
    /// In memory.
    Memory(EventBatch),
    /// In a segment.
    Segment(StoredRun),
}

impl Candidate {
    pub(super) fn in_memory(address: &Arc<StreamAddress>, batch: &EventBatch) -> Self {
        Self {
            address: address.clone(),
            first: batch.first_key(),
            last: batch.last_key(),
            source: Source::Memory(batch.clone()),
        }
    }
}
