//! Checkpoints: all messages into segments, so that the journal can be released and the next start is short.
//!
//! A checkpoint is the whole of memory. Memory is bounded, and the journal grows by as much as a checkpoint
//! before the next one is due, so that each byte that is journalled is written about once more.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use groundwatch_storage::{Batch, SegmentMeta, SegmentObject, Storage, StorageError, StreamId};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::directory::Directory;
use crate::record::{self, Part};
use crate::store::{CHECKPOINT_BYTES, Store};

/// What the segments are called.
const KIND: &str = "sqs";

/// How much memory the messages of one segment take, about.
const SEGMENT_BYTES: usize = 8 << 20;

/// After that time a checkpoint is due however little there is: what is journalled keeps others' records too.
const AGE_MAX: Duration = Duration::from_secs(10 * 60);

/// After a failed checkpoint the next attempt waits so long.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// How often messages whose retention period has ended are looked for in queues that nobody reads.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(60);

/// The activity that takes checkpoints.
pub(crate) struct Checkpoint {
    storage: Storage,
    store: Arc<Store>,
    directory: Arc<Directory>,
    clock: SharedClock,
    /// When it failed last, until it succeeds.
    failed_at: Mutex<Option<Timestamp>>,
    expired: Mutex<Timestamp>,
}

impl Checkpoint {
    pub(crate) fn new(
        storage: Storage,
        store: Arc<Store>,
        directory: Arc<Directory>,
        clock: SharedClock,
    ) -> Self {
        let expired = Mutex::new(clock.now());
        Self { storage, store, directory, clock, failed_at: Mutex::default(), expired }
    }

    /// Reads the last checkpoint into the queues.
    pub(crate) async fn restore(&self) -> Result<(), StorageError> {
        for segment in self.storage.segments.list(KIND) {
            let bytes = self.storage.segments.read(&segment).await?;
            let parts: Vec<Part> = record::decode(&bytes).map_err(|error| StorageError::Corrupt {
                place: format!("segments/{}", segment.id().as_str()),
                reason: error.to_string(),
            })?;
            for part in parts {
                // A queue that was deleted since is not there.
                let Some(queue) = self.directory.by_id(part.queue) else { continue };
                queue.with(|backlog| {
                    backlog.reserve(part.next_sequence);
                    for (sequence, entry) in part.entries {
                        backlog.restore(sequence, entry);
                    }
                    for original in part.recent {
                        backlog.recent.remember(original);
                    }
                });
            }
        }
        Ok(())
    }

    async fn take(&self) -> Result<(), StorageError> {
        let (closed, position) = self.store.close().await;
        let segments = self.parts();
        let journalled_bytes = self.store.journalled_bytes.swap(0, Ordering::Relaxed);
        let journalled_since = self.store.journalled_since.lock().take();
        drop(closed);
        let written = self.write(segments, position).await;
        if written.is_err() {
            self.store.journalled_bytes.fetch_add(journalled_bytes, Ordering::Relaxed);
            *self.store.journalled_since.lock() = journalled_since;
        }
        written
    }

    /// All queues, in portions of the size of a segment. Messages are shared, not copied.
    fn parts(&self) -> Vec<Vec<Part>> {
        let mut portions = Portions { segments: Vec::new(), last: Vec::new(), room: SEGMENT_BYTES };
        for queue in self.directory.all() {
            queue.with(|backlog| {
                let next_sequence = backlog.last_sequence() + 1;
                let empty = Part { queue: queue.id, next_sequence, entries: Vec::new(), recent: Vec::new() };
                portions.last.push(empty.clone());
                for original in backlog.recent.all() {
                    portions.part_for(original.memory_bytes(), &empty).recent.push(original.clone());
                }
                for (sequence, entry) in backlog.entries() {
                    let bytes = entry.message.memory_bytes();
                    portions.part_for(bytes, &empty).entries.push((sequence, entry.clone()));
                }
            });
        }
        portions.segments.push(portions.last);
        portions.segments
    }

