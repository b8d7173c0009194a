//! Recent events in memory: by group and stream, each batch as it arrived.
//!
//! Batches of a stream are kept by the time of their first event. Nothing is sorted into place: writers send
//! in order of time anyway, and readers merge what overlaps. How far a batch reaches beyond its first event
//! is only bounded by the widest batch of its stream, which is seconds in practice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::Timestamp;
use hashbrown::HashMap;

use super::StreamAddress;
use super::Streams;
use super::candidate::{Candidate, Direction};
use super::event_batch::EventBatch;
use super::record::Record;
use crate::event_key::{EventKey, KeyRange};
use crate::incarnation::{GroupId, LogStreamId};
use crate::stream::StreamStatistics;

/// What a stream takes in memory besides its batches, about: names, ids and maps.
const STREAM_OVERHEAD_BYTES: usize = 512;

/// Events that are in no segment yet.
#[derive(Debug, Default)]
pub(super) struct Head {
    groups: HashMap<GroupId, GroupHead>,
    memory_bytes: usize,
    begun: Option<Timestamp>,
}

/// The recent events of one group.
#[derive(Debug, Default)]
struct GroupHead {
    streams: HashMap<LogStreamId, StreamHead>,
    /// Of all streams, as AWS counts them: listings of groups do not look at each stream.
    stored_bytes: u64,
}

/// The recent events of one stream.
#[derive(Debug)]
pub(super) struct StreamHead {
    address: Arc<StreamAddress>,
    /// By the first event's time and the batch's sequence.
    batches: BTreeMap<(Timestamp, u64), EventBatch>,
    /// From first to last event of the widest batch.
    span_max: Duration,
    statistics: StreamStatistics,
    memory_bytes: usize,
}

impl Head {
    /// Notes that a batch arrived at that time, whatever becomes of it. The journal may hold it from then on.
    pub(super) fn begin(&mut self, arrived: Timestamp) {
        self.begun.get_or_insert(arrived);
    }

    /// Adds a record, whose sequence is above those of all others of its stream.
    pub(super) fn insert(&mut self, record: Record) {
        let Record { address, batch } = record;
        self.memory_bytes += batch.memory_bytes();
        self.begin(batch.ingested());
        let group = self.groups.entry(address.group_id).or_default();
        group.stored_bytes += batch.billed_bytes();
        match group.streams.get_mut(&address.stream_id) {
            Some(stream) => stream.insert(batch),
            None => {
                let stream = StreamHead::new(address, batch);
                self.memory_bytes += STREAM_OVERHEAD_BYTES;
                group.streams.insert(stream.address.stream_id, stream);
            }
        }
    }

    /// Drops all events of a group.
    pub(super) fn forget_group(&mut self, group: GroupId) {
        for stream in self.groups.remove(&group).iter().flat_map(|group| group.streams.values()) {
            self.memory_bytes -= stream.memory_bytes + STREAM_OVERHEAD_BYTES;
        }
    }

    /// Drops all events of a stream.
    pub(super) fn forget_stream(&mut self, group: GroupId, stream: LogStreamId) {
        let Some(head) = self.groups.get_mut(&group) else { return };
        if let Some(stream) = head.streams.remove(&stream) {
            self.memory_bytes -= stream.memory_bytes + STREAM_OVERHEAD_BYTES;
            head.stored_bytes -= stream.statistics.stored_bytes;
        }
        if head.streams.is_empty() {
            self.forget_group(group);
        }
    }

    /// Bytes that it takes in memory, about.
    pub(super) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// When the first batch arrived that has to do with it: also if its append failed, or its stream is gone.
    /// Until the head is flushed, the journal may hold that batch for nothing.
    pub(super) fn begun(&self) -> Option<Timestamp> {
        self.begun
    }

    /// What is known of a stream's events in here.
    pub(super) fn statistics(&self, group: GroupId, stream: LogStreamId) -> Option<StreamStatistics> {
        Some(self.groups.get(&group)?.streams.get(&stream)?.statistics)
    }

    /// Bytes of a group's events in here, as AWS counts them.
    pub(super) fn stored_bytes(&self, group: GroupId) -> u64 {
        self.groups.get(&group).map_or(0, |group| group.stored_bytes)
    }

    /// Adds to `found` the batches of a group's streams that a reader of `range` in `direction` may need to
    /// see its first `enough` events.
    pub(super) fn gather(
        &self,
        group: GroupId,
        streams: Streams<'_>,
        range: KeyRange,
        direction: Direction,
        enough: usize,
        found: &mut Vec<Candidate>,
    ) {
        match streams {
            Streams::One(stream) => {
                let group = self.groups.get(&group);
                if let Some(stream) = group.and_then(|group| group.streams.get(&stream)) {
                    stream.gather(range, direction, enough, found);
                }
            }
            Streams::Those(wanted) => {
                for stream in self.streams(group).filter(|stream| wanted(&stream.address)) {
                    stream.gather(range, direction, enough, found);
                }
            }
        }
    }

