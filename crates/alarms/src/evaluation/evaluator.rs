//! Evaluates metric alarms when they are due, on all cores, and writes what changes in the order of names:
//! two runs over the same data write the same histories.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use groundwatch_storage::{Expect, Key, StorageError};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::definition::MetricDefinition;
use crate::evaluation::cadence::{Cadence, Timing};
use crate::evaluation::decider::{Decider, Decision};
use crate::evaluation::sample_watch::SampleWatch;
use crate::evaluation::schedule::Schedule;
use crate::explain::recent_evaluations::{EvaluationRecord, Evaluations};
use crate::isolation::isolated;
use crate::reader::MetricReader;
use crate::store::{AlarmStore, RETRY_AFTER};

/// How many alarms one task decides on, and how many of those are read at once.
const PART: usize = 256;
const READS_MAX: usize = 64;

/// How many tasks decide at once.
const PARTS_MAX: usize = 8;

/// How many changes wait for storage at once: it commits those that wait in one go.
const COMMITS_MAX: usize = 256;

/// The activity that evaluates alarms.
pub(crate) struct Evaluator {
    clock: SharedClock,
    schedule: Arc<Schedule>,
    decider: Arc<Decider>,
}

impl Evaluator {
    /// An evaluator of all metric alarms of `store`.
    ///
    /// Each is due at its own next moment, but within a minute: an alarm of the hourly cadence may have
    /// missed its turn while the server was down.
    pub(crate) fn new(
        store: Arc<AlarmStore>,
        reader: Arc<dyn MetricReader>,
        clock: SharedClock,
        timing: Timing,
        evaluations: Arc<Mutex<Evaluations>>,
    ) -> Self {
        let now = clock.now();
        let schedule = Arc::new(Schedule::new(timing));
        for (key, alarm) in store.all() {
            let Some(definition) = alarm.definition.as_metric() else { continue };
            let cadence = match Cadence::of(definition) {
                Cadence::TenSeconds => Cadence::TenSeconds,
                Cadence::Minute | Cadence::Hour => Cadence::Minute,
            };
            schedule.due_at(&key, timing.next_moment(cadence, &key.name, now));
        }
        let decider = Arc::new(Decider { store, reader, schedule: Arc::clone(&schedule), evaluations });
        Self { clock, schedule, decider }
    }

    /// When alarms are evaluated.
    pub(crate) fn timing(&self) -> Timing {
        self.schedule.timing()
    }

    /// The last evaluations of an alarm that are kept, newest first.
    pub(crate) fn evaluations(&self, key: &Key) -> Vec<EvaluationRecord> {
        self.decider.evaluations.lock().of(key)
    }

    /// Forgets how an alarm was evaluated that is gone.
    pub(crate) fn forget(&self, key: &Key) {
        self.decider.evaluations.lock().forget(key);
    }

    /// Has an alarm that is new or changed evaluated at once.
    pub(crate) fn due_now(&self, key: &Key) {
        self.schedule.due_at(key, self.clock.now());
    }

    /// Has an alarm whose state was set by hand evaluated at its next moment.
    pub(crate) fn due_next(&self, key: &Key, definition: &MetricDefinition) {
        self.schedule.due_at(key, self.schedule.next_moment(key, definition, self.clock.now()));
    }

    async fn evaluate_due(&self, due: &[Arc<SampleWatch>], now: Timestamp) {
        let parts: Vec<Vec<Arc<SampleWatch>>> = due.chunks(PART).map(<[_]>::to_vec).collect();
        stream::iter(parts)
            .map(|part| decide_all(Arc::clone(&self.decider), part, now))
            .buffered(PARTS_MAX)
            .flat_map(stream::iter)
            .map(|decision| self.apply(decision, now))
            .buffered(COMMITS_MAX)
            .for_each(async |()| {})
            .await;
    }

    async fn apply(&self, decision: Decision, now: Timestamp) {
        let sample_watch = Arc::clone(&decision.sample_watch);
        if isolated(self.try_apply(decision, now)).await.is_none() {
            self.schedule.plan(&sample_watch, now + RETRY_AFTER);
        }
    }

    async fn try_apply(&self, decision: Decision, now: Timestamp) {
        let Decision { sample_watch, version, change } = decision;
        match self.decider.store.apply(&sample_watch.key, Expect::Version(version), change).await {
            Ok(()) => {}
            // It changed meanwhile, perhaps in its tags only: a little later from what it is then.
            Err(StorageError::Conflict { .. }) => self.schedule.plan(&sample_watch, now + RETRY_AFTER),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    alarm = sample_watch.key.name,
                    error,
                    "a new state cannot be written; the alarm keeps the old one"
                );
                self.schedule.plan(&sample_watch, now + RETRY_AFTER);
            }
        }
    }
}

/// What is decided on `part`, in its order; by a task of its own, so that another core can do it.
async fn decide_all(decider: Arc<Decider>, part: Vec<Arc<SampleWatch>>, now: Timestamp) -> Vec<Decision> {
    let decided = tokio::spawn(async move {
        let decisions =
            stream::iter(part).map(|sample_watch| decider.decide(sample_watch, now)).buffered(READS_MAX);
        decisions.filter_map(std::future::ready).collect().await
    });
    match decided.await {
        Ok(decisions) => decisions,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The server is stopping; the alarms are due again when it starts.
        Err(_) => Vec::new(),
    }
}

impl Activity for Evaluator {
    fn name(&self) -> &'static str {
        "alarm-evaluation"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.schedule.next_due(self.clock.now())
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let due = self.schedule.take_due(now);
                if due.is_empty() {
                    return;
                }
                self.evaluate_due(&due, now).await;
            }
        })
    }

    fn changed(&self) -> &Notify {
        self.schedule.changed()
    }
}
