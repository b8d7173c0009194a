//! Finds and reads what segments hold.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use groundwatch_core::Timestamp;
use groundwatch_storage::{Batch, Position, SegmentId, SegmentMeta, Segments, StorageError, StreamId};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::cache::Cache;
use super::index::{Block, Index, Run, StreamRuns};
use super::writer::{Summary, WrittenSegment};
use super::{BLOCK_BYTES_MAX, HEADER_BYTES, MAGIC, MalformedSegment, TRAILER_BYTES, VERSION};
use crate::event_key::KeyRange;
use crate::incarnation::GroupId;
use crate::store::address::StreamAddress;
use crate::store::candidate::{Candidate, Source};
use crate::store::{StoreError, Streams};

/// What segments of logs are registered as.
const KIND: &str = "log-events";
/// Up to so many groups are named beside a segment, so that it need not be opened to know that it has nothing.
const NAMED_GROUPS_MAX: usize = 256;
/// Indexes kept in memory.
const INDEX_CACHE_BYTES: usize = 32 << 20;
/// The largest raw index that is read: that of a segment with a million short runs.
const INDEX_BYTES_MAX: usize = 256 << 20;

/// A segment that was written.
#[derive(Debug)]
pub(in crate::store) struct Segment {
    /// As it is registered: storage keeps the object as long as somebody holds this.
    meta: Arc<SegmentMeta>,
    /// `None` if there are too many to name.
    groups: Option<BTreeSet<GroupId>>,
}

/// What is kept about a segment beside it. A format on disk.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Extra {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<BTreeSet<GroupId>>,
}

/// Events of one stream that lie together in a segment.
#[derive(Clone, Debug)]
pub(in crate::store) struct StoredRun {
    segment: Arc<Segment>,
    block: Block,
    run: Run,
    store: SegmentStore,
}

/// The events of one stream in a segment.
#[derive(Clone, Debug)]
pub(in crate::store) struct StoredStream {
    /// Whose they are.
    pub(in crate::store) address: Arc<StreamAddress>,
    /// Where they are, by the time of their first event.
    pub(in crate::store) runs: Vec<StoredRun>,
}

/// The segments of this server. Cheap to clone.
#[derive(Clone)]
pub(in crate::store) struct SegmentStore {
    segments: Segments,
    indexes: Arc<Mutex<Cache<SegmentId, Arc<Index>>>>,
}

impl fmt::Debug for SegmentStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentStore").finish_non_exhaustive()
    }
}

impl SegmentStore {
    pub(in crate::store) fn new(segments: Segments) -> Self {
        Self { segments, indexes: Arc::new(Mutex::new(Cache::new(INDEX_CACHE_BYTES))) }
    }

    /// The segments that are registered.
    pub(in crate::store) fn registered(&self) -> Result<Vec<Arc<Segment>>, StoreError> {
        self.segments.list(KIND).into_iter().map(|meta| Segment::new(meta).map(Arc::new)).collect()
    }

    /// Writes a segment, which is then durable and not yet registered.
    pub(in crate::store) async fn write(&self, written: WrittenSegment) -> Result<SegmentMeta, StoreError> {
        let WrittenSegment { bytes, summary } = written;
        let object = self.segments.write(KIND, bytes).await?;
        let Summary { from, to, rows, bytes, groups } = summary;
        let named = groups.len() <= NAMED_GROUPS_MAX;
        let extra = Extra { groups: named.then(|| groups.into_iter().collect()) };
        let extra = serde_json::to_value(extra).map_err(StoreError::internal)?;
        Ok(SegmentMeta { object, scope: None, from, to, rows, bytes, extra })
    }

    /// Adds to the batch: the segment is registered.
    pub(in crate::store) fn register(&self, batch: &mut Batch, segment: &SegmentMeta) {
        self.segments.register(batch, segment.clone());
    }

    /// Adds to the batch: the journal's records of logs through `position` are needed no more.
    pub(in crate::store) fn release_journal(&self, batch: &mut Batch, position: Position) {
        self.segments.release_journal(batch, StreamId::LOGS, position);
    }

    /// Adds to the batch: the segment is registered no more. Its object is deleted when nobody reads it any more.
    pub(in crate::store) fn unregister(&self, batch: &mut Batch, segment: &Segment) {
        self.segments.unregister(batch, segment.meta.id());
    }

    /// Deletes the objects of segments that were unregistered and that nobody reads.
    pub(in crate::store) async fn sweep(&self) {
        self.segments.sweep().await;
    }

    /// Everything in `segment`, by stream.
    pub(in crate::store) async fn contents(
        &self,
        segment: &Arc<Segment>,
    ) -> Result<Vec<StoredStream>, StoreError> {
        let index = self.index(segment).await?;
        let stored = |run: &Run| StoredRun {
            segment: segment.clone(),
            block: index.blocks[run.block as usize],
            run: *run,
            store: self.clone(),
        };
        let stream = |entry: &StreamRuns| StoredStream {
            address: entry.address.clone(),
            runs: index.runs[entry.runs.clone()].iter().map(stored).collect(),
        };
        Ok(index.streams.iter().map(stream).collect())
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
        if !segment.may_hold(group, range) {
            return Ok(());
        }
        let index = self.index(segment).await?;
        let entries = match streams {
            Streams::One(stream) => index.stream(group, stream).map(std::slice::from_ref).unwrap_or_default(),
            Streams::Those(_) => index.group(group),
        };
        for entry in entries.iter().filter(|entry| streams.wants(&entry.address)) {
            let runs = &index.runs[entry.runs.clone()];
            for run in runs.iter().filter(|run| range.overlaps(run.first, run.last)) {
                found.push(Candidate {
                    address: entry.address.clone(),
                    first: run.first,
                    last: run.last,
                    source: Source::Segment(StoredRun {
                        segment: segment.clone(),
                        block: index.blocks[run.block as usize],
                        run: *run,
                        store: self.clone(),
                    }),
                });
            }
        }
        Ok(())
    }

