//! What evaluation asks of its caller: the values of other entries, the range, and data from elsewhere.

use std::num::NonZeroU32;

use crate::ast::Expr;
use crate::bounds::DENSE_POINTS_MAX;
use crate::error::{Problem, Span};
use crate::series::Series;
use crate::value::Value;

/// Everything outside of an expression that its value depends on.
pub trait Environment {
    /// The value of an entry: a metric as it was read, or an expression that was evaluated before
    /// ([`evaluation_order`](crate::evaluation_order)). `None` if there is no such entry.
    fn value(&self, id: &str) -> Option<Value>;

    /// The ids of the entries that are metrics, in the order of the request: what METRICS() stands for.
    fn metric_ids(&self) -> Vec<&str>;

    /// The range of the request.
    fn range(&self) -> TimeRange;

    /// The `Period` of the entry, if it has one.
    fn period_secs(&self) -> Option<NonZeroU32> {
        None
    }

    /// What the caller has read for a need that [`Checked::external_data`](crate::Checked::external_data)
    /// listed; `None` if it has not. The spans of needs are distinct within an expression.
    fn external(&self, need: &ExternalData) -> Option<Vec<Series>> {
        let _ = need;
        None
    }
}

/// The moments that a request is about, in seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// Inclusive; the period that it lies in belongs to the range as a whole.
    pub start_secs: i64,
    /// Exclusive.
    pub end_secs: i64,
    /// A moment at which periods of every length begin: 0 (the epoch) for requests, the start of its window
    /// for an alarm.
    pub aligned_at_secs: i64,
}

impl TimeRange {
    /// The start of the period that a moment lies in.
    pub(crate) fn grid_point(self, timestamp_secs: i64, period_secs: NonZeroU32) -> i64 {
        let since = i128::from(timestamp_secs) - i128::from(self.aligned_at_secs);
        let into_period = since.rem_euclid(i128::from(period_secs.get()));
        // At most a period, which is less than 2^32.
        timestamp_secs.saturating_sub(into_period as i64)
    }

    /// The starts of all periods of the range.
    pub(crate) fn grid(self, period_secs: NonZeroU32) -> Result<impl Iterator<Item = i64> + Clone, Problem> {
        let first = self.grid_point(self.start_secs, period_secs);
        let step = i64::from(period_secs.get());
        let length = u64::try_from(i128::from(self.end_secs) - i128::from(first)).unwrap_or(0);
        let count = length.div_ceil(u64::from(period_secs.get()));
        if count > DENSE_POINTS_MAX as u64 {
            return Err(Problem::TooManyPoints(count));
        }
        Ok((0..count as i64).map(move |index| first + index * step))
    }
}

/// Data that an expression needs from outside of the request's entries.
#[derive(Clone, Debug, PartialEq)]
pub struct ExternalData {
    /// What it needs.
    pub request: ExternalRequest,
    /// The bytes of the call in the expression's text; its name within the expression.
    pub span: Span,
}

/// What is to be read.
#[derive(Clone, Debug, PartialEq)]
pub enum ExternalRequest {
    /// `SEARCH('{AWS/EC2,InstanceId} CPUUtilization', 'Average', 300)`: answer with one series a metric
    /// found, each with that metric's label.
    Search {
        /// A search expression, as its own language has it.
        query: String,
        /// A statistic, not checked here.
        stat: String,
        /// A valid period; if there is none, the entry's `Period` counts.
        period_secs: Option<NonZeroU32>,
    },
    /// `ANOMALY_DETECTION_BAND(m1, 2)`: answer with the lower bound, then the upper.
    AnomalyDetectionBand {
        /// What is expected: mostly the id of a metric, else an expression, which prints itself.
        of: Expr,
        /// The width of the band in standard deviations, above 0.
        deviations: f64,
    },
    /// `INSIGHT_RULE_METRIC('rule', 'UniqueContributors')`: answer with one series.
    InsightRuleMetric {
        /// The name of the rule.
        rule: String,
        /// One of the seven metrics that rules have.
        metric: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start_secs: i64, end_secs: i64, aligned_at_secs: i64, period_secs: u32, expected: &[i64]) {
        let range = TimeRange { start_secs, end_secs, aligned_at_secs };
        let period_secs = NonZeroU32::new(period_secs).expect("not 0");
        let grid: Vec<i64> = range.grid(period_secs).expect("few points").collect();
        assert_eq!(grid, expected);
    }

    #[test]
    fn a_grid_is_the_whole_periods_that_a_range_touches() {
        check(0, 180, 0, 60, &[0, 60, 120]);
        check(30, 150, 0, 60, &[0, 60, 120]);
        check(60, 61, 0, 60, &[60]);
        check(60, 60, 0, 60, &[]);
        check(100, 0, 0, 60, &[]);
        check(-90, 30, 0, 60, &[-120, -60, 0]);
        check(0, 600, 0, 300, &[0, 300]);
    }

    #[test]
    fn the_grid_of_an_alarm_begins_where_its_window_does() {
        check(70, 250, 70, 60, &[70, 130, 190]);
        check(70, 251, 70, 60, &[70, 130, 190, 250]);
        check(70, 250, 130, 60, &[70, 130, 190]);
    }

    #[test]
    fn extreme_ranges_are_refused_or_cut() {
        let range = TimeRange { start_secs: i64::MIN, end_secs: i64::MAX, aligned_at_secs: i64::MAX };
        let refused = range.grid(NonZeroU32::MAX).err();
        assert!(matches!(refused, Some(Problem::TooManyPoints(_))), "{refused:?}");
        check(i64::MAX - 1, i64::MAX, 0, 1, &[i64::MAX - 1]);
    }
}
