//! The metric store, as a sink of the metrics that log events give rise to.

use bytes::Bytes;
use groundwatch_core::{BoxFuture, Scope};
use groundwatch_logs::{MetricDatum, MetricSink, SinkError};
use groundwatch_metrics::{Datum, MetricStore, Points, RecordWriter, Second, Unit};

/// Puts metrics of logs into the metric store: one record a namespace.
pub(crate) struct LogMetrics(pub(crate) MetricStore);

impl MetricSink for LogMetrics {
    fn put<'a>(&'a self, scope: &'a Scope, data: Vec<MetricDatum>) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(async move {
            for of_namespace in data.chunk_by(|one, next| one.namespace == next.namespace) {
                let record = record(scope, of_namespace);
                self.0.append(record).await.map_err(|error| SinkError(Box::new(error)))?;
            }
            Ok(())
        })
    }
}

fn record(scope: &Scope, data: &[MetricDatum]) -> Bytes {
    let namespace = data.first().map_or("", |datum| datum.namespace.as_str());
    let mut writer = RecordWriter::new(scope, namespace, data.len());
    for datum in data {
        let dimensions: Vec<(&str, &str)> =
            datum.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let values: Vec<(f64, f64)> = datum.values.iter().map(|value| (*value, 1.0)).collect();
        writer.push(&Datum {
            name: &datum.name,
            dimensions: &dimensions,
            // A unit that CloudWatch does not have is no unit, as AWS treats embedded metrics.
            unit: datum.unit.as_deref().and_then(Unit::parse).unwrap_or(Unit::None),
            second: Second::nearest(datum.at),
            points: Points::List(&values),
        });
    }
    Bytes::from(writer.finish())
}
