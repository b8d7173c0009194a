//! What an alarm would have done: evaluates a definition over stored history, by the same functions that
//! decide alarms live, and lists its transitions. An extension of Groundwatch's.
//!
//! Windows slide: the evaluations of an alarm of five minutes fall into five grids of periods. Each grid is
//! read once, in pieces, rather than once an evaluation. Warm-up is left out: it tells of an alarm's
//! creation, and not of its data.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_api::cloudwatch::PutMetricAlarmInput;
use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::Key;
use serde::Serialize;

use crate::alarm::StateValue;
use crate::definition::math_query::Insights;
use crate::definition::{DefinitionError, MetricDefinition};
use crate::evaluation::cadence::{Cadence, Timing};
use crate::evaluation::evaluate::evaluate;
use crate::evaluation::reading::{compute, read_points};
use crate::evaluation::source::ReadPoints;
use crate::evaluation::window::Range;
use crate::reader::{MetricReader, Point, ReadError};
use crate::service::Alarms;

/// How many evaluations one backtest may take: 69 days of an alarm that is evaluated every minute.
pub(crate) const EVALUATIONS_MAX: usize = 100_000;

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
                std::sync::Arc::new(MetricDefinition::from_input(*input, scope, supports)?)
            }
            Subject::Alarm(name) => {
                let Some((_, alarm)) = self.store.get(&Key::new(scope, &*name)) else {
                    return Err(BacktestError::NoAlarm { name });
                };
                alarm.definition.as_metric().cloned().ok_or(BacktestError::Composite { name })?
            }
        };
        if let Some((Insights::Grouped, _)) = definition.source.as_insights() {
            return Err(DefinitionError::Unsupported { what: "backtests of alarms on several series" }.into());
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
    let mut history = History::read(reader, scope, definition, first, last, step).await?;

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
        let points = history.points(&range).await?;
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

/// The datapoints that evaluations would have read.
struct History<'a> {
    reader: &'a dyn MetricReader,
    scope: &'a Scope,
    definition: &'a MetricDefinition,
    /// Those of each metric on each grid of periods that sliding windows use: by where the grid lies within a
    /// period, in milliseconds; ascending.
    grids: BTreeMap<i64, ReadPoints<'a>>,
    /// What was read last, for windows that stand still for a while.
    last: Option<(Range, Vec<Point>)>,
}

impl<'a> History<'a> {
    async fn read(
        reader: &'a dyn MetricReader,
        scope: &'a Scope,
        definition: &'a MetricDefinition,
        first: Timestamp,
        last: Timestamp,
        step: Duration,
    ) -> Result<Self, ReadError> {
        let mut history = Self { reader, scope, definition, grids: BTreeMap::new(), last: None };
        if history.is_read_by_range() {
            return Ok(history);
        }
        // Where each grid's first range begins, and its last one ends.
        let mut extents: BTreeMap<i64, (Timestamp, Timestamp)> = BTreeMap::new();
        let mut now = first;
        while now <= last {
            let range = Range::of(definition, Timing::EXACT, now);
            let extent = extents.entry(grid(&range)).or_insert((range.from, range.to));
            extent.1 = range.to;
            now = now + step;
        }
        for (grid, (from, to)) in extents {
            let mut metrics = ReadPoints::new();
            for (id, metric) in definition.source.metrics() {
                let mut points = reader.read(scope, metric, from, to).await?;
                points.sort_unstable_by_key(|point| point.timestamp);
                metrics.push((id, points));
            }
            history.grids.insert(grid, metrics);
        }
        Ok(history)
    }

    /// Whether each range is read by itself: windows along a clock change seldom, and queries are not read
    /// metric by metric.
    fn is_read_by_range(&self) -> bool {
        self.definition.wall_clock().is_some() || self.definition.source.as_insights().is_some()
    }

    /// What an evaluation of `range` would have read. Bands are those of their time: their models know
    /// nothing of what came later.
    async fn points(&mut self, range: &Range) -> Result<Vec<Point>, ReadError> {
        let Self { reader, scope, definition, .. } = *self;
        if !self.is_read_by_range() {
            let part = |points: &Vec<Point>| {
                let start = points.partition_point(|point| point.timestamp < range.from);
                let end = points.partition_point(|point| point.timestamp < range.to);
                points[start..end].to_vec()
            };
            let read = self.grids[&grid(range)].iter().map(|(id, points)| (*id, part(points))).collect();
            return compute(reader, scope, definition, read, range).await;
        }
        if let Some((_, points)) = self.last.as_ref().filter(|(last, _)| last == range) {
            return Ok(points.clone());
        }
        let points = read_points(reader, scope, definition, range).await?;
        self.last = Some((range.clone(), points.clone()));
        Ok(points)
    }
}

fn grid(range: &Range) -> i64 {
    let period_ms = i64::try_from(range.period().as_millis()).unwrap_or(i64::MAX);
    range.from.as_millis().rem_euclid(period_ms)
}