    async fn index(&self, segment: &Segment) -> Result<Arc<Index>, StoreError> {
        if let Some(index) = self.indexes.lock().get(segment.meta.id()) {
            return Ok(index);
        }
        let index = Arc::new(self.read_index(segment).await?);
        self.indexes.lock().put(segment.meta.id().clone(), index.clone(), index.memory_bytes());
        Ok(index)
    }

    async fn read_index(&self, segment: &Segment) -> Result<Index, StoreError> {
        let length = segment.meta.object.length;
        let damaged = |error| segment.damaged(error);
        let trailer_at = length.checked_sub(TRAILER_BYTES as u64).filter(|at| *at >= HEADER_BYTES as u64);
        let trailer_at = trailer_at.ok_or(damaged(MalformedSegment("it is too short")))?;
        let header = self.segments.read_range(&segment.meta, 0..HEADER_BYTES as u64).await?;
        let trailer = self.segments.read_range(&segment.meta, trailer_at..length).await?;
        let (at, raw_bytes) = find_index(header, trailer, trailer_at).map_err(damaged)?;
        let compressed = self.segments.read_range(&segment.meta, at).await?;
        let index = decompress(&compressed, raw_bytes, INDEX_BYTES_MAX).and_then(Index::decode);
        index.map_err(damaged)
    }
}

impl StoredRun {
    /// The raw block that the run is in.
    pub(super) async fn read_block(&self) -> Result<Bytes, StoreError> {
        let Block { offset, compressed_bytes, raw_bytes } = self.block;
        let range = offset..offset.saturating_add(u64::from(compressed_bytes));
        let compressed = self.store.segments.read_range(&self.segment.meta, range).await?;
        let raw = decompress(&compressed, raw_bytes as usize, BLOCK_BYTES_MAX);
        raw.map_err(|error| self.segment.damaged(error))
    }

    /// The time of its latest event.
    pub(in crate::store) fn last_event(&self) -> Timestamp {
        self.run.last.timestamp
    }

    /// Its bytes before compression.
    pub(in crate::store) fn raw_bytes(&self) -> u64 {
        u64::from(self.run.bytes)
    }

    /// Where in its raw block the run is.
    pub(super) fn place(&self) -> Range<usize> {
        let start = self.run.offset as usize;
        start..start.saturating_add(self.run.bytes as usize)
    }

    /// Whether the other run is in the same block.
    pub(super) fn shares_block(&self, other: &Self) -> bool {
        self.run.block == other.run.block && self.segment.meta.id() == other.segment.meta.id()
    }

    /// The error that the run's segment is not what it should be.
    pub(super) fn damaged(&self, error: MalformedSegment) -> StoreError {
        self.segment.damaged(error)
    }
}

impl Segment {
    fn new(meta: Arc<SegmentMeta>) -> Result<Self, StoreError> {
        let extra: Result<Extra, _> = serde_json::from_value(meta.extra.clone());
        match extra {
            Ok(Extra { groups }) => Ok(Self { meta, groups }),
            Err(error) => Err(corrupt(meta.id(), error.to_string())),
        }
    }

    /// The time of the earliest event.
    pub(in crate::store) fn from(&self) -> Timestamp {
        self.meta.from
    }

    /// Its groups; `None` if there are too many to know without opening it.
    pub(in crate::store) fn groups(&self) -> Option<&BTreeSet<GroupId>> {
        self.groups.as_ref()
    }

    /// Whether it could hold events of `group` in `range`, as far as is known without opening it.
    fn may_hold(&self, group: GroupId, range: KeyRange) -> bool {
        let in_time = self.meta.from <= range.to.timestamp && self.meta.to >= range.from.timestamp;
        in_time && self.groups.as_ref().is_none_or(|groups| groups.contains(&group))
    }

    fn damaged(&self, error: MalformedSegment) -> StoreError {
        corrupt(self.meta.id(), error.to_string())
    }
}

fn corrupt(id: &SegmentId, reason: String) -> StoreError {
    StorageError::Corrupt { place: format!("segments/{}", id.as_str()), reason }.into()
}

/// Where the index is, and how many raw bytes it has.
fn find_index(
    mut header: Bytes,
    mut trailer: Bytes,
    trailer_at: u64,
) -> Result<(Range<u64>, usize), MalformedSegment> {
    if header.split_to(MAGIC.len()) != MAGIC.as_slice() {
        return Err(MalformedSegment("it is not a segment of log events"));
    }
    if header.try_get_u32_le()? != VERSION {
        return Err(MalformedSegment("another release wrote it, in a format that this one does not read"));
    }
    let compressed_bytes = u64::from(trailer.try_get_u32_le()?);
    let raw_bytes = trailer.try_get_u32_le()? as usize;
    if trailer != MAGIC.as_slice() {
        return Err(MalformedSegment("its end is missing"));
    }
    let start = trailer_at.checked_sub(compressed_bytes).ok_or(MalformedSegment("its index is cut off"))?;
    Ok((start..trailer_at, raw_bytes))
}

fn decompress(compressed: &[u8], raw_bytes: usize, raw_bytes_max: usize) -> Result<Bytes, MalformedSegment> {
    if raw_bytes > raw_bytes_max {
        return Err(MalformedSegment("a part of it claims to be larger than any can be"));
    }
    let raw = zstd::bulk::decompress(compressed, raw_bytes);
    raw.map(Bytes::from).map_err(|_| MalformedSegment("a part of it cannot be decompressed"))
}
