//! The messages of one queue, and what can happen to them. Pure: the present moment is an argument,
//! durability is not its business, and every change that has to be written down first is made in two steps.
//!
//! A message that is sent is *held* until it is durable, and so is one on its way to another queue: nobody
//! can receive it, and in a FIFO queue those behind it wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::deduplication::{Deduplication, Original};
use crate::message::Message;
use crate::order::{Order, Standing};

/// How many messages of a queue may be in flight, in AWS.
pub(crate) const IN_FLIGHT_MAX: usize = 120_000;

/// How many messages at once go to the dead-letter queue.
const EXHAUSTED_AT_ONCE_MAX: usize = 100;

/// From so many receipts on, AWS sets a message of a standard queue behind the others.
const RECEIVES_POISONED: u32 = 3;

/// How much memory messages may take that move to another queue at once, unless it is one: the journal takes
/// no record of more than 64 MiB.
const MOVED_BYTES_MAX: usize = 8 << 20;

/// A message in its queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) message: Arc<Message>,
    pub(crate) state: State,
    /// How often it was received.
    pub(crate) receives: u32,
    pub(crate) first_received: Option<Timestamp>,
}

/// Whether a message can be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// Not durable here yet, or about to leave.
    Held,
    /// From `until` on.
    Delayed {
        /// When it appears.
        until: Timestamp,
    },
    /// Now.
    Visible,
    /// Received at `since`; appears again at `until`.
    InFlight {
        /// When it was received.
        since: Timestamp,
        /// When its visibility timeout ends.
        until: Timestamp,
    },
}

impl State {
    fn until(self) -> Option<Timestamp> {
        match self {
            Self::Delayed { until } | Self::InFlight { until, .. } => Some(until),
            Self::Held | Self::Visible => None,
        }
    }

    fn standing(self) -> Standing {
        match self {
            Self::Held | Self::Delayed { .. } => Standing::Waiting,
            Self::Visible => Standing::Visible,
            Self::InFlight { .. } => Standing::InFlight,
        }
    }
}

/// What a receiver asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    pub(crate) count_max: usize,
    pub(crate) visibility_timeout: Duration,
    /// How often a message is received before it is taken for dead, if the queue has a dead-letter queue.
    pub(crate) receives_max: Option<u32>,
}

/// What a receiver gets, before it is durable.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) received: Vec<Received>,
    /// Received too often: held, for the dead-letter queue. There may be more of them.
    pub(crate) exhausted: Vec<(u64, Arc<Message>)>,
}

/// A message with what one receipt says of it.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) sequence: u64,
    pub(crate) message: Arc<Message>,
    pub(crate) receives: u32,
    pub(crate) first_received: Timestamp,
}

/// How many messages there are of each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) visible: usize,
    pub(crate) in_flight: usize,
    pub(crate) delayed: usize,
}

/// What a queue's metrics say of its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) counts: Counts,
    /// How many message groups have messages in flight.
    pub(crate) groups_in_flight: usize,
    /// When the oldest message was sent. In a standard queue one does not count any more that was received
    /// so often that AWS sets it behind the others.
    pub(crate) oldest: Option<Timestamp>,
}

/// What a receipt is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holding {
    /// Its message is in flight because of this receipt, since then.
    InFlight {
        /// When it was received.
        since: Timestamp,
    },
    /// The message was received again, at that time, and is in flight because of that.
    Superseded {
        /// When it was received last.
        since: Timestamp,
    },
    /// The visibility timeout of its last receipt has ended; whether that is this receipt.
    Expired {
        /// Whether it is the last receipt.
        is_last: bool,
    },
    /// The message is gone.
    Gone,
}

/// The messages of one queue.
#[derive(Debug)]
pub(crate) struct Backlog {
    entries: BTreeMap<u64, Entry>,
    next_sequence: u64,
    order: Order,
    /// Messages that become visible by themselves, by when.
    due: BTreeSet<(Timestamp, u64)>,
    /// All, by when they were sent.
    ages: BTreeSet<(Timestamp, u64)>,
    pub(crate) recent: Deduplication,
    counts: Counts,
    memory_bytes: usize,
}

impl Backlog {
    pub(crate) fn new(is_fifo: bool) -> Self {
        Self {
            entries: BTreeMap::new(),
            next_sequence: 1,
            order: Order::new(is_fifo),
            due: BTreeSet::new(),
            ages: BTreeSet::new(),
            recent: Deduplication::default(),
            counts: Counts::default(),
            memory_bytes: 0,
        }
    }

    /// Takes a message in that was received so often, held, and gives it its place.
    pub(crate) fn admit(&mut self, message: Arc<Message>, receives: u32) -> u64 {
        let sequence = self.next_sequence;
        self.restore(sequence, Entry { message, state: State::Held, receives, first_received: None });
        sequence
    }

    /// How often a message was received.
    pub(crate) fn receives(&self, sequence: u64) -> u32 {
        self.entries.get(&sequence).map_or(0, |entry| entry.receives)
    }

