//! The flush: moves the head into segments and releases the journal.
//!
//! It freezes the head and writes what is still wanted of it: groups that have enough get files of their own,
//! whose row groups are final, and the others share one. Then it commits everything that follows from that in
//! one transaction: the segments, the statistics of streams and groups, the sequence up to which segments
//! hold everything, and the journal's release. A crash before the commit costs the written objects, which the
//! next start deletes; a crash after it costs nothing. A flush that fails keeps the frozen head, which stays
//! readable, and is tried again.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use groundwatch_log_files::{EventKey, WriteError};
use groundwatch_storage::{Batch, Expect, SegmentMeta, StorageError, StreamId};
use hashbrown::HashMap;
use tokio::sync::Notify;

use super::event_batch::EventBatch;
use super::head::{Head, StreamHead};
use super::output::{Filling, Output};
use super::replay::Notes;
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
        self.store.flush_due(self.clock.now())
    }

    fn run(&self, _now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let outcome = self.store.flush().await;
                let now = self.clock.now();
                self.store.inner.compaction.flushed(now);
                self.store.inner.state.write().flush_failed_at = outcome.is_err().then_some(now);
                // Who waits for room learns that there is some, or that it is not worth it.
                self.store.inner.room.notify_waiters();
                if let Err(error) = outcome {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "log events could not be flushed");
                }
                // Under load the next head is full when this one is flushed.
                if self.store.flush_due(now).is_none_or(|due| due > now) {
                    return;
                }
            }
        })
    }

    fn changed(&self) -> &Notify {
        &self.store.inner.flush_due_changed
    }
}

impl LogStore {
    /// When the next flush is due; `None` while there is nothing to flush.
    fn flush_due(&self, now: Timestamp) -> Option<Timestamp> {
        let state = self.inner.state.read();
        let options = &self.inner.options;
        if let Some(failed) = state.flush_failed_at {
            return Some(failed.due_after(RETRY_AFTER, now));
        }
        if state.frozen.is_some() {
            return Some(Timestamp::EPOCH);
        }
        let begun = state.head.begun()?;
        let is_full =
            state.head.memory_bytes() >= options.flush_bytes || self.inner.journal.is_overdue(StreamId::LOGS);
        Some(if is_full { begun.min(now) } else { begun.due_after(options.flush_age, now) })
    }

    /// Moves all visible events into segments. Nothing of them is in memory or held in the journal
    /// afterwards.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let _turn = self.inner.flushing.lock().await;
        let Some(frozen) = self.freeze() else { return Ok(()) };
        let written = frozen.written.get_or_try_init(|| self.write(&frozen)).await?;
        self.commit(&frozen, written).await?;
        tracing::info!(files = written.len(), "log events flushed");
        let segments = self.inner.segments.registered()?;
        let mut state = self.inner.state.write();
        state.segments = segments;
        state.frozen = None;
        Ok(())
    }

    /// The head that an earlier flush could not bring to its end, or else the present one, which an empty one
    /// replaces.
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

    /// Writes files: groups that have enough get their own, the others share.
    async fn write(&self, frozen: &Arc<Frozen>) -> Result<Vec<SegmentMeta>, StoreError> {
        let mut output = Output::new(&self.inner, 0, Some(frozen.through));
        let written = self.write_groups(frozen, &mut output).await;
        output.end(written).await
    }

    async fn write_groups(&self, frozen: &Arc<Frozen>, output: &mut Output<'_>) -> Result<(), StoreError> {
        let (own, shared): (Vec<GroupId>, Vec<GroupId>) = frozen
            .head
            .groups_in_order()
            .into_iter()
            .partition(|group| frozen.head.stored_bytes(*group) >= self.inner.options.own_file_bytes);
        for group in own {
            let (head, directory) = (frozen.clone(), self.inner.directory.clone());
            let filling = Filling::own(frozen.head.events(group), frozen.head.stored_bytes(group));
            let push = move |filling: &mut Filling| push_group(&head.head, group, &directory, filling);
            let filling = output.fill(filling, push).await?;
            output.finish(filling).await?;
        }
        let (head, directory) = (frozen.clone(), self.inner.directory.clone());
        let push = move |filling: &mut Filling| {
            shared.iter().try_for_each(|group| push_group(&head.head, *group, &directory, filling))
        };
        output.share(push).await
    }

    async fn commit(&self, frozen: &Frozen, segments: &[SegmentMeta]) -> Result<(), StoreError> {
        let directory = &self.inner.directory;
        let mut conflicts = 0;
        loop {
            let mut batch = Batch::new();
            update_statistics(&frozen.head, directory, &mut batch);
            Notes::write(directory, &mut batch, frozen.through)?;
            segments.iter().for_each(|segment| self.inner.segments.register(&mut batch, segment));
            self.inner.segments.release_journal(&mut batch, frozen.position);
            match directory.catalog.commit(batch).await {
                Err(StorageError::Conflict { .. }) if conflicts < CONFLICTS_MAX => conflicts += 1,
                outcome => return Ok(outcome?),
            }
        }
    }
}

/// Adds everything of a group in `head` whose stream is still there.
fn push_group(
    head: &Head,
    group: GroupId,
    directory: &Directory,
    filling: &mut Filling,
) -> Result<(), WriteError> {
    let mut events: Vec<(EventKey, u32, &EventBatch, usize)> = Vec::with_capacity(head.events(group));
    let streams = head.streams_of(group);
    for (stream, number) in streams.iter().zip(0..).filter(|(stream, _)| directory.holds(stream.address())) {
        let of_batch =
            |batch| (0..EventBatch::len(batch)).map(move |row| (batch.key(row), number, batch, row));
        let start = events.len();
        events.extend(stream.batches().flat_map(of_batch));
        // Runs that are in order already cost this sort little.
        events[start..].sort_by_key(|(key, ..)| *key);
    }
    if !filling.sorts(events.len(), head.stored_bytes(group)) {
        events.sort_by_key(|(key, ..)| *key);
    }
    events.into_iter().try_for_each(|(key, stream, batch, row)| {
        filling.push(streams[stream as usize].address(), key, batch.ingested(), batch.message(row))
    })
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
