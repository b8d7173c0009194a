//! Executes actions and hands over events: an activity over durable deliveries.
//!
//! A delivery is written with the state change that causes it, and removed with the history item that tells
//! its outcome. A crash between the two repeats it: topics and the bus may see a message twice, never not at
//! all.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use groundwatch_core::{Activity, BoxFuture, Scope, SharedClock, Timestamp};
use groundwatch_outbound::{self as outbound, Outbound};
use groundwatch_storage::{Batch, Catalog, Documents, Expect, Key, Ledger, StorageError};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::alarm::{self, Alarm};
use crate::due_queue::DueQueue;
use crate::effects::action_request::ActionRequest;
use crate::effects::complaints::Complaints;
use crate::effects::delivery::{
    Delivery, Notification, Notifier, NotifyError, Payload, REPEATED_AFTER, WAIT_MAX,
};
use crate::effects::event::{EventSink, EventSinkError};
use crate::effects::history::HistoryItem;
use crate::explain::recent_evaluations::Evaluations;
use crate::isolation::isolated;
use crate::mute::MuteRules;
use crate::store::RETRY_AFTER;

/// How many deliveries of a line are under way at once.
const CONCURRENT_MAX: usize = 32;

/// How soon it looks again for what has become due while others take their time.
const LOOK_AFTER: Duration = Duration::from_secs(5);

/// What is to be sent, and the activity that sends it.
pub(crate) struct Outbox {
    catalog: Catalog,
    deliveries: Documents<Delivery>,
    history: Ledger<HistoryItem>,
    clock: SharedClock,
    ways: Ways,
    alarms: Documents<Alarm>,
    mutes: Arc<MuteRules>,
    evaluations: Arc<Mutex<Evaluations>>,
    complaints: Complaints,
    /// Names the next delivery: deliveries are executed in the order in which they came about.
    next_number: AtomicU64,
    queue: Mutex<DueQueue<Key>>,
    /// Notified when something new is due: for whoever drives the activity.
    changed: Notify,
    /// Notified at the same moments: for the activity itself while it runs.
    added: Notify,
}

/// Deliveries that do not wait for those of another line.
struct Line<Attempt> {
    waiting: VecDeque<Key>,
    under_way: FuturesUnordered<Attempt>,
}

impl<Attempt> Default for Line<Attempt> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), under_way: FuturesUnordered::new() }
    }
}

/// Where deliveries go.
pub(crate) struct Ways {
    pub(crate) notifier: Arc<dyn Notifier>,
    pub(crate) outbound: Outbound,
    pub(crate) events: Option<Arc<dyn EventSink>>,
}

/// Whether a request is to be sent again.
enum Standing {
    /// The alarm is still in the state that it is for.
    Stands,
    /// It is, but its actions are withheld at the moment.
    Withheld,
    /// It is not, or has other actions by now.
    Over,
}

/// How an attempt ended.
enum Outcome {
    Done,
    Failed(String),
    Later(String),
}

impl Outcome {
    fn of(outcome: outbound::Outcome) -> Self {
        match outcome {
            outbound::Outcome::Accepted { .. } => Self::Done,
            outbound::Outcome::Refused { reason } => Self::Failed(reason),
            outbound::Outcome::Unavailable { reason, .. } => Self::Later(reason),
        }
    }
}

impl Outbox {
    /// Opens the outbox with what a former run has left in it.
    pub(crate) fn open(
        catalog: &Catalog,
        clock: SharedClock,
        ways: Ways,
        mutes: Arc<MuteRules>,
        evaluations: Arc<Mutex<Evaluations>>,
    ) -> Result<Self, StorageError> {
        let deliveries = Documents::<Delivery>::open(catalog)?;
        let mut queue = DueQueue::new();
        let (now, mut next_number) = (clock.now(), 0);
        for (key, delivery) in deliveries.all() {
            next_number = next_number.max(key.name.parse::<u64>().map_or(0, |number| number + 1));
            // A clock that was set back while the server was down must not hold a delivery back.
            queue.plan(key, delivery.due.min(now + WAIT_MAX));
        }
        Ok(Self {
            catalog: catalog.clone(),
            deliveries,
            history: Ledger::open(catalog),
            clock,
            ways,
            alarms: Documents::open(catalog)?,
            mutes,
            evaluations,
            complaints: Complaints::default(),
            next_number: AtomicU64::new(next_number),
            queue: Mutex::new(queue),
            changed: Notify::new(),
            added: Notify::new(),
        })
    }

