//! Events of many places in one order.
//!
//! A place is opened only when the next event could be in it, which the bounds of its keys tell. So a page from the tail
//! of a stream opens the newest batch, whatever else the range holds. A pattern is applied when a place is opened, to
//! all of its rows in the range at once; only what matches is merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::Timestamp;

use super::StoreError;
use super::address::StreamAddress;
use super::candidate::{Candidate, Direction, Source};
use super::event_batch::EventBatch;
use super::segment::BlockCache;
use crate::event_key::{EventKey, KeyRange};
use crate::pattern::Matcher;

/// How much text is looked at before other requests get their turn on this thread.
const BYTES_BETWEEN_YIELDS: usize = 4 * 1024 * 1024;

/// An event that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it stands.
    pub key: EventKey,
    /// Whose it is.
    pub address: Arc<StreamAddress>,
    /// When it arrived.
    pub ingested: Timestamp,
    /// Its text.
    pub message: Bytes,
}

/// What comes next in a merge.
#[derive(Clone, Debug)]
pub enum Step {
    /// An event.
    Event(Found),
    /// Nothing more is in the range.
    End,
    /// The budget is used up. All events between the range's start and this boundary were given; going on means a new
    /// read of the rest (from the boundary forward, or up to it backward).
    Paused(EventKey),
}

/// A read under way.
pub struct Merge {
    range: KeyRange,
    direction: Direction,
    matcher: Option<Arc<Matcher>>,
    /// The next one to open is the last.
    unopened: Vec<Candidate>,
    open: BinaryHeap<Open>,
    blocks: BlockCache,
    bytes_looked_at: usize,
    bytes_max: usize,
    bytes_since_yield: usize,
    /// Batches up to this number are passed over.
    newer_than: u64,
}

impl Merge {
    /// Reads `candidates`, all of which overlap `range`. Pauses when it has looked at `bytes_max` bytes of text.
    pub(super) fn new(
        mut candidates: Vec<Candidate>,
        range: KeyRange,
        direction: Direction,
        matcher: Option<Arc<Matcher>>,
        bytes_max: usize,
    ) -> Self {
        match direction {
            Direction::Forward => candidates.sort_unstable_by_key(|candidate| Reverse(candidate.first)),
            Direction::Backward => candidates.sort_unstable_by_key(|candidate| candidate.last),
        }
        Self {
            range,
            direction,
            matcher: matcher.filter(|matcher| !matcher.matches_all()),
            unopened: candidates,
            open: BinaryHeap::new(),
            blocks: BlockCache::default(),
            bytes_looked_at: 0,
            bytes_max,
            bytes_since_yield: 0,
            newer_than: 0,
        }
    }

    /// The same, of batches above that number only.
    pub(super) fn newer_than(self, newer_than: u64) -> Self {
        Self { newer_than, ..self }
    }

    /// Whether it is known already that nothing more comes.
    pub fn is_exhausted(&self) -> bool {
        self.unopened.is_empty() && self.open.is_empty()
    }

    /// The next event in the direction of reading.
    pub async fn next(&mut self) -> Result<Step, StoreError> {
        loop {
            match (self.unopened.last(), self.open.peek()) {
                (None, None) => return Ok(Step::End),
                (Some(candidate), Some(open)) if !self.may_precede(candidate, open.key) => {}
                (None, Some(_)) => {}
                (Some(candidate), _) => {
                    let charged = self.is_charged(candidate);
                    if charged && self.bytes_looked_at >= self.bytes_max {
                        return Ok(Step::Paused(self.boundary(candidate)));
                    }
                    self.open_next(charged).await?;
                    continue;
                }
            }
            if let Some(found) = self.take_first() {
                return Ok(Step::Event(found));
            }
        }
    }

    /// Whether `candidate` could hold an event that comes before the one with `key`.
    fn may_precede(&self, candidate: &Candidate, key: EventKey) -> bool {
        match self.direction {
            Direction::Forward => candidate.first < key,
            Direction::Backward => candidate.last > key,
        }
    }

