//! Why an alarm is in its state: what its last evaluations read, filled in, counted and decided. An extension
//! of Groundwatch's.

use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::Key;
use serde::Serialize;

use crate::alarm::StateValue;
use crate::composite::judgement::Child;
use crate::definition::MetricDefinition;
use crate::evaluation::cadence::{Cadence, Timing};
use crate::evaluation::reading::read_points;
use crate::evaluation::verdict::judge;
use crate::evaluation::window::{Range, Slot};
use crate::explain::recent_evaluations::EvaluationRecord;
use crate::reader::{Band, ReadError};
use crate::service::Alarms;

/// An alarm's state and how it came about.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// The alarm's name.
    pub alarm: String,
    /// Its state.
    pub state: StateValue,
    /// Since when.
    pub since: String,
    /// `StateReason`.
    pub reason: String,
    /// When its warm-up ends at the latest, if it is in one: until then evaluations decide nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warming_up_until: Option<String>,
    /// What decides.
    #[serde(flatten)]
    pub grounds: Grounds,
}

/// What decides the state of an alarm.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", untagged)]
pub enum Grounds {
    /// Datapoints.
    Metric {
        /// Its evaluations, newest first: those that are kept, or the one that was asked for.
        evaluations: Vec<Explanation>,
        /// They were not kept, but computed now from what is stored: samples that came late are seen.
        recomputed: bool,
    },
    /// Other alarms.
    Composite {
        /// `AlarmRule`.
        rule: String,
        /// The alarms that it names.
        children: Vec<ChildState>,
    },
}

/// An alarm that a rule names.
#[derive(Clone, Debug, Serialize)]
pub struct ChildState {
    /// Its name.
    pub alarm: String,
    /// Its state; missing if there is no such alarm any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StateValue>,
}

/// One evaluation, step by step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// When it was.
    pub at: String,
    /// Where its range begins.
    pub from: String,
    /// Where its range ends.
    pub to: String,
    /// The length of each period in seconds.
    pub period_seconds: u64,
    /// The periods of the range, newest first.
    pub read: Vec<Reading>,
    /// What was counted.
    pub tally: Tally,
    /// The state before.
    pub before: StateValue,
    /// What the tally says; `null` keeps the state.
    pub verdict: Option<StateValue>,
    /// The state after.
    pub after: StateValue,
    /// When it was to be evaluated next; `null`: not before samples came.
    pub next: Option<String>,
}

/// A period of the range.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// When the period begins.
    pub start: String,
    /// Its datapoint; `null` if it has no samples.
    pub value: Option<f64>,
    /// How many samples it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<f64>,
    /// What was expected of it, in an alarm on an anomaly band.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Band>,
    /// Whether the datapoint breaches the threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaching: Option<bool>,
    /// Whether it is among those that were counted.
    pub counted: bool,
}

/// What an evaluation counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Real datapoints.
    pub real: usize,
    /// How many of the real datapoints breach.
    pub breaching: usize,
    /// Missing ones that were filled in.
    pub filled: usize,
    /// What those were taken for: `missing`, `ignore`, `breaching` or `notBreaching`.
    pub filled_as: &'static str,
    /// How many must breach.
    pub needed: usize,
    /// Of how many.
    pub out_of: usize,
}

impl Explanation {
    /// Explains one evaluation. Pure.
    pub(crate) fn of(record: &EvaluationRecord, timing: Timing) -> Self {
        let definition = &record.definition;
        let condition = &definition.condition;
        let range = Range::of(definition, timing, record.at);
        let slots = range.slots(&record.points);
        let verdict = judge(condition, definition.missing_data(), definition.source.statistic(), &slots);
        let oldest_counted = verdict.real.first().map(|point| point.timestamp);
        let reading = |slot: &Slot| Reading {
            start: slot.start.to_iso8601(),
            value: slot.point.map(|point| point.value),
            samples: slot.point.map(|point| point.sample_count).filter(|count| *count > 0.0),
            expected: slot.point.and_then(|point| point.band),
            breaching: slot.point.map(|point| condition.is_breached_by(&point)),
            counted: slot.point.is_some() && oldest_counted.is_some_and(|oldest| slot.start >= oldest),
        };
        Self {
            at: record.at.to_iso8601(),
            from: range.from.to_iso8601(),
            to: range.to.to_iso8601(),
            period_seconds: range.period().as_secs(),
            read: slots.iter().rev().map(reading).collect(),
            tally: Tally {
                real: verdict.real.len(),
                breaching: verdict.real.iter().filter(|point| condition.is_breached_by(point)).count(),
                filled: verdict.filled,
                filled_as: verdict.treatment.name(),
                needed: condition.needed(),
                out_of: condition.out_of(),
            },
            before: record.before,
            verdict: verdict.state,
            after: verdict.state.unwrap_or(record.before),
            next: record.next.map(Timestamp::to_iso8601),
        }
    }
}

impl Alarms {
    /// Why the alarm `name` is in its state, or what an evaluation at `at` makes of it; `None` if there is no
    /// such alarm. What is asked about another time is computed from what is stored, as if the alarm had been
    /// in its present state.
    pub async fn why(
        &self,
        scope: &Scope,
        name: &str,
        at: Option<Timestamp>,
    ) -> Result<Option<Why>, ReadError> {
        let key = Key::new(scope, name);
        let Some((_, alarm)) = self.store.get(&key) else { return Ok(None) };
        let grounds = match alarm.definition.as_metric() {
            Some(definition) => {
                let kept = if at.is_none() { self.evaluator.evaluations(&key) } else { Vec::new() };
                let recomputed = kept.is_empty();
                let records = match recomputed {
                    false => kept,
                    true => {
                        let at = at.unwrap_or_else(|| self.clock.now());
                        vec![self.recompute(&key, definition, alarm.state.value, at).await?]
                    }
                };
                let timing = self.evaluator.timing();
                let evaluations = records.iter().map(|record| Explanation::of(record, timing)).collect();
                Grounds::Metric { evaluations, recomputed }
            }
            None => Grounds::Composite {
                rule: alarm
                    .definition
                    .as_composite()
                    .map(|definition| definition.rule.text().to_owned())
                    .unwrap_or_default(),
                children: self.store.children(&key).into_iter().map(ChildState::of).collect(),
            },
        };
        Ok(Some(Why {
            alarm: key.name,
            state: alarm.state.value,
            since: alarm.state.transitioned.to_iso8601(),
            reason: alarm.state.reason.clone(),
            warming_up_until: alarm.warming_up_until(self.clock.now()).map(Timestamp::to_iso8601),
            grounds,
        }))
    }

    async fn recompute(
        &self,
        key: &Key,
        definition: &std::sync::Arc<MetricDefinition>,
        before: StateValue,
        at: Timestamp,
    ) -> Result<EvaluationRecord, ReadError> {
        let timing = self.evaluator.timing();
        let range = Range::of(definition, timing, at);
        let points = read_points(&*self.reader, &key.scope, definition, &range).await?.into();
        let next = timing.next_moment(Cadence::of(definition), &key.name, at);
        Ok(EvaluationRecord { at, definition: definition.clone(), points, before, next: Some(next) })
    }
}

impl ChildState {
    fn of(child: Child) -> Self {
        Self { alarm: child.name, state: child.state.map(|state| state.value) }
    }
}
