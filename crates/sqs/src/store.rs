//! The journal and the queues in memory, changed together.
//!
//! A change is prepared in memory (messages are held, or already in flight), written, and completed in
//! memory. Whoever is in between holds the gate open; a checkpoint closes it for a moment, and then memory is
//! exactly what the journal says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use groundwatch_core::{SharedClock, Timestamp};
use groundwatch_storage::{Journal, Position, StorageError, StreamId};
use parking_lot::Mutex;
use tokio::sync::{Notify, RwLock, RwLockReadGuard, RwLockWriteGuard};
use uuid::Uuid;

use crate::SqsError;
use crate::backlog::{Backlog, Demand, Entry, Received, State, Taken};
use crate::directory::{Directory, Found};
use crate::message::Message;
use crate::queue::Queue;
use crate::record::{self, Placed, Record};

/// After so many bytes in the journal a checkpoint is due.
pub(crate) const CHECKPOINT_BYTES: usize = 64 << 20;

/// Where changes go.
pub(crate) struct Store {
    journal: Journal,
    directory: Arc<Directory>,
    memory_bytes_max: usize,
    gate: RwLock<()>,
    /// The last position that was written.
    position: AtomicU64,
    /// Bytes in the journal since the last checkpoint.
    pub(crate) journalled_bytes: AtomicUsize,
    /// When the first of them was written.
    pub(crate) journalled_since: Mutex<Option<Timestamp>>,
    /// Notified when a checkpoint may have become due.
    pub(crate) grown: Notify,
    clock: SharedClock,
}

/// Proof that no checkpoint is being taken.
pub(crate) struct Open<'s> {
    _gate: RwLockReadGuard<'s, ()>,
}

/// A message that is to be sent.
pub(crate) struct Outgoing {
    pub(crate) message: Arc<Message>,
    pub(crate) visible_at: Option<Timestamp>,
    pub(crate) deduplication_key: Option<String>,
}

/// What became of a message that was to be sent: its place, or that of the one that it repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) sequence: u64,
    pub(crate) message_id: Uuid,
}

impl Store {
    pub(crate) fn new(
        journal: Journal,
        directory: Arc<Directory>,
        clock: SharedClock,
        memory_bytes_max: usize,
    ) -> Self {
        Self {
            journal,
            directory,
            memory_bytes_max,
            gate: RwLock::default(),
            position: AtomicU64::new(0),
            journalled_bytes: AtomicUsize::new(0),
            journalled_since: Mutex::default(),
            grown: Notify::new(),
            clock,
        }
    }

