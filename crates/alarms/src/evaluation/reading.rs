//! Reads the datapoints that an alarm watches, over one range.

use groundwatch_core::Scope;

use crate::definition::MetricDefinition;
use crate::evaluation::band::with_band;
use crate::evaluation::source::ReadPoints;
use crate::evaluation::window::Range;
use crate::reader::{MetricQuery, MetricReader, Point, QuerySeries, ReadError};

/// The datapoints of what `definition` watches in `range`; of a query for several series those of one.
pub(crate) async fn read_points(
    reader: &dyn MetricReader,
    scope: &Scope,
    definition: &MetricDefinition,
    range: &Range,
) -> Result<Vec<Point>, ReadError> {
    if let Some((_, query)) = definition.source.as_insights() {
        let mut series = read_query(reader, scope, query, range).await?;
        return Ok(series.pop().map(|series| series.points).unwrap_or_default());
    }
    let mut read = ReadPoints::new();
    for (id, metric) in definition.source.metrics() {
        read.push((id, read_metric(reader, scope, metric, range).await?));
    }
    compute(reader, scope, definition, read, range).await
}

/// What the datapoints of the metrics come to.
pub(crate) async fn compute(
    reader: &dyn MetricReader,
    scope: &Scope,
    definition: &MetricDefinition,
    read: ReadPoints<'_>,
    range: &Range,
) -> Result<Vec<Point>, ReadError> {
    let points = definition.source.points(read, range.from, range.to);
    let points = points.map_err(|error| ReadError(Box::new(error)))?;
    with_band(reader, scope, &definition.source, points, range).await
}

/// The series of a Metrics Insights query in `range`.
pub(crate) async fn read_query(
    reader: &dyn MetricReader,
    scope: &Scope,
    query: &str,
    range: &Range,
) -> Result<Vec<QuerySeries>, ReadError> {
    let period_secs = u32::try_from(range.period().as_secs()).unwrap_or(u32::MAX);
    reader.read_query(scope, query, period_secs, (range.from, range.to)).await
}

async fn read_metric(
    reader: &dyn MetricReader,
    scope: &Scope,
    metric: &MetricQuery,
    range: &Range,
) -> Result<Vec<Point>, ReadError> {
    let runs = range.runs();
    if let [run] = &runs[..]
        && run.period_secs == metric.period_secs
    {
        return reader.read(scope, metric, run.from, run.to).await;
    }
    // Days on which the clocks change are longer or shorter than others.
    let mut points = Vec::new();
    for run in runs {
        let metric = MetricQuery { period_secs: run.period_secs, ..metric.clone() };
        points.extend(reader.read(scope, &metric, run.from, run.to).await?);
    }
    Ok(points)
}