    /// Whether looking at `candidate` counts for the budget. What reaches over the range's start does not: the read
    /// before this one paused there, and a pile of overlapping batches larger than the budget would never be passed.
    fn is_charged(&self, candidate: &Candidate) -> bool {
        match self.direction {
            Direction::Forward => candidate.first > self.range.from,
            Direction::Backward => candidate.last.successor() < self.range.to,
        }
    }

    /// The boundary between what was given and what comes next, which is in `candidate` or behind it.
    fn boundary(&self, candidate: &Candidate) -> EventKey {
        match self.direction {
            Direction::Forward => candidate.first,
            Direction::Backward => candidate.last.successor(),
        }
    }

    async fn open_next(&mut self, charged: bool) -> Result<(), StoreError> {
        let Some(candidate) = self.unopened.pop() else { return Ok(()) };
        match candidate.source {
            Source::Memory(batch) => self.open_batch(&candidate.address, batch, charged),
            Source::Segment(run) => {
                for batch in self.blocks.read(&run).await? {
                    self.open_batch(&candidate.address, batch, charged);
                }
            }
        }
        if self.bytes_since_yield >= BYTES_BETWEEN_YIELDS {
            self.bytes_since_yield = 0;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn open_batch(&mut self, address: &Arc<StreamAddress>, batch: EventBatch, charged: bool) {
        if batch.sequence() <= self.newer_than {
            // What is passed over costs time, too.
            self.bytes_since_yield += batch.message_len();
            return;
        }
        let mut rows = Rows::All(batch.rows_in(self.range));
        if let Some(matcher) = &self.matcher {
            if charged {
                self.bytes_looked_at += batch.message_len();
            }
            self.bytes_since_yield += batch.message_len();
            let matching = rows.iter().filter(|row| matcher.matches(batch.message(*row)));
            rows = Rows::Some(matching.map(|row| row as u32).collect());
        }
        if let Some(row) = rows.peek(self.direction) {
            let key = batch.key(row);
            self.open.push(Open { key, direction: self.direction, address: address.clone(), batch, rows });
        }
    }

    /// Takes the first event of all open places.
    fn take_first(&mut self) -> Option<Found> {
        let mut first = self.open.peek_mut()?;
        let row = first.rows.take(self.direction)?;
        let found = Found {
            key: first.key,
            address: first.address.clone(),
            ingested: first.batch.ingested(),
            message: first.batch.message_bytes(row),
        };
        match first.rows.peek(self.direction) {
            Some(next) => first.key = first.batch.key(next),
            None => {
                std::collections::binary_heap::PeekMut::pop(first);
            }
        }
        Some(found)
    }
}

/// A batch that is being read. The greatest of a heap is the one to read first.
struct Open {
    key: EventKey,
    direction: Direction,
    address: Arc<StreamAddress>,
    batch: EventBatch,
    rows: Rows,
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match self.direction {
            Direction::Forward => other.key.cmp(&self.key),
            Direction::Backward => self.key.cmp(&other.key),
        }
    }
}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Open {}

/// The rows of a batch that are still to be read, ascending.
enum Rows {
    All(Range<usize>),
    Some(std::collections::VecDeque<u32>),
}

impl Rows {
    fn iter(&self) -> impl Iterator<Item = usize> {
        let (all, some) = match self {
            Self::All(range) => (Some(range.clone()), None),
            Self::Some(rows) => (None, Some(rows.iter().map(|row| *row as usize))),
        };
        all.into_iter().flatten().chain(some.into_iter().flatten())
    }

    fn peek(&self, direction: Direction) -> Option<usize> {
        match (self, direction) {
            (Self::All(range), Direction::Forward) => range.clone().next(),
            (Self::All(range), Direction::Backward) => range.clone().next_back(),
            (Self::Some(rows), Direction::Forward) => rows.front().map(|row| *row as usize),
            (Self::Some(rows), Direction::Backward) => rows.back().map(|row| *row as usize),
        }
    }

