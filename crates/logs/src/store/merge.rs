//! Events of many places in one order.
//!
//! A place is opened only when the next event could be in it, which the bounds of its keys tell. So a page
//! from the tail of a stream opens the newest batch, whatever else the range holds. A pattern is applied when
//! a place is opened, to all of its rows in the range at once; only what matches is merged. While a pattern
//! is applied to one place in a segment, the next ones are on their way already, on other cores.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::Timestamp;
use tokio::task::JoinHandle;

use super::StoreError;
use super::StreamAddress;
use super::candidate::{Candidate, Direction, Source};
use super::event_batch::EventBatch;
use super::segment::{OpenedPart, Selection, StoredPart};
use crate::event_key::{EventKey, KeyRange};
use crate::pattern::Matcher;

/// How much text is looked at before other requests get their turn on this thread.
const BYTES_BETWEEN_YIELDS: usize = 4 * 1024 * 1024;
/// How many places in segments are opened ahead of their turn when most of what they hold is not going to
/// match.
const OPENED_AHEAD: usize = 4;

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
    /// The budget is used up. All events between the range's start and this boundary were given; going on
    /// means a new read of the rest (from the boundary forward, or up to it backward).
    Paused(EventKey),
}

/// A read under way.
pub struct Merge {
    range: KeyRange,
    direction: Direction,
    matcher: Option<Arc<Matcher>>,
    /// The next one to open is the last.
    unopened: Vec<Place>,
    open: BinaryHeap<Open>,
    events_max: usize,
    bytes_looked_at: usize,
    bytes_max: usize,
    bytes_since_yield: usize,
    /// Batches up to this number are passed over.
    newer_than: u64,
}

impl Merge {
    /// Reads `candidates`, all of which overlap `range`. Pauses when it has looked at `bytes_max` bytes of
    /// text.
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
            unopened: candidates.into_iter().map(|candidate| Place { candidate, opening: None }).collect(),
            open: BinaryHeap::new(),
            events_max: usize::MAX,
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

    /// The same, of which no more than `events_max` events are going to be taken.
    pub(super) fn at_most(self, events_max: usize) -> Self {
        // One more, which tells whether something follows.
        Self { events_max: events_max.saturating_add(1), ..self }
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
                (Some(place), Some(open)) if !self.may_precede(&place.candidate, open.key) => {}
                (None, Some(_)) => {}
                (Some(Place { candidate, .. }), _) => {
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

    /// Whether looking at `candidate` counts for the budget. What reaches over the range's start does not:
    /// the read before this one paused there, and a pile of overlapping batches larger than the budget would
    /// never be passed.
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
        self.open_ahead();
        let Some(Place { candidate, opening }) = self.unopened.pop() else { return Ok(()) };
        match candidate.source {
            Source::Memory(address, batch) => self.open_batch(&address, batch, charged),
            Source::Segment(part) => {
                if charged && self.matcher.is_some() {
                    self.bytes_looked_at += part.text_bytes();
                }
                let opened = match opening {
                    Some(opening) => opening.opened().await?,
                    None => part.open(self.selection()).await?,
                };
                if let Some((key, part)) = opened.and_then(|part| Some((part.peek()?, part))) {
                    let events = Rows::Part(Box::new(part));
                    self.open.push(Open { key, direction: self.direction, rows: events });
                }
            }
        }
        if self.bytes_since_yield >= BYTES_BETWEEN_YIELDS {
            self.bytes_since_yield = 0;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Begins to open the places in segments that come next, if a matcher has to look at them.
    fn open_ahead(&mut self) {
        if self.matcher.is_none() {
            return;
        }
        let selection = self.selection();
        for place in self.unopened.iter_mut().rev().take(OPENED_AHEAD) {
            if let (Source::Segment(part), None) = (&place.candidate.source, &place.opening) {
                place.opening = Some(Opening::begin(part.clone(), selection.clone()));
            }
        }
    }

    fn selection(&self) -> Selection {
        Selection {
            range: self.range,
            direction: self.direction,
            matcher: self.matcher.clone(),
            newer_than: self.newer_than,
            events_max: self.events_max,
        }
    }

    fn open_batch(&mut self, address: &Arc<StreamAddress>, batch: EventBatch, charged: bool) {
        if batch.sequence() <= self.newer_than {
            // What is passed over costs time, too.
            self.bytes_since_yield += batch.message_len();
            return;
        }
        let mut rows = BatchRows::All(batch.rows_in(self.range));
        if let Some(matcher) = &self.matcher {
            if charged {
                self.bytes_looked_at += batch.message_len();
            }
            self.bytes_since_yield += batch.message_len();
            let matching = rows.iter().filter(|row| matcher.matches(batch.message(*row)));
            rows = BatchRows::Some(matching.map(|row| row as u32).collect());
        }
        if let Some(row) = rows.peek(self.direction) {
            let key = batch.key(row);
            let rows = Rows::Batch { address: address.clone(), batch, rows };
            self.open.push(Open { key, direction: self.direction, rows });
        }
    }

    /// Takes the first event of all open places.
    fn take_first(&mut self) -> Option<Found> {
        let mut first = self.open.peek_mut()?;
        let direction = self.direction;
        let found = first.rows.take(direction)?;
        match first.rows.peek(direction) {
            Some(next) => first.key = next,
            None => {
                std::collections::binary_heap::PeekMut::pop(first);
            }
        }
        Some(found)
    }
}

/// A place that is not open yet.
struct Place {
    candidate: Candidate,
    opening: Option<Opening>,
}

/// A place in a segment that is being opened. Given up when it is dropped.
struct Opening(JoinHandle<Result<Option<OpenedPart>, StoreError>>);

impl Opening {
    fn begin(part: StoredPart, selection: Selection) -> Self {
        Self(tokio::spawn(part.open(selection)))
    }

    async fn opened(mut self) -> Result<Option<OpenedPart>, StoreError> {
        (&mut self.0).await.map_err(StoreError::internal)?
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A place that is being read. The greatest of a heap is the one to read first.
struct Open {
    key: EventKey,
    direction: Direction,
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

/// The events of an open place that are still to be read.
enum Rows {
    Batch { address: Arc<StreamAddress>, batch: EventBatch, rows: BatchRows },
    Part(Box<OpenedPart>),
}

impl Rows {
    /// The key of the next one.
    fn peek(&self, direction: Direction) -> Option<EventKey> {
        match self {
            Self::Batch { batch, rows, .. } => rows.peek(direction).map(|row| batch.key(row)),
            Self::Part(part) => part.peek(),
        }
    }

    /// The next one.
    fn take(&mut self, direction: Direction) -> Option<Found> {
        match self {
            Self::Part(part) => part.take(),
            Self::Batch { address, batch, rows } => {
                let row = rows.take(direction)?;
                Some(Found {
                    key: batch.key(row),
                    address: address.clone(),
                    ingested: batch.ingested(),
                    message: batch.message_bytes(row),
                })
            }
        }
    }
}

/// The rows of a batch that are still to be read, ascending.
enum BatchRows {
    All(Range<usize>),
    Some(std::collections::VecDeque<u32>),
}

impl BatchRows {
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

    /// Reads everything with pauses after every `bytes_max` bytes; how often it paused, and the keys in the
    /// order read.
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
