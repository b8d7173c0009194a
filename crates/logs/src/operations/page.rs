//! A page of events, taken from a read until it is full.

use crate::error::LogsError;
use crate::event_key::EventKey;
use crate::ingestion;
use crate::paging::PAGE_BYTES_MAX;
use crate::store::{Direction, Found, Merge, Step};

/// How much text one page passes over.
const PASSED_OVER_BYTES_MAX: usize = 64 << 20;

/// Events in the order in which they were read.
pub(super) struct Page {
    /// The events.
    pub(super) events: Vec<Found>,
    /// Why there are no more.
    pub(super) end: PageEnd,
}

/// Why a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageEnd {
    /// The range has no more events.
    Exhausted,
    /// The page is full.
    Full,
    /// The read paused at this boundary.
    Paused(EventKey),
}

impl Page {
    /// Takes up to `events_max` events and [`PAGE_BYTES_MAX`] bytes, but at least one event if there is any.
    pub(super) async fn take(merge: Merge, events_max: usize) -> Result<Self, LogsError> {
        // Nothing is passed over, so where the read would pause does not matter.
        Self::take_seen(merge, events_max, Direction::Forward, |_| true).await
    }

    /// As [`Self::take`], only of those events that `see` says yes to, as it changes them. Pauses when it has
    /// passed over [`PASSED_OVER_BYTES_MAX`] of text.
    pub(super) async fn take_seen(
        mut merge: Merge,
        events_max: usize,
        direction: Direction,
        mut see: impl FnMut(&mut Found) -> bool,
    ) -> Result<Self, LogsError> {
        let mut events = Vec::new();
        let (mut bytes, mut passed_over_bytes) = (0, 0);
        let end = loop {
            if events.len() >= events_max {
                break if merge.is_exhausted() { PageEnd::Exhausted } else { PageEnd::Full };
            }
            match merge.next().await? {
                Step::End => break PageEnd::Exhausted,
                Step::Paused(boundary) => break PageEnd::Paused(boundary),
                Step::Event(mut event) => {
                    if !see(&mut event) {
                        passed_over_bytes += event.message.len();
                        if passed_over_bytes > PASSED_OVER_BYTES_MAX {
                            break PageEnd::Paused(match direction {
                                Direction::Forward => event.key.successor(),
                                Direction::Backward => event.key,
                            });
                        }
                        continue;
                    }
                    bytes += ingestion::batch_size_bytes(event.message.len(), 1);
                    if bytes > PAGE_BYTES_MAX && !events.is_empty() {
                        break PageEnd::Full;
                    }
                    events.push(event);
                }
            }
        };
        Ok(Self { events, end })
    }
}

/// The text of an event. Only UTF-8 is accepted, and checksums guard what was stored.
pub(super) fn text(event: &Found) -> String {
    String::from_utf8_lossy(&event.message).into_owned()
}
