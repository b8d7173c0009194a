//! What is asked, free of the shapes of any API.

use std::num::NonZeroU32;
use std::sync::Arc;

use groundwatch_core::{Scope, Timestamp};
use groundwatch_metric_math::{Origin, RollUp, Series, TimeRange};

use super::UtcOffset;
use crate::query::{Window, round_start};
use crate::{MetricId, Period, Second, Statistic, Unit};

/// One query of several that may refer to each other.
#[derive(Clone, Debug, PartialEq)]
pub struct DataQuery {
    /// By which expressions refer to it: a lower-case letter, then letters, digits and `_`. Unique.
    pub id: String,
    /// What is asked for.
    pub source: DataSource,
    /// What its results are called; with `${…}` in it, that is filled in.
    pub label: Option<String>,
    /// Whether it is among the results, or only there for expressions.
    pub is_returned: bool,
}

/// What a query asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum DataSource {
    /// A statistic of one metric.
    Metric(MetricStat),
    /// Metric math, or a Metrics Insights query (`SELECT …`).
    Expression {
        /// As its language has it.
        text: String,
        /// The period of what has none of its own: a Metrics Insights query, `SEARCH`, `TIME_SERIES`.
        period: Option<Period>,
    },
}

/// A statistic of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricStat {
    /// Which metric.
    pub metric: MetricId,
    /// The statistic.
    pub statistic: Statistic,
    /// The statistic as it was written, which labels show.
    pub statistic_text: String,
    /// The length of the periods.
    pub period: Period,
    /// Only data of this unit, or of the alphabetically first that has data.
    pub unit: Option<Unit>,
}

/// The moments that queries are about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvaluationRange {
    /// Inclusive.
    pub start: Timestamp,
    /// Exclusive.
    pub end: Timestamp,
    /// Where periods begin.
    pub alignment: Alignment,
    /// The present, which rounding, retention and relative times depend on.
    pub now: Timestamp,
    /// How far the clock on which labels tell times is ahead of UTC.
    pub utc_offset: UtcOffset,
}

/// Where periods begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alignment {
    /// At multiples of their length since the epoch; the start is rounded by its age: how requests are
    /// answered.
    #[default]
    Epoch,
    /// At the start of the range: the sliding window of an alarm.
    Start,
}

impl EvaluationRange {
    /// `start` to `end` as a request asks for it at `now`.
    pub fn of_request(start: Timestamp, end: Timestamp, now: Timestamp) -> Self {
        Self { start, end, alignment: Alignment::Epoch, now, utc_offset: UtcOffset::default() }
    }

    /// The periods of that length.
    pub(crate) fn window(&self, period: Period) -> Window {
        match self.alignment {
            Alignment::Epoch => Window::of_request(self.start, self.end, period, self.now),
            Alignment::Start => Window::sliding(self.start, self.end, period),
        }
    }

    /// The range as metric math sees it, where `finest` is the shortest period there is.
    pub(super) fn of_math(&self, finest: Option<Period>) -> TimeRange {
        let (start, aligned_at_secs) = match (self.alignment, finest) {
            (Alignment::Start, _) => (self.start, self.start.as_secs()),
            (Alignment::Epoch, Some(period)) => (round_start(self.start, self.now, period), 0),
            (Alignment::Epoch, None) => (self.start, 0),
        };
        TimeRange { start_secs: start.as_secs(), end_secs: self.end.ceil_to(1).as_secs(), aligned_at_secs }
    }
}

impl MetricStat {
    /// Points of this statistic as a series of metric math.
    pub(super) fn series(&self, scope: &Scope, label: &str, points: &[(Second, f64)]) -> Series {
        let mut dimensions = self.metric.dimensions.clone();
        dimensions.sort();
        let origin = Origin {
            account_id: scope.account.to_string(),
            region: scope.region.to_string(),
            namespace: self.metric.namespace.clone(),
            metric_name: self.metric.name.clone(),
            dimensions,
            stat: self.statistic_text.clone(),
        };
        series_of(label, self.period, points.iter().copied())
            .with_roll_up(RollUp::of_statistic(&self.statistic_text))
            .with_origin(Arc::new(origin))
    }
}

/// Ascending points as a series of metric math.
pub(super) fn series_of(label: &str, period: Period, points: impl Iterator<Item = (Second, f64)>) -> Series {
    let point = |(start, value): (Second, f64)| groundwatch_metric_math::Point {
        timestamp_secs: i64::from(start.0),
        value,
    };
    Series::new(label, math_period(period), points.map(point).collect())
}

/// A period as metric math has it.
pub(super) fn math_period(period: Period) -> NonZeroU32 {
    NonZeroU32::new(period.as_secs()).expect("no period is 0 seconds long")
}
