//! The output formats of metric streams: measures of a minute to bytes. Pure.

mod json;
mod opentelemetry;
mod units;

use groundwatch_api::cloudwatch::MetricStreamOutputFormat;
use groundwatch_core::{Scope, Timestamp};

use crate::{Measure, StreamedMetric};

/// Where measures come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) stream: &'a str,
    pub(crate) minute: Timestamp,
}

/// Appends one measure to a body: a line of JSON, or a message of OpenTelemetry behind its length.
pub(crate) fn append(
    body: &mut Vec<u8>,
    format: &MetricStreamOutputFormat,
    origin: Origin<'_>,
    metric: &StreamedMetric,
    measure: &Measure,
) {
    match format {
        MetricStreamOutputFormat::Opentelemetry10 => opentelemetry::append_1_0(body, origin, metric, measure),
        MetricStreamOutputFormat::Opentelemetry07 => opentelemetry::append_0_7(body, origin, metric, measure),
        _ => json::append(body, origin, metric, measure),
    }
}

#[cfg(test)]
pub(crate) fn sample() -> (StreamedMetric, Measure) {
    let metric = StreamedMetric {
        namespace: "AWS/EC2".to_owned(),
        name: "CPUUtilization".to_owned(),
        dimensions: vec![("InstanceId".to_owned(), "i-1".to_owned())],
    };
    let measure = Measure {
        unit: "Percent".to_owned(),
        count: 2.0,
        sum: 30.5,
        maximum: 20.5,
        minimum: 10.0,
        statistics: vec![("p99".to_owned(), 20.0)],
    };
    (metric, measure)
}
