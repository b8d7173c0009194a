//! The entries of `Metrics` as AWS writes them into notifications (`PascalCase`) and histories (`camelCase`).

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::history::LowerCaseDimension;
use crate::math::{MathEntry, Term};
use crate::reader::MetricQuery;

/// How members are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// `ReturnData`
    Pascal,
    /// `returnData`
    Camel,
}

/// An entry in one of the two cases.
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
