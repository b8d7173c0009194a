//! Evaluates metric alarms when they are due: read, decide, apply.
//!
//! Due times are not stored: they follow from the clock and the alarm, so a restart or a jump of the clock costs
//! nothing but the evaluations that fell into the gap, and those are made up for by one at the present moment. What is
//! due together is read with bounded concurrency and applied in the order of names.
//!
//! An alarm is due at each moment of its cadence, but for those at which it surely stays in its state: it sleeps until the
//! first at which its known samples may change it (see [`forecast`](crate::forecast)), and samples that come wake it for
//! its next moment. Which moments these are changes no history; a test compares it with looking every time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use groundwatch_storage::{Expect, Key, StorageError};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::band::with_band;
use crate::cadence::{Cadence, Timing};
use crate::contributors::evaluate_contributors;
use crate::definition::MetricDefinition;
use crate::due_queue::DueQueue;
use crate::evaluation::evaluate;
use crate::evaluations::{EvaluationRecord, Evaluations};
use crate::forecast::{self, Sight, next_look};
use crate::isolation::isolated;
use crate::lookout::{Lookout, Lookouts, News};
use crate::math::Insights;
use crate::reader::{MetricReader, Point, QuerySeries, ReadError};
use crate::source::ReadPoints;
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
    lookouts: Mutex<Lookouts>,
    queue: Mutex<DueQueue<Arc<Lookout>>>,
    news: Arc<News>,
    /// For who asks why.
    evaluations: Arc<Mutex<Evaluations>>,
}

/// What an evaluation has seen.
struct Seen<'a> {
    points: Vec<Point>,
    /// What it knows beyond that, if it can be relied on.
    sight: Option<Sight<'a>>,
}