    /// Whether somebody listens to events of `scope`.
    pub(crate) fn has_event_sink(&self, scope: &Scope) -> bool {
        self.ways.events.as_ref().is_some_and(|events| events.listens(scope))
    }

    /// Adds `deliveries` of an alarm in the scope of `alarm` to `batch`. What is returned goes to
    /// [`Self::enqueue`] once the batch is committed.
    pub(crate) fn stage(
        &self,
        batch: &mut Batch,
        alarm: &Key,
        deliveries: Vec<Delivery>,
    ) -> Vec<(Key, Timestamp)> {
        let staged = deliveries.into_iter().map(|delivery| {
            let number = self.next_number.fetch_add(1, Ordering::Relaxed);
            let key = Key::new(&alarm.scope, format!("{number:020}"));
            let due = delivery.due;
            self.deliveries.put(batch, key.clone(), delivery, Expect::Absent);
            (key, due)
        });
        staged.collect()
    }

    /// Makes committed deliveries due.
    pub(crate) fn enqueue(&self, staged: Vec<(Key, Timestamp)>) {
        if staged.is_empty() {
            return;
        }
        let mut queue = self.queue.lock();
        for (key, due) in staged {
            queue.plan(key, due);
        }
        drop(queue);
        self.added.notify_one();
        self.changed.notify_one();
    }

    /// Attempts what is due until nothing is. Requests and events go to others, who may take minutes to answer:
    /// notifications, which topics take at once, do not wait for them.
    async fn work_off(&self) {
        let (mut notifications, mut others) = (Line::default(), Line::default());
        loop {
            let now = self.clock.now();
            let due = self.queue.lock().take_due(now);
            for key in due {
                let line = if self.is_notification(&key) { &mut notifications } else { &mut others };
                line.waiting.push_back(key);
            }
            for line in [&mut notifications, &mut others] {
                while line.under_way.len() < CONCURRENT_MAX
                    && let Some(key) = line.waiting.pop_front()
                {
                    line.under_way.push(self.attend(key, now));
                }
            }
            if notifications.under_way.is_empty() && others.under_way.is_empty() {
                return;
            }
            let next = self.queue.lock().next(now).unwrap_or(Timestamp::MAX);
            // A real timer, because what is awaited is real; what is due remains the clock's to say.
            tokio::select! {
                Some(()) = notifications.under_way.next() => {}
                Some(()) = others.under_way.next() => {}
                () = self.added.notified() => {}
                () = tokio::time::sleep(next.since(now).min(LOOK_AFTER)) => {}
            }
        }
    }

    fn is_notification(&self, key: &Key) -> bool {
        let delivery = self.deliveries.get(key);
        delivery.is_some_and(|delivery| matches!(delivery.payload, Payload::Action { .. }))
    }

    async fn attend(&self, key: Key, now: Timestamp) {
        if isolated(self.deliver(key.clone(), now)).await.is_none() {
            self.queue.lock().plan(key, now + RETRY_AFTER);
        }
    }

    async fn deliver(&self, key: Key, now: Timestamp) {
        let Some(delivery) = self.deliveries.get(&key) else { return };
        let settled = match self.standing(&key, &delivery, now) {
            Standing::Stands => {
                let outcome = self.attempt(&key, &delivery).await;
                self.settle(&key, &delivery, outcome, now).await
            }
            Standing::Withheld => {
                self.queue.lock().plan(key, now + REPEATED_AFTER);
                return;
            }
            Standing::Over => self.replace(Batch::new(), &key, None).await,
        };
        if let Err(error) = settled {
            tracing::warn!(alarm = delivery.alarm, %error, "the outcome of an action cannot be written; it will be repeated");
            self.queue.lock().plan(key, now + RETRY_AFTER);
        }
    }

    /// What is sent for the first time stands: it belongs to a change of state, whatever came after that.
    fn standing(&self, key: &Key, delivery: &Delivery, now: Timestamp) -> Standing {
        let Payload::Request(request @ ActionRequest { repetition: 1.., .. }) = &delivery.payload else {
            return Standing::Stands;
        };
        let alarm_key = Key::new(&key.scope, &*delivery.alarm);
        let Some(alarm) = self.alarms.get(&alarm_key) else { return Standing::Over };
        let is_same_stay =
            alarm.state.value == request.state && alarm.state.transitioned <= delivery.state_updated;
        let actions = alarm.definition.actions();
        if !is_same_stay || !actions.enabled || !actions.of(request.state).contains(&request.arn) {
            Standing::Over
        } else if self.mutes.active(&alarm_key, now).is_some() {
            Standing::Withheld
        } else {
            Standing::Stands
        }
    }

