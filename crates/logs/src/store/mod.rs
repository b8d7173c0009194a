//! The store of log events: journal → head → segments.
//!
//! [`LogStore::append`] encodes a [`record`], awaits the journal, and lets it appear in the [`head`] in the
//! order of [`arrivals`]. [`LogStore::read`] finds [`candidate`]s in the head and in segments and [`merge`]s
//! them. The [flush activity](flush::LogFlush) moves the head into [`segment`]s and releases the journal; the
//! [compaction activity](compaction::LogCompaction) merges segments into small ones that searches pass over;
//! the [reclaim activity](reclaim::LogReclaim) frees what has expired or was deleted; [`replay`] brings back
//! what a restart finds in the journal.
//!
//! What always holds: an event that was acknowledged is in the journal or in a registered segment; it is
//! visible exactly once, from its acknowledgement on; and the bytes held in memory stay within
//! [`StoreOptions::head_bytes_max`].

mod append;
mod arrivals;
mod candidate;
mod compaction;
mod encoder;
mod event_batch;
mod flush;
mod head;
mod merge;
mod newer;
mod output;
mod reclaim;
mod record;
mod replay;
mod segment;
mod writing;

pub(crate) use candidate::Direction;
pub use compaction::LogCompaction;
pub use flush::LogFlush;
pub(crate) use merge::{Found, Merge, Step};
pub(crate) use newer::{Arrival, ArrivalListener};
pub use reclaim::LogReclaim;
pub(crate) use record::RecordError;
pub(crate) use replay::StoreReplay;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::Timestamp;
pub(crate) use groundwatch_log_files::StreamAddress;
use groundwatch_storage::{Journal, Position, SegmentMeta, StorageError};
use parking_lot::RwLock;
use tokio::sync::{Notify, watch};

use self::arrivals::Arrivals;
use self::compaction::CompactionSchedule;
use self::encoder::Encoder;
use self::head::Head;
use self::reclaim::ReclaimSchedule;
use self::record::Record;
use self::segment::{Segment, SegmentStore};
use crate::directory::Directory;
use crate::event_key::KeyRange;
use crate::incarnation::{GroupId, LogStreamId};
use crate::pattern::Matcher;
use crate::stream::StreamStatistics;

/// How much the store may hold, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// The head is flushed when it takes this many bytes.
    pub flush_bytes: usize,
    /// The head is flushed when its first event arrived this long ago, so that the journal does not grow old.
    pub flush_age: Duration,
    /// Early files are merged when the newest of them is this old, if there are not enough of them before.
    pub compact_after: Duration,
    /// A group that has so many bytes in the head, or among files that are merged, gets files of its own.
    pub own_file_bytes: u64,
    /// Writes wait while the head, what is being flushed and what is under way take more bytes than this.
    pub head_bytes_max: usize,
    /// How long they wait for a flush to make room before they are refused.
    pub room_wait: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            flush_bytes: 64 << 20,
            flush_age: Duration::from_secs(60 * 60),
            compact_after: Duration::from_secs(60),
            own_file_bytes: 1 << 20,
            head_bytes_max: 192 << 20,
            room_wait: Duration::from_secs(5),
        }
    }
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The head is over its budget and being flushed: retry later.
    #[error("too many events wait to be flushed")]
    Overloaded,
    /// The head is over its budget because flushing fails: see to the disk, then retry.
    #[error("too many events wait to be flushed, and flushing fails")]
    FlushFails,
    /// What is below did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A journal record cannot be read.
    #[error("journal record {} cannot be read", position.0)]
    Record {
        /// The record.
        position: Position,
        /// Why.
        #[source]
        source: RecordError,
    },
    /// Our own mistake.
    #[error("a mistake in the store of log events")]
    Internal {
        /// What failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    pub(crate) fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Internal { source: Box::new(source) }
    }
}

/// The store of log events. Cheap to clone.
#[derive(Clone)]
pub struct LogStore {
    inner: Arc<Inner>,
}

struct Inner {
    journal: Journal,
    directory: Directory,
    segments: SegmentStore,
    encoder: Encoder,
    options: StoreOptions,
    state: RwLock<State>,
    /// The sequence of the last batch that is visible.
    visible_through: watch::Sender<u64>,
    /// One flush at a time.
    flushing: tokio::sync::Mutex<()>,
    flush_due_changed: Notify,
    /// A flush ended, well or badly.
    room: Notify,
    /// Who is told of what arrives.
    listeners: RwLock<Vec<Arc<dyn ArrivalListener>>>,
    reclaim: ReclaimSchedule,
    compaction: CompactionSchedule,
    /// One activity at a time replaces segments by others.
    rewriting: tokio::sync::Mutex<()>,
}

