//! What results are called.
//!
//! A label of its own counts, with its dynamic parts filled in; otherwise a metric is called by its name and
//! what tells it apart, an expression by its id, and series of an array by their own labels.

use std::collections::BTreeMap;

use groundwatch_metric_math::{Problem, Series, Type, Value};

use super::EvaluationRange;
use super::plan::Entry;
use crate::MetricId;

/// The default label of each entry.
///
/// Recorded: if returned queries have the same name, their statistics are appended if these differ, and then
/// their periods if these differ; a difference in unit is not shown, and neither is one in dimensions, of
/// which nothing is recorded. Queries that return no data only meet each other, in expressions.
pub(super) fn defaults(entries: &[Entry]) -> Vec<String> {
    let mut namesakes: BTreeMap<(bool, &str), Vec<&Entry>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.label.is_none()) {
        if let Some(stat) = entry.metric() {
            namesakes.entry((entry.is_returned, &stat.metric.name)).or_default().push(entry);
        }
    }
    let default = |entry: &Entry| {
        let Some(stat) = entry.metric() else { return of_entry(entry) };
        let mut label = stat.metric.name.clone();
        let namesakes = namesakes.get(&(entry.is_returned, stat.metric.name.as_str()));
        let others = || namesakes.into_iter().flatten().filter_map(|entry| entry.metric());
        if others().any(|other| other.statistic_text != stat.statistic_text) {
            label.push(' ');
            label.push_str(&stat.statistic_text);
        }
        if others().any(|other| other.period != stat.period) {
            label.push(' ');
            label.push_str(&stat.period.as_secs().to_string());
        }
        label
    };
    entries.iter().map(default).collect()
}

/// The default labels of metrics that one search found: the name, and before it the namespace and the values
/// of those dimensions in which they differ (unverified; only that what all share is left out is recorded, of
/// queries).
pub(super) fn of_found<'a>(found: impl Iterator<Item = &'a MetricId> + Clone) -> Vec<String> {
    let Some(first) = found.clone().next() else { return Vec::new() };
    let namespaces_differ = found.clone().any(|metric| metric.namespace != first.namespace);
    let shared: Vec<&(String, String)> = first
        .dimensions
        .iter()
        .filter(|dimension| found.clone().all(|metric| metric.dimensions.contains(dimension)))
        .collect();
    let label = |metric: &MetricId| {
        let namespace = namespaces_differ.then_some(metric.namespace.as_str());
        let own = metric.dimensions.iter().filter(|dimension| !shared.contains(dimension));
        let values = own.map(|(_, value)| value.as_str());
        let parts = namespace.into_iter().chain(values).chain([metric.name.as_str()]);
        parts.collect::<Vec<_>>().join(" ")
    };
    found.map(label).collect()
}

/// The series of a metric entry, which has its default label, under the label that it shall have.
pub(super) fn of_metric(entry: &Entry, series: Series, range: &EvaluationRange) -> Series {
    match &entry.label {
        None => series,
        Some(label) => {
            let label = label.render(&series, series.label(), range);
            series.with_label(label)
        }
    }
}

/// The series of an entry's value, as they are called in the answer.
///
/// Recorded for arrays: `<label of the expression> <label of the series>`. A label with dynamic parts is
/// filled in for each series instead, which is what makes `${LABEL}` and `${PROP('Dim.…')}` of use there.
pub(super) fn of_results(
    entry: &Entry,
    value: Value,
    range: &EvaluationRange,
) -> Result<Vec<Series>, Problem> {
    if entry.metric().is_some() {
        // Named when it was read, as expressions see its label too.
        return Ok(series_of(value));
    }
    match &entry.label {
        Some(label) if label.is_static() => value.into_results(label.text()),
        None if entry.math().is_some() && value.value_type() == Type::Series => value.into_results(&entry.id),
        label => {
            let rename = |series: Series| {
                let own = if series.label().is_empty() { &entry.id } else { series.label() }.to_owned();
                let label = label.as_ref().map(|label| label.render(&series, &own, range));
                series.with_label(label.unwrap_or(own))
            };
            Ok(series_of(value).into_iter().map(rename).collect())
        }
    }
}

/// What a result without data is called.
pub(super) fn of_unreadable(entry: &Entry) -> String {
    match &entry.label {
        Some(label) => label.text().to_owned(),
        None => of_entry(entry),
    }
}

fn of_entry(entry: &Entry) -> String {
    match entry.metric() {
        Some(stat) => stat.metric.name.clone(),
        None => entry.id.clone(),
    }
}

/// Scalars are refused before they are named: an expression that returns one is not valid.
fn series_of(value: Value) -> Vec<Series> {
    match value {
        Value::Series(series) => vec![series],
        Value::Array(array) => array,
        Value::Scalar(_) | Value::Text(_) => Vec::new(),
    }
}
