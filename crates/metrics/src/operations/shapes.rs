//! AWS's shapes as domain types, where several operations need the same.

use groundwatch_api::cloudwatch::{Dimension, StandardUnit};

use crate::{MetricId, Unit};

/// The unit of a validated request: the constraint table has refused unknown ones.
pub(super) fn unit(unit: &StandardUnit) -> Option<Unit> {
    Some(match unit {
        StandardUnit::None => Unit::None,
        StandardUnit::Seconds => Unit::Seconds,
        StandardUnit::Microseconds => Unit::Microseconds,
        StandardUnit::Milliseconds => Unit::Milliseconds,
        StandardUnit::Percent => Unit::Percent,
        StandardUnit::Count => Unit::Count,
        StandardUnit::Bytes => Unit::Bytes,
        other => return Unit::parse(other.as_str()),
    })
}

/// AWS's shape of a unit.
pub(super) fn standard_unit(unit: Unit) -> StandardUnit {
    StandardUnit::from(unit.as_str())
}

/// The metric that a request names.
pub(super) fn metric_id(namespace: String, name: String, dimensions: Option<Vec<Dimension>>) -> MetricId {
    let dimensions = dimensions.unwrap_or_default().into_iter();
    let dimensions =
        dimensions.map(|dimension| (dimension.name.unwrap_or_default(), dimension.value.unwrap_or_default()));
    MetricId { namespace, name, dimensions: dimensions.collect() }
}
