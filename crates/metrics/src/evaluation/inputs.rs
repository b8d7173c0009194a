//! Everything that evaluation needs to have read: metrics, what searches find, Metrics Insights, anomaly
//! bands, and Contributor Insights rules.

use std::collections::HashMap;

use groundwatch_core::Scope;
use groundwatch_metric_math::{Series, Value};

use super::plan::{Plan, Source};
use super::reading::{StatisticJob, StatisticPoints, read_all};
use super::search::Found;
use super::{EvaluationError, EvaluationRange, insights, labels};
use crate::{MetricError, MetricStore, Unit, fault};

/// The most points that one evaluation reads at once, should each period have one: 320 MB.
const POINTS_MAX: u64 = 20_000_000;

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// By entry; of those that are needed and are no math.
    pub(super) values: Vec<Option<Input>>,
    /// By entry and place of the search, band or rule in it; `None` if a series could not be read.
    pub(super) found: HashMap<(usize, usize), Option<Vec<Series>>>,
    pub(super) is_truncated: bool,
}

/// What was read for one entry.
#[derive(Debug)]
pub(super) struct Input {
    /// `None` if it could not be read.
    pub(super) value: Option<Value>,
    pub(super) mixed_units: Vec<Unit>,
    pub(super) is_cut: bool,
}

impl MetricStore {
    /// Reads what the results of `plan` depend on.
    pub(super) async fn inputs(
        &self,
        scope: &Scope,
        plan: &Plan,
        range: &EvaluationRange,
    ) -> Result<Inputs, EvaluationError> {
        let mut inputs = Inputs { values: plan.entries.iter().map(|_| None).collect(), ..Inputs::default() };
        for (number, entry) in plan.entries.iter().enumerate().filter(|(_, entry)| entry.is_needed) {
            if let Source::Insights { query, period } = &entry.source {
                let fail = |error| EvaluationError::expression(&entry.id, error);
                let selection = insights::Selection::new(self, scope, query, *period, range).map_err(fail)?;
                refuse_too_many(selection.points())?;
                let is_cut = selection.is_cut();
                inputs.is_truncated |= selection.is_truncated();
                let value = readable(selection.read(self, &entry.id).await);
                inputs.values[number] = Some(Input { value, mixed_units: Vec::new(), is_cut });
            }
        }
        let needed = plan.searches.iter().filter(|search| plan.entries[search.entry].is_needed);
        let found: Vec<Found<'_>> = needed.map(|search| Found::new(self, scope, search, range.now)).collect();
        inputs.is_truncated |= found.iter().any(|found| found.is_truncated);

        let metrics = plan.entries.iter().enumerate().filter(|(_, entry)| entry.is_needed);
        let metrics: Vec<_> =
            metrics.filter_map(|(number, entry)| Some((number, entry, entry.metric()?))).collect();
        let of_metrics = metrics.iter().map(|(_, _, stat)| StatisticJob {
            series: self.series_of(scope, &stat.metric),
            window: range.window(stat.period),
            statistic: stat.statistic,
            unit: stat.unit,
        });
        let jobs: Vec<StatisticJob> =
            of_metrics.chain(found.iter().flat_map(|found| found.jobs(range))).collect();
        refuse_too_many(
            jobs.iter().filter(|job| job.series.is_some()).map(|job| job.window.periods()).sum(),
        )?;
        refuse_too_many(plan.bands.iter().map(|band| band.points(range)).sum())?;
        let read = read_all(self, jobs).await.map_err(|_| EvaluationError::Stopped)?;
        let mut read = read.into_iter().map(readable);

        let defaults = labels::defaults(&plan.entries);
        for (number, entry, stat) in metrics {
            let points: Option<StatisticPoints> = read.next().flatten();
            let mixed_units = points.as_ref().map(|read| read.units.clone()).unwrap_or_default();
            let value = points.map(|read| {
                let series = stat.series(scope, &defaults[number], &read.points);
                Value::Series(labels::of_metric(entry, series, range))
            });
            let mixed_units = if mixed_units.len() > 1 { mixed_units } else { Vec::new() };
            inputs.values[number] = Some(Input { value, mixed_units, is_cut: false });
        }
        for found in found {
            let points: Vec<Option<StatisticPoints>> = read.by_ref().take(found.len()).collect();
            inputs.found.insert(
                found.place(),
                points.into_iter().collect::<Option<Vec<_>>>().map(|points| found.series(scope, &points)),
            );
        }
        for band in plan.bands.iter().filter(|band| plan.entries[band.entry].is_needed) {
            inputs.found.insert((band.entry, band.at), band.read(self, scope, range).await?);
        }
        for metric in plan.rule_metrics.iter().filter(|metric| plan.entries[metric.entry].is_needed) {
            let fail = |problem| EvaluationError::expression(&plan.entries[metric.entry].id, problem);
            let read = metric.read(self, scope, range).await.map_err(fail)?;
            inputs.found.insert((metric.entry, metric.at), read);
        }
        Ok(inputs)
    }
}

/// Tells the log why something could not be read; the client learns that it could not.
fn readable<T>(read: Result<T, MetricError>) -> Option<T> {
    read.inspect_err(|error| drop(fault::of_store(error))).ok()
}

fn refuse_too_many(requested: u64) -> Result<(), EvaluationError> {
    if requested > POINTS_MAX {
        return Err(EvaluationError::TooManyPoints { requested, points_max: POINTS_MAX });
    }
    Ok(())
}
