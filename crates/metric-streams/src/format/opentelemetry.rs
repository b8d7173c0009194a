//! `opentelemetry1.0` and `opentelemetry0.7`: an ExportMetricsServiceRequest behind its length, for each
//! measure.
//!
//! The messages are those of OpenTelemetry's protocol, with the members that metric streams fill in: a metric
//! is a summary whose quantiles 0 and 1 are the minimum and the maximum.

use prost::Message;

use super::{Origin, units};
use crate::stream::MINUTE_SECS;
use crate::{Measure, StreamedMetric};

#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(message, repeated, tag = "1")]
    resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    /// The metrics of scopes in 1.0, of an instrumentation library in 0.7.
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<Scoped>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct Scoped {
    #[prost(message, repeated, tag = "2")]
    metrics: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    unit: String,
    #[prost(message, optional, tag = "11")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    points: Vec<SummaryPoint>,
}

#[derive(Clone, PartialEq, Message)]
struct SummaryPoint {
    /// 0.7 only.
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(fixed64, tag = "2")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    time_unix_nano: u64,
    #[prost(fixed64, tag = "4")]
    count: u64,
    #[prost(double, tag = "5")]
    sum: f64,
    #[prost(message, repeated, tag = "6")]
    quantiles: Vec<Quantile>,
    /// 1.0 only.
    #[prost(message, repeated, tag = "7")]
    attributes: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct Quantile {
    #[prost(double, tag = "1")]
    quantile: f64,
    #[prost(double, tag = "2")]
    value: f64,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "any_value::Value", tags = "1, 6")]
    value: Option<any_value::Value>,
}

mod any_value {
    /// A text, or texts by names.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(super) enum Value {
        #[prost(string, tag = "1")]
        Text(String),
        #[prost(message, tag = "6")]
        Members(super::Members),
    }
}

#[derive(Clone, PartialEq, Message)]
struct Members {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Attribute>,
}

pub(super) fn append_1_0(body: &mut Vec<u8>, origin: Origin<'_>, metric: &StreamedMetric, measure: &Measure) {
    let dimensions = metric.dimensions.iter().map(|(name, value)| attribute(name, value)).collect();
    let dimensions = AnyValue { value: Some(any_value::Value::Members(Members { values: dimensions })) };
    let attributes = vec![
        attribute("Namespace", &metric.namespace),
        attribute("MetricName", &metric.name),
        Attribute { key: "Dimensions".to_owned(), value: Some(dimensions) },
    ];
    let point = SummaryPoint { attributes, ..point(origin, measure) };
    append(body, &request(origin, metric, measure, point));
}

pub(super) fn append_0_7(body: &mut Vec<u8>, origin: Origin<'_>, metric: &StreamedMetric, measure: &Measure) {
    let own = [("Namespace", &metric.namespace), ("MetricName", &metric.name)];
    let dimensions = metric.dimensions.iter().map(|(name, value)| (name.as_str(), value));
    let label = |(key, value): (&str, &String)| Label { key: key.to_owned(), value: value.clone() };
    let labels = own.into_iter().chain(dimensions).map(label).collect();
    let point = SummaryPoint { labels, ..point(origin, measure) };
    append(body, &request(origin, metric, measure, point));
}

fn append(body: &mut Vec<u8>, request: &Request) {
    request.encode_length_delimited(body).expect("memory grows as it is needed");
}

fn request(origin: Origin<'_>, metric: &StreamedMetric, measure: &Measure, point: SummaryPoint) -> Request {
    let scope = origin.scope;
    let resource = Resource {
        attributes: vec![
            attribute("cloud.provider", "aws"),
            attribute("cloud.account.id", &scope.account.to_string()),
            attribute("cloud.region", scope.region.as_str()),
            attribute(
                "aws.exporter.arn",
                &scope.arn("cloudwatch", &format!("metric-stream/{}", origin.stream)),
            ),
        ],
    };
    let metric = Metric {
        name: format!("amazonaws.com/{}/{}", metric.namespace, metric.name),
        unit: units::ucum(&measure.unit),
        summary: Some(Summary { points: vec![point] }),
    };
    let scopes = vec![Scoped { metrics: vec![metric] }];
    Request { resource_metrics: vec![ResourceMetrics { resource: Some(resource), scopes }] }
}

