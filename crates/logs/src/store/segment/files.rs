//! Registers files, and finds what they hold.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::slice::from_ref;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use groundwatch_core::Timestamp;
use groundwatch_log_files::{
    Candidates, EventKey, GroupId, LogFile, MalformedFile, Part, PartStream, Requirement, RowRanges,
    StreamAddress, WrittenFile,
};
use groundwatch_storage::{
    Batch, Position, SegmentId, SegmentMeta, SegmentObject, Segments, StorageError, StreamId,
};
use parking_lot::Mutex;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::decoded::DecodedParts;
use super::stored::StoredPart;
use crate::event_key::KeyRange;
use crate::store::candidate::{Candidate, Source};
use crate::store::{StoreError, Streams};

/// What segments of logs are registered as.
const KIND: &str = "log-events";
/// Up to so many groups are named beside a segment, so that it need not be opened to know that it has
/// nothing.
const NAMED_GROUPS_MAX: usize = 256;
/// Indexes kept in memory.
const INDEX_CACHE_BYTES: usize = 48 << 20;
/// Filters kept in memory.
const FILTER_CACHE_BYTES: usize = 64 << 20;
/// A cache that expects no more items is of one piece. Of several pieces none would have room for the index of
/// a file with 100,000 small groups, which would be read again for every reader.
const ITEMS_EXPECTED: usize = 32;
/// Files that one reader opens at once.
const OPENED_AT_ONCE: usize = 8;
/// Row groups that are decoded at once, of all readers: what each takes in memory is about 15 MB.
const DECODED_AT_ONCE: usize = 4;

/// How often a file was merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::store) enum Level {
    /// Holds many groups, and was merged that often.
    Shared(u8),
    /// Holds one group.
    Own,
}

/// A segment that was written.
#[derive(Debug)]
pub(in crate::store) struct Segment {
    /// As it is registered: storage keeps the object as long as somebody holds this.
    pub(super) meta: Arc<SegmentMeta>,
    /// `None` if there are too many to name.
    groups: Option<BTreeSet<GroupId>>,
    level: Level,
    tail_bytes: u64,
    filter_bytes: u64,
    /// No batch above this is in it; `None` if that is not known.
    through: Option<u64>,
}

/// What is kept about a segment beside it. A format on disk.
#[derive(Debug, Serialize, Deserialize)]
struct Extra {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<BTreeSet<GroupId>>,
    level: Level,
    /// How many of the last bytes open the file.
    tail_bytes: u64,
    /// How many of those before them are filters, as far as that is noted.
    #[serde(default)]
    filter_bytes: u64,
    /// No batch above this is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    through: Option<u64>,
}

/// The segments of this server. Cheap to clone.
#[derive(Clone)]
pub(in crate::store) struct SegmentStore {
    segments: Segments,
    files: Arc<Cache<SegmentId, Arc<LogFile>, ByMemory>>,
    filters: Arc<Cache<SegmentId, Bytes, ByMemory>>,
    /// Those that were found to be damaged.
    damaged: Arc<Mutex<HashSet<SegmentId>>>,
    pub(super) decoding: Arc<Semaphore>,
    pub(super) decoded: DecodedParts,
}

#[derive(Clone)]
struct ByMemory;

impl Weighter<SegmentId, Arc<LogFile>> for ByMemory {
    fn weight(&self, _: &SegmentId, file: &Arc<LogFile>) -> u64 {
        file.memory_bytes() as u64
    }
}

impl Weighter<SegmentId, Bytes> for ByMemory {
    fn weight(&self, _: &SegmentId, filters: &Bytes) -> u64 {
        filters.len() as u64
    }
}

impl fmt::Debug for SegmentStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentStore").finish_non_exhaustive()
    }
}

impl SegmentStore {
    pub(in crate::store) fn new(segments: Segments) -> Self {
        let (files, filters) = (INDEX_CACHE_BYTES as u64, FILTER_CACHE_BYTES as u64);
        Self {
            segments,
            files: Arc::new(Cache::with_weighter(ITEMS_EXPECTED, files, ByMemory)),
            filters: Arc::new(Cache::with_weighter(ITEMS_EXPECTED, filters, ByMemory)),
            damaged: Arc::default(),
            decoding: Arc::new(Semaphore::new(DECODED_AT_ONCE)),
            decoded: DecodedParts::new(),
        }
    }

    /// The segments that are registered.
    pub(in crate::store) fn registered(&self) -> Result<Vec<Arc<Segment>>, StoreError> {
        self.segments.list(KIND).into_iter().map(|meta| Segment::new(meta).map(Arc::new)).collect()
    }

