//! Evaluates metric alarms when they are due: read, decide, apply.
//!
//! Due times are not stored: they follow from the clock and the alarm, so a restart or a jump of the clock costs
//! nothing but the evaluations that fell into the gap, and those are made up for by one at the present moment. What is
//! due together is read with bounded concurrency and applied in the order of names.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use groundwatch_storage::{Expect, Key, StorageError};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::alarm::Alarm;
use crate::cadence::{Cadence, Timing};
use crate::definition::MetricDefinition;
use crate::due_queue::DueQueue;
use crate::evaluation::evaluate;
use crate::reader::{MetricReader, Point, ReadError};
use crate::source::Source;
use crate::store::{AlarmStore, RETRY_AFTER};
use crate::transition::{Change, advance};
use crate::window::Range;

/// How many alarms are read at once.
const READS_MAX: usize = 64;

/// How many changes wait for storage at once: it commits those that wait in one go.
const COMMITS_MAX: usize = 256;

/// The activity that evaluates alarms.
pub(crate) struct Evaluator {
    store: Arc<AlarmStore>,
    reader: Arc<dyn MetricReader>,
    clock: SharedClock,
    timing: Timing,
    queue: Mutex<DueQueue<Key>>,
    changed: Notify,
}

/// A change that an evaluation decided, for the version of the alarm that it saw.
struct Decision {
    key: Key,
    version: u64,
    change: Change,
}

impl Evaluator {
    /// An evaluator of all metric alarms of `store`.
    ///
    /// Each is due at its own next moment, but within a minute: an alarm of the hourly cadence may have missed its turn
    /// while the server was down.
    pub(crate) fn new(
        store: Arc<AlarmStore>,
        reader: Arc<dyn MetricReader>,
        clock: SharedClock,
        timing: Timing,
    ) -> Self {
        let now = clock.now();
        let mut queue = DueQueue::new();
        for (key, alarm) in store.all() {
            let Some(definition) = alarm.definition.as_metric() else { continue };
            let cadence = match Cadence::of(definition) {
                Cadence::TenSeconds => Cadence::TenSeconds,
                Cadence::Minute | Cadence::Hour => Cadence::Minute,
            };
            let due = timing.next_moment(cadence, &key.name, now);
            queue.plan(key, due);
        }
        Self { store, reader, clock, timing, queue: Mutex::new(queue), changed: Notify::new() }
    }

    /// Has an alarm that is new or changed evaluated at once.
    pub(crate) fn due_now(&self, key: Key) {
        self.queue.lock().plan(key, self.clock.now());
        self.changed.notify_one();
    }

    async fn evaluate_due(&self, due: Vec<Key>, now: Timestamp) {
        let decisions = stream::iter(due).map(|key| self.decide(key, now)).buffered(READS_MAX);
        decisions
            .filter_map(async |decision| decision)
            .map(|decision| self.apply(decision, now))
            .buffered(COMMITS_MAX)
            .for_each(async |()| {})
            .await;
    }

    /// Plans the alarm's next evaluation, and decides this one.
    async fn decide(&self, key: Key, now: Timestamp) -> Option<Decision> {
        // An alarm that was deleted is not planned again.
        let (version, alarm) = self.store.get(&key)?;
        let definition = alarm.definition.as_metric()?;
        let next = self.timing.next_moment(Cadence::of(definition), &key.name, now);
        self.queue.lock().plan(key.clone(), next);
        let change = self.read_and_evaluate(&key, &alarm, definition, now).await?;
        Some(Decision { key, version, change })
    }

    async fn read_and_evaluate(
        &self,
        key: &Key,
        alarm: &Alarm,
        definition: &MetricDefinition,
        now: Timestamp,
    ) -> Option<Change> {
        let range = Range::of(definition, self.timing, now);
        let points = match self.read(key, &definition.source, &range).await {
            Ok(points) => points,
            Err(error) => {
                tracing::warn!(
                    alarm = key.name,
                    error = &error as &dyn std::error::Error,
                    "alarm not evaluated"
                );
                self.retry(key.clone(), now);
                return None;
            }
        };
        let new = evaluate(definition, alarm.state.value, &range.slots(&points), now)?;
        advance(key, alarm, Some(new), &self.store.surroundings(key, now), now)
    }

    /// The datapoints of `source` in `range`.
    async fn read(&self, key: &Key, source: &Source, range: &Range) -> Result<Vec<Point>, ReadError> {
        let math = match source {
            Source::Metric(metric) => {
                return self.reader.read(&key.scope, metric, range.from, range.to).await;
            }
            Source::Math(math) => math,
        };
        let mut read = BTreeMap::new();
        for (id, metric) in math.metrics() {
            read.insert(id, self.reader.read(&key.scope, metric, range.from, range.to).await?);
        }
        math.evaluate(&read, range.from, range.to).map_err(|error| ReadError(Box::new(error)))
    }

    async fn apply(&self, decision: Decision, now: Timestamp) {
        let Decision { key, version, change } = decision;
        match self.store.apply(&key, Expect::Version(version), change).await {
            Ok(()) => {}
            // It changed meanwhile, perhaps in its tags only: a little later from what it is then.
            Err(StorageError::Conflict { .. }) => self.retry(key, now),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    alarm = key.name,
                    error,
                    "a new state cannot be written; the alarm keeps the old one"
                );
                self.retry(key, now);
            }
        }
    }

    fn retry(&self, key: Key, now: Timestamp) {
        self.queue.lock().plan(key, now + RETRY_AFTER);
    }
}

impl Activity for Evaluator {
    fn name(&self) -> &'static str {
        "alarm-evaluation"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.queue.lock().next(self.clock.now())
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let due = self.queue.lock().take_due(now);
                if due.is_empty() {
                    return;
                }
                self.evaluate_due(due, now).await;
            }
        })
    }

    fn changed(&self) -> &Notify {
        &self.changed
    }
}