    /// Takes a message in as it was, after a restart.
    pub(crate) fn restore(&mut self, sequence: u64, entry: Entry) {
        self.remove(sequence);
        self.reserve(sequence + 1);
        self.memory_bytes += entry.message.memory_bytes();
        self.ages.insert((entry.message.sent, sequence));
        let state = entry.state;
        self.order.put(sequence, entry.message.group_id.as_deref(), Some(Standing::Waiting));
        self.entries.insert(sequence, Entry { state: State::Held, ..entry });
        self.set(sequence, state);
    }

    /// Sees to it that no place below `next_sequence` is given again.
    pub(crate) fn reserve(&mut self, next_sequence: u64) {
        self.next_sequence = self.next_sequence.max(next_sequence);
    }

    /// Lets a held message appear: at once, or at `visible_at`.
    pub(crate) fn publish(&mut self, sequence: u64, visible_at: Option<Timestamp>) {
        self.set(sequence, visible_at.map_or(State::Visible, |until| State::Delayed { until }));
    }

    /// Holds messages through that place that could be received, to move them elsewhere: at most so many, or
    /// as many as can move at once.
    pub(crate) fn hold(
        &mut self,
        count_max: usize,
        through: u64,
        now: Timestamp,
    ) -> Vec<(u64, Arc<Message>)> {
        self.advance(now);
        let mut held = Portion::of(count_max);
        while let Some(sequence) = self.order.oldest().filter(|sequence| *sequence <= through) {
            let Some(entry) = self.entries.get(&sequence) else { break };
            if !held.take(sequence, &entry.message) {
                break;
            }
            self.set(sequence, State::Held);
        }
        held.messages
    }

    /// Whether a message is there and held.
    pub(crate) fn is_held(&self, sequence: u64) -> bool {
        self.entries.get(&sequence).is_some_and(|entry| entry.state == State::Held)
    }

    /// Takes a message out.
    pub(crate) fn remove(&mut self, sequence: u64) -> Option<Entry> {
        self.set(sequence, State::Held);
        let entry = self.entries.remove(&sequence)?;
        self.order.put(sequence, entry.message.group_id.as_deref(), None);
        self.ages.remove(&(entry.message.sent, sequence));
        self.memory_bytes -= entry.message.memory_bytes();
        Some(entry)
    }

    /// Hands out messages. They are in flight from now on; whoever cannot make that durable puts them
    /// [back](Self::put_back).
    pub(crate) fn take(&mut self, demand: Demand, now: Timestamp) -> Taken {
        self.advance(now);
        let (mut received, mut exhausted) = (Vec::new(), Portion::of(EXHAUSTED_AT_ONCE_MAX));
        let mut next = self.order.next();
        while let Some(sequence) = next.filter(|_| received.len() < demand.count_max) {
            let Some(entry) = self.entries.get_mut(&sequence) else { break };
            let message = Arc::clone(&entry.message);
            if demand.receives_max.is_some_and(|receives_max| entry.receives >= receives_max) {
                if !exhausted.take(sequence, &message) {
                    break;
                }
                self.set(sequence, State::Held);
                next = self.order.next();
                continue;
            }
            entry.receives += 1;
            let first_received = *entry.first_received.get_or_insert(now);
            let receives = entry.receives;
            self.set(sequence, State::InFlight { since: now, until: now + demand.visibility_timeout });
            next = self.order.next_in(message.group_id.as_deref(), sequence).or_else(|| self.order.next());
            received.push(Received { sequence, message, receives, first_received });
        }
        Taken { received, exhausted: exhausted.messages }
    }

    /// Undoes [`Self::take`] for messages that were received, as far as nothing else has happened to them.
    pub(crate) fn put_back(&mut self, received: &[Received]) {
        for one in received {
            if let Some(entry) =
                self.entries.get_mut(&one.sequence).filter(|entry| entry.receives == one.receives)
            {
                entry.receives -= 1;
                if entry.receives == 0 {
                    entry.first_received = None;
                }
                self.set(one.sequence, State::Visible);
            }
        }
    }

