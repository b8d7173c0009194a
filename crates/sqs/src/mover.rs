//! The activity that works on move tasks, a portion at a time; how far it came is kept with each task.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use groundwatch_storage::{Batch, Catalog, Documents, Expect, Key, StorageError};
use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::SqsError;
use crate::directory::Directory;
use crate::message::Message;
use crate::move_task::{MoveTask, Status};
use crate::queue::Queue;
use crate::store::Store;

/// How many messages are moved by one record of the journal.
const PORTION: usize = 100;

/// How many tasks of one queue are remembered; AWS tells the ten most recent.
const TASKS_OF_A_QUEUE_MAX: usize = 10;

/// How long a task waits after storage failed.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// All move tasks.
pub(crate) struct Mover {
    catalog: Catalog,
    pub(crate) tasks: Documents<MoveTask>,
    directory: Arc<Directory>,
    store: Arc<Store>,
    clock: SharedClock,
    /// The running ones, and when each goes on.
    due: Mutex<BTreeMap<Key, Timestamp>>,
    changed: Notify,
}

/// What a portion came to.
enum Step {
    /// So many messages were moved, and there may be more.
    Moved(u64),
    /// There are no more.
    Done,
    /// It cannot go on.
    Failed(String),
}

impl Mover {
    /// Opens the tasks; those that were running go on.
    pub(crate) fn open(
        catalog: &Catalog,
        directory: Arc<Directory>,
        store: Arc<Store>,
        clock: SharedClock,
    ) -> Result<Self, StorageError> {
        let tasks: Documents<MoveTask> = Documents::open(catalog)?;
        let now = clock.now();
        let running = tasks.all().into_iter().filter(|(_, task)| task.status == Status::Running);
        let due = Mutex::new(running.map(|(key, _)| (key, now)).collect());
        Ok(Self { catalog: catalog.clone(), tasks, directory, store, clock, due, changed: Notify::new() })
    }

    /// The tasks of a queue, the newest first.
    pub(crate) fn of_queue(&self, queue: &Key) -> Vec<(Key, Arc<MoveTask>)> {
        let tasks = self.tasks.list(&queue.scope, &MoveTask::prefix(queue), None, usize::MAX);
        let named = |(name, task)| (Key::new(&queue.scope, name), task);
        tasks.into_iter().rev().map(named).collect()
    }

    /// Begins a task, and forgets the oldest ones of its queue.
    pub(crate) async fn begin(&self, queue: &Key, task: MoveTask) -> Result<(), SqsError> {
        let key = task.key(queue);
        let mut batch = Batch::new();
        for (old, _) in self.of_queue(queue).into_iter().skip(TASKS_OF_A_QUEUE_MAX - 1) {
            self.tasks.remove(&mut batch, old, Expect::Any);
        }
        self.tasks.put(&mut batch, key.clone(), task, Expect::Absent);
        self.catalog.commit(batch).await?;
        self.due.lock().insert(key, self.clock.now());
        self.changed.notify_one();
        Ok(())
    }

    /// Keeps a changed task.
    pub(crate) async fn keep(&self, key: &Key, version: u64, task: MoveTask) -> Result<(), SqsError> {
        let mut batch = Batch::new();
        self.tasks.put(&mut batch, key.clone(), task, Expect::Version(version));
        Ok(self.catalog.commit(batch).await?)
    }

    /// Moves one portion of a task. Tells when it goes on; `None` if it has come to its end.
    async fn step(&self, key: &Key, now: Timestamp) -> Result<Option<Timestamp>, SqsError> {
        let Some((version, task)) = self.tasks.get_versioned(key) else { return Ok(None) };
        if task.status != Status::Running {
            return Ok(None);
        }
        let mut task = MoveTask::clone(&task);
        let step = match self.directory.by_id(task.source) {
            Some(source) => self.move_portion(&task, &source, now).await?,
            None => Step::Failed("AWS.SimpleQueueService.NonExistentQueue".to_owned()),
        };
        let next = match step {
            Step::Moved(count) => {
                task.moved += count;
                // A limited task moves a second's worth at once.
                Some(if task.rate.is_some() { now + Duration::from_secs(1) } else { now })
            }
            Step::Done => {
                task.status = Status::Completed;
                None
            }
            Step::Failed(reason) => {
                task.status = Status::Failed;
                task.failure_reason = Some(reason);
                None
            }
        };
        match self.keep(key, version, task).await {
            // It was cancelled meanwhile; the next step sees that.
            Err(SqsError::Storage(StorageError::Conflict { .. })) => Ok(Some(now)),
            kept => kept.map(|()| next),
        }
    }

    async fn move_portion(&self, task: &MoveTask, source: &Queue, now: Timestamp) -> Result<Step, SqsError> {
        let open = self.store.open().await;
        let count_max = task.rate.map_or(PORTION, |rate| rate as usize);
        let held = source.with(|backlog| backlog.hold(count_max, task.through, now));
        if held.is_empty() {
            return Ok(Step::Done);
        }
        let count = held.len() as u64;
        let mut by_destination: BTreeMap<Option<String>, Vec<(u64, Arc<Message>)>> = BTreeMap::new();
        for (sequence, message) in held {
            let destination = task.destination_arn.clone().or_else(|| message.dead_letter_source_arn.clone());
            by_destination.entry(destination).or_default().push((sequence, message));
        }
        // AWS takes a moved message for a new one.
        let renew = |message: &Message, _receives: u32| {
            let id = Uuid::new_v4();
            (Message { id, sent: now, dead_letter_source_arn: None, ..message.clone() }, 0)
        };
        let (mut failed, mut error) = (None, None);
        for (destination, messages) in by_destination {
            let found = destination.as_deref().and_then(|arn| self.directory.by_arn(arn));
            match found {
                Some(found) => {
                    let moved = self.store.transfer(&open, source, &found.queue, messages, renew).await;
                    error = error.or(moved.err());
                }
                None => {
                    source.with(|backlog| {
                        for (sequence, _) in messages {
                            backlog.publish(sequence, None);
                        }
                    });
                    let code = match destination {
                        Some(_) => "AWS.SimpleQueueService.NonExistentQueue",
                        None => "CouldNotDetermineMessageSource",
                    };
                    failed = Some(code.to_owned());
                }
            }
        }
        match error {
            Some(error) => Err(error),
            None => Ok(failed.map_or(Step::Moved(count), Step::Failed)),
        }
    }
}

impl Activity for Mover {
    fn name(&self) -> &'static str {
        "sqs-move-tasks"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.due.lock().values().min().copied()
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let next = self.due.lock().iter().find(|(_, due)| **due <= now).map(|(key, _)| key.clone());
                let Some(key) = next else { return };
                let goes_on = self.step(&key, now).await.unwrap_or_else(|error| {
                    tracing::warn!(task = key.name, %error, "a move task waits: its messages cannot be moved now");
                    Some(now + RETRY_AFTER)
                });
                let mut due = self.due.lock();
                match goes_on {
                    Some(then) => due.insert(key, then),
                    None => due.remove(&key),
                };
            }
        })
    }

    fn changed(&self) -> &Notify {
        &self.changed
    }
}
