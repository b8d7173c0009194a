//! The activity that sends events on: takes the lanes that are due, some at once, and notes how far they
//! came.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet};

use super::cursor::Cursor;
use super::lanes::{LaneKey, Place, Step, StepEnd};
use super::step::{BACKOFF, Forwarding};

/// Lanes that send at once, each a page of about 256 KiB. It takes this many hanging receivers, each for as
/// long as its target may take, to hold up the others.
const STEPS_MAX: usize = 64;
/// How long one activation goes on under a clock that moves, so that whoever drives it can stop it in
/// between.
const ACTIVATION_MAX: Duration = Duration::from_secs(1);
/// When cursors that could not be written are tried again.
const NOTE_RETRY: Duration = Duration::from_secs(1);
/// When an activation that ended with steps under way is followed by the next.
const GO_ON: Duration = Duration::from_millis(1);

/// Sends events on.
pub struct LogForwarding {
    forwarding: Forwarding,
    wish: Mutex<Option<Timestamp>>,
    /// Outlives an activation, so that a slow receiver does not end with it.
    under_way: tokio::sync::Mutex<UnderWay>,
}

#[derive(Default)]
struct UnderWay {
    sending: JoinSet<StepEnd>,
    steps: HashMap<Id, Step>,
    /// Cursors that are not written down yet.
    notes: Vec<(LaneKey, Arc<Place>, Cursor)>,
}

impl LogForwarding {
    pub(crate) fn new(forwarding: Forwarding) -> Self {
        Self { forwarding, wish: Mutex::default(), under_way: tokio::sync::Mutex::default() }
    }

    async fn forward(&self, started: Timestamp) {
        let mut under_way = self.under_way.lock().await;
        let wish = self.forward_for_a_while(&mut under_way, started).await;
        *self.wish.lock() = wish;
    }

    /// Returns when to go on, whatever falls due.
    async fn forward_for_a_while(&self, under_way: &mut UnderWay, started: Timestamp) -> Option<Timestamp> {
        let subscriptions = &self.forwarding.subscriptions;
        let activation_end = started + ACTIVATION_MAX;
        loop {
            let now = self.forwarding.clock.now().max(started);
            let noted = self.note(under_way).await;
            self.start_due(under_way, now);
            if under_way.sending.is_empty() {
                return (!noted).then(|| now + NOTE_RETRY);
            }
            if now >= activation_end {
                return Some(now + GO_ON);
            }
            let next = subscriptions.lanes().lock().next_due().filter(|due| *due > now);
            let pause = next.unwrap_or(activation_end).min(activation_end).since(now);
            // A real timer, because what is awaited is real; what is due remains the clock's to say.
            tokio::select! {
                Some(finished) = under_way.sending.join_next_with_id() => self.finish(under_way, finished),
                () = subscriptions.changed().notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
            while let Some(finished) = under_way.sending.try_join_next_with_id() {
                self.finish(under_way, finished);
            }
        }
    }

    /// Starts what is due, as much as is allowed at once.
    fn start_due(&self, under_way: &mut UnderWay, now: Timestamp) {
        while under_way.sending.len() < STEPS_MAX {
            let Some(step) = self.forwarding.subscriptions.lanes().lock().take(now) else { return };
            let (forwarding, taken) = (self.forwarding.clone(), step.clone());
            let handle = under_way.sending.spawn(async move { forwarding.take(&taken).await });
            under_way.steps.insert(handle.id(), step);
        }
    }

    fn finish(&self, under_way: &mut UnderWay, finished: Result<(Id, StepEnd), JoinError>) {
        let (id, end) = match finished {
            Ok((id, end)) => (id, Some(end)),
            Err(error) => {
                tracing::error!(%error, "sending log events on was abandoned; it is tried again");
                (error.id(), None)
            }
        };
        let Some(step) = under_way.steps.remove(&id) else { return };
        let end = end.unwrap_or_else(|| StepEnd::Again {
            wait: BACKOFF.longest,
            cursor: step.cursor.clone(),
            sent: step.sent.clone(),
        });
        let now = self.forwarding.clock.now();
        if let Some(cursor) = self.forwarding.subscriptions.lanes().lock().finish(&step, end, now) {
            under_way.notes.push((step.key, step.place, cursor));
        }
    }

    /// Writes the cursors down. Tells whether that worked; if not, they wait: a crash would repeat what they
    /// cover.
    async fn note(&self, under_way: &mut UnderWay) -> bool {
        if under_way.notes.is_empty() {
            return true;
        }
        match self.forwarding.subscriptions.note(under_way.notes.clone()).await {
            Ok(()) => {
                under_way.notes.clear();
                true
            }
            Err(error) => {
                tracing::error!(%error, "cannot note how far log events were sent on; it is tried again");
                false
            }
        }
    }
}

impl Activity for LogForwarding {
    fn name(&self) -> &'static str {
        "log-forwarding"
    }

    fn next_due(&self) -> Option<Timestamp> {
        let due = self.forwarding.subscriptions.lanes().lock().next_due();
        match (due, *self.wish.lock()) {
            (Some(due), Some(wish)) => Some(due.min(wish)),
            (due, wish) => due.or(wish),
        }
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(self.forward(now))
    }

    fn changed(&self) -> &Notify {
        self.forwarding.subscriptions.changed()
    }
}
