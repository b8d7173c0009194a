//! One evaluation of one alarm: reads what it watches, decides what becomes of it, and says when to look
//! again.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::Timestamp;
use groundwatch_storage::Key;
use parking_lot::Mutex;

use crate::alarm::{Alarm, StateValue};
use crate::definition::MetricDefinition;
use crate::definition::math_query::Insights;
use crate::effects::transition::{Change, advance};
use crate::evaluation::cadence::Cadence;
use crate::evaluation::contributors::evaluate_contributors;
use crate::evaluation::evaluate::evaluate;
use crate::evaluation::forecast::{self, KnownSamples, next_look};
use crate::evaluation::reading::{compute, read_points, read_query};
use crate::evaluation::sample_watch::{SampleWatch, Watches};
use crate::evaluation::schedule::Schedule;
use crate::evaluation::source::ReadPoints;
use crate::evaluation::window::Range;
use crate::explain::recent_evaluations::{EvaluationRecord, Evaluations};
use crate::isolation::isolated;
use crate::reader::{MetricReader, Point, ReadError};
use crate::store::{AlarmStore, RETRY_AFTER};

/// What evaluations need. They depend on nothing that others of the same moment change, so they may run side
/// by side.
pub(crate) struct Decider {
    pub(crate) store: Arc<AlarmStore>,
    pub(crate) reader: Arc<dyn MetricReader>,
    pub(crate) schedule: Arc<Schedule>,
    /// For who asks why.
    pub(crate) evaluations: Arc<Mutex<Evaluations>>,
}

/// A change that an evaluation decided, for the version of the alarm that it saw.
pub(crate) struct Decision {
    pub(crate) sample_watch: Arc<SampleWatch>,
    pub(crate) version: u64,
    pub(crate) change: Change,
}

/// What an evaluation has seen.
struct Seen<'a> {
    points: Vec<Point>,
    /// What it knows beyond that, if it can be relied on.
    sight: Option<KnownSamples<'a>>,
}

impl Decider {
    /// Decides what an evaluation makes of an alarm, and plans the next one.
    pub(crate) async fn decide(&self, sample_watch: Arc<SampleWatch>, now: Timestamp) -> Option<Decision> {
        let Some(decided) = isolated(self.try_decide(Arc::clone(&sample_watch), now)).await else {
            self.schedule.plan(&sample_watch, now + RETRY_AFTER);
            return None;
        };
        decided
    }

    async fn try_decide(&self, sample_watch: Arc<SampleWatch>, now: Timestamp) -> Option<Decision> {
        let (key, schedule) = (&sample_watch.key, &self.schedule);
        let Some((version, alarm)) = self.store.get(key) else {
            schedule.end(key);
            return None;
        };
        let definition = alarm.definition.as_metric()?;
        let next = schedule.next_moment(key, definition, now);
        // Before anything that may fail.
        schedule.plan(&sample_watch, next);
        let warming_up_until = alarm.warming_up_until(now);
        if let Some(end) = warming_up_until
            && definition.warm_up.is_some_and(|warm_up| warm_up.lasts_to_the_end())
        {
            schedule.sleep(&sample_watch, next, self.first_look_at(key, definition, end));
            return None;
        }
        let range = Range::of(definition, schedule.timing(), now);
        let is_warm = |points: &[Point]| warming_up_until.is_none() || fills(definition, &range, points);
        if let Some((Insights::Grouped, query)) = definition.source.as_insights() {
            let read = read_query(&*self.reader, &key.scope, query, &range).await;
            let series = self.known(read, &sample_watch, now)?;
            if warming_up_until.is_some() && !series.iter().any(|series| is_warm(&series.points)) {
                return None;
            }
            let (alarm, context) = (warmed_up(&alarm), self.store.context(key, now));
            let change = evaluate_contributors(key, &alarm, definition, series, &range, &context, now)?;
            return Some(Decision { sample_watch, version, change });
        }
        let watches = schedule.watch(&sample_watch, definition, &*self.reader);
        let watches = watches.filter(|_| self.is_unaltered(&range));
        let seen = self.read(key, definition, &range, watches.as_ref()).await;
        let seen = self.known(seen, &sample_watch, now)?;
        if !is_warm(&seen.points) {
            return None;
        }
        let new = evaluate(definition, alarm.state.value, &range.slots(&seen.points), now);
        let state = new.as_ref().map_or(alarm.state.value, |new| new.value);
        let looks_next = match watches {
            Some(_) => {
                let until = self.sleeps_until(key, definition, state, &range, next, seen.sight.as_ref());
                schedule.sleep(&sample_watch, next, until)
            }
            None => next,
        };
        let record = EvaluationRecord {
            at: now,
            definition: Arc::clone(definition),
            points: seen.points.into(),
            before: alarm.state.value,
            next: Some(looks_next).filter(|next| *next < Timestamp::MAX),
        };
        self.evaluations.lock().note(key, record);
        let change = advance(key, &warmed_up(&alarm), Some(new?), &self.store.context(key, now), now)?;
        Some(Decision { sample_watch, version, change })
    }