    fn take(&mut self, direction: Direction) -> Option<usize> {
        match (self, direction) {
            (Self::All(range), Direction::Forward) => range.next(),
            (Self::All(range), Direction::Backward) => range.next_back(),
            (Self::Some(rows), Direction::Forward) => rows.pop_front().map(|row| row as usize),
            (Self::Some(rows), Direction::Backward) => rows.pop_back().map(|row| row as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use groundwatch_core::Scope;

    use super::*;
    use crate::incarnation::{GroupId, LogStreamId};
    use crate::pattern::Pattern;

    /// A batch in memory of events at these moments, whose text is `x` and their place.
    fn candidate(sequence: u64, millis: &[i64]) -> Candidate {
        let texts: Vec<String> = (0..millis.len()).map(|place| format!("x{sequence}.{place}")).collect();
        let events = millis.iter().zip(&texts).map(|(millis, text)| (*millis, text.as_bytes()));
        let mut body = Vec::new();
        EventBatch::encode(&mut body, sequence, 0, Timestamp::EPOCH, events);
        let address = StreamAddress {
            scope: Scope::default(),
            group: "g".to_owned(),
            group_id: GroupId::from_u128(1),
            stream: "s".to_owned(),
            stream_id: LogStreamId::from_u128(1),
        };
        Candidate::in_memory(&Arc::new(address), &EventBatch::decode(body.into()).expect("just encoded"))
    }

    /// Reads everything with pauses after every `bytes_max` bytes; how often it paused, and the keys in the order read.
    async fn read(
        candidates: &[Candidate],
        direction: Direction,
        bytes_max: usize,
    ) -> (usize, Vec<EventKey>) {
        let matcher = Arc::new(Matcher::new(&Pattern::parse("x").expect("a pattern")));
        let (mut range, mut pauses, mut keys) = (KeyRange::ALL, 0, Vec::new());
        loop {
            let overlap =
                candidates.iter().filter(|candidate| range.overlaps(candidate.first, candidate.last));
            let overlap = overlap.cloned().collect();
            let mut merge = Merge::new(overlap, range, direction, Some(matcher.clone()), bytes_max);
            let boundary = loop {
                match merge.next().await.expect("in memory") {
                    Step::Event(found) => keys.push(found.key),
                    Step::Paused(boundary) => break boundary,
                    Step::End => return (pauses, keys),
                }
            };
            pauses += 1;
            match direction {
                Direction::Forward => range.from = boundary,
                Direction::Backward => range.to = boundary,
            }
        }
    }

    async fn check(batches: &[&[i64]], bytes_max: usize, pauses_min: usize) {
        let candidates: Vec<Candidate> =
            batches.iter().zip(1..).map(|(millis, sequence)| candidate(sequence, millis)).collect();
        let mut expected: Vec<EventKey> = Vec::new();
        for (millis, sequence) in batches.iter().zip(1..) {
            let key = |(millis, index): (&i64, u32)| EventKey {
                timestamp: Timestamp::from_millis(*millis),
                sequence,
                index,
            };
            expected.extend(millis.iter().zip(0..).map(key));
        }
        expected.sort_unstable();
        for direction in [Direction::Forward, Direction::Backward] {
            let (pauses, keys) = read(&candidates, direction, bytes_max).await;
            assert_eq!(keys, expected, "{batches:?} {direction:?}");
            assert!(pauses >= pauses_min, "{pauses} pauses: {batches:?} {direction:?}");
            expected.reverse();
        }
    }

    #[tokio::test]
    async fn a_read_goes_on_where_its_budget_ended() {
        check(&[&[1, 2], &[3, 4], &[5, 6]], 1, 1).await;
        check(&[&[1, 2], &[3, 4], &[5, 6]], 1000, 0).await;
        check(&[&[5, 6], &[1, 9], &[3, 4], &[2, 7]], 1, 1).await;
        check(&[&[1], &[1], &[1, 1], &[1]], 1, 1).await;
        // All reach over the whole range, and each alone is over the budget.
        check(&[&[1, 5, 9], &[1, 5, 9], &[2, 9], &[1, 8]], 1, 1).await;
        check(&[], 1, 0).await;
    }
}
