//! SEARCH: which series it finds, and what they are called.

use std::time::Duration;

use groundwatch_core::{Scope, Timestamp};
use groundwatch_metric_math::Series;

use super::plan::PlannedSearch;
use super::reading::{StatisticJob, StatisticPoints};
use super::{EvaluationRange, MetricStat, labels};
use crate::store::SeriesId;
use crate::{MetricStore, Second};

/// Series without data for longer are not found.
pub(super) const ACTIVE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The series that a search found.
pub(super) struct Found<'a> {
    search: &'a PlannedSearch,
    /// Each with its label, in the order of these.
    series: Vec<(String, SeriesId, MetricStat)>,
    pub(super) is_truncated: bool,
}

impl<'a> Found<'a> {
    /// Searches.
    pub(super) fn new(store: &MetricStore, scope: &Scope, search: &'a PlannedSearch, now: Timestamp) -> Self {
        let found = store.search(scope, &search.query, Second::nearest(now - ACTIVE));
        let labels = labels::of_found(found.series.iter().map(|(_, metric)| metric));
        let stat = |metric| MetricStat {
            metric,
            statistic: search.statistic,
            statistic_text: search.statistic_text.clone(),
            period: search.period,
            unit: None,
        };
        let labelled = labels.into_iter().zip(found.series);
        let mut series: Vec<_> = labelled.map(|(label, (id, metric))| (label, id, stat(metric))).collect();
        // That a search's results come by their labels is unverified; among equal labels the order of metrics
        // stays.
        series.sort_by(|a, b| a.0.cmp(&b.0));
        Self { search, series, is_truncated: found.truncated }
    }

    /// How many series there are.
    pub(super) fn len(&self) -> usize {
        self.series.len()
    }

    /// What is to be read of each.
    pub(super) fn jobs(&self, range: &EvaluationRange) -> impl Iterator<Item = StatisticJob> {
        let (window, statistic) = (range.window(self.search.period), self.search.statistic);
        self.series.iter().map(move |(_, id, _)| StatisticJob {
            series: Some(*id),
            window,
            statistic,
            unit: None,
        })
    }

    /// The number of the entry, and where in it the search is.
    pub(super) fn place(&self) -> (usize, usize) {
        (self.search.entry, self.search.at)
    }

    /// What was read as metric math takes it.
    pub(super) fn series(&self, scope: &Scope, read: &[StatisticPoints]) -> Vec<Series> {
        let each = self.series.iter().zip(read);
        each.map(|((label, _, stat), read)| stat.series(scope, label, &read.points)).collect()
    }
}
