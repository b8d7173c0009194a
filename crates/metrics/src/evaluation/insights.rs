//! Metrics Insights: the series that a query selects, read group by group.

use std::time::Duration;

use groundwatch_core::Scope;
use groundwatch_metric_math::Value;
use groundwatch_metric_selection::insights::{Fold, GroupSeries, Plan, Query, Selected};

use super::query::series_of;
use super::reading::{FoldJob, read_all};
use super::{EvaluationRange, QueryProblem};
use crate::query::Window;
use crate::store::{ScopeCatalog, SeriesId};
use crate::{MetricError, MetricStore, Period, Second};

/// How far back a query reads.
const REACH: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// Series of one group that are read and added up by one task.
const SERIES_OF_A_JOB: usize = 64;
/// Sums that are held at a time, besides those of results.
const JOBS_AT_A_TIME: usize = 512;

/// What a query reads.
pub(super) struct Selection {
    plan: Plan,
    selected: Selected,
    period: Period,
    window: Window,
    is_cut: bool,
}

impl Selection {
    /// The series of `scope` that `query` selects.
    pub(super) fn new(
        store: &MetricStore,
        scope: &Scope,
        query: &Query,
        period: Period,
        range: &EvaluationRange,
    ) -> Result<Self, QueryProblem> {
        let asked = range.window(period);
        let reach = Second::nearest(range.now - REACH).floor_to(period.as_secs());
        let is_cut = asked.from < reach;
        // Whole periods: how far the asked window is from multiples of its period is kept.
        let from = if is_cut { Second(reach.0 + asked.from.0 % period.as_secs()) } else { asked.from };
        let window = Window { from: from.min(asked.until), ..asked };
        let catalog = ScopeCatalog { store, scope, active_since: window.from };
        let plan = Plan::new(query, &catalog)?;
        let selected = plan.select(&catalog);
        Ok(Self { plan, selected, period, window, is_cut })
    }

    /// The periods that are read.
    pub(super) fn window(&self) -> Window {
        self.window
    }

    /// All series that are read.
    pub(super) fn series(&self) -> impl Iterator<Item = SeriesId> {
        self.selected.groups.iter().flat_map(|group| group.series.iter().copied().map(SeriesId))
    }

    /// Whether the range reaches further back than is read.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether more series match than are read.
    pub(super) fn is_truncated(&self) -> bool {
        self.selected.truncated
    }

    /// The points that results can have.
    pub(super) fn points(&self) -> u64 {
        (self.selected.groups.len() as u64).min(self.plan.limit as u64) * self.window.periods()
    }

    /// The results: a series, which is called as its query, or with `GROUP BY` an array of series that are
    /// called as their groups.
    pub(super) async fn read(&self, store: &MetricStore, id: &str) -> Result<Value, MetricError> {
        let results = self.aggregate(store).await?;
        let mut series = results.into_iter().map(|group: GroupSeries| {
            let points = group.points.into_iter();
            let points =
                points.filter_map(|(start, value)| Some((Second(u32::try_from(start).ok()?), value)));
            series_of(&group.label, self.period, points)
        });
        if !self.plan.group_by.is_empty() {
            return Ok(Value::Array(series.collect()));
        }
        let series = series.next().unwrap_or_else(|| series_of(id, self.period, std::iter::empty()));
        Ok(Value::Series(series.with_label(id)))
    }

    /// Reads the groups in their order, and keeps of each no more than may become a result.
    pub(super) async fn aggregate(&self, store: &MetricStore) -> Result<Vec<GroupSeries>, MetricError> {
        let groups = &self.selected.groups;
        let mut jobs = self.jobs().into_iter();
        let mut ranking = self.plan.ranking();
        let mut current = (0, Fold::new());
        loop {
            let (numbers, batch): (Vec<usize>, Vec<FoldJob>) = jobs.by_ref().take(JOBS_AT_A_TIME).unzip();
            if batch.is_empty() || !ranking.wants_more() {
                break;
            }
            for (number, fold) in numbers.into_iter().zip(read_all(store, batch).await?) {
                if number != current.0 {
                    ranking.push(&groups[current.0], &std::mem::take(&mut current.1));
                    current.0 = number;
                }
                current.1.merge(fold?);
            }
        }
        if let Some(group) = groups.get(current.0) {
            ranking.push(group, &current.1);
        }
        Ok(ranking.finish())
    }

    /// What is to be read, with the number of the group that it belongs to.
    fn jobs(&self) -> Vec<(usize, FoldJob)> {
        let mut jobs = Vec::new();
        for (number, group) in self.selected.groups.iter().enumerate() {
            for series in group.series.chunks(SERIES_OF_A_JOB) {
                jobs.push((number, FoldJob::new(series.iter().copied().map(SeriesId), self.window)));
            }
        }
        jobs
    }
}
