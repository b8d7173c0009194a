//! What a metric alarm watches: one metric, or the value of one expression over several.

use serde::{Deserialize, Serialize};

use crate::math::MathQuery;
use crate::reader::{MetricQuery, Statistic};

/// Where an alarm's datapoints come from.
///
/// Stored without a tag: the first documents knew single metrics only, and no member of one kind is required in the other.
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

    /// What is computed over the samples of a period; `None` for math.
    pub fn statistic(&self) -> Option<&Statistic> {
        self.as_metric().map(|metric| &metric.statistic)
    }
}
