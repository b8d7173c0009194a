//! The data plane's write-ahead log: what was acknowledged is found again.
//!
//! One thread writes. It takes all records that wait, writes them with one call, syncs once, and answers all
//! of them; meanwhile the next ones gather. A stream releases its records when it keeps them elsewhere, and
//! files in which everything was released are deleted. [`format`] says what the files look like, and why.
//!
//! What always holds: a file in which a sync failed is never written again; positions are never used twice; a
//! record that was acknowledged is recovered exactly once and in order, or its damage is reported with file
//! and offset. A record whose append failed is either not recovered or recovered once: nobody was told which.
//! Of records that were appended as one whole, all are recovered or none.
//!
//! What it costs: one copy of the payload (the kernel's), a checksum, 32 bytes; a file of 128 MiB is read at
//! the start twice at most.

mod file;
mod format;
mod recovery;
mod scan;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use self::format::PAYLOAD_BYTES_MAX;
pub use self::recovery::Recovery;
use self::writer::{Append, Message, Reservation, Writer};
use crate::catalog::{Batch, Catalog, Change};
use crate::disk::Disk;
use crate::{DirLock, StorageError};

/// Whose records these are: each service that journals has a stream of its own. 0 is the journal's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u8);

impl StreamId {
    /// The journal's own.
    pub(crate) const JOURNAL: Self = Self(0);
    /// Metric data.
    pub const METRICS: Self = Self(1);
    /// Log events.
    pub const LOGS: Self = Self(2);
    /// Queues' messages.
    pub const SQS: Self = Self(3);
}

/// A record's place in the order of all records. Positions strictly increase; there may be gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position(pub u64);

/// A record as it was recovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The position that [`Journal::append`] returned.
    pub position: Position,
    /// Whose record it is.
    pub stream: StreamId,
    /// What was appended.
    pub payload: Bytes,
}

/// How much the journal may take.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// How many bytes may wait to be written before appends are refused.
    pub queue_bytes: usize,
    /// How long a file becomes before the next one is begun, at most 1 GiB.
    pub file_bytes: u64,
    /// How long all complete files become before the streams that keep the oldest one are to release it.
    pub held_bytes: u64,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { queue_bytes: 64 << 20, file_bytes: 128 << 20, held_bytes: 2 << 30 }
    }
}

/// Where the outcome of an append is told.
type Told = oneshot::Receiver<Result<Position, StorageError>>;

/// What a record costs in memory while it waits, besides its payload.
const RECORD_OVERHEAD_BYTES: usize = 256;
/// The largest file that is configured: far below the 4 GiB that a batch's place can name.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The journal of a data directory. Cheap to clone; closed when the last clone is dropped.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    /// `None` only while the last clone is dropped.
    queue: Option<mpsc::UnboundedSender<Message>>,
    waiting_bytes: Arc<AtomicUsize>,
    queue_bytes: usize,
    /// The streams that keep the oldest file although too many bytes are held.
    overdue: Arc<Mutex<BTreeSet<StreamId>>>,
    catalog: Catalog,
    writer: Option<JoinHandle<()>>,
    _lock: Option<DirLock>,
}

