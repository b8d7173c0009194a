//! Metrics, as streams read them.

use groundwatch_core::{BoxFuture, Scope, Timestamp};

/// A metric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamedMetric {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Names and values.
    pub dimensions: Vec<(String, String)>,
}

/// What was measured of a metric in a minute, in one unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measure {
    /// AWS's name of the unit.
    pub unit: String,
    /// How many samples.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The greatest.
    pub maximum: f64,
    /// The least.
    pub minimum: f64,
    /// The statistics that were asked for, as far as they exist, by their names.
    pub statistics: Vec<(String, f64)>,
}

/// Why metrics could not be read.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be read: {0}")]
pub struct SourceError(pub String);

/// Reads metrics.
pub trait MinuteSource: Send + Sync + 'static {
    /// Metrics that may have data since `since`, at most a thousand, and where the next page begins.
    fn metrics(
        &self,
        scope: &Scope,
        since: Timestamp,
        after: Option<&str>,
    ) -> (Vec<StreamedMetric>, Option<String>);

    /// What was measured in the minute that begins at `minute`: one measure a unit, none without data.
    fn measures<'a>(
        &'a self,
        scope: &'a Scope,
        metric: &'a StreamedMetric,
        minute: Timestamp,
        statistics: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Measure>, SourceError>>;

    /// The first minute with data of those that begin at `from` and after it, before `to`. Both are
    /// beginnings of minutes, however far apart: what it costs goes by the data between them.
    fn first_minute<'a>(
        &'a self,
        scope: &'a Scope,
        metric: &'a StreamedMetric,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Timestamp>, SourceError>>;

    /// Whether a statistic can be computed.
    fn supports(&self, statistic: &str) -> bool;
}