    /// Adds to `found` the batches of a group in `range` whose numbers are above `newer_than`.
    pub(super) fn gather_newer(
        &self,
        group: GroupId,
        range: KeyRange,
        newer_than: u64,
        found: &mut Vec<Candidate>,
    ) {
        for stream in self.streams(group).filter(|stream| stream.statistics.last_sequence > newer_than) {
            let newer = stream.batches.values().filter(|batch| {
                batch.sequence() > newer_than && range.overlaps(batch.first_key(), batch.last_key())
            });
            found.extend(newer.map(|batch| Candidate::in_memory(&stream.address, batch)));
        }
    }

    /// Every group that has events in here.
    pub(super) fn groups_in_order(&self) -> Vec<GroupId> {
        let mut groups: Vec<GroupId> = self.groups.keys().copied().collect();
        groups.sort_unstable();
        groups
    }

    /// How many events of a group are in here.
    pub(super) fn events(&self, group: GroupId) -> usize {
        self.streams_of(group).iter().flat_map(|stream| stream.batches()).map(EventBatch::len).sum()
    }

    /// The streams of a group that have events in here.
    pub(super) fn streams_of(&self, group: GroupId) -> Vec<&StreamHead> {
        self.streams(group).collect()
    }

    fn streams(&self, group: GroupId) -> impl Iterator<Item = &StreamHead> {
        self.groups.get(&group).into_iter().flat_map(|group| group.streams.values())
    }

    /// Every stream that has events in here, by group and stream incarnation.
    pub(super) fn streams_in_order(&self) -> Vec<&StreamHead> {
        let mut streams: Vec<&StreamHead> =
            self.groups.values().flat_map(|group| group.streams.values()).collect();
        streams.sort_unstable_by_key(|stream| (stream.address.group_id, stream.address.stream_id));
        streams
    }
}

impl StreamHead {
    fn new(address: Arc<StreamAddress>, batch: EventBatch) -> Self {
        let statistics = statistics_of(&batch);
        let mut stream =
            Self { address, batches: BTreeMap::new(), span_max: Duration::ZERO, statistics, memory_bytes: 0 };
        stream.hold(batch);
        stream
    }

    fn insert(&mut self, batch: EventBatch) {
        self.statistics = self.statistics.and(statistics_of(&batch));
        self.hold(batch);
    }

    fn hold(&mut self, batch: EventBatch) {
        let (first, last) = (batch.first_key().timestamp, batch.last_key().timestamp);
        self.span_max = self.span_max.max(last.since(first));
        self.memory_bytes += batch.memory_bytes();
        self.batches.insert((first, batch.sequence()), batch);
    }

    /// Whose events these are.
    pub(super) fn address(&self) -> &Arc<StreamAddress> {
        &self.address
    }

    /// What is known of the events.
    pub(super) fn statistics(&self) -> StreamStatistics {
        self.statistics
    }

    /// The batches by the time of their first event.
    pub(super) fn batches(&self) -> impl Iterator<Item = &EventBatch> {
        self.batches.values()
    }

    fn gather(&self, range: KeyRange, direction: Direction, enough: usize, found: &mut Vec<Candidate>) {
        match direction {
            Direction::Forward => self.gather_forward(range, enough, found),
            Direction::Backward => self.gather_backward(range, enough, found),
        }
    }

    fn gather_forward(&self, range: KeyRange, enough: usize, found: &mut Vec<Candidate>) {
        let earliest = (range.from.timestamp - self.span_max, 0);
        let (mut events, mut reach) = (0, EventKey::MIN);
        for batch in self.batches.range(earliest..).map(|(_, batch)| batch) {
            let (first, last) = (batch.first_key(), batch.last_key());
            if first >= range.to || (events >= enough && first > reach) {
                break;
            }
            if range.overlaps(first, last) {
                events += batch.rows_in(range).len();
                reach = reach.max(last);
                found.push(Candidate::in_memory(&self.address, batch));
            }
        }
    }

    fn gather_backward(&self, range: KeyRange, enough: usize, found: &mut Vec<Candidate>) {
        let latest = (range.to.timestamp, u64::MAX);
        let (mut events, mut reach) = (0, EventKey::MAX);
        for batch in self.batches.range(..=latest).rev().map(|(_, batch)| batch) {
            let (first, last) = (batch.first_key(), batch.last_key());
            // No batch from here on reaches beyond this moment.
            let horizon = first.timestamp + self.span_max;
            if horizon < range.from.timestamp || (events >= enough && horizon < reach.timestamp) {
                break;
            }
            if range.overlaps(first, last) {
                events += batch.rows_in(range).len();
                reach = reach.min(first);
                found.push(Candidate::in_memory(&self.address, batch));
            }
        }
    }
}

fn statistics_of(batch: &EventBatch) -> StreamStatistics {
    StreamStatistics {
        first_event: batch.first_key().timestamp,
        last_event: batch.last_key().timestamp,
        last_ingestion: batch.ingested(),
        last_sequence: batch.sequence(),
        stored_bytes: batch.billed_bytes(),
    }
}
