//! The outbox: messages that are on their way, durable from the moment that a publisher has its answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::{Batch, Catalog, Document, Documents, Expect, Key, StorageError};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify as Wake;

use crate::NotifyError;
use crate::delivery::lanes::{Lanes, Place, Taken};
use crate::message::{Message, MessageId};

/// What one delivery costs in memory besides its message, roughly: its document, its place in a lane.
const DELIVERY_BYTES: usize = 512;

/// One message on its way to one subscription. Kept under the message's id and the subscription's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) message: MessageId,
    /// The name under which the subscription is kept, in the same scope.
    pub(crate) subscription: String,
    /// How often it was tried.
    pub(crate) attempts: u32,
    pub(crate) due: Timestamp,
    /// Grows in the order of publishing.
    pub(crate) sequence: u64,
}

impl Document for Delivery {
    const KIND: &'static str = "sns-delivery";
}

impl Delivery {
    /// What the names of all deliveries of a message begin with; the subscription's name follows.
    fn prefix(message: MessageId) -> String {
        format!("{message}/")
    }
}

/// What became of a delivery that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It needs no further attempt, whether it was delivered or not.
    Done,
    /// It is to be tried again.
    Again {
        /// How often it has been tried by now.
        attempts: u32,
        /// When.
        due: Timestamp,
    },
}

/// A delivery that was taken, with all that is needed to attempt it.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) taken: Taken,
    pub(crate) message: Arc<Message>,
    /// How often it was tried before.
    pub(crate) attempts: u32,
}

/// Keeps messages with their deliveries, and knows which is due next.
pub(crate) struct Outbox {
    catalog: Catalog,
    messages: Documents<Message>,
    deliveries: Documents<Delivery>,
    queue: Mutex<Queue>,
    next_sequence: AtomicU64,
    /// Notified when something new is due: for whoever drives the activity that delivers.
    pub(crate) changed: Wake,
    /// Notified at the same moments: for that activity itself while it runs.
    pub(crate) added: Wake,
}

/// A part of the backlog that is kept for one message and its deliveries; given back when dropped.
pub(crate) struct Room {
    outbox: Arc<Outbox>,
    bytes: usize,
}

struct Queue {
    lanes: Lanes,
    backlog_bytes: usize,
    backlog_bytes_max: usize,
}

impl Outbox {
    /// Finds what was on its way when the server stopped; what was attempted without an outcome is due again.
    pub(crate) fn open(catalog: &Catalog, backlog_bytes_max: usize) -> Result<Self, StorageError> {
        let messages: Documents<Message> = Documents::open(catalog)?;
        let deliveries: Documents<Delivery> = Documents::open(catalog)?;
        let mut queue = Queue { lanes: Lanes::default(), backlog_bytes: 0, backlog_bytes_max };
        let mut next_sequence = 0;
        for (_, message) in messages.all() {
            queue.backlog_bytes += message.bytes();
        }
        for (key, delivery) in deliveries.all() {
            next_sequence = next_sequence.max(delivery.sequence + 1);
            queue.backlog_bytes += DELIVERY_BYTES;
            let message = messages.get(&Key::new(&key.scope, delivery.message.to_string()));
            let in_line = message.is_some_and(|message| message.in_line.is_some());
            queue.add(&delivery, key, in_line);
        }
        Ok(Self {
            catalog: catalog.clone(),
            messages,
            deliveries,
            queue: Mutex::new(queue),
            next_sequence: AtomicU64::new(next_sequence),
            changed: Wake::new(),
            added: Wake::new(),
        })
    }

    /// Keeps room for `message` and so many deliveries of it.
    pub(crate) fn room_for(
        self: &Arc<Self>,
        message: &Message,
        deliveries: usize,
    ) -> Result<Room, NotifyError> {
        let mut room = Room { outbox: Arc::clone(self), bytes: 0 };
        room.resize(backlog_bytes(message, deliveries))?;
        Ok(room)
    }

    /// Commits `batch` together with `message` and its deliveries to `subscriptions` (names in `scope`), due
    /// at once. Without subscriptions there is nobody to keep the message for. Takes `room` if there is some
    /// for it, or else finds it now.
    ///
    /// Done even if the caller stops waiting: a message that was written is always queued too.
    pub(crate) async fn send(
        self: &Arc<Self>,
        mut batch: Batch,
        scope: &Scope,
        message: Message,
        subscriptions: Vec<String>,
        room: Option<Room>,
    ) -> Result<(), NotifyError> {
        if subscriptions.is_empty() {
            return if batch.is_empty() { Ok(()) } else { Ok(self.catalog.commit(batch).await?) };
        }
        let mut room = room.unwrap_or(Room { outbox: Arc::clone(self), bytes: 0 });
        room.resize(backlog_bytes(&message, subscriptions.len()))?;
        let in_line = message.in_line.is_some();
        let deliveries = self.put(&mut batch, scope, message, subscriptions);
        let outbox = Arc::clone(self);
        let written = tokio::spawn(async move {
            let committed = outbox.catalog.commit(batch).await;
            if committed.is_ok() {
                room.fill();
                let mut queue = outbox.queue.lock();
                deliveries.into_iter().for_each(|(key, delivery)| queue.add(&delivery, key, in_line));
            }
            outbox.added.notify_one();
            outbox.changed.notify_one();
            committed
        });
        written.await.map_err(|_| StorageError::Closed { reason: "the server is stopping" })??;
        Ok(())
    }