fn point(origin: Origin<'_>, measure: &Measure) -> SummaryPoint {
    let start = u64::try_from(origin.minute.as_millis()).unwrap_or(0).saturating_mul(1_000_000);
    let percentile = |(name, value): &(String, f64)| {
        let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
        Some(Quantile { quantile: percent / 100.0, value: *value })
    };
    let mut quantiles = vec![Quantile { quantile: 0.0, value: measure.minimum }];
    quantiles.extend(measure.statistics.iter().filter_map(percentile));
    quantiles.push(Quantile { quantile: 1.0, value: measure.maximum });
    quantiles.sort_by(|a, b| a.quantile.total_cmp(&b.quantile));
    SummaryPoint {
        start_time_unix_nano: start,
        time_unix_nano: start.saturating_add(u64::from(MINUTE_SECS) * 1_000_000_000),
        // Samples can weigh fractions; this format counts whole ones.
        count: measure.count.round() as u64,
        sum: measure.sum,
        quantiles,
        ..SummaryPoint::default()
    }
}

fn attribute(key: &str, value: &str) -> Attribute {
    let value = AnyValue { value: Some(any_value::Value::Text(value.to_owned())) };
    Attribute { key: key.to_owned(), value: Some(value) }
}

#[cfg(test)]
mod tests {
    use groundwatch_core::{Scope, Timestamp};

    use super::*;
    use crate::format::sample;

    type Append = fn(&mut Vec<u8>, Origin<'_>, &StreamedMetric, &Measure);

    fn written(append: Append) -> Vec<u8> {
        let (metric, measure) = sample();
        let scope = Scope::default();
        let origin = Origin { scope: &scope, stream: "all", minute: Timestamp::from_secs(1_767_225_600) };
        let mut body = Vec::new();
        append(&mut body, origin, &metric, &measure);
        append(&mut body, origin, &metric, &measure);
        body
    }

    fn read(mut body: &[u8]) -> Vec<Request> {
        let mut requests = Vec::new();
        while !body.is_empty() {
            requests.push(Request::decode_length_delimited(&mut body).expect("a message"));
        }
        requests
    }

    #[test]
    fn each_measure_is_a_message_behind_its_length() {
        let requests = read(&written(append_1_0));
        assert_eq!(requests.len(), 2);
        let resource = &requests[0].resource_metrics[0];
        let names: Vec<&str> =
            resource.resource.iter().flat_map(|one| &one.attributes).map(|one| one.key.as_str()).collect();
        assert_eq!(names, ["cloud.provider", "cloud.account.id", "cloud.region", "aws.exporter.arn"]);
        let metric = &resource.scopes[0].metrics[0];
        assert_eq!(
            (metric.name.as_str(), metric.unit.as_str()),
            ("amazonaws.com/AWS/EC2/CPUUtilization", "%")
        );
        let point = &metric.summary.as_ref().expect("a summary").points[0];
        assert_eq!((point.count, point.sum), (2, 30.5));
        assert_eq!(point.time_unix_nano - point.start_time_unix_nano, 60_000_000_000);
        let quantiles: Vec<(f64, f64)> =
            point.quantiles.iter().map(|one| (one.quantile, one.value)).collect();
        assert_eq!(quantiles, [(0.0, 10.0), (0.99, 20.0), (1.0, 20.5)]);
        assert_eq!((point.labels.len(), point.attributes.len()), (0, 3));
    }

    #[test]
    fn the_older_version_has_flat_labels() {
        let requests = read(&written(append_0_7));
        let point =
            &requests[0].resource_metrics[0].scopes[0].metrics[0].summary.as_ref().expect("a summary").points
                [0];
        let labels: Vec<(&str, &str)> =
            point.labels.iter().map(|label| (label.key.as_str(), label.value.as_str())).collect();
        assert_eq!(
            labels,
            [("Namespace", "AWS/EC2"), ("MetricName", "CPUUtilization"), ("InstanceId", "i-1")]
        );
        assert_eq!(point.attributes.len(), 0);
    }

    /// Worked out by hand from the numbers of the protocol's members: tag << 3 | wire type.
    #[test]
    fn the_bytes_are_those_of_the_protocol() {
        let body = written(append_1_0);
        let length = usize::from(body[0] & 0x7f) | usize::from(body[1]) << 7;
        assert_eq!(body.len(), 2 * (length + 2), "a length of two bytes, and the message, twice");
        // resource_metrics = 1, length-delimited; then resource = 1 in it, and attributes = 1 with key = 1.
        assert_eq!((body[2], body[5], body[8]), (0x0a, 0x0a, 0x0a));
        let text = b"amazonaws.com/AWS/EC2/CPUUtilization";
        let at = body.windows(text.len()).position(|window| window == text).expect("the name");
        assert_eq!((body[at - 2], usize::from(body[at - 1])), (0x0a, text.len()));
        // unit = 3 behind it: a text of one byte.
        assert_eq!(&body[at + text.len()..at + text.len() + 3], [0x1a, 0x01, b'%']);
        // summary = 11.
        assert_eq!(body[at + text.len() + 3], 0x5a);
    }
}
