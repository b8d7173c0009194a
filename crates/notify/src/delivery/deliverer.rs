//! The activity that delivers: takes what is due, posts it, and writes down what became of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify as Wake;
use tokio::task::{Id, JoinError, JoinSet};

use crate::delivery::outbox::{Attempt, Outbox, Settled};
use crate::delivery::retry::Verdict;
use crate::delivery::sender::Sender;
use crate::directory::Directory;
use crate::message::MessageKind;
use crate::subscription::delivery_policy::DELAY_SECS_MAX;
use crate::subscription::{Standing, Subscription, SubscriptionId};

/// Requests under way at once. A subscriber has one of them at most, so it takes this many hanging
/// subscribers, each for the 15 seconds of a request, to hold up the others.
const REQUESTS_MAX: usize = 64;

/// No delivery policy may let a delivery wait for longer.
const DELAY_MAX: Duration = Duration::from_secs(DELAY_SECS_MAX);

/// How long one activation goes on under a clock that moves, so that whoever drives it can stop it in
/// between. Under a clock that stands still an activation lasts until nothing is due.
const ACTIVATION_MAX: Duration = Duration::from_secs(1);

/// When outcomes that could not be written are tried again.
const WRITE_RETRY: Duration = Duration::from_secs(1);

/// When an attempt that broke off is repeated.
const ABANDONED_RETRY: Duration = Duration::from_secs(20);

/// When an activation that ended with requests under way is followed by the next.
const GO_ON: Duration = Duration::from_millis(1);

/// Delivers the messages of an [`Outbox`].
pub(crate) struct Deliverer {
    outbox: Arc<Outbox>,
    directory: Directory,
    sender: Arc<Sender>,
    clock: SharedClock,
    wish: Mutex<Wish>,
    /// Outlives an activation, so that a slow subscriber does not end with it. Held by one activation at a
    /// time.
    under_way: tokio::sync::Mutex<UnderWay>,
}

/// What an activation leaves to the next one.
#[derive(Clone, Copy, Default)]
enum Wish {
    /// Nothing: what the outbox has decides.
    #[default]
    None,
    /// Requests are under way: go on then, or when the outbox has something.
    GoOn(Timestamp),
    /// Outcomes cannot be written: deliver nothing more until then.
    Hold(Timestamp),
}

#[derive(Default)]
struct UnderWay {
    requests: JoinSet<Verdict>,
    attempts: HashMap<Id, Attempt>,
    /// Outcomes that are not written yet.
    settled: Vec<(Attempt, Settled)>,
}

impl Deliverer {
    pub(crate) fn new(
        outbox: Arc<Outbox>,
        directory: Directory,
        sender: Arc<Sender>,
        clock: SharedClock,
    ) -> Self {
        let (wish, under_way) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { outbox, directory, sender, clock, wish, under_way }
    }

    async fn deliver(&self, started: Timestamp) {
        let mut under_way = self.under_way.lock().await;
        let wish = self.deliver_for_a_while(&mut under_way, started).await;
        *self.wish.lock() = wish;
    }

    async fn deliver_for_a_while(&self, under_way: &mut UnderWay, started: Timestamp) -> Wish {
        let activation_end = started + ACTIVATION_MAX;
        loop {
            let now = self.clock.now().max(started);
            if !self.write(under_way).await {
                return Wish::Hold(now + WRITE_RETRY);
            }
            self.start_due(under_way, self.horizon(now));
            if under_way.requests.is_empty() {
                if under_way.settled.is_empty() {
                    return Wish::None;
                }
                continue;
            }
            if now >= activation_end {
                return Wish::GoOn(now + GO_ON);
            }
            // A real timer, because what is awaited is real; what is due remains the clock's to say.
            let next = self.outbox.next_due().filter(|due| *due > now).unwrap_or(activation_end);
            tokio::select! {
                Some(finished) = under_way.requests.join_next_with_id() => self.finish(under_way, finished),
                () = self.outbox.added.notified() => {}
                () = tokio::time::sleep(next.min(activation_end).since(now)) => {}
            }
            while let Some(finished) = under_way.requests.try_join_next_with_id() {
                self.finish(under_way, finished);
            }
        }
    }

