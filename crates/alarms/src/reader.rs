//! What an alarm watches, and how it asks for it: the metrics store as alarms see it.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_api::OpenEnum as _;
use groundwatch_api::cloudwatch as api;
use groundwatch_core::{BoxFuture, Scope, Timestamp};
use serde::{Deserialize, Serialize};

use crate::definition::math_query::MathQuery;
use crate::evaluation::sample_watch::Waker;

/// One series of datapoints: a metric, a statistic over it, and a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricQuery {
    /// The metric's namespace.
    pub namespace: String,
    /// The metric's name.
    pub metric_name: String,
    /// The metric's whole dimension set, in the order in which the user wrote it.
    pub dimensions: Vec<Dimension>,
    /// What is computed over the samples of a period.
    pub statistic: Statistic,
    /// The length of a period in seconds: 10, 20, 30 or a multiple of 60.
    pub period_secs: u32,
    /// Only samples of this unit (AWS's name of it), or all samples.
    pub unit: Option<String>,
}

/// A name and a value that tell a metric apart from its namesakes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    /// The dimension's name.
    pub name: String,
    /// The dimension's value.
    pub value: String,
}

/// What is computed over the samples of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statistic {
    /// `Statistic`: SampleCount, Average, Sum, Minimum or Maximum.
    Simple(String),
    /// `ExtendedStatistic`: a percentile such as `p99.9`, or whatever else the [`MetricReader`] supports.
    Extended(String),
}

impl From<api::Dimension> for Dimension {
    fn from(dimension: api::Dimension) -> Self {
        Self { name: dimension.name.unwrap_or_default(), value: dimension.value.unwrap_or_default() }
    }
}

impl Statistic {
    /// Reads a statistic of either kind; gives back what `supports` does not take as an extended one.
    pub fn read(text: String, supports: &impl Fn(&str) -> bool) -> Result<Self, String> {
        match api::Statistic::known(&text) {
            Some(_) => Ok(Self::Simple(text)),
            None if supports(&text) => Ok(Self::Extended(text)),
            None => Err(text),
        }
    }

    /// The statistic as AWS writes it.
    pub fn as_str(&self) -> &str {
        let (Self::Simple(text) | Self::Extended(text)) = self;
        text
    }

    /// The percentile in percent (0 to 100), if this is a `pNN`.
    pub fn percentile(&self) -> Option<f64> {
        let Self::Extended(text) = self else { return None };
        let percent: f64 = text.strip_prefix(['p', 'P'])?.parse().ok()?;
        (0.0..=100.0).contains(&percent).then_some(percent)
    }
}

/// A datapoint: a period that has samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When the period begins.
    pub timestamp: Timestamp,
    /// The statistic over the period.
    pub value: f64,
    /// How many samples the period has; 0 if the value is computed from other datapoints.
    pub sample_count: f64,
    /// What is expected of the period, in an alarm on an anomaly band.
    pub band: Option<Band>,
}

/// What is usual in a period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Band {
    /// Below it is unusual.
    pub lower: f64,
    /// Above it is unusual.
    pub upper: f64,
}

/// A period that has samples, and where in it they lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FilledPeriod {
    /// When the period begins.
    pub timestamp: Timestamp,
    /// The statistic over the period; `None` where these samples have none.
    pub value: Option<f64>,
    /// How many samples the period has.
    pub sample_count: f64,
    /// When its first sample is.
    pub oldest: Timestamp,
    /// When its last sample is.
    pub newest: Timestamp,
}

/// What a metric has in a range, and whether it has more after it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownPeriods {
    /// The periods that have samples, ascending.
    pub periods: Vec<FilledPeriod>,
    /// Whether there is no sample at the end of the range or after it.
    pub is_last: bool,
}

impl KnownPeriods {
    /// The datapoints of the periods that begin before `to`.
    pub fn points(&self, to: Timestamp) -> Vec<Point> {
        let periods = self.periods.iter().take_while(|period| period.timestamp < to);
        periods.filter_map(|period| period.point_at(period.timestamp)).collect()
    }
}