    /// Keeps checkpoints away while something is changed.
    pub(crate) async fn open(&self) -> Open<'_> {
        Open { _gate: self.gate.read().await }
    }

    /// Waits until no change is under way, and keeps new ones away. Tells the position of the last.
    pub(crate) async fn close(&self) -> (RwLockWriteGuard<'_, ()>, Position) {
        let closed = self.gate.write().await;
        (closed, Position(self.position.load(Ordering::SeqCst)))
    }

    /// Sends messages: what became of each, in their order.
    pub(crate) async fn send(
        &self,
        _open: &Open<'_>,
        queue: &Queue,
        messages: Vec<Outgoing>,
        now: Timestamp,
    ) -> Result<Vec<Sent>, SqsError> {
        let wanted: usize = messages.iter().map(|outgoing| outgoing.message.memory_bytes()).sum();
        if self.directory.memory().load(Ordering::Relaxed) + wanted > self.memory_bytes_max {
            return Err(SqsError::OutOfMemory);
        }
        let (placed, sent) = queue.with(|backlog| place(backlog, messages, now))?;
        let deduplicated = sent.len() - placed.len();
        if placed.is_empty() {
            queue.meter.lock().sent(std::iter::empty(), deduplicated);
            return Ok(sent);
        }
        let record = Record::Sent { queue: queue.id, messages: placed };
        let written = self.write(&record).await;
        let Record::Sent { messages: placed, .. } = record else { unreachable!("it was just made so") };
        queue.with(|backlog| {
            for Placed { sequence, visible_at, deduplication_key, .. } in &placed {
                match (&written, deduplication_key) {
                    (Ok(()), _) => backlog.publish(*sequence, *visible_at),
                    (Err(_), key) => {
                        backlog.remove(*sequence);
                        if let Some(key) = key {
                            backlog.recent.remove(key);
                        }
                    }
                }
            }
        });
        written?;
        let sizes_bytes = placed.iter().map(|placed| placed.message.size_bytes());
        queue.meter.lock().sent(sizes_bytes, deduplicated);
        queue.arrivals.notify_one();
        Ok(sent)
    }

    /// Receives messages; those that were received too often go to `dead_letters`.
    pub(crate) async fn receive(
        &self,
        open: &Open<'_>,
        found: &Found,
        demand: Demand,
        now: Timestamp,
        dead_letters: Option<&Queue>,
    ) -> Result<Vec<Received>, SqsError> {
        let queue = &*found.queue;
        let retention = found.definition.settings.retention();
        let received = loop {
            let Taken { received, exhausted } = queue.with(|backlog| {
                backlog.expire(retention, now);
                backlog.take(demand, now)
            });
            let Some(dead_letters) = dead_letters.filter(|_| !exhausted.is_empty()) else { break received };
            let source_arn = queue.arn();
            let to_dead = |message: &Message, receives: u32| {
                let message = Message {
                    dead_letter_source_arn: Some(source_arn.clone()),
                    // In a FIFO queue the retention period begins anew, in a standard queue it does not.
                    sent: if queue.is_fifo { now } else { message.sent },
                    ..message.clone()
                };
                // recorded: its receives go on counting there.
                (message, receives)
            };
            if let Err(error) = self.transfer(open, queue, dead_letters, exhausted, to_dead).await {
                tracing::warn!(queue = queue.key.name, %error, "cannot move messages to the dead-letter queue; they stay");
                break received;
            }
            // Behind those that moved there may be more of them, and then others.
            if !received.is_empty() {
                break received;
            }
        };
        if received.is_empty() {
            return Ok(received);
        }
        let sequences = received.iter().map(|one| one.sequence).collect();
        let until = now + demand.visibility_timeout;
        let written = self.write(&Record::Received { queue: queue.id, sequences, since: now, until }).await;
        if let Err(error) = written {
            queue.with(|backlog| backlog.put_back(&received));
            return Err(error);
        }
        if queue.with(|backlog| backlog.has_visible()) {
            // There is more: for the next who waits.
            queue.arrivals.notify_one();
        }
        Ok(received)
    }

    /// Moves held messages from one queue to another. `change` says of a message that was received so often
    /// what it becomes, and how often it counts as received there. On failure they stay, visible.
    pub(crate) async fn transfer(
        &self,
        _open: &Open<'_>,
        from: &Queue,
        to: &Queue,
        messages: Vec<(u64, Arc<Message>)>,
        change: impl Fn(&Message, u32) -> (Message, u32),
    ) -> Result<(), SqsError> {
        let change = |(sequence, message): (u64, Arc<Message>)| {
            let receives = from.with(|backlog| backlog.receives(sequence));
            (sequence, change(&message, receives))
        };
        let changed: Vec<_> = messages.into_iter().map(change).collect();
        let moved: Vec<(u64, u32, Placed)> = to.with(|backlog| {
            let place = |(sequence, (message, receives))| {
                let message = Arc::new(message);
                let place = backlog.admit(Arc::clone(&message), receives);
                let placed = Placed { sequence: place, visible_at: None, deduplication_key: None, message };
                (sequence, receives, placed)
            };
            changed.into_iter().map(place).collect()
        });
        let record = Record::Carried { from: from.id, to: to.id, messages: moved };
        let written = self.write(&record).await;
        let Record::Carried { messages: moved, .. } = record else { unreachable!("it was just made so") };
        let arrived = written.is_ok();
        to.with(|backlog| {
            for (_, _, placed) in &moved {
                if arrived {
                    backlog.publish(placed.sequence, None);
                } else {
                    backlog.remove(placed.sequence);
                }
            }
        });
        from.with(|backlog| {
            for (sequence, _, _) in &moved {
                if arrived {
                    backlog.remove(*sequence);
                } else {
                    backlog.publish(*sequence, None);
                }
            }
        });
        to.arrivals.notify_one();
        from.arrivals.notify_one();
        written
    }

    /// Deletes messages.
    pub(crate) async fn delete(
        &self,
        _open: &Open<'_>,
        queue: &Queue,
        sequences: Vec<u64>,
    ) -> Result<(), SqsError> {
        let record = Record::Deleted { queue: queue.id, sequences };
        self.write(&record).await?;
        self.apply(record);
        // In a FIFO queue the next of the group can be received now.
        queue.arrivals.notify_one();
        Ok(())
    }

    /// Ends visibility timeouts at other moments.
    pub(crate) async fn hide(
        &self,
        _open: &Open<'_>,
        queue: &Queue,
        sequences: Vec<(u64, Timestamp)>,
    ) -> Result<(), SqsError> {
        let record = Record::Hidden { queue: queue.id, sequences };
        self.write(&record).await?;
        self.apply(record);
        // Who waits has to reckon anew when the next message appears.
        queue.arrivals.notify_one();
        Ok(())
    }

    /// Deletes all messages. Waits for those on their way, for what is deleted is told by the last one's
    /// place.
    pub(crate) async fn purge(&self, queue: &Queue) -> Result<(), SqsError> {
        let _closed = self.close().await;
        let through = queue.with(|backlog| backlog.last_sequence());
        let record = Record::Purged { queue: queue.id, through };
        self.write(&record).await?;
        self.apply(record);
        Ok(())
    }

    async fn write(&self, record: &Record) -> Result<(), SqsError> {
        let payload = record::encode(record);
        let bytes = payload.len();
        let position = self.journal.append(StreamId::SQS, payload).await?;
        self.position.fetch_max(position.0, Ordering::SeqCst);
        self.note_journalled(bytes);
        Ok(())
    }

    /// Applies a record of the journal at the start.
    pub(crate) fn recover(&self, position: Position, payload: &[u8]) -> Result<(), StorageError> {
        let record = record::decode(payload).map_err(|error| StorageError::Corrupt {
            place: format!("the journal's record {} of SQS", position.0),
            reason: error.to_string(),
        })?;
        self.position.fetch_max(position.0, Ordering::SeqCst);
        self.note_journalled(payload.len());
        self.apply(record);
        Ok(())
    }

    fn note_journalled(&self, bytes: usize) {
        let before = self.journalled_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before == 0 {
            *self.journalled_since.lock() = Some(self.clock.now());
        }
        if before == 0 || (before < CHECKPOINT_BYTES && before + bytes >= CHECKPOINT_BYTES) {
            self.grown.notify_one();
        }
    }

    /// What a durable record changes. Of a queue that was deleted since, nothing; of a message that is gone,
    /// neither.
    fn apply(&self, record: Record) {
        let with = |id, act: &mut dyn FnMut(&mut Backlog)| {
            if let Some(queue) = self.directory.by_id(id) {
                queue.with(|backlog| act(backlog));
            }
        };
        match record {
            Record::Sent { queue, messages } => with(queue, &mut |backlog| {
                for placed in &messages {
                    restore(backlog, placed, 0);
                }
            }),
            Record::Received { queue, sequences, since, until } => with(queue, &mut |backlog| {
                for sequence in &sequences {
                    backlog.note_receipt(*sequence, since, until);
                }
            }),
            Record::Deleted { queue, sequences } => with(queue, &mut |backlog| {
                for sequence in &sequences {
                    backlog.remove(*sequence);
                }
            }),
            Record::Hidden { queue, sequences } => with(queue, &mut |backlog| {
                for (sequence, until) in &sequences {
                    backlog.hide(*sequence, *until);
                }
            }),
            Record::Moved { from, to, messages } => {
                let messages = messages.into_iter().map(|(sequence, placed)| (sequence, 0, placed)).collect();
                self.apply(Record::Carried { from, to, messages });
            }
            Record::Carried { from, to, messages } => {
                with(from, &mut |backlog| {
                    for (sequence, _, _) in &messages {
                        backlog.remove(*sequence);
                    }
                });
                with(to, &mut |backlog| {
                    for (_, receives, placed) in &messages {
                        restore(backlog, placed, *receives);
                    }
                });
            }
            Record::Purged { queue, through } => with(queue, &mut |backlog| backlog.purge(through)),
        }
    }
}

