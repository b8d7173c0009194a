//! Reading by arrival: what came after a batch, whatever time its events carry. For those who send events on,
//! each once.

use std::sync::Arc;

use super::candidate::{Candidate, Direction};
use super::{LogStore, Merge, StoreError, StreamAddress, Streams};
use crate::event_key::KeyRange;
use crate::incarnation::GroupId;

/// Is told of every batch of events when readers see it, in the order of the batches' sequences or nearly so.
pub(crate) trait ArrivalListener: Send + Sync {
    /// The batch numbered `sequence` can be read: `events` events of `bytes` bytes, as AWS counts them, which
    /// arrived at `ingested`. Called on the way of a request: it must not wait.
    fn arrived(&self, arrival: &Arrival<'_>);
}

/// A batch of events that has just become visible.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a> {
    /// Whose events they are.
    pub(crate) address: &'a Arc<StreamAddress>,
    /// The batch's number.
    pub(crate) sequence: u64,
    /// When it arrived.
    pub(crate) ingested: groundwatch_core::Timestamp,
    /// The time of its latest event.
    pub(crate) last_event: groundwatch_core::Timestamp,
    /// How many events there are.
    pub(crate) events: u64,
    /// Their bytes, as AWS counts them.
    pub(crate) bytes: u64,
}

impl LogStore {
    /// Has `listener` told of what arrives from now on.
    pub(crate) fn listen(&self, listener: Arc<dyn ArrivalListener>) {
        self.inner.listeners.write().push(listener);
    }

    /// The last batch that is visible: all up to it are visible now, or never will be.
    pub(crate) fn visible_through(&self) -> u64 {
        *self.inner.visible_through.borrow()
    }

    /// Starts a read, forward in time, of a group's events in `range` that arrived in batches above
    /// `newer_than`. Opens no segment that was written before.
    pub(crate) async fn read_newer(
        &self,
        group: GroupId,
        range: KeyRange,
        newer_than: u64,
    ) -> Result<Merge, StoreError> {
        let mut found: Vec<Candidate> = Vec::new();
        if !range.is_empty() {
            let (frozen, segments) = {
                let state = self.inner.state.read();
                state.head.gather_newer(group, range, newer_than, &mut found);
                (state.frozen.clone(), state.segments.clone())
            };
            if let Some(frozen) = frozen {
                frozen.head.gather_newer(group, range, newer_than, &mut found);
            }
            let flushed =
                |address: &StreamAddress| self.inner.directory.is_flushed_beyond(address, newer_than);
            let may_be_newer = |through: Option<u64>| through.is_none_or(|through| through > newer_than);
            for segment in segments.iter().filter(|segment| may_be_newer(segment.through())) {
                self.inner
                    .segments
                    .gather(segment, group, Streams::Those(&flushed), range, &mut found)
                    .await?;
            }
        }
        Ok(Merge::new(found, range, Direction::Forward, None, usize::MAX).newer_than(newer_than))
    }
}