    /// What was read. If it could not be, the alarm tries again soon.
    fn known<T>(
        &self,
        read: Result<T, ReadError>,
        sample_watch: &Arc<SampleWatch>,
        now: Timestamp,
    ) -> Option<T> {
        read.inspect_err(|error| {
            let error = error as &dyn std::error::Error;
            tracing::warn!(alarm = sample_watch.key.name, error, "alarm not evaluated");
            self.schedule.plan(sample_watch, now + RETRY_AFTER);
        })
        .ok()
    }

    /// Until when an alarm in `state` that watches its metrics can sleep.
    fn sleeps_until(
        &self,
        key: &Key,
        definition: &MetricDefinition,
        state: StateValue,
        range: &Range,
        next: Timestamp,
        sight: Option<&KnownSamples<'_>>,
    ) -> Timestamp {
        match (sight, definition.wall_clock()) {
            (Some(sight), _) => {
                let steps = next_look(definition, state, range, sight);
                self.schedule.moment_after(definition, range, next, steps)
            }
            // The window stands still until another period is over.
            (None, Some(clock)) if !definition.source.depends_on_time() => {
                let end = clock.next_boundary(definition.source.period_secs(), range.to);
                self.first_look_at(key, definition, end)
            }
            (None, _) => next,
        }
    }

    /// The first moment of the alarm at which its window can reach to `end`.
    fn first_look_at(&self, key: &Key, definition: &MetricDefinition, end: Timestamp) -> Timestamp {
        self.schedule.timing().first_look_at(Cadence::of(definition), &key.name, end)
    }

    /// Whether samples of `range` are still as they came.
    fn is_unaltered(&self, range: &Range) -> bool {
        let length = range.to.since(range.from) + Duration::from_secs(2 * 3600);
        self.reader.unaltered_for().is_none_or(|unaltered| length <= unaltered)
    }

    /// The datapoints in `range`, and with `watches` what is known beyond it, as far as windows slide.
    async fn read<'a>(
        &self,
        key: &Key,
        definition: &'a MetricDefinition,
        range: &Range,
        watches: Option<&Watches>,
    ) -> Result<Seen<'a>, ReadError> {
        let (reader, scope) = (&*self.reader, &key.scope);
        let slides = definition.wall_clock().is_none() && definition.source.as_insights().is_none();
        let Some(watches) = watches.filter(|_| slides) else {
            let points = read_points(reader, scope, definition, range).await?;
            return Ok(Seen { points, sight: None });
        };
        let (mut read, mut sight) = (ReadPoints::new(), Some(KnownSamples::new()));
        for ((id, metric), watched) in definition.source.metrics().zip(&**watches) {
            let outlook = match &sight {
                Some(_) => watched.look_ahead(range.from, forecast::horizon(range)).await?,
                None => None,
            };
            let points = match &outlook {
                Some(outlook) => outlook.points(range.to),
                None => reader.read(scope, metric, range.from, range.to).await?,
            };
            read.push((id, points));
            sight = sight.zip(outlook).map(|(mut sight, outlook)| {
                sight.push((id, outlook));
                sight
            });
        }
        let points = compute(reader, scope, definition, read, range).await?;
        Ok(Seen { points, sight })
    }
}

/// Whether `points` are all that an evaluation counts.
fn fills(definition: &MetricDefinition, range: &Range, points: &[Point]) -> bool {
    let slots = range.slots(points);
    slots.iter().filter(|slot| slot.point.is_some()).count() >= definition.condition.out_of()
}

/// The alarm after its warm-up, if it had one.
fn warmed_up(alarm: &Alarm) -> Cow<'_, Alarm> {
    match alarm.warm_up_began {
        Some(_) => Cow::Owned(Alarm { warm_up_began: None, ..alarm.clone() }),
        None => Cow::Borrowed(alarm),
    }
}