    async fn write(
        &self,
        segments: Vec<Vec<Part>>,
        position: groundwatch_storage::Position,
    ) -> Result<(), StorageError> {
        let storage = &self.storage.segments;
        let mut written = Vec::new();
        if let Err(error) = self.write_all(segments, &mut written).await {
            storage.discard(objects(written)).await;
            return Err(error);
        }
        let mut batch = Batch::new();
        storage.list(KIND).iter().for_each(|old| storage.unregister(&mut batch, old.id()));
        written.iter().for_each(|new| storage.register(&mut batch, new.clone()));
        storage.release_journal(&mut batch, StreamId::SQS, position);
        let committed = self.storage.catalog.commit(batch).await;
        if let Err(error) = &committed {
            storage.discard_after(error, objects(written)).await;
        }
        committed
    }

    /// Adds what it writes to `written`.
    async fn write_all(
        &self,
        segments: Vec<Vec<Part>>,
        written: &mut Vec<SegmentMeta>,
    ) -> Result<(), StorageError> {
        for parts in segments {
            let rows = parts.iter().map(|part| part.entries.len() as u64).sum();
            let bytes = Bytes::from(record::encode(&parts));
            let length = bytes.len() as u64;
            let object = self.storage.segments.write(KIND, bytes).await?;
            let now = self.clock.now();
            let (from, to, extra) = (now, now, Default::default());
            written.push(SegmentMeta { object, scope: None, from, to, rows, bytes: length, extra });
        }
        Ok(())
    }

    fn expire(&self, now: Timestamp) {
        for (key, definition) in self.directory.definitions.all() {
            if let Some(found) = self.directory.by_key(&key) {
                found.queue.with(|backlog| backlog.expire(definition.settings.retention(), now));
            }
        }
        *self.expired.lock() = now;
    }

    fn checkpoint_due(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        let since = (*self.store.journalled_since.lock())?;
        let is_full = self.store.journalled_bytes.load(Ordering::Relaxed) >= CHECKPOINT_BYTES
            || self.storage.journal.is_overdue(StreamId::SQS);
        let due = if is_full { since.min(now) } else { since.due_after(AGE_MAX, now) };
        Some(self.failed_at.lock().map_or(due, |failed| due.max(failed.due_after(RETRY_AFTER, now))))
    }

    fn expiry_due(&self) -> Option<Timestamp> {
        let has_messages = self.directory.memory().load(Ordering::Relaxed) > 0;
        has_messages.then(|| self.expired.lock().due_after(EXPIRY_INTERVAL, self.clock.now()))
    }
}

fn objects(written: Vec<SegmentMeta>) -> Vec<SegmentObject> {
    written.into_iter().map(|meta| meta.object).collect()
}

/// Parts of queues, in portions of the size of a segment.
struct Portions {
    segments: Vec<Vec<Part>>,
    /// The segment that is being filled.
    last: Vec<Part>,
    room: usize,
}

impl Portions {
    /// The last queue's part for so many more bytes: the one at hand, or `empty` in a new segment.
    fn part_for(&mut self, bytes: usize, empty: &Part) -> &mut Part {
        if bytes > self.room && self.room < SEGMENT_BYTES {
            self.segments.push(std::mem::take(&mut self.last));
            self.room = SEGMENT_BYTES;
        }
        self.room = self.room.saturating_sub(bytes);
        if self.last.is_empty() {
            self.last.push(empty.clone());
        }
        self.last.last_mut().expect("there is one by now")
    }
}

impl Activity for Checkpoint {
    fn name(&self) -> &'static str {
        "sqs-checkpoint"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.checkpoint_due().into_iter().chain(self.expiry_due()).min()
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if self.expiry_due().is_some_and(|due| due <= now) {
                self.expire(now);
            }
            if self.checkpoint_due().is_none_or(|due| due > now) {
                return;
            }
            *self.failed_at.lock() = match self.take().await {
                Ok(()) => None,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "checkpoint of SQS failed: will retry"
                    );
                    Some(now)
                }
            };
        })
    }

    fn changed(&self) -> &Notify {
        &self.store.grown
    }
}
