//! Where metrics go that log events give rise to. The server plugs the metric store in.
//!
//! Metrics of events become durable with their events, in one piece: an event that is there has been counted,
//! exactly once, however the server ended.

use std::collections::BTreeMap;
use std::error::Error;

use bytes::Bytes;
use groundwatch_core::{BoxFuture, Scope, Timestamp};
use groundwatch_storage::{Position, StreamId};

/// Samples of one metric at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricDatum {
    /// The metric's namespace.
    pub namespace: String,
    /// The metric's name.
    pub name: String,
    /// (name, value), sorted by name, no name twice.
    pub dimensions: Vec<(String, String)>,
    /// When: the start of a minute, or of a second at high resolution.
    pub at: Timestamp,
    /// The samples, at least one; all finite.
    pub values: Vec<f64>,
    /// The unit in CloudWatch's spelling; `None` without one.
    pub unit: Option<String>,
}

/// Takes metrics.
pub trait MetricSink: Send + Sync {
    /// Makes room for `data`, which becomes durable together with the events that gave rise to it.
    fn admit<'a>(
        &'a self,
        scope: &'a Scope,
        data: Vec<MetricDatum>,
    ) -> BoxFuture<'a, Result<Box<dyn AdmittedMetrics + 'a>, SinkError>>;
}

/// Metrics that there is room for. They are given up when this is dropped.
pub trait AdmittedMetrics: Send {
    /// What the journal is to keep of them.
    fn records(&self) -> Vec<(StreamId, Bytes)>;

    /// Makes them visible: the journal has the records at these positions.
    fn durable(self: Box<Self>, positions: &[Position]);
}

/// Why metrics were not taken.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// There is no room at the moment: retry later.
    #[error("there is no room for metrics at the moment")]
    Overloaded,
    /// They will not be taken later either.
    #[error("metrics were not taken")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
}

/// Collects samples, those of one metric and moment together.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    data: BTreeMap<Place, Vec<f64>>,
}

/// Namespace, name, dimensions, moment and unit.
type Place = (String, String, Vec<(String, String)>, Timestamp, Option<String>);

/// The longest name of a metric, a namespace or a dimension.
const NAME_CHARACTERS_MAX: usize = 255;
/// The longest value of a dimension.
const DIMENSION_VALUE_CHARACTERS_MAX: usize = 1024;
/// Values lie between −2³⁶⁰ and 2³⁶⁰, as in `PutMetricData`.
const MAGNITUDE_MAX: f64 = f64::from_bits((1023 + 360) << 52);

impl Samples {
    /// Adds a sample. Refuses, by `false`, what `PutMetricData` would refuse.
    #[must_use]
    pub(crate) fn add(
        &mut self,
        (namespace, name): (&str, &str),
        dimensions: Vec<(String, String)>,
        at: Timestamp,
        value: f64,
        unit: Option<&str>,
    ) -> bool {
        let is_name = |text: &str| is_text(text, NAME_CHARACTERS_MAX);
        let dimensions_fit = dimensions
            .iter()
            .all(|(name, value)| is_name(name) && is_text(value, DIMENSION_VALUE_CHARACTERS_MAX));
        if !is_name(namespace)
            || !is_name(name)
            || !dimensions_fit
            || value.is_nan()
            || value.abs() > MAGNITUDE_MAX
        {
            return false;
        }
        let mut dimensions = dimensions;
        dimensions.sort_unstable();
        let key = (namespace.to_owned(), name.to_owned(), dimensions, at, unit.map(str::to_owned));
        self.data.entry(key).or_default().push(value);
        true
    }

    pub(crate) fn into_data(self) -> Vec<MetricDatum> {
        let datum = |((namespace, name, dimensions, at, unit), values)| MetricDatum {
            namespace,
            name,
            dimensions,
            at,
            values,
            unit,
        };
        self.data.into_iter().map(datum).collect()
    }
}

/// Printable ASCII that is not blank, as CloudWatch wants names.
fn is_text(text: &str, characters_max: usize) -> bool {
    let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    printable && text.len() <= characters_max && !text.trim_ascii().is_empty()
}