    /// Notes a receipt that was written before a restart.
    pub(crate) fn note_receipt(&mut self, sequence: u64, since: Timestamp, until: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&sequence) {
            entry.receives += 1;
            entry.first_received.get_or_insert(since);
            self.set(sequence, State::InFlight { since, until });
        }
    }

    /// What a receipt is good for at `now`.
    pub(crate) fn holding(&mut self, sequence: u64, receives: u32, now: Timestamp) -> Holding {
        self.advance(now);
        match self.entries.get(&sequence).map(|entry| (entry.state, entry.receives)) {
            None => Holding::Gone,
            Some((State::InFlight { since, .. }, current)) if current == receives => {
                Holding::InFlight { since }
            }
            Some((State::InFlight { since, .. }, _)) => Holding::Superseded { since },
            Some((_, current)) => Holding::Expired { is_last: current == receives },
        }
    }

    /// Ends a message's visibility timeout at `until` instead; also if it has ended already, for AWS takes the
    /// last receipt of a message until it is received again (recorded).
    pub(crate) fn hide(&mut self, sequence: u64, until: Timestamp) {
        let since = match self.entries.get(&sequence).map(|entry| entry.state) {
            Some(State::InFlight { since, .. }) => since,
            Some(State::Visible) => until,
            Some(State::Held | State::Delayed { .. }) | None => return,
        };
        self.set(sequence, State::InFlight { since, until });
    }

    /// Takes out everything through that place, except what is held. What was sent is not remembered either:
    /// it can be sent again (recorded).
    pub(crate) fn purge(&mut self, through: u64) {
        self.recent.forget_through(through);
        let gone: Vec<u64> = self.entries.range(..=through).map(|(sequence, _)| *sequence).collect();
        for sequence in gone {
            if self.entries.get(&sequence).is_some_and(|entry| entry.state != State::Held) {
                self.remove(sequence);
            }
        }
    }

    /// Takes out what was sent longer than `retention` ago, except what is held, and forgets what was sent
    /// long ago.
    pub(crate) fn expire(&mut self, retention: Duration, now: Timestamp) {
        self.recent.forget(now);
        let expired: Vec<u64> = self
            .ages
            .iter()
            .take_while(|(sent, _)| *sent + retention <= now)
            .map(|(_, sequence)| *sequence)
            .collect();
        for sequence in expired {
            if self.entries.get(&sequence).is_some_and(|entry| entry.state != State::Held) {
                self.remove(sequence);
            }
        }
    }

    /// Lets appear what is due.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        while let Some((until, sequence)) = self.due.first().copied().filter(|(until, _)| *until <= now) {
            self.due.remove(&(until, sequence));
            self.set(sequence, State::Visible);
        }
    }

    /// When the next message appears by itself.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(until, _)| *until)
    }

    pub(crate) fn has_visible(&self) -> bool {
        self.order.next().is_some()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// What metrics say of the messages that are there at `now`.
    pub(crate) fn census(&mut self, retention: Duration, now: Timestamp) -> Census {
        self.advance(now);
        self.expire(retention, now);
        let counts_in_age = |sequence: u64| {
            let is_standard = matches!(self.order, Order::Standard(_));
            !is_standard || self.receives(sequence) < RECEIVES_POISONED
        };
        let oldest = self.ages.iter().find(|(_, sequence)| counts_in_age(*sequence));
        Census {
            counts: self.counts,
            groups_in_flight: self.order.groups_in_flight(),
            oldest: oldest.map(|(sent, _)| *sent),
        }
    }

    /// The place of the message that was admitted last; 0 before the first.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.next_sequence - 1
    }

    /// Of its messages, and of what deduplication remembers.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes + self.recent.memory_bytes()
    }

    /// All that is durable here, for a checkpoint: messages that are on their way out are still here.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, &Entry)> {
        self.entries.iter().map(|(sequence, entry)| (*sequence, entry))
    }

    /// Whether a message of that deduplication key was sent in the last five minutes.
    pub(crate) fn original(&mut self, key: &str, now: Timestamp) -> Option<Original> {
        self.recent.original(key, now).cloned()
    }

    fn set(&mut self, sequence: u64, state: State) {
        let Some(entry) = self.entries.get_mut(&sequence) else { return };
        let before = std::mem::replace(&mut entry.state, state);
        if let Some(until) = before.until() {
            self.due.remove(&(until, sequence));
        }
        if let Some(until) = state.until() {
            self.due.insert((until, sequence));
        }
        self.order.put(sequence, entry.message.group_id.as_deref(), Some(state.standing()));
        if let Some(count) = self.counts.of(before) {
            *count -= 1;
        }
        if let Some(count) = self.counts.of(state) {
            *count += 1;
        }
    }
}

/// Messages that move to another queue together.
struct Portion {
    messages: Vec<(u64, Arc<Message>)>,
    count_max: usize,
    bytes: usize,
}

impl Portion {
    fn of(count_max: usize) -> Self {
        Self { messages: Vec::new(), count_max, bytes: 0 }
    }

    /// Takes a message too, unless it is one too many.
    fn take(&mut self, sequence: u64, message: &Arc<Message>) -> bool {
        let bytes = self.bytes + message.memory_bytes();
        let fits = self.messages.len() < self.count_max && bytes <= MOVED_BYTES_MAX;
        if !fits && !self.messages.is_empty() {
            return false;
        }
        self.bytes = bytes;
        self.messages.push((sequence, Arc::clone(message)));
        true
    }
}

impl Counts {
    pub(crate) fn total(&self) -> usize {
        self.visible + self.in_flight + self.delayed
    }

    fn of(&mut self, state: State) -> Option<&mut usize> {
        match state {
            State::Held => None,
            State::Delayed { .. } => Some(&mut self.delayed),
            State::Visible => Some(&mut self.visible),
            State::InFlight { .. } => Some(&mut self.in_flight),
        }
    }
}

#[cfg(test)]
mod tests;
