//! The parts of definitions that AWS writes alike into notifications (`PascalCase`) and into histories and
//! events (`camelCase`).

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::composite::suppression::Suppressor;
use crate::definition::math_query::{MathEntry, Term};
use crate::reader::{Dimension, MetricQuery};

/// How members are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// `ReturnData`
    Pascal,
    /// `returnData`
    Camel,
}

/// An entry of `Metrics` in one of the two cases.
pub(crate) struct EntryJson<'a>(pub(crate) Case, pub(crate) &'a MathEntry);

struct MetricStatJson<'a>(Case, &'a MetricQuery);

struct MetricJson<'a>(Case, &'a MetricQuery);

impl Case {
    fn of(self, name: &'static str) -> String {
        match self {
            Self::Pascal => name.to_owned(),
            Self::Camel => {
                let (first, rest) = name.split_at(1);
                first.to_ascii_lowercase() + rest
            }
        }
    }
}

impl Serialize for EntryJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(case, entry) = self;
        let mut map = serializer.serialize_map(None)?;
        if let Term::Expression(text) = &entry.term {
            map.serialize_entry(&case.of("Expression"), text)?;
        }
        map.serialize_entry(&case.of("Id"), &entry.id)?;
        if let Some(label) = &entry.label {
            map.serialize_entry(&case.of("Label"), label)?;
        }
        if let Term::Metric(metric) = &entry.term {
            map.serialize_entry(&case.of("MetricStat"), &MetricStatJson(*case, metric))?;
        }
        if let Some(period_secs) = entry.period_secs {
            map.serialize_entry(&case.of("Period"), &period_secs)?;
        }
        map.serialize_entry(&case.of("ReturnData"), &entry.returned)?;
        map.end()
    }
}

impl Serialize for MetricStatJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(case, metric) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(&case.of("Metric"), &MetricJson(*case, metric))?;
        map.serialize_entry(&case.of("Period"), &metric.period_secs)?;
        map.serialize_entry(&case.of("Stat"), metric.statistic.as_str())?;
        if let Some(unit) = &metric.unit {
            map.serialize_entry(&case.of("Unit"), unit)?;
        }
        map.end()
    }
}

impl Serialize for MetricJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(case, metric) = self;
        let dimensions: Vec<_> = metric.dimensions.iter().map(LowerCaseDimension::of).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(&case.of("Dimensions"), &dimensions)?;
        map.serialize_entry(&case.of("MetricName"), &metric.metric_name)?;
        map.serialize_entry(&case.of("Namespace"), &metric.namespace)?;
        map.end()
    }
}

/// The members that speak of a suppressor; none if there is none.
pub(crate) struct SuppressorJson<'a>(pub(crate) Case, pub(crate) Option<&'a Suppressor>);

impl Serialize for SuppressorJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(case, suppressor) = self;
        let mut map = serializer.serialize_map(None)?;
        if let Some(suppressor) = suppressor {
            map.serialize_entry(&case.of("ActionsSuppressor"), &suppressor.alarm)?;
            map.serialize_entry(&case.of("ActionsSuppressorWaitPeriod"), &suppressor.wait_secs)?;
            map.serialize_entry(&case.of("ActionsSuppressorExtensionPeriod"), &suppressor.extension_secs)?;
        }
        map.end()
    }
}

/// A dimension as AWS writes it into JSON texts: value first, in lower case (recorded 2022 and 2026-02).
#[derive(serde::Serialize)]
pub(crate) struct LowerCaseDimension<'a> {
    value: &'a str,
    name: &'a str,
}

impl<'a> LowerCaseDimension<'a> {
    pub(crate) fn of(dimension: &'a Dimension) -> Self {
        Self { value: &dimension.value, name: &dimension.name }
    }
}
