//! The service: what the operations share, how it comes up after a restart, and the entry for services that
//! send by themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use groundwatch_core::{Activity, SharedClock};
use groundwatch_own_metrics::Meters;
use groundwatch_storage::{Catalog, Position, Storage, StorageError};

use crate::SqsError;
use crate::checkpoint::Checkpoint;
use crate::directory::Directory;
use crate::draft::Draft;
use crate::message::MessageAttribute;
use crate::meter::QueueMeters;
use crate::mover::Mover;
use crate::operations::Sender;
use crate::store::Store;
use crate::waiting::Waiting;

/// What the service needs to know besides its storage.
#[derive(Clone, Debug)]
pub struct SqsOptions {
    /// Where clients reach this server, such as `http://127.0.0.1:4566`: queue URLs begin so.
    pub advertised_base_url: String,
    /// How many bytes the messages of all queues may take in memory; over it, sending is throttled.
    pub memory_bytes_max: usize,
}

/// SQS. Cheap to clone; all clones are one service.
#[derive(Clone)]
pub struct Sqs {
    pub(crate) directory: Arc<Directory>,
    pub(crate) store: Arc<Store>,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) mover: Arc<Mover>,
    pub(crate) clock: SharedClock,
    pub(crate) catalog: Catalog,
    checkpoint: Arc<Checkpoint>,
}

/// A message that another service puts into a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The body.
    pub body: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// The message group, which FIFO queues need.
    pub group_id: Option<String>,
    /// The deduplication id, for FIFO queues.
    pub deduplication_id: Option<String>,
}

impl Sqs {
    /// Opens the service on what `storage` holds. The records of the journal follow, by [`Sqs::recover`].
    pub async fn open(
        storage: &Storage,
        clock: SharedClock,
        options: &SqsOptions,
    ) -> Result<Self, StorageError> {
        let directory =
            Arc::new(Directory::open(&storage.catalog, &options.advertised_base_url, clock.clone())?);
        let store = Arc::new(Store::new(
            storage.journal.clone(),
            directory.clone(),
            clock.clone(),
            options.memory_bytes_max,
        ));
        let checkpoint =
            Arc::new(Checkpoint::new(storage.clone(), store.clone(), directory.clone(), clock.clone()));
        checkpoint.restore().await?;
        let mover = Arc::new(Mover::open(&storage.catalog, directory.clone(), store.clone(), clock.clone())?);
        let catalog = storage.catalog.clone();
        Ok(Self { directory, store, waiting: Arc::default(), mover, clock, catalog, checkpoint })
    }

    /// Applies a record of the journal, in the order of positions, before anything else is done.
    pub fn recover(&self, position: Position, payload: &[u8]) -> Result<(), StorageError> {
        self.store.recover(position, payload)
    }

    /// The background work, which the server drives.
    pub fn activities(&self) -> Vec<Arc<dyn Activity>> {
        vec![self.waiting.clone(), self.mover.clone(), self.checkpoint.clone()]
    }

    /// What queues say about themselves, in `AWS/SQS`.
    pub fn meters(&self) -> Arc<dyn Meters> {
        Arc::new(QueueMeters(self.directory.clone()))
    }

    /// Ends long polls with what there is, and lets none wait from now on: for a server that is about to
    /// stop.
    pub fn end_long_polls(&self) {
        self.waiting.end();
    }

    /// Puts a message into the queue of that ARN, for another service. When it is `Ok`, the message is
    /// durable.
    pub async fn deliver(&self, queue_arn: &str, delivery: Delivery) -> Result<(), SqsError> {
        let found = self.directory.accessed(self.directory.by_arn(queue_arn))?;
        let Delivery { body, attributes, group_id, deduplication_id } = delivery;
        let draft = Draft { body, attributes, group_id, deduplication_id, ..Draft::default() };
        let sender = Sender { account: found.queue.key.scope.account, trace: None };
        let draft = draft.checked(&found)?;
        self.send(&found, vec![draft], sender).await?;
        Ok(())
    }
}