/// A change that an evaluation decided, for the version of the alarm that it saw.
struct Decision {
    lookout: Arc<Lookout>,
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
        evaluations: Arc<Mutex<Evaluations>>,
    ) -> Self {
        let now = clock.now();
        let (mut queue, mut lookouts) = (DueQueue::new(), Lookouts::default());
        for (key, alarm) in store.all() {
            let Some(definition) = alarm.definition.as_metric() else { continue };
            let cadence = match Cadence::of(definition) {
                Cadence::TenSeconds => Cadence::TenSeconds,
                Cadence::Minute | Cadence::Hour => Cadence::Minute,
            };
            let due = timing.next_moment(cadence, &key.name, now);
            queue.plan(lookouts.of(&key), due);
        }
        let (queue, lookouts) = (Mutex::new(queue), Mutex::new(lookouts));
        Self { store, reader, clock, timing, lookouts, queue, news: Arc::default(), evaluations }
    }

    /// When alarms are evaluated.
    pub(crate) fn timing(&self) -> Timing {
        self.timing
    }

    /// The last evaluations of an alarm that are kept, newest first.
    pub(crate) fn evaluations(&self, key: &Key) -> Vec<EvaluationRecord> {
        self.evaluations.lock().of(key)
    }

    /// Forgets how an alarm was evaluated that is gone.
    pub(crate) fn forget(&self, key: &Key) {
        self.evaluations.lock().forget(key);
    }

    /// Has an alarm that is new or changed evaluated at once.
    pub(crate) fn due_now(&self, key: &Key) {
        self.due_at(key, self.clock.now());
    }

    /// Has an alarm whose state was set by hand evaluated at its next moment.
    pub(crate) fn due_next(&self, key: &Key, definition: &MetricDefinition) {
        self.due_at(key, self.timing.next_moment(Cadence::of(definition), &key.name, self.clock.now()));
    }

    fn due_at(&self, key: &Key, at: Timestamp) {
        let lookout = self.lookouts.lock().of(key);
        self.queue.lock().plan(lookout, at);
        self.news.changed().notify_one();
    }

    /// Makes alarms due whose metrics have got samples: at their next moment after that.
    fn take_news(&self) {
        for (lookout, at) in self.news.take() {
            let Some(cadence) = lookout.cadence() else { continue };
            let next = self.timing.next_moment(cadence, &lookout.key.name, at);
            self.queue.lock().plan(lookout, next);
        }
    }

    async fn evaluate_due(&self, mut due: Vec<Arc<Lookout>>, now: Timestamp) {
        due.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let decide =
            async |lookout: Arc<Lookout>| match isolated(self.decide(Arc::clone(&lookout), now)).await {
                Some(decision) => decision,
                None => {
                    self.retry(lookout, now);
                    None
                }
            };
        let apply = async |decision: Decision| {
            let lookout = Arc::clone(&decision.lookout);
            if isolated(self.apply(decision, now)).await.is_none() {
                self.retry(lookout, now);
            }
        };
        stream::iter(due)
            .map(decide)
            .buffered(READS_MAX)
            .filter_map(std::future::ready)
            .map(apply)
            .buffered(COMMITS_MAX)
            .for_each(async |()| {})
            .await;
    }

    /// Decides what an evaluation makes of an alarm, and plans the next one.
    async fn decide(&self, lookout: Arc<Lookout>, now: Timestamp) -> Option<Decision> {
        let key = &lookout.key;
        let Some((version, alarm)) = self.store.get(key) else {
            self.lookouts.lock().end(key);
            return None;
        };
        let definition = alarm.definition.as_metric()?;
        let next = self.timing.next_moment(Cadence::of(definition), &key.name, now);
        // Before anything that may fail.
        self.queue.lock().plan(Arc::clone(&lookout), next);
        let range = Range::of(definition, self.timing, now);
        if let Some((Insights::Grouped, query)) = definition.source.as_insights() {
            let read = self.read_query(key, query, &range).await;
            let series = self.known(read, &lookout, now)?;
            let surroundings = self.store.surroundings(key, now);
            let change = evaluate_contributors(key, &alarm, definition, series, &range, &surroundings, now)?;
            return Some(Decision { lookout, version, change });
        }
        let is_watched = lookout.watch(definition, &*self.reader, &self.news);
        let read = self.read(key, definition, &range, is_watched && self.is_unaltered(&range)).await;
        let seen = self.known(read, &lookout, now)?;
        let new = evaluate(definition, alarm.state.value, &range.slots(&seen.points), now);
        let mut looks_next = next;
        if let Some(sight) = &seen.sight {
            let state = new.as_ref().map_or(alarm.state.value, |new| new.value);
            let until = self.wake_time(definition, &range, next, next_look(definition, state, &range, sight));
            // Who was woken meanwhile does not go to sleep: its samples may not have been read.
            let mut queue = self.queue.lock();
            if !lookout.has_news() {
                queue.postpone(&lookout, next, until);
                looks_next = until;
            }
        }
        let record = EvaluationRecord {
            at: now,
            definition: Arc::clone(definition),
            points: seen.points.into(),
            before: alarm.state.value,
            next: Some(looks_next).filter(|next| *next < Timestamp::MAX),
        };
        self.evaluations.lock().note(key, record);
        let change = advance(key, &alarm, Some(new?), &self.store.surroundings(key, now), now)?;
        Some(Decision { lookout, version, change })
    }

    /// What was read. If it could not be, the alarm tries again soon.
    fn known<T>(&self, read: Result<T, ReadError>, lookout: &Arc<Lookout>, now: Timestamp) -> Option<T> {
        read.inspect_err(|error| {
            let error = error as &dyn std::error::Error;
            tracing::warn!(alarm = lookout.key.name, error, "alarm not evaluated");
            self.retry(Arc::clone(lookout), now);
        })
        .ok()
    }

    /// The moment that lies so many steps after `range`; `next` is the next moment in any case.
    fn wake_time(
        &self,
        definition: &MetricDefinition,
        range: &Range,
        next: Timestamp,
        steps: Option<u32>,
    ) -> Timestamp {
        let Some(steps) = steps else { return Timestamp::MAX };
        let cadence = Cadence::of(definition);
        // Between two moments of its own an alarm sees the range of the next one already, or that of the last.
        let ahead = u32::from(self.timing.window_end(cadence, next) > range.to);
        next + Duration::from_secs(u64::from(cadence.secs())).saturating_mul(steps - ahead.min(steps))
    }

    /// Whether samples of `range` are still as they came.
    fn is_unaltered(&self, range: &Range) -> bool {
        let length = range.to.since(range.from) + Duration::from_secs(2 * 3600);
        self.reader.unaltered_for().is_none_or(|unaltered| length <= unaltered)
    }

    /// The datapoints in `range`, and with `ahead` what is known beyond it.
    async fn read<'a>(
        &self,
        key: &Key,
        definition: &'a MetricDefinition,
        range: &Range,
        ahead: bool,
    ) -> Result<Seen<'a>, ReadError> {
        if let Some((_, query)) = definition.source.as_insights() {
            let mut series = self.read_query(key, query, range).await?;
            let points = series.pop().map(|series| series.points).unwrap_or_default();
            return Ok(Seen { points, sight: None });
        }
        let (mut read, mut sight) = (ReadPoints::new(), ahead.then(Sight::new));
        for (id, metric) in definition.source.metrics() {
            let outlook = match &sight {
                Some(_) => {
                    self.reader.read_ahead(&key.scope, metric, range.from, forecast::horizon(range)).await?
                }
                None => None,
            };
            let points = match &outlook {
                Some(outlook) => outlook.points(range.to),
                None => self.reader.read(&key.scope, metric, range.from, range.to).await?,
            };
            read.push((id, points));
            sight = sight.zip(outlook).map(|(mut sight, outlook)| {
                sight.push((id, outlook));
                sight
            });
        }
        let points = definition.source.points(read, range.from, range.to);
        let points = points.map_err(|error| ReadError(Box::new(error)))?;
        let points = with_band(&*self.reader, &key.scope, &definition.source, points, range).await?;
        Ok(Seen { points, sight })
    }

    /// The series of a Metrics Insights query in `range`.
    async fn read_query(&self, key: &Key, query: &str, range: &Range) -> Result<Vec<QuerySeries>, ReadError> {
        let period_secs = u32::try_from(range.period().as_secs()).unwrap_or(u32::MAX);
        self.reader.read_query(&key.scope, query, period_secs, (range.from, range.to)).await
    }

    async fn apply(&self, decision: Decision, now: Timestamp) {
        let Decision { lookout, version, change } = decision;
        match self.store.apply(&lookout.key, Expect::Version(version), change).await {
            Ok(()) => {}
            // It changed meanwhile, perhaps in its tags only: a little later from what it is then.
            Err(StorageError::Conflict { .. }) => self.retry(lookout, now),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    alarm = lookout.key.name,
                    error,
                    "a new state cannot be written; the alarm keeps the old one"
                );
                self.retry(lookout, now);
            }
        }
    }

    fn retry(&self, lookout: Arc<Lookout>, now: Timestamp) {
        self.queue.lock().plan(lookout, now + RETRY_AFTER);
    }
}

impl Activity for Evaluator {
    fn name(&self) -> &'static str {
        "alarm-evaluation"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.take_news();
        self.queue.lock().next(self.clock.now()).filter(|due| *due < Timestamp::MAX)
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                self.take_news();
                let due = self.queue.lock().take_due(now);
                if due.is_empty() {
                    return;
                }
                self.evaluate_due(due, now).await;
            }
        })
    }

    fn changed(&self) -> &Notify {
        self.news.changed()
    }
}