/// What changes together: an event is in exactly one of the head, the frozen head and the segments.
struct State {
    head: Head,
    frozen: Option<Arc<Frozen>>,
    segments: Vec<Arc<Segment>>,
    arrivals: Arrivals<Record>,
    /// Bytes of batches that have a number and are not visible yet.
    under_way_bytes: usize,
    /// Bytes of batches that wait for room.
    waiting_bytes: usize,
    /// When a flush failed last, until one succeeds.
    flush_failed_at: Option<Timestamp>,
}

/// A head that takes no more events, on its way to segments.
struct Frozen {
    head: Head,
    /// This head and the segments before it hold all batches up to this one.
    through: u64,
    /// They also hold all journal records up to here.
    position: Position,
    /// Once written: the segments; none if nothing in the head is still wanted.
    written: tokio::sync::OnceCell<Vec<SegmentMeta>>,
}

/// Which streams of a group are read.
#[derive(Clone, Copy)]
pub enum Streams<'a> {
    /// This one.
    One(LogStreamId),
    /// The streams for which the function answers true. It is asked about deleted ones too.
    Those(&'a (dyn Fn(&StreamAddress) -> bool + Send + Sync)),
}

impl Streams<'_> {
    fn wants(self, address: &StreamAddress) -> bool {
        match self {
            Self::One(stream) => address.stream_id == stream,
            Self::Those(wanted) => wanted(address),
        }
    }
}

/// What is read, and how.
#[derive(Clone)]
pub struct Query<'a> {
    /// The group.
    pub group: GroupId,
    /// Its streams.
    pub streams: Streams<'a>,
    /// From where to where.
    pub range: KeyRange,
    /// Which way.
    pub direction: Direction,
    /// Only events that match; all without one.
    pub matcher: Option<Arc<Matcher>>,
    /// How many events the caller will take at most.
    pub events_max: usize,
    /// How many bytes of text may be looked at for the matcher before the read pauses.
    pub bytes_max: usize,
}

impl LogStore {
    /// Starts a read. It sees what is visible now.
    pub async fn read(&self, query: Query<'_>) -> Result<Merge, StoreError> {
        let Query { group, streams, range, direction, matcher, events_max, bytes_max } = query;
        let mut found = Vec::new();
        if !range.is_empty() {
            // A matcher may refuse any number of events, so none are enough.
            let enough = if matcher.is_none() { events_max } else { usize::MAX };
            let (frozen, segments) = {
                let state = self.inner.state.read();
                state.head.gather(group, streams, range, direction, enough, &mut found);
                (state.frozen.clone(), state.segments.clone())
            };
            if let Some(frozen) = frozen {
                frozen.head.gather(group, streams, range, direction, enough, &mut found);
            }
            let required = matcher.as_ref().map_or(&[][..], |matcher| matcher.requirements());
            self.inner.segments.open_ahead(&segments, group, range, !required.is_empty()).await;
            for segment in &segments {
                self.inner.segments.gather_with(segment, group, streams, range, required, &mut found).await?;
            }
        }
        Ok(Merge::new(found, range, direction, matcher, bytes_max).at_most(events_max))
    }

    /// What is known of a stream's events that are in no segment yet.
    pub fn unflushed_statistics(&self, group: GroupId, stream: LogStreamId) -> Option<StreamStatistics> {
        let state = self.inner.state.read();
        let frozen = state.frozen.as_ref().and_then(|frozen| frozen.head.statistics(group, stream));
        StreamStatistics::merge(frozen, state.head.statistics(group, stream))
    }

    /// Bytes of a group's events that are in no segment yet, as AWS counts them.
    pub fn unflushed_bytes(&self, group: GroupId) -> u64 {
        let state = self.inner.state.read();
        let frozen = state.frozen.as_ref().map_or(0, |frozen| frozen.head.stored_bytes(group));
        frozen + state.head.stored_bytes(group)
    }

    /// Gives back the memory of a group that was deleted, and what segments hold of it before long.
    pub fn forget_group(&self, group: GroupId) {
        self.inner.state.write().head.forget_group(group);
        self.inner.reclaim.look_soon();
    }

    /// As [`Self::forget_group`] for one stream.
    pub fn forget_stream(&self, group: GroupId, stream: LogStreamId) {
        self.inner.state.write().head.forget_stream(group, stream);
        self.inner.reclaim.look_soon();
    }

    /// Notes that a group's retention was changed, so that what has expired by that is dropped before long.
    pub fn retention_changed(&self) {
        self.inner.reclaim.look_soon();
    }
}