    /// Until which due time deliveries are due at `now`.
    ///
    /// None of them ever waits longer than the longest delay of any policy. One that seems to was given its
    /// due time before the clock was set back, and would be late by as much.
    fn horizon(&self, now: Timestamp) -> Timestamp {
        let latest = now + DELAY_MAX;
        self.outbox.next_due().filter(|due| *due > latest).unwrap_or(now)
    }

    /// Starts requests for what is due, as many as are allowed at once.
    fn start_due(&self, under_way: &mut UnderWay, now: Timestamp) {
        while under_way.requests.len() < REQUESTS_MAX {
            let Some(attempt) = self.outbox.take(now) else { return };
            match self.receiver(&attempt) {
                Some((id, subscription)) => {
                    let (sender, message) = (Arc::clone(&self.sender), Arc::clone(&attempt.message));
                    let attempts = attempt.attempts + 1;
                    let handle = under_way
                        .requests
                        .spawn(async move { sender.attempt(&message, &id, &subscription, attempts).await });
                    under_way.attempts.insert(handle.id(), attempt);
                }
                None => {
                    tracing::debug!(
                        delivery = attempt.taken.delivery,
                        "nobody waits for this message any more"
                    );
                    under_way.settled.push((attempt, Settled::Done));
                }
            }
        }
    }

    /// Who gets an attempt; `None` if the subscription is gone, or is not one that gets such messages any
    /// more.
    fn receiver(&self, attempt: &Attempt) -> Option<(SubscriptionId, Arc<Subscription>)> {
        let id = SubscriptionId::of_key(&attempt.taken.lane)?;
        let subscription = self.directory.subscription(&id)?;
        wants(&subscription, attempt.message.kind).then_some((id, subscription))
    }

    /// Takes note of a finished attempt.
    fn finish(&self, under_way: &mut UnderWay, finished: Result<(Id, Verdict), JoinError>) {
        let (id, verdict) = finished.unwrap_or_else(|error| {
            tracing::error!(%error, "an attempt to deliver was abandoned; it is tried again");
            (error.id(), Verdict::Retry(ABANDONED_RETRY))
        });
        let Some(attempt) = under_way.attempts.remove(&id) else { return };
        let settled = match verdict {
            Verdict::Delivered | Verdict::GiveUp => Settled::Done,
            Verdict::Retry(delay) => {
                Settled::Again { attempts: attempt.attempts + 1, due: self.clock.now() + delay }
            }
        };
        under_way.settled.push((attempt, settled));
    }

    /// Writes the outcomes down. Tells whether that worked; if not, they wait.
    async fn write(&self, under_way: &mut UnderWay) -> bool {
        if under_way.settled.is_empty() {
            return true;
        }
        match self.outbox.settle(&under_way.settled).await {
            Ok(()) => {
                under_way.settled.clear();
                true
            }
            Err(error) => {
                tracing::error!(%error, "cannot write down what was delivered; it is tried again");
                false
            }
        }
    }
}

/// Whether a subscription is one that gets messages of this kind.
fn wants(subscription: &Subscription, kind: MessageKind) -> bool {
    matches!(
        (kind, subscription.standing),
        (MessageKind::Notification, Standing::Confirmed)
            | (MessageKind::SubscriptionConfirmation, Standing::Pending { .. })
            | (MessageKind::UnsubscribeConfirmation, Standing::Cancelled { .. })
    )
}

impl Activity for Deliverer {
    fn name(&self) -> &'static str {
        "sns-delivery"
    }

    fn next_due(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        let latest = now + DELAY_MAX;
        let due = match *self.wish.lock() {
            Wish::None => self.outbox.next_due()?,
            Wish::GoOn(then) => self.outbox.next_due().map_or(then, |due| due.min(then)),
            Wish::Hold(then) => then,
        };
        // See `horizon`: what seems to be far away is due.
        Some(if due > latest { now } else { due })
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(self.deliver(now))
    }

    fn changed(&self) -> &Wake {
        &self.outbox.changed
    }
}
