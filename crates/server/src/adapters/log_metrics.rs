//! The metric store, as a sink of the metrics that log events give rise to.

use bytes::Bytes;
use groundwatch_core::{BoxFuture, Scope};
use groundwatch_logs::{AdmittedMetrics, MetricDatum, MetricSink, SinkError};
use groundwatch_metrics::{Admitted, Datum, MetricError, MetricStore, Points, RecordWriter, Second, Unit};
use groundwatch_storage::{Position, StreamId};

/// Puts metrics of logs into the metric store.
pub(crate) struct LogMetrics(pub(crate) MetricStore);

impl MetricSink for LogMetrics {
    fn admit<'a>(
        &'a self,
        scope: &'a Scope,
        data: Vec<MetricDatum>,
    ) -> BoxFuture<'a, Result<Box<dyn AdmittedMetrics + 'a>, SinkError>> {
        Box::pin(async move {
            let admitted = self.0.admit(records(scope, &data)).await.map_err(refused)?;
            Ok(Box::new(OfEvents(admitted)) as Box<dyn AdmittedMetrics + 'a>)
        })
    }
}

/// Metrics that become durable with the events that gave rise to them.
struct OfEvents<'s>(Admitted<'s>);

impl AdmittedMetrics for OfEvents<'_> {
    fn records(&self) -> Vec<(StreamId, Bytes)> {
        self.0.records().iter().map(|record| (StreamId::METRICS, record.clone())).collect()
    }

    fn durable(self: Box<Self>, positions: &[Position]) {
        if let Err(error) = self.0.durable(positions) {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "metrics of log events show after the next start only");
        }
    }
}

fn refused(error: MetricError) -> SinkError {
    match error {
        MetricError::Overloaded => SinkError::Overloaded,
        error => SinkError::Refused(Box::new(error)),
    }
}

/// One record a namespace.
fn records(scope: &Scope, data: &[MetricDatum]) -> Vec<Bytes> {
    data.chunk_by(|one, next| one.namespace == next.namespace).map(|some| record(scope, some)).collect()
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
