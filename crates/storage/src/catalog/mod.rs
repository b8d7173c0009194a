//! The control plane: small typed documents and ledgers, in one SQLite file.
//!
//! One thread owns the connection that writes. It takes all batches that wait, applies each in a savepoint of
//! one transaction (so that a conflict fails its own batch only), and syncs once for all of them. Documents
//! are also held in memory, where all reading happens; the thread changes them when the transaction is
//! durable, so memory never shows what a crash could take back. Ledgers are read from the file.
//!
//! What it costs: a commit is one fsync, shared by all who wait; a document of 200 bytes takes about 400
//! bytes in the file and about as much in memory; a million of them load in a few seconds.

mod batch;
mod conflict;
mod connection;
mod documents;
mod ledger;
mod migrations;
mod writer;

use std::any::Any;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::batch::Change;
pub use self::batch::{Batch, Expect};
pub use self::conflict::{MayConflict, despite_conflicts};
use self::connection::Readers;
pub use self::documents::{Document, Documents};
pub use self::ledger::{Entry, InvalidCursor, Ledger, LedgerCursor, LedgerItem, LedgerQuery};
use self::writer::{Request, Writer};
use crate::journal::{Position, StreamId};
use crate::{DirLock, StorageError};

/// How many batches may wait; the next one's commit waits for a place.
const WAITING_BATCHES_MAX: usize = 1024;

/// The catalog of a data directory. Cheap to clone; closed when the last clone is dropped.
#[derive(Clone)]
pub struct Catalog {
    inner: Arc<Inner>,
}

struct Inner {
    readers: Readers,
    /// The documents in memory, by kind: all who open a kind share one view of it.
    views: Mutex<HashMap<&'static str, Arc<dyn Any + Send + Sync>>>,
    /// `None` only while the last clone is dropped.
    queue: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
    _lock: Option<DirLock>,
}

impl Catalog {
    /// Opens the catalog at `path`, creates it, or brings it to this release's format.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        Self::open_locked(path, true, None)
    }

    /// Like [`Catalog::open`], and keeps the data directory locked as long as the catalog is open. Only one
    /// that `may_be_new` may be empty.
    pub(crate) fn open_locked(
        path: &Path,
        may_be_new: bool,
        lock: Option<DirLock>,
    ) -> Result<Self, StorageError> {
        let mut connection = connection::open_writer(path)?;
        migrations::migrate(&mut connection, may_be_new)?;
        let writer = Writer::new(connection)?;
        let (queue, requests) = mpsc::channel(WAITING_BATCHES_MAX);
        let writer = std::thread::Builder::new()
            .name("catalog".to_owned())
            .spawn(move || writer.run(requests))
            .map_err(|source| StorageError::io("start the writer of", path, source))?;
        Ok(Self {
            inner: Arc::new(Inner {
                readers: Readers::new(path),
                views: Mutex::default(),
                queue: Some(queue),
                writer: Some(writer),
                _lock: lock,
            }),
        })
    }

    /// Writes the batch in one transaction; it is durable, and visible in memory, when this returns `Ok`.
    ///
    /// Errors: [`StorageError::Conflict`] if a document is not as the batch expects it;
    /// [`StorageError::Full`], [`StorageError::Io`]. In every case nothing of the batch is visible.
    pub async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        if let Some(error) = batch.refused {
            return Err(error);
        }
        if batch.steps.is_empty() {
            return Ok(());
        }
        let (done, outcome) = oneshot::channel();
        let queue = self.inner.queue.as_ref().ok_or(StorageError::shut_down())?;
        queue.send(Request { steps: batch.steps, done }).await.map_err(|_| StorageError::shut_down())?;
        outcome.await.map_err(|_| StorageError::shut_down())?
    }

    /// Through which position each stream's journal records were released.
    pub(crate) fn releases(&self) -> Result<HashMap<StreamId, Position>, StorageError> {
        let failed = |source| StorageError::sqlite("read", source);
        self.inner.readers.with(|connection| {
            let mut statement = connection.prepare("SELECT stream, through FROM releases").map_err(failed)?;
            let rows = statement.query_map([], |row| Ok((row.get::<_, u8>(0)?, row.get::<_, u64>(1)?)));
            let rows: Result<Vec<_>, _> = rows.map_err(failed)?.collect();
            let rows = rows.map_err(failed)?.into_iter();
            Ok(rows.map(|(stream, through)| (StreamId(stream), Position(through))).collect())
        })
    }
}

impl Drop for Inner {
    /// Waits until all that was queued is written.
    fn drop(&mut self) {
        self.readers.close();
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so already.
            let _ = writer.join();
        }
    }
}
