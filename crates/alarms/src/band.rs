//! Alarms on anomaly bands: each datapoint is held against what is expected of its period.
//!
//! A datapoint of which nothing is expected, as there is not enough history yet, counts as missing: the alarm has nothing to
//! compare it with.

use groundwatch_core::Scope;

use crate::reader::{MetricReader, Point, ReadError};
use crate::source::Source;
use crate::window::Range;

/// Adds to `points` of `range` what is expected of them, if `source` has a band; other points stay as they are.
pub(crate) async fn with_band(
    reader: &dyn MetricReader,
    scope: &Scope,
    source: &Source,
    points: Vec<Point>,
    range: &Range,
) -> Result<Vec<Point>, ReadError> {
    let Some(query) = source.as_math().filter(|math| math.band.is_some()) else { return Ok(points) };
    if points.is_empty() {
        return Ok(points);
    }
    let bands = reader.read_band(scope, query, (range.from, range.to)).await?;
    let expected = points
        .into_iter()
        .filter_map(|point| Some(Point { band: Some(*bands.get(&point.timestamp)?), ..point }));
    Ok(expected.collect())
}