    /// Writes a file that holds no batch above `through`. It is durable when this returns, and visible once
    /// it is registered.
    pub(in crate::store) async fn write(
        &self,
        file: WrittenFile,
        level: Level,
        through: Option<u64>,
    ) -> Result<SegmentMeta, StoreError> {
        let WrittenFile { bytes, tail_bytes, filter_bytes, summary } = file;
        let object = self.segments.write(KIND, bytes).await?;
        let named = summary.groups.len() <= NAMED_GROUPS_MAX;
        let groups = named.then(|| summary.groups.into_iter().collect());
        let extra = serde_json::to_value(Extra { groups, level, tail_bytes, filter_bytes, through })
            .map_err(StoreError::internal)?;
        let (from, to, rows, bytes) = (summary.from, summary.to, summary.rows, summary.bytes);
        Ok(SegmentMeta { object, scope: None, from, to, rows, bytes, extra })
    }

    /// Deletes files that were written and are not going to be registered.
    pub(in crate::store) async fn discard(&self, segments: &[SegmentMeta]) {
        self.segments.discard(objects(segments)).await;
    }

    /// Deletes files that were to be registered by a batch whose commit failed so.
    pub(in crate::store) async fn discard_after(&self, error: &StorageError, segments: &[SegmentMeta]) {
        self.segments.discard_after(error, objects(segments)).await;
    }

    /// Adds to the batch: the segment is registered.
    pub(in crate::store) fn register(&self, batch: &mut Batch, segment: &SegmentMeta) {
        self.segments.register(batch, segment.clone());
    }

    /// Adds to the batch: the journal's records of logs through `position` are needed no more.
    pub(in crate::store) fn release_journal(&self, batch: &mut Batch, position: Position) {
        self.segments.release_journal(batch, StreamId::LOGS, position);
    }

    /// Adds to the batch: the segment is registered no more. Its object is deleted when nobody reads it any
    /// more.
    pub(in crate::store) fn unregister(&self, batch: &mut Batch, segment: &Segment) {
        self.segments.unregister(batch, segment.meta.id());
    }

    /// Gives back the memory for what is known of segments that are registered no more. Whoever still reads
    /// one keeps what it has.
    pub(in crate::store) fn forget(&self, segments: &[Arc<Segment>]) {
        for segment in segments {
            self.files.remove(segment.id());
            self.filters.remove(segment.id());
            self.decoded.forget(segment.id());
        }
    }

    /// Deletes the objects of segments that were unregistered and that nobody reads.
    pub(in crate::store) async fn sweep(&self) {
        self.segments.sweep().await;
    }

    /// Adds to `found` where events of `group` in `range` lie in `segment`.
    pub(in crate::store) async fn gather(
        &self,
        segment: &Arc<Segment>,
        group: GroupId,
        streams: Streams<'_>,
        range: KeyRange,
        found: &mut Vec<Candidate>,
    ) -> Result<(), StoreError> {
        self.gather_with(segment, group, streams, range, &[], found).await
    }

    /// As [`Self::gather`], without row groups in which no message can meet all `requirements`.
    pub(in crate::store) async fn gather_with(
        &self,
        segment: &Arc<Segment>,
        group: GroupId,
        streams: Streams<'_>,
        range: KeyRange,
        requirements: &[Requirement],
        found: &mut Vec<Candidate>,
    ) -> Result<(), StoreError> {
        if !segment.may_hold(group, range) {
            return Ok(());
        }
        let file = self.open_with(segment, !requirements.is_empty()).await?;
        let (from_ms, to_ms) = (range.from.timestamp.as_millis(), range.to.timestamp.as_millis());
        let wanted = |entry: &PartStream| {
            let in_range = entry.first_ms <= to_ms && entry.last_ms >= from_ms;
            in_range && streams.wants(&file.streams()[entry.stream as usize])
        };
        let parts = file.parts_of(group).iter().filter(|part| range.overlaps(part.first, part.last));
        let parts: Vec<&Part> = parts.collect();
        let candidates = if requirements.is_empty() || parts.is_empty() {
            Candidates::ANYWHERE
        } else {
            self.candidates(segment, &file, requirements).await?
        };
        let parts = parts.into_iter().filter_map(|part| {
            // Of most files nothing is left, and so nobody is asked about their streams.
            let rows = Some(candidates.rows_of(part)).filter(|rows| !rows.is_empty())?;
            Some((part.clone(), Wanted { rows, ..Wanted::new(from_ref(part), wanted)? }))
        });
        self.add(segment, &file, parts, found);
        Ok(())
    }