/// Gives messages their places, held; those that repeat another get none.
fn place(
    backlog: &mut Backlog,
    messages: Vec<Outgoing>,
    now: Timestamp,
) -> Result<(Vec<Placed>, Vec<Sent>), SqsError> {
    let keys: Vec<&String> =
        messages.iter().filter_map(|outgoing| outgoing.deduplication_key.as_ref()).collect();
    for key in keys {
        // The first one is being written and may fail: this one must not be called sent because of it.
        if backlog.original(key, now).is_some_and(|original| backlog.is_held(original.sequence)) {
            return Err(StorageError::Overloaded.into());
        }
    }
    let (mut placed, mut sent) = (Vec::new(), Vec::new());
    for Outgoing { message, visible_at, deduplication_key } in messages {
        let original = deduplication_key.as_ref().and_then(|key| backlog.original(key, now));
        if let Some(original) = original {
            sent.push(Sent { sequence: original.sequence, message_id: original.message_id });
            continue;
        }
        let sequence = backlog.admit(Arc::clone(&message), 0);
        sent.push(Sent { sequence, message_id: message.id });
        let one = Placed { sequence, visible_at, deduplication_key, message };
        if let Some(original) = one.original() {
            backlog.recent.remember(original);
        }
        placed.push(one);
    }
    Ok((placed, sent))
}

fn restore(backlog: &mut Backlog, placed: &Placed, receives: u32) {
    if let Some(original) = placed.original() {
        backlog.recent.remember(original);
    }
    let state = placed.visible_at.map_or(State::Visible, |until| State::Delayed { until });
    let message = Arc::clone(&placed.message);
    backlog.restore(placed.sequence, Entry { message, state, receives, first_received: None });
}
