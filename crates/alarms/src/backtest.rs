//! What an alarm would have done: evaluates a definition over stored history, by the same functions that decide alarms live,
//! and lists its transitions. An extension of Groundwatch's.
//!
//! Windows slide: the evaluations of an alarm of five minutes fall into five grids of periods. Each grid is read once, in
//! pieces, rather than once an evaluation.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_api::cloudwatch::PutMetricAlarmInput;
use groundwatch_core::{Scope, Timestamp};
use groundwatch_metric_math::EntryError;
use groundwatch_storage::Key;
use serde::Serialize;

use crate::alarm::StateValue;
use crate::alarms::Alarms;
use crate::cadence::{Cadence, Timing};
use crate::definition::{DefinitionError, MetricDefinition};
use crate::evaluation::evaluate;
use crate::reader::{MetricReader, Point, ReadError};
use crate::source::ReadPoints;
use crate::window::Range;

/// How many evaluations one backtest may take: 69 days of an alarm that is evaluated every minute.
pub const EVALUATIONS_MAX: usize = 100_000;

/// How many transitions are listed; more are counted.
const TRANSITIONS_LISTED_MAX: usize = 1000;

/// What is to be tried.
#[derive(Clone, Debug)]
pub enum Subject {
    /// An alarm that exists.
    Alarm(String),
    /// What PutMetricAlarm would be given.
    Definition(Box<PutMetricAlarmInput>),
}

/// What an alarm would have done.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backtest {
    /// The first evaluation.
    pub from: String,
    /// The end.
    pub to: String,
    /// How often the alarm was evaluated.
    pub evaluations: usize,
    /// How long it was in ALARM, in seconds, each state lasting until the next evaluation.
    pub alarm_seconds: u64,
    /// How often its state changed.
    pub transition_count: usize,
    /// The first thousand changes. It begins in INSUFFICIENT_DATA, as a new alarm.
    pub transitions: Vec<Transition>,
}

/// One change of state.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transition {
    /// When.
    pub at: String,
    /// The state before.
    pub from: StateValue,
    /// The state after.
    pub to: StateValue,
    /// `StateReason`.
    pub reason: String,
    /// The actions that would have run.
    pub actions: Vec<String>,
}

/// Why there is no backtest.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// There is no such alarm.
    #[error("there is no alarm `{name}`")]
    NoAlarm {
        /// Its name.
        name: String,
    },
    /// Composite alarms have no datapoints.
    #[error("`{name}` is a composite alarm; only alarms on metrics can be tried on history")]
    Composite {
        /// Its name.
        name: String,
    },
    /// PutMetricAlarm would not take the definition.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// Nothing to evaluate, or too much.
    #[error("from {from} to {to} there are {count} evaluations; there must be 1 to {EVALUATIONS_MAX}")]
    Length {
        /// The beginning.
        from: String,
        /// The end.
        to: String,
        /// How many evaluations that would be.
        count: u64,
    },
    /// The datapoints cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The expression cannot be evaluated.
    #[error(transparent)]
    Math(#[from] EntryError),
}