    /// Adds to `found` everything of `groups` in `segment` that `keep` says yes to: it is asked with each
    /// stream of each part, and the time of its last event there. What lies in one row group is found as one,
    /// so that a row group with thousands of small groups is not read for each of them.
    pub(in crate::store) async fn gather_kept(
        &self,
        segment: &Arc<Segment>,
        groups: RangeInclusive<GroupId>,
        keep: &(dyn Fn(&StreamAddress, Timestamp) -> bool + Send + Sync),
        found: &mut Vec<Candidate>,
    ) -> Result<(), StoreError> {
        let file = self.open(segment).await?;
        let wanted = |entry: &PartStream| {
            keep(&file.streams()[entry.stream as usize], Timestamp::from_millis(entry.last_ms))
        };
        let start = file.parts().partition_point(|part| part.group < *groups.start());
        let len = file.parts()[start..].partition_point(|part| part.group <= *groups.end());
        let follows =
            |one: &Part, next: &Part| one.row_group == next.row_group && one.rows.end <= next.rows.start;
        let spans = file.parts()[start..start + len].chunk_by(follows);
        let spans = spans.filter_map(|parts| Some((joined(parts)?, Wanted::new(parts, wanted)?)));
        self.add(segment, &file, spans, found);
        Ok(())
    }

    fn add(
        &self,
        segment: &Arc<Segment>,
        file: &Arc<LogFile>,
        parts: impl IntoIterator<Item = (Part, Wanted)>,
        found: &mut Vec<Candidate>,
    ) {
        found.extend(parts.into_iter().map(|(part, wanted)| {
            let Wanted { streams, first, last, bytes, rows } = wanted;
            // What the wanted streams have there is spread evenly, more or less.
            let bytes = (bytes as f64 * rows.len() as f64 / part.rows.len() as f64) as u64;
            Candidate {
                first: first.max(part.first),
                last: last.min(part.last),
                source: Source::Segment(StoredPart {
                    segment: segment.clone(),
                    file: file.clone(),
                    part,
                    streams,
                    rows,
                    bytes,
                    store: self.clone(),
                }),
            }
        }));
    }

    /// Opens those of `segments` that may hold events of `group` in `range`, several at once: those that come
    /// next find them open. With filters, if words are looked for.
    pub(in crate::store) async fn open_ahead(
        &self,
        segments: &[Arc<Segment>],
        group: GroupId,
        range: KeyRange,
        with_filters: bool,
    ) {
        let is_new =
            |segment: &Segment| segment.may_hold(group, range) && self.files.peek(segment.id()).is_none();
        let new: Vec<_> = segments.iter().filter(|segment| is_new(segment)).cloned().collect();
        if new.len() < 2 {
            return;
        }
        let open = |segment: Arc<Segment>| {
            let store = self.clone();
            // Whoever reads it meets its error again.
            tokio::spawn(async move { drop(store.open_with(&segment, with_filters).await) })
        };
        let mut opening = stream::iter(new.into_iter().map(open)).buffer_unordered(OPENED_AT_ONCE);
        while opening.next().await.is_some() {}
    }

    /// The index of a segment.
    pub(in crate::store) async fn open(&self, segment: &Segment) -> Result<Arc<LogFile>, StoreError> {
        self.open_with(segment, false).await
    }

    /// The index of a segment. If it has to be read, the filters may be read with it.
    async fn open_with(&self, segment: &Segment, and_filters: bool) -> Result<Arc<LogFile>, StoreError> {
        let open = async {
            let length = segment.meta.object.length;
            let filter_bytes = if and_filters { segment.filter_bytes } else { 0 };
            let start = length.saturating_sub(segment.tail_bytes + filter_bytes);
            let mut tail = self.read(segment, start..length).await?;
            let filters = tail.split_to((filter_bytes as usize).min(tail.len()));
            let file = LogFile::open(&tail, length).map_err(|error| self.damaged(segment, &error))?;
            if file.filters().is_some_and(|range| range.end - range.start == filters.len() as u64) {
                self.filters.insert(segment.id().clone(), Bytes::copy_from_slice(&filters));
            }
            Ok(Arc::new(file))
        };
        // Of those who want it at once, one reads it.
        self.files.get_or_insert_async(segment.id(), open).await
    }

    /// A part of the file, verified.
    pub(super) async fn read(
        &self,
        segment: &Segment,
        range: std::ops::Range<u64>,
    ) -> Result<Bytes, StoreError> {
        let read = self.segments.read_range(&segment.meta, range).await;
        if let Err(StorageError::Corrupt { .. }) = &read {
            self.damaged.lock().insert(segment.id().clone());
        }
        Ok(read?)
    }

    /// Whether a segment was found to be damaged. It is left as it is then, for somebody to restore it.
    pub(in crate::store) fn is_damaged(&self, segment: &Segment) -> bool {
        self.damaged.lock().contains(segment.id())
    }

    /// The error that a file is not what it should be.
    pub(super) fn damaged(&self, segment: &Segment, error: &MalformedFile) -> StoreError {
        self.damaged.lock().insert(segment.id().clone());
        corrupt(segment.id(), error.to_string())
    }