impl Journal {
    /// Opens the journal in the directory `disk`; what was released is noted in `catalog`.
    ///
    /// The recovery has to be read before the first append, else its records come again after the next start.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        options: JournalOptions,
        catalog: &Catalog,
        lock: Option<DirLock>,
    ) -> Result<(Self, Recovery), StorageError> {
        let options = JournalOptions { file_bytes: options.file_bytes.min(FILE_BYTES_MAX), ..options };
        let releases = catalog.releases()?;
        let plan = recovery::plan(&*disk, &releases)?;
        let files_in_use = Arc::new(());
        let (recovery, tail) =
            Recovery::new(Arc::clone(&disk), releases.clone(), plan, Arc::clone(&files_in_use));
        let mut writer = Writer::new(disk, options, releases, tail, files_in_use);
        if let Err(error) = writer.settle() {
            // A full disk, say: reading is possible, and what was acknowledged is durable where it is.
            tracing::warn!(%error, "cannot yet begin a new journal file");
        }
        let overdue = writer.overdue();
        let (queue, messages) = mpsc::unbounded_channel();
        let writer = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(messages))
            .map_err(|source| StorageError::io("start the writer of", Path::new("journal"), source))?;
        let inner = Inner {
            queue: Some(queue),
            waiting_bytes: Arc::default(),
            queue_bytes: options.queue_bytes,
            overdue,
            catalog: catalog.clone(),
            writer: Some(writer),
            _lock: lock,
        };
        Ok((Self { inner: Arc::new(inner) }, recovery))
    }

    /// Makes a record durable. The payload is written as it is; a `Vec<u8>` or [`Bytes`] is not copied.
    ///
    /// Errors: [`StorageError::Overloaded`] at once if too much waits already; [`StorageError::TooLarge`]
    /// above 64 MiB; [`StorageError::Full`] and [`StorageError::Io`], after which later appends may succeed.
    ///
    /// # Panics
    /// For stream 0, which is the journal's own.
    pub async fn append(
        &self,
        stream: StreamId,
        payload: impl Into<Bytes>,
    ) -> Result<Position, StorageError> {
        let (append, outcome) = self.admit(stream, payload.into(), 0)?;
        self.send(Message::Append(append))?;
        outcome.await.map_err(|_| StorageError::shut_down())?
    }

    /// Makes records durable that make one whole: after a crash all of them are there or none. They lie one
    /// behind the other, and each belongs to its own stream. Returns their positions.
    ///
    /// Errors as [`Self::append`].
    ///
    /// # Panics
    /// For stream 0, and for more than 256 records.
    pub async fn append_whole(
        &self,
        records: impl IntoIterator<Item = (StreamId, Bytes), IntoIter: ExactSizeIterator>,
    ) -> Result<Vec<Position>, StorageError> {
        let records = records.into_iter();
        let followers = (0..records.len()).rev();
        let (mut appends, mut outcomes) = (Vec::new(), Vec::new());
        for ((stream, payload), followers) in records.zip(followers) {
            let followers = u8::try_from(followers).expect("a whole is at most 256 records");
            let (append, outcome) = self.admit(stream, payload, followers)?;
            appends.push(append);
            outcomes.push(outcome);
        }
        self.send(Message::AppendWhole(appends))?;
        let mut positions = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            positions.push(outcome.await.map_err(|_| StorageError::shut_down())??);
        }
        Ok(positions)
    }

    /// A record with its part of the queue's budget, and where its outcome will be told.
    fn admit(&self, stream: StreamId, payload: Bytes, followers: u8) -> Result<(Append, Told), StorageError> {
        assert_ne!(stream, StreamId::JOURNAL, "stream 0 is the journal's own");
        let bytes = payload.len();
        if bytes > PAYLOAD_BYTES_MAX {
            return Err(StorageError::TooLarge { bytes, bytes_max: PAYLOAD_BYTES_MAX });
        }
        let Inner { waiting_bytes, queue_bytes, .. } = &*self.inner;
        let reserved = Reservation::take(waiting_bytes, bytes + RECORD_OVERHEAD_BYTES, *queue_bytes)
            .ok_or(StorageError::Overloaded)?;
        let (done, outcome) = oneshot::channel();
        let payload_checksum = crc32fast::hash(&payload);
        Ok((Append { stream, payload, payload_checksum, followers, reserved, done }, outcome))
    }

    fn send(&self, message: Message) -> Result<(), StorageError> {
        let queue = self.inner.queue.as_ref().ok_or(StorageError::shut_down())?;
        queue.send(message).map_err(|_| StorageError::shut_down())
    }

    /// Whether a stream should keep its records elsewhere and release them now: the files are longer than
    /// [`JournalOptions::held_bytes`], and this stream needs the oldest one.
    pub fn is_overdue(&self, stream: StreamId) -> bool {
        self.inner.overdue.lock().contains(&stream)
    }

    /// Declares a stream's records through this position unneeded: they are not recovered again.
    pub async fn release(&self, stream: StreamId, through: Position) -> Result<(), StorageError> {
        let mut batch = Batch::new();
        self.release_with(&mut batch, stream, through);
        self.inner.catalog.commit(batch).await
    }

    /// Adds a release to a batch, so that it happens together with what replaces the records.
    pub fn release_with(&self, batch: &mut Batch, stream: StreamId, through: Position) {
        let queue = self.inner.queue.as_ref().map(mpsc::UnboundedSender::downgrade);
        batch.push(Change::Release { stream, through }, move |_| {
            if let Some(queue) = queue.and_then(|queue| queue.upgrade()) {
                // A journal that was closed deletes the files after its next start.
                let _ = queue.send(Message::Release { stream, through });
            }
        });
    }
}

impl Drop for Inner {
    /// Waits until all that was queued is written.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so already.
            let _ = writer.join();
        }
    }
}
