//! The flush: moves the head into a segment and releases the journal.
//!
//! It freezes the head, writes what is still wanted of it, and then commits everything that follows from it in one
//! transaction: the segment, the statistics of streams and groups, the sequence up to which segments hold everything,
//! and the journal's release. A crash before the commit costs the written object, which the next start deletes; a crash
//! after it costs nothing. A flush that fails keeps the frozen head, which stays readable, and is tried again.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use groundwatch_log_files::{EventKey, FileWriter, Layout, WriteError, WrittenFile};
use groundwatch_storage::{Batch, Expect, SegmentMeta, StorageError, StreamId};
use hashbrown::HashMap;
use tokio::sync::Notify;

use super::event_batch::EventBatch;
use super::head::{Head, StreamHead};
use super::replay::Notes;
use super::segment::Level;
use super::{Frozen, LogStore, StoreError};
use crate::directory::Directory;
use crate::group::group_key;
use crate::incarnation::GroupId;
use crate::stream::{StreamStatistics, stream_key};

/// How long a failed flush rests.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// How often a commit is prepared anew because somebody changed a group or stream meanwhile.
const CONFLICTS_MAX: usize = 16;

/// The background activity `log-flush`.
pub struct LogFlush {
    store: LogStore,
    clock: SharedClock,
}

impl LogFlush {
    /// Flushes `store` when it is due by `clock`.
    pub fn new(store: LogStore, clock: SharedClock) -> Self {
        Self { store, clock }
    }
}

impl Activity for LogFlush {
    fn name(&self) -> &'static str {
        "log-flush"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.store.flush_due()
    }

    fn run(&self, _now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let outcome = self.store.flush().await;
            let now = self.clock.now();
            self.store.inner.compaction.flushed(now);
            let failed_at = outcome.is_err().then_some(now);
            self.store.inner.state.write().retry_flush_at = failed_at.map(|at| at + RETRY_AFTER);
            if let Err(error) = outcome {
                tracing::error!(error = &error as &dyn std::error::Error, "log events could not be flushed");
            }
        })
    }

    fn changed(&self) -> &Notify {
        &self.store.inner.flush_due_changed
    }
}

impl LogStore {
    /// When the next flush is due; `None` while there is nothing to flush.
    fn flush_due(&self) -> Option<Timestamp> {
        let state = self.inner.state.read();
        let options = &self.inner.options;
        if state.retry_flush_at.is_some() {
            return state.retry_flush_at;
        }
        if state.frozen.is_some() {
            return Some(Timestamp::EPOCH);
        }
        let begun = state.head.begun()?;
        let is_full =
            state.head.memory_bytes() >= options.flush_bytes || self.inner.journal.is_overdue(StreamId::LOGS);
        Some(if is_full { begun } else { begun + options.flush_age })
    }

    /// Moves all visible events into a segment. Nothing of them is in memory or held in the journal afterwards.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let _turn = self.inner.flushing.lock().await;
        let Some(frozen) = self.freeze() else { return Ok(()) };
        let segment = frozen.written.get_or_try_init(|| self.write(&frozen)).await?;
        self.commit(&frozen, segment.as_ref()).await?;
        let segments = self.inner.segments.registered()?;
        let mut state = self.inner.state.write();
        state.segments = segments;
        state.frozen = None;
        Ok(())
    }

    /// The head that an earlier flush could not bring to its end, or else the present one, which an empty one replaces.
    fn freeze(&self) -> Option<Arc<Frozen>> {
        let mut state = self.inner.state.write();
        if state.frozen.is_none() && state.head.begun().is_some() {
            state.frozen = Some(Arc::new(Frozen {
                head: std::mem::take(&mut state.head),
                through: state.arrivals.visible_through(),
                position: state.arrivals.settled_through(),
                written: tokio::sync::OnceCell::new(),
            }));
        }
        state.frozen.clone()
    }

    async fn write(&self, frozen: &Arc<Frozen>) -> Result<Option<SegmentMeta>, StoreError> {
        let through = frozen.through;
        let (frozen, directory) = (frozen.clone(), self.inner.directory.clone());
        let written = tokio::task::spawn_blocking(move || written_segment(&frozen.head, &directory));
        match written.await.map_err(StoreError::internal)?.map_err(StoreError::internal)? {
            Some(written) => {
                Ok(Some(self.inner.segments.write(written, Level::Shared(0), Some(through)).await?))
            }
            None => Ok(None),
        }
    }

    async fn commit(&self, frozen: &Frozen, segment: Option<&SegmentMeta>) -> Result<(), StoreError> {
        let directory = &self.inner.directory;
        let mut conflicts = 0;
        loop {
            let mut batch = Batch::new();
            update_statistics(&frozen.head, directory, &mut batch);
            Notes::write(directory, &mut batch, frozen.through)?;
            if let Some(segment) = segment {
                self.inner.segments.register(&mut batch, segment);
            }
            self.inner.segments.release_journal(&mut batch, frozen.position);
            match directory.catalog.commit(batch).await {
                Err(StorageError::Conflict { .. }) if conflicts < CONFLICTS_MAX => conflicts += 1,
                outcome => return Ok(outcome?),
            }
        }
    }
}

/// Everything in `head` whose stream is still there.
fn written_segment(head: &Head, directory: &Directory) -> Result<Option<WrittenFile>, WriteError> {
    let mut writer = FileWriter::new(Layout::Text);
    let streams = head.streams_in_order();
    for group in streams.chunk_by(|a, b| a.address().group_id == b.address().group_id) {
        let mut events: Vec<(EventKey, u32, &EventBatch, usize)> = Vec::new();
        for stream in group.iter().filter(|stream| directory.holds(stream.address())) {
            let number = writer.stream(stream.address());
            let of_batch =
                |batch| (0..EventBatch::len(batch)).map(move |row| (batch.key(row), number, batch, row));
            events.extend(stream.batches().flat_map(of_batch));
        }
        // Runs that are in order already cost this sort little.
        events.sort_by_key(|(key, ..)| *key);
        for (key, stream, batch, row) in events {
            writer.push(stream, key, batch.ingested(), batch.message(row))?;
        }
    }
    if writer.is_empty() { Ok(None) } else { writer.finish().map(Some) }
}

/// Adds what is known of the streams in `head`, and their bytes, to the documents of streams and groups.
fn update_statistics(head: &Head, directory: &Directory, batch: &mut Batch) {
    let mut groups: HashMap<GroupId, (&StreamHead, u64)> = HashMap::new();
    for stream in head.streams_in_order() {
        let address = stream.address();
        let key = stream_key(&address.scope, address.group_id, &address.stream);
        let Some((version, document)) = directory.streams.get_versioned(&key) else { continue };
        if document.id != address.stream_id {
            continue;
        }
        let mut document = (*document).clone();
        document.flushed = StreamStatistics::merge(document.flushed, Some(stream.statistics()));
        directory.streams.put(batch, key, document, Expect::Version(version));
        let (_, bytes) = groups.entry(address.group_id).or_insert((stream, 0));
        *bytes += stream.statistics().stored_bytes;
    }
    for (stream, bytes) in groups.into_values() {
        let address = stream.address();
        let key = group_key(&address.scope, &address.group);
        let Some((version, document)) = directory.groups.get_versioned(&key) else { continue };
        if document.id == address.group_id {
            let mut document = (*document).clone();
            document.flushed_bytes += bytes;
            directory.groups.put(batch, key, document, Expect::Version(version));
        }
    }
}