    async fn candidates(
        &self,
        segment: &Segment,
        file: &LogFile,
        requirements: &[Requirement],
    ) -> Result<Candidates, StoreError> {
        let filters = self.filters(segment, file).await?;
        Ok(filters.map_or(Candidates::ANYWHERE, |filters| file.candidates(&filters, requirements)))
    }

    /// The filters of a segment, if it has any.
    pub(super) async fn filters(
        &self,
        segment: &Segment,
        file: &LogFile,
    ) -> Result<Option<Bytes>, StoreError> {
        let Some(range) = file.filters() else { return Ok(None) };
        let read = async {
            let read = self.read(segment, range).await?;
            // A copy, without the rest of the blocks that it was read in.
            Ok(Bytes::copy_from_slice(&read))
        };
        self.filters.get_or_insert_async(segment.id(), read).await.map(Some)
    }
}

/// Which of a part's streams are wanted, and the bounds of what they hold.
struct Wanted {
    /// By number, ascending; `None` for all.
    streams: Option<Arc<[u32]>>,
    first: EventKey,
    last: EventKey,
    bytes: u64,
    /// Where they may be in it.
    rows: RowRanges,
}

impl Wanted {
    /// Of parts that follow each other in one row group; `None` if nothing is wanted.
    fn new(parts: &[Part], wanted: impl Fn(&PartStream) -> bool) -> Option<Self> {
        let (mut numbers, mut rows) = (Vec::new(), Vec::new());
        let (mut streams, mut bytes, mut first_ms, mut last_ms) = (0, 0, i64::MAX, i64::MIN);
        let start = parts.first()?.rows.start;
        for part in parts {
            let before = numbers.len();
            for entry in part.streams.iter().filter(|entry| wanted(entry)) {
                numbers.push(entry.stream);
                bytes += entry.bytes;
                first_ms = first_ms.min(entry.first_ms);
                last_ms = last_ms.max(entry.last_ms);
            }
            streams += part.streams.len();
            if numbers.len() > before {
                rows.push(part.rows.start - start..part.rows.end - start);
            }
        }
        let last =
            EventKey { timestamp: Timestamp::from_millis(last_ms), sequence: u64::MAX, index: u32::MAX - 1 };
        (!numbers.is_empty()).then(|| Self {
            streams: (numbers.len() < streams).then(|| numbers.into()),
            first: EventKey::before(Timestamp::from_millis(first_ms)),
            last,
            bytes,
            rows: rows.into_iter().collect(),
        })
    }
}

/// Parts that follow each other in one row group, as one.
fn joined(parts: &[Part]) -> Option<Part> {
    let (first, last) = (parts.first()?, parts.last()?);
    Some(Part {
        rows: first.rows.start..last.rows.end,
        first: parts.iter().map(|part| part.first).min()?,
        last: parts.iter().map(|part| part.last).max()?,
        streams: parts.iter().flat_map(|part| &part.streams).copied().collect(),
        ..*first
    })
}

impl Segment {
    fn new(meta: Arc<SegmentMeta>) -> Result<Self, StoreError> {
        let extra: Result<Extra, _> = serde_json::from_value(meta.extra.clone());
        match extra {
            Ok(Extra { groups, level, tail_bytes, filter_bytes, through }) => {
                Ok(Self { meta, groups, level, tail_bytes, filter_bytes, through })
            }
            Err(error) => Err(corrupt(meta.id(), error.to_string())),
        }
    }

    /// Its name.
    pub(in crate::store) fn id(&self) -> &SegmentId {
        self.meta.id()
    }

    /// The time of the earliest event.
    pub(in crate::store) fn from(&self) -> Timestamp {
        self.meta.from
    }

    /// Bytes of its events as AWS counts them.
    pub(in crate::store) fn bytes(&self) -> u64 {
        self.meta.bytes
    }

    /// How often it was merged.
    pub(in crate::store) fn level(&self) -> Level {
        self.level
    }

    /// Its groups; `None` if there are too many to know without opening it.
    pub(in crate::store) fn groups(&self) -> Option<&BTreeSet<GroupId>> {
        self.groups.as_ref()
    }

    /// No batch above this is in it; `None` if that is not known.
    pub(in crate::store) fn through(&self) -> Option<u64> {
        self.through
    }

    /// Whether it could hold events of `group` in `range`, as far as is known without opening it.
    fn may_hold(&self, group: GroupId, range: KeyRange) -> bool {
        let in_time = self.meta.from <= range.to.timestamp && self.meta.to >= range.from.timestamp;
        in_time && self.groups.as_ref().is_none_or(|groups| groups.contains(&group))
    }
}

fn objects(segments: &[SegmentMeta]) -> Vec<SegmentObject> {
    segments.iter().map(|segment| segment.object.clone()).collect()
}

fn corrupt(id: &SegmentId, reason: String) -> StoreError {
    StorageError::Corrupt { place: format!("segments/{}", id.as_str()), reason }.into()
}
