//! Metric math in the order of its references, and the results.

use std::collections::HashMap;
use std::num::NonZeroU32;

use groundwatch_metric_math::{Environment, ExternalData, Series, TimeRange, Value};

use super::inputs::{Input, Inputs};
use super::plan::{Entry, Plan, Source, checked};
use super::query::math_period;
use super::{Evaluated, EvaluatedSeries, EvaluationError, EvaluationRange, labels};
use crate::{Period, Second};

/// The results of the queries that return data.
pub(super) fn results(
    plan: &Plan,
    inputs: Inputs,
    range: &EvaluationRange,
) -> Result<Evaluated, EvaluationError> {
    let is_truncated = inputs.is_truncated;
    let mut entries = evaluate(plan, inputs, range)?;
    let mut series = Vec::new();
    for (entry, input) in plan.entries.iter().zip(&mut entries).filter(|(entry, _)| entry.is_returned) {
        // What returns data is needed, so it was read or computed.
        let Some(Input { value, mixed_units, is_cut }) = input.take() else { continue };
        let result = |named: Option<&Series>| EvaluatedSeries {
            id: entry.id.clone(),
            label: named.map_or_else(|| labels::of_unreadable(entry), |series| series.label().to_owned()),
            period: named.and_then(|series| Period::from_secs(i64::from(series.period_secs().get()))),
            points: named.map(points).unwrap_or_default(),
            mixed_units: mixed_units.clone(),
            is_cut,
            is_unreadable: named.is_none(),
        };
        match value {
            None => series.push(result(None)),
            Some(value) => {
                let text = entry.math().map_or("", |expression| expression.text());
                let named = labels::of_results(entry, value, range)
                    .map_err(|problem| EvaluationError::whole_expression(&entry.id, text, problem))?;
                series.extend(named.iter().map(|series| result(Some(series))));
            }
        }
    }
    Ok(Evaluated { series, is_truncated })
}

/// What every needed entry is worth.
fn evaluate(
    plan: &Plan,
    inputs: Inputs,
    range: &EvaluationRange,
) -> Result<Vec<Option<Input>>, EvaluationError> {
    let Inputs { mut values, found, .. } = inputs;
    let numbers: HashMap<&str, usize> =
        plan.entries.iter().enumerate().map(|(number, entry)| (entry.id.as_str(), number)).collect();
    let time_range = range.of_math(plan.finest_period());
    for (number, checked) in checked(&plan.entries, &plan.order)? {
        let entry = &plan.entries[number];
        if !entry.is_needed {
            continue;
        }
        let known =
            Known { plan, numbers: &numbers, values: &values, found: &found, number, range: time_range };
        let value = if known.is_readable() {
            let value = checked.evaluate(&known);
            Some(value.map_err(|error| EvaluationError::expression(&entry.id, error))?)
        } else {
            None
        };
        let is_cut = known.is_cut();
        values[number] = Some(Input { value, mixed_units: Vec::new(), is_cut });
    }
    Ok(values)
}

/// What is known when the entry `number` is evaluated.
struct Known<'a> {
    plan: &'a Plan,
    numbers: &'a HashMap<&'a str, usize>,
    values: &'a [Option<Input>],
    found: &'a HashMap<(usize, usize), Option<Vec<Series>>>,
    number: usize,
    range: TimeRange,
}

impl Known<'_> {
    fn entry(&self) -> &Entry {
        &self.plan.entries[self.number]
    }

    /// What the entry depends on, besides searches and bands.
    fn dependencies(&self) -> impl Iterator<Item = &Input> {
        let expression = self.entry().math();
        let references = expression.map(|expression| expression.references()).unwrap_or_default();
        let metrics = expression.is_some_and(|expression| expression.uses_metrics());
        let metrics = if metrics { self.metric_ids() } else { Vec::new() };
        let ids = references.into_iter().map(|reference| reference.id).chain(metrics);
        ids.filter_map(|id| self.values.get(*self.numbers.get(id)?)?.as_ref())
    }

    fn is_readable(&self) -> bool {
        let searches = self.found.iter().filter(|((entry, _), _)| *entry == self.number);
        self.dependencies().all(|input| input.value.is_some())
            && searches.into_iter().all(|(_, found)| found.is_some())
    }

    fn is_cut(&self) -> bool {
        self.dependencies().any(|input| input.is_cut)
    }
}

impl Environment for Known<'_> {
    fn value(&self, id: &str) -> Option<Value> {
        self.values.get(*self.numbers.get(id)?)?.as_ref()?.value.clone()
    }

    fn metric_ids(&self) -> Vec<&str> {
        self.plan.metric_ids().collect()
    }

    fn range(&self) -> TimeRange {
        self.range
    }

    fn period_secs(&self) -> Option<NonZeroU32> {
        match &self.entry().source {
            Source::Math { period, .. } => period.map(math_period),
            Source::Metric(_) | Source::Insights { .. } => None,
        }
    }

    fn external(&self, need: &ExternalData) -> Option<Vec<Series>> {
        self.found.get(&(self.number, need.span.start))?.clone()
    }
}

fn points(series: &Series) -> Vec<(Second, f64)> {
    let second = |secs: i64| u32::try_from(secs).ok().map(Second);
    series.points().iter().filter_map(|point| Some((second(point.timestamp_secs)?, point.value))).collect()
}