    /// What a repeated request tells instead of the datapoint that made the alarm change.
    fn newest_value(&self, key: &Key, delivery: &Delivery, request: &ActionRequest) -> Option<f64> {
        let alarm = Key::new(&key.scope, &*delivery.alarm);
        (request.repetition > 0).then(|| self.evaluations.lock().newest_value(&alarm)).flatten()
    }

    async fn attempt(&self, key: &Key, delivery: &Delivery) -> Outcome {
        match &delivery.payload {
            Payload::Action { arn, subject, message } => {
                let alarm_arn = alarm::arn(&Key::new(&key.scope, &*delivery.alarm));
                let notification = Notification::new(&alarm_arn, &key.name, arn, subject, message);
                match self.ways.notifier.notify(&key.scope, notification).await {
                    Ok(()) => Outcome::Done,
                    Err(NotifyError::Permanent(error)) => Outcome::Failed(error),
                    Err(NotifyError::Temporary(error)) => Outcome::Later(error),
                }
            }
            Payload::Request(request) => {
                let message = match self.newest_value(key, delivery, request) {
                    Some(value) => request.with_newest(value).to_message(key, delivery),
                    None => request.to_message(key, delivery),
                };
                match message {
                    Ok(message) => Outcome::of(self.ways.outbound.deliver(&message).await),
                    Err(error) => Outcome::Failed(error.to_string()),
                }
            }
            Payload::Event(event) => match &self.ways.events {
                Some(sink) => match sink.publish(&key.scope, event).await {
                    Ok(()) => Outcome::Done,
                    Err(EventSinkError::Refused(error)) => Outcome::Failed(error),
                    Err(EventSinkError::Unavailable(error)) => Outcome::Later(error),
                },
                None => Outcome::Failed("there is no event bus any more".to_owned()),
            },
        }
    }

    /// Writes how an attempt ended: the delivery's next attempt, or its removal and the history item.
    async fn settle(
        &self,
        key: &Key,
        delivery: &Delivery,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let mut batch = Batch::new();
        // Whoever refuses it once would do so every minute.
        let may_repeat = !matches!(outcome, Outcome::Failed(_));
        let error = match outcome {
            Outcome::Done => None,
            Outcome::Failed(error) => Some(error),
            Outcome::Later(error) => match delivery.retried(now) {
                Some(retried) => {
                    tracing::info!(alarm = delivery.alarm, error, "an action failed and will be tried again");
                    return self.replace(batch, key, Some(retried)).await;
                }
                None => Some(error),
            },
        };
        let executed = match &delivery.payload {
            Payload::Action { arn, message, .. } => Some((arn, message)),
            Payload::Request(request) => Some((&request.arn, &request.event)),
            Payload::Event(_) => None,
        };
        let arn = executed.map_or("", |(arn, _)| arn);
        let is_news = self.complaints.note(&key.scope, &delivery.alarm, arn, error.is_some());
        if let Some(error) = error.as_deref().filter(|_| is_news) {
            tracing::warn!(
                alarm = delivery.alarm,
                arn,
                error,
                "an action failed; said again once it has succeeded"
            );
        }
        if let Some((arn, message)) = executed {
            let outcome = error.as_deref().map_or(Ok(()), Err);
            let item =
                HistoryItem::action(delivery.alarm_type, arn, message, delivery.state_updated, outcome)
                    .of_contributor(delivery.contributor.as_ref());
            self.history.append(&mut batch, Key::new(&key.scope, &*delivery.alarm), now, item);
        }
        self.replace(batch, key, delivery.repeated(now).filter(|_| may_repeat)).await
    }

    /// Commits `batch` together with what comes after a delivery, if anything does.
    async fn replace(&self, mut batch: Batch, key: &Key, next: Option<Delivery>) -> Result<(), StorageError> {
        let due = next.as_ref().map(|next| next.due);
        match next {
            Some(next) => self.deliveries.put(&mut batch, key.clone(), next, Expect::Present),
            None => self.deliveries.remove(&mut batch, key.clone(), Expect::Any),
        }
        self.catalog.commit(batch).await?;
        if let Some(due) = due {
            self.queue.lock().plan(key.clone(), due);
        }
        Ok(())
    }
}

impl Activity for Outbox {
    fn name(&self) -> &'static str {
        "alarm-actions"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.queue.lock().next(self.clock.now())
    }

    fn run(&self, _now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(self.work_off())
    }

    fn changed(&self) -> &Notify {
        &self.changed
    }
}