impl Alarms {
    /// Evaluates `subject` at every moment of its cadence from `from` to `to`, both included.
    pub async fn backtest(
        &self,
        scope: &Scope,
        subject: Subject,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Backtest, BacktestError> {
        let definition = match subject {
            Subject::Definition(input) => {
                let supports = |statistic: &str| self.reader.supports(statistic);
                std::sync::Arc::new(MetricDefinition::from_input(*input, &scope.region, supports)?)
            }
            Subject::Alarm(name) => {
                let Some((_, alarm)) = self.store.get(&Key::new(scope, &*name)) else {
                    return Err(BacktestError::NoAlarm { name });
                };
                alarm.definition.as_metric().cloned().ok_or(BacktestError::Composite { name })?
            }
        };
        if definition.source.threshold_metric_id().is_some() {
            // Each hour had a model of its own, which knew nothing of what came later.
            return Err(DefinitionError::Unsupported { what: "backtests of alarms on anomaly bands" }.into());
        }
        run(&*self.reader, scope, &definition, from, to).await
    }
}

async fn run(
    reader: &dyn MetricReader,
    scope: &Scope,
    definition: &MetricDefinition,
    from: Timestamp,
    to: Timestamp,
) -> Result<Backtest, BacktestError> {
    let step_secs = Cadence::of(definition).secs();
    let step = Duration::from_secs(u64::from(step_secs));
    let (first, last) = (from.ceil_to(step_secs), to.floor_to(step_secs));
    let count = if first > last { 0 } else { last.since(first).as_secs() / step.as_secs() + 1 };
    let moments = usize::try_from(count).ok().filter(|count| (1..=EVALUATIONS_MAX).contains(count));
    let Some(moments) = moments else {
        return Err(BacktestError::Length { from: from.to_iso8601(), to: to.to_iso8601(), count });
    };
    let history = History::read(reader, scope, definition, first, last, step).await?;

    let mut state = StateValue::InsufficientData;
    let mut backtest = Backtest {
        from: first.to_iso8601(),
        to: last.to_iso8601(),
        evaluations: moments,
        alarm_seconds: 0,
        transition_count: 0,
        transitions: Vec::new(),
    };
    let mut now = first;
    for _ in 0..moments {
        let range = Range::of(definition, Timing::EXACT, now);
        let points = history.points(definition, &range)?;
        if let Some(new) = evaluate(definition, state, &range.slots(&points), now) {
            backtest.transition_count += 1;
            if backtest.transitions.len() < TRANSITIONS_LISTED_MAX {
                let actions = &definition.actions;
                backtest.transitions.push(Transition {
                    at: now.to_iso8601(),
                    from: state,
                    to: new.value,
                    reason: new.reason,
                    actions: if actions.enabled { actions.of(new.value).to_vec() } else { Vec::new() },
                });
            }
            state = new.value;
        }
        now = now + step;
        if state == StateValue::Alarm && now <= last {
            backtest.alarm_seconds += step.as_secs();
        }
    }
    Ok(backtest)
}

/// The datapoints of each metric, on each grid of periods that evaluations use.
struct History<'a> {
    /// By where the grid lies within a period, in milliseconds; the datapoints ascending.
    grids: BTreeMap<i64, ReadPoints<'a>>,
    period_ms: i64,
}

impl<'a> History<'a> {
    async fn read(
        reader: &dyn MetricReader,
        scope: &Scope,
        definition: &'a MetricDefinition,
        first: Timestamp,
        last: Timestamp,
        step: Duration,
    ) -> Result<Self, ReadError> {
        let period_ms = i64::from(definition.source.period_secs()) * 1000;
        // Where each grid's first range begins, and its last one ends.
        let mut extents: BTreeMap<i64, (Timestamp, Timestamp)> = BTreeMap::new();
        let mut now = first;
        while now <= last {
            let range = Range::of(definition, Timing::EXACT, now);
            let extent = extents.entry(grid(&range, period_ms)).or_insert((range.from, range.to));
            extent.1 = range.to;
            now = now + step;
        }
        let mut grids = BTreeMap::new();
        for (grid, (from, to)) in extents {
            let mut metrics = ReadPoints::new();
            for (id, metric) in definition.source.metrics() {
                let mut points = reader.read(scope, metric, from, to).await?;
                points.sort_unstable_by_key(|point| point.timestamp);
                metrics.push((id, points));
            }
            grids.insert(grid, metrics);
        }
        Ok(Self { grids, period_ms })
    }

    /// What an evaluation of `range` would have read.
    fn points(&self, definition: &MetricDefinition, range: &Range) -> Result<Vec<Point>, EntryError> {
        let metrics = &self.grids[&grid(range, self.period_ms)];
        let part = |points: &Vec<Point>| {
            let start = points.partition_point(|point| point.timestamp < range.from);
            let end = points.partition_point(|point| point.timestamp < range.to);
            points[start..end].to_vec()
        };
        let read = metrics.iter().map(|(id, points)| (*id, part(points))).collect();
        definition.source.points(read, range.from, range.to)
    }
}

fn grid(range: &Range, period_ms: i64) -> i64 {
    range.from.as_millis().rem_euclid(period_ms)
}
