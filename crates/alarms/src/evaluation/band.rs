//! Alarms on anomaly bands: each datapoint is held against what is expected of its period.
//!
//! A band is the whole of an expression, around an entry that has a model. A datapoint of which nothing is
//! expected, as there is not enough history yet, counts as missing: the alarm has nothing to compare it with.

use groundwatch_core::Scope;
use groundwatch_metric_math::{Checked, Expression, ExternalRequest, Node};

use crate::definition::DefinitionError;
use crate::definition::math_query::{MathQuery, MathQueryError};
use crate::evaluation::source::Source;
use crate::evaluation::window::Range;
use crate::reader::{MetricReader, Point, ReadError};

/// What one model can be of, in metrics and expressions.
const WATCHED_MAX: usize = 10;

/// Adds to `points` of `range` what is expected of them, if `source` has a band; other points stay as they
/// are.
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

/// Whether `expression` of `query` is a band around one of its entries and nothing else, and of a kind
/// that has models.
pub(crate) fn check_band(
    query: &MathQuery,
    expression: &Expression,
    checked: &Checked<'_>,
) -> Result<(), DefinitionError> {
    let unsupported = |what| Err(DefinitionError::Unsupported { what });
    let of = match checked.external_data() {
        [data] if data.span == expression.root().span => match &data.request {
            ExternalRequest::AnomalyDetectionBand { of, .. } => Some(of),
            _ => None,
        },
        _ => None,
    };
    let Some(of) = of else { return Err(MathQueryError::Band.into()) };
    let Node::Id(of) = &of.node else {
        return unsupported("ANOMALY_DETECTION_BAND of anything but an id in alarms");
    };
    if query.period_secs < 60 {
        return unsupported("ANOMALY_DETECTION_BAND with a period of less than 60 seconds");
    }
    if query.metrics().any(|(metric, _)| metric == of) {
        return Ok(());
    }
    if query.period_secs > 3600 {
        return unsupported(
            "ANOMALY_DETECTION_BAND of an expression with a period of more than 3600 seconds",
        );
    }
    if query.ordered().map_err(MathQueryError::from)?.iter().any(|(_, other)| other.uses_metrics()) {
        return unsupported("METRICS beside ANOMALY_DETECTION_BAND in alarms");
    }
    // The band itself is one more.
    if query.entries.len() > WATCHED_MAX + 1 {
        return Err(MathQueryError::TooMany {
            what: "metrics and expressions besides a band",
            limit: WATCHED_MAX,
        }
        .into());
    }
    Ok(())
}