    fn put(
        &self,
        batch: &mut Batch,
        scope: &Scope,
        message: Message,
        subscriptions: Vec<String>,
    ) -> Vec<(Key, Delivery)> {
        let sequence = self.next_sequence.fetch_add(1, Ordering::Relaxed);
        let (due, id) = (message.published, message.id);
        self.messages.put(batch, Key::new(scope, id.to_string()), message, Expect::Absent);
        let deliveries = subscriptions.into_iter().map(|subscription| {
            let delivery = Delivery { message: id, subscription, attempts: 0, due, sequence };
            let key = Key::new(scope, format!("{}{}", Delivery::prefix(id), delivery.subscription));
            self.deliveries.put(batch, key.clone(), delivery.clone(), Expect::Absent);
            (key, delivery)
        });
        deliveries.collect()
    }

    /// Whether nothing is on its way to the subscription that is kept under `key`.
    pub(crate) fn is_idle(&self, key: &Key) -> bool {
        self.queue.lock().lanes.is_empty(key)
    }

    /// The earliest moment at which something can be taken.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.queue.lock().lanes.next_due()
    }

    /// Takes the delivery that has been due for longest; its lane is busy until it is settled.
    pub(crate) fn take(&self, now: Timestamp) -> Option<Attempt> {
        loop {
            let taken = self.queue.lock().lanes.take(now)?;
            let found = self.deliveries.get(&taken.key()).and_then(|delivery| {
                let message =
                    self.messages.get(&Key::new(&taken.lane.scope, delivery.message.to_string()))?;
                Some((delivery.attempts, message))
            });
            let Some((attempts, message)) = found else {
                tracing::error!(delivery = taken.delivery, "a delivery lacks its documents; it is skipped");
                self.queue.lock().lanes.release(&taken.lane);
                continue;
            };
            return Some(Attempt { taken, message, attempts });
        }
    }

    /// Writes down what became of deliveries, and lets their lanes go on. After an error nothing has changed:
    /// the lanes stay busy, and the same can be tried again.
    pub(crate) async fn settle(&self, outcomes: &[(Attempt, Settled)]) -> Result<(), StorageError> {
        let mut batch = Batch::new();
        let (mut waiting, mut held) = (Vec::new(), Vec::new());
        let mut done: BTreeMap<Key, (&Message, usize)> = BTreeMap::new();
        for (attempt, settled) in outcomes {
            let key = attempt.taken.key();
            match settled {
                Settled::Done => {
                    let message_key = Key::new(&key.scope, attempt.message.id.to_string());
                    done.entry(message_key).or_insert((&attempt.message, 0)).1 += 1;
                    self.deliveries.remove(&mut batch, key, Expect::Any);
                }
                Settled::Again { attempts, due } => {
                    let Some(delivery) = self.deliveries.get(&key) else { continue };
                    let mut delivery = Delivery { attempts: *attempts, ..Delivery::clone(&delivery) };
                    // In line a message keeps its place, and all wait for it.
                    if attempt.message.in_line.is_some() {
                        held.push((attempt.taken.lane.clone(), *due));
                    } else {
                        delivery.due = *due;
                    }
                    self.deliveries.put(&mut batch, key.clone(), delivery.clone(), Expect::Any);
                    waiting.push((key, delivery, attempt.message.in_line.is_some()));
                }
            }
        }
        let mut freed_bytes = 0;
        for (key, (message, count)) in done {
            freed_bytes += count * DELIVERY_BYTES;
            // A message goes with its last delivery. Only this function removes deliveries, one call at a
            // time.
            let left = self.deliveries.list(&key.scope, &Delivery::prefix(message.id), None, count + 1).len();
            if left == count {
                freed_bytes += message.bytes();
                self.messages.remove(&mut batch, key, Expect::Any);
            }
        }
        self.catalog.commit(batch).await?;
        let mut queue = self.queue.lock();
        queue.backlog_bytes = queue.backlog_bytes.saturating_sub(freed_bytes);
        for (key, delivery, in_line) in waiting {
            queue.add(&delivery, key, in_line);
        }
        for (lane, until) in held {
            queue.lanes.hold(&lane, until);
        }
        for (attempt, _) in outcomes {
            queue.lanes.release(&attempt.taken.lane);
        }
        Ok(())
    }
}

/// What a message and so many deliveries of it take of the backlog.
fn backlog_bytes(message: &Message, deliveries: usize) -> usize {
    message.bytes() + deliveries * DELIVERY_BYTES
}

impl Room {
    /// Gives back what is not needed, or finds more.
    fn resize(&mut self, bytes: usize) -> Result<(), NotifyError> {
        let mut queue = self.outbox.queue.lock();
        let backlog_bytes = queue.backlog_bytes - self.bytes + bytes;
        if bytes > self.bytes && backlog_bytes > queue.backlog_bytes_max {
            return Err(NotifyError::Backlog);
        }
        (queue.backlog_bytes, self.bytes) = (backlog_bytes, bytes);
        Ok(())
    }

    /// It is used from now on.
    fn fill(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.outbox.queue.lock().backlog_bytes -= self.bytes;
    }
}

impl Queue {
    /// Among messages that are `in_line` the order of publishing counts alone, whatever the clock showed.
    fn add(&mut self, delivery: &Delivery, key: Key, in_line: bool) {
        let lane = Key::new(&key.scope, delivery.subscription.clone());
        let due = if in_line { Timestamp::EPOCH } else { delivery.due };
        self.lanes.add(lane, Place { due, sequence: delivery.sequence }, key.name);
    }
}
