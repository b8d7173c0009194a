//! Groups to results: one series of points each, ordered and limited.

use std::cmp::Ordering;

use super::ast::{Function, Order};
use super::bucket::{Bucket, Fold};
use super::group::GroupKey;
use super::plan::{Group, Plan, Selected};

/// A result of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupSeries {
    /// Which group this is.
    pub key: GroupKey,
    /// How it is called: its labels' values separated by blanks, or the metric's name without `GROUP BY`
    /// (both unverified).
    pub label: String,
    /// By the start of the period, ascending.
    pub points: Vec<(i64, f64)>,
}

impl Plan {
    /// The results over the series that [`select`](Self::select) found: `buckets` gives those of one series,
    /// each by the start of its period, in ascending order.
    pub fn aggregate<B: IntoIterator<Item = (i64, Bucket)>>(
        &self,
        selected: &Selected,
        mut buckets: impl FnMut(u32) -> B,
    ) -> Vec<GroupSeries> {
        let mut ranking = self.ranking();
        for group in &selected.groups {
            if !ranking.wants_more() {
                break;
            }
            let mut fold = Fold::new();
            group.series.iter().for_each(|series| fold.add(buckets(*series)));
            ranking.push(group, &fold);
        }
        ranking.finish()
    }

    /// For callers who read group by group themselves: what [`aggregate`](Self::aggregate) does with each.
    pub fn ranking(&self) -> Ranking<'_> {
        Ranking { plan: self, kept: Vec::new() }
    }
}

/// The results so far. Groups are pushed in the order of [`Selected::groups`]. It never holds more than twice
/// as many as are asked for, so that 'top 10' of thousands of groups costs ten.
#[derive(Debug)]
pub struct Ranking<'a> {
    plan: &'a Plan,
    /// With the value that decides the order.
    kept: Vec<(f64, GroupSeries)>,
}

impl Ranking<'_> {
    /// Whether further groups can still be among the results.
    pub fn wants_more(&self) -> bool {
        self.plan.order_by.is_some() || self.kept.len() < self.plan.limit
    }

    /// Adds a group with all of its data. One without data is no result, unless there is no `GROUP BY`.
    pub fn push(&mut self, group: &Group, fold: &Fold) {
        let points = fold.points(self.plan.function);
        if !self.wants_more() || points.is_empty() && !self.plan.group_by.is_empty() {
            return;
        }
        let value = self.plan.order_by.map_or(0.0, |order| scalar(order.function, &points));
        let label = match self.plan.group_by.is_empty() {
            true => self.plan.selection.metric.clone(),
            false => group.key.shown().collect::<Vec<_>>().join(" "),
        };
        self.kept.push((value, GroupSeries { key: group.key.clone(), label, points }));
        if self.kept.len() >= self.plan.limit.saturating_mul(2) {
            self.prune();
        }
    }

    /// The results, in order.
    pub fn finish(mut self) -> Vec<GroupSeries> {
        self.prune();
        self.kept.into_iter().map(|(_, series)| series).collect()
    }

    fn prune(&mut self) {
        let order = self.plan.order_by;
        self.kept.sort_by(|a, b| compare(order, a, b));
        self.kept.truncate(self.plan.limit);
    }
}

/// By value if that is asked for; among equals by group, ascending in either direction.
fn compare(order: Option<Order>, a: &(f64, GroupSeries), b: &(f64, GroupSeries)) -> Ordering {
    let by_value = match order {
        None => Ordering::Equal,
        Some(Order { descending: false, .. }) => a.0.total_cmp(&b.0),
        Some(Order { descending: true, .. }) => b.0.total_cmp(&a.0),
    };
    by_value.then_with(|| a.1.key.cmp(&b.1.key))
}

/// "Calculates a single scalar value from each returned time series" (the guide): over its points, not over
/// the observations behind them.
fn scalar(function: Function, points: &[(i64, f64)]) -> f64 {
    let mut all: Option<Bucket> = None;
    for (_, value) in points {
        match &mut all {
            None => all = Some(Bucket::of(*value)),
            Some(all) => all.merge(&Bucket::of(*value)),
        }
    }
    all.and_then(|all| all.value(function)).unwrap_or(0.0)
}
