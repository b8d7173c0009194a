//! Brings the store back after a restart: from its own notes in the catalog, and from the journal.

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::Scope;
use groundwatch_storage::{Batch, Document, Documents, Expect, Key, Position, Storage, StorageError};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};

use super::arrivals::Arrivals;
use super::compaction::CompactionSchedule;
use super::encoder::Encoder;
use super::head::Head;
use super::reclaim::ReclaimSchedule;
use super::record::Record;
use super::segment::SegmentStore;
use super::{Inner, LogStore, State, StoreError, StoreOptions};
use crate::directory::Directory;

/// The store's own notes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Notes {
    /// Every batch up to this sequence is in a segment, or nobody wants it. Journal records of such batches
    /// may still be there; they are passed over.
    flushed_through: u64,
}

impl Document for Notes {
    const KIND: &'static str = "log-store";
}

impl Notes {
    /// There is one such document, of no account.
    fn key() -> Key {
        Key { scope: Scope::default(), name: "notes".to_owned() }
    }

    /// Notes with the batch that segments hold everything up to sequence `flushed_through`.
    pub(super) fn write(
        directory: &Directory,
        batch: &mut Batch,
        flushed_through: u64,
    ) -> Result<(), StorageError> {
        let notes: Documents<Self> = Documents::open(&directory.catalog)?;
        notes.put(batch, Self::key(), Self { flushed_through }, Expect::Any);
        Ok(())
    }
}

/// A store that is being brought back: give it all journal records of logs, in their order, then
/// [`Self::finish`].
pub(crate) struct StoreReplay {
    storage: Storage,
    directory: Directory,
    options: StoreOptions,
    flushed_through: u64,
    head: Head,
    highest_sequence: u64,
    highest_position: Position,
}

impl StoreReplay {
    /// Reads the notes.
    pub(crate) fn begin(
        storage: &Storage,
        directory: &Directory,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let notes: Documents<Notes> = Documents::open(&storage.catalog)?;
        let flushed_through = notes.get(&Notes::key()).map_or(0, |notes| notes.flushed_through);
        Ok(Self {
            storage: storage.clone(),
            directory: directory.clone(),
            options,
            flushed_through,
            head: Head::default(),
            highest_sequence: flushed_through,
            highest_position: Position(0),
        })
    }

    /// Takes a record back, unless a segment holds it or its stream is gone.
    pub(crate) fn record(&mut self, position: Position, payload: Bytes) -> Result<(), StoreError> {
        let record = Record::decode(payload).map_err(|source| StoreError::Record { position, source })?;
        let sequence = record.batch.sequence();
        self.highest_position = self.highest_position.max(position);
        self.highest_sequence = self.highest_sequence.max(sequence);
        self.head.begin(record.batch.ingested());
        if sequence > self.flushed_through && self.directory.holds(&record.address) {
            self.head.insert(record);
        }
        Ok(())
    }

    /// The store, as it was.
    pub(crate) fn finish(self) -> Result<LogStore, StoreError> {
        let segments = SegmentStore::new(self.storage.segments.clone());
        let arrivals = Arrivals::new(self.highest_sequence + 1, self.highest_position);
        let state = State {
            head: self.head,
            frozen: None,
            segments: segments.registered()?,
            arrivals,
            under_way_bytes: 0,
            waiting_bytes: 0,
            flush_failed_at: None,
        };
        Ok(LogStore {
            inner: Arc::new(Inner {
                journal: self.storage.journal.clone(),
                directory: self.directory,
                segments,
                encoder: Encoder::start()?,
                options: self.options,
                state: RwLock::new(state),
                visible_through: watch::Sender::new(self.highest_sequence),
                flushing: tokio::sync::Mutex::new(()),
                flush_due_changed: Notify::new(),
                room: Notify::new(),
                listeners: RwLock::default(),
                reclaim: ReclaimSchedule::default(),
                compaction: CompactionSchedule::default(),
                rewriting: tokio::sync::Mutex::new(()),
            }),
        })
    }
}
