//! What a metric alarm watches: one metric, or the value of one expression over several.

use groundwatch_core::Timestamp;
use groundwatch_metric_math::EntryError;
use serde::{Deserialize, Serialize};

use crate::definition::math_query::{Insights, MathQuery};
use crate::reader::{MetricQuery, Point, Statistic};

/// The datapoints of each metric that was read, with its id.
pub(crate) type ReadPoints<'a> = Vec<(&'a str, Vec<Point>)>;

/// Where an alarm's datapoints come from.
///
/// Stored without a tag: the first documents knew single metrics only, and no member of one kind is required
/// in the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// `MetricName` and what goes with it.
    Metric(MetricQuery),
    /// `Metrics`.
    Math(MathQuery),
}

impl Source {
    /// The length of a period in seconds: 10, 20, 30 or a multiple of 60.
    pub fn period_secs(&self) -> u32 {
        match self {
            Self::Metric(metric) => metric.period_secs,
            Self::Math(math) => math.period_secs,
        }
    }

    /// The single metric, if it is one.
    pub fn as_metric(&self) -> Option<&MetricQuery> {
        match self {
            Self::Metric(metric) => Some(metric),
            Self::Math(_) => None,
        }
    }

    /// The entries of `Metrics`, if it is those.
    pub fn as_math(&self) -> Option<&MathQuery> {
        match self {
            Self::Metric(_) => None,
            Self::Math(math) => Some(math),
        }
    }

    /// `ThresholdMetricId`: the id of the anomaly band that is the threshold, if one is.
    pub fn threshold_metric_id(&self) -> Option<&str> {
        self.as_math()?.band.as_deref()
    }

    /// The metrics that are read, with their ids; a single one has none.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, &MetricQuery)> {
        let (single, math) = match self {
            Self::Metric(metric) => (Some(("", metric)), None),
            Self::Math(math) => (None, Some(math.metrics())),
        };
        single.into_iter().chain(math.into_iter().flatten())
    }

    /// The Metrics Insights query, if it is one.
    pub fn as_insights(&self) -> Option<(Insights, &str)> {
        match self {
            Self::Metric(_) => None,
            Self::Math(math) => math.as_insights(),
        }
    }

    /// What is watched, `read` being the datapoints of [`Self::metrics`] over the periods from `from` to
    /// `to`.
    pub fn points(
        &self,
        mut read: ReadPoints<'_>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Point>, EntryError> {
        match self {
            Self::Metric(_) => Ok(read.pop().map(|(_, points)| points).unwrap_or_default()),
            Self::Math(math) => math.evaluate(&read, from, to),
        }
    }

    /// Whether the same datapoints may mean another thing at another time.
    pub fn depends_on_time(&self) -> bool {
        match self {
            Self::Metric(_) => false,
            Self::Math(math) => math.depends_on_time(),
        }
    }

    /// What is computed over the samples of a period; `None` for math.
    pub fn statistic(&self) -> Option<&Statistic> {
        self.as_metric().map(|metric| &metric.statistic)
    }
}