impl FilledPeriod {
    /// The datapoint of a period with these samples that begins at `timestamp`.
    pub fn point_at(&self, timestamp: Timestamp) -> Option<Point> {
        self.value.map(|value| Point { timestamp, value, sample_count: self.sample_count, band: None })
    }
}

/// A metric that wakes an alarm, until this is dropped.
pub trait WatchedMetric: Send + Sync {
    /// What [`MetricReader::read`] would answer, with where the samples lie. `None` if that cannot be told,
    /// or if it is not the same in a part of the range as in all of it.
    fn look_ahead(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'_, Result<Option<KnownPeriods>, ReadError>>;
}

/// One series of a Metrics Insights query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuerySeries {
    /// The labels that the query groups by, with their values; none without `GROUP BY`.
    pub attributes: BTreeMap<String, String>,
    /// Its datapoints, in any order.
    pub points: Vec<Point>,
}

/// Why datapoints could not be read.
#[derive(Debug, thiserror::Error)]
#[error("datapoints cannot be read")]
pub struct ReadError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Reads datapoints.
pub trait MetricReader: Send + Sync + 'static {
    /// The datapoints of the periods `[from, from + period)`, `[from + period, from + 2 * period)`, … before
    /// `to`.
    ///
    /// The periods begin at `from`, **not** at multiples of the period since the epoch: an alarm's window
    /// slides by the minute (by ten seconds below one minute). `from` is a multiple of 60 s, or of 10 s if
    /// the period is below 60 s; `to` is `from` plus a whole number of periods. Periods without samples have
    /// no point. Any order.
    fn read<'a>(
        &'a self,
        scope: &'a Scope,
        query: &'a MetricQuery,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Point>, ReadError>>;

    /// Whether `statistic`, given as an ExtendedStatistic, can be computed.
    fn supports(&self, statistic: &str) -> bool;

    /// Has `wake` woken whenever the metric of `query` gets samples, right after they became readable, also
    /// if it has none yet. `None` if this reader cannot do that: the alarm is then read at each of its
    /// moments.
    fn watch(&self, _scope: &Scope, _query: &MetricQuery, _wake: Waker) -> Option<Box<dyn WatchedMetric>> {
        None
    }

    /// The series of a Metrics Insights query that have datapoints, over periods as [`Self::read`] has them.
    fn read_query<'a>(
        &'a self,
        _scope: &'a Scope,
        query: &'a str,
        _period_secs: u32,
        _range: (Timestamp, Timestamp),
    ) -> BoxFuture<'a, Result<Vec<QuerySeries>, ReadError>> {
        Box::pin(async move { Err(ReadError(format!("nobody can answer {query}").into())) })
    }

    /// The band that is the threshold of `query`, by the beginnings of periods as [`Self::read`] has them. A
    /// period of which nothing is known yet has none.
    fn read_band<'a>(
        &'a self,
        _scope: &'a Scope,
        query: &'a MathQuery,
        _range: (Timestamp, Timestamp),
    ) -> BoxFuture<'a, Result<BTreeMap<Timestamp, Band>, ReadError>> {
        Box::pin(async move {
            Err(ReadError(
                format!("nobody knows the band {}", query.band.as_deref().unwrap_or_default()).into(),
            ))
        })
    }

    /// For how long samples stay as they came, if they are summed up or deleted some day.
    fn unaltered_for(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pnn_is_a_percentile() {
        for (text, percent) in [
            ("p90", Some(90.0)),
            ("p99.9", Some(99.9)),
            ("P0", Some(0.0)),
            ("p101", None),
            ("tm90", None),
            ("IQM", None),
        ] {
            assert_eq!(Statistic::Extended(text.to_owned()).percentile(), percent, "{text}");
        }
        assert_eq!(Statistic::Simple("Average".to_owned()).percentile(), None);
    }
}
