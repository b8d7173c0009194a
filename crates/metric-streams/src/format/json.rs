//! `json`: an object a line ("CloudWatch metric stream JSON format" in AWS's guide).

use std::collections::BTreeMap;

use serde::Serialize;

use super::Origin;
use crate::{Measure, StreamedMetric};

#[derive(Serialize)]
struct Line<'a> {
    metric_stream_name: &'a str,
    account_id: String,
    region: &'a str,
    namespace: &'a str,
    metric_name: &'a str,
    dimensions: BTreeMap<&'a str, &'a str>,
    /// Milliseconds since the epoch.
    timestamp: i64,
    value: Value<'a>,
    unit: &'a str,
}

#[derive(Serialize)]
struct Value<'a> {
    max: f64,
    min: f64,
    sum: f64,
    count: f64,
    #[serde(flatten)]
    statistics: BTreeMap<&'a str, f64>,
}

pub(super) fn append(body: &mut Vec<u8>, origin: Origin<'_>, metric: &StreamedMetric, measure: &Measure) {
    let pairs = metric.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let line = Line {
        metric_stream_name: origin.stream,
        account_id: origin.scope.account.to_string(),
        region: origin.scope.region.as_str(),
        namespace: &metric.namespace,
        metric_name: &metric.name,
        dimensions: pairs.collect(),
        timestamp: origin.minute.as_millis(),
        value: Value {
            max: measure.maximum,
            min: measure.minimum,
            sum: measure.sum,
            count: measure.count,
            statistics: measure.statistics.iter().map(|(name, value)| (name.as_str(), *value)).collect(),
        },
        unit: &measure.unit,
    };
    let line = serde_json::to_string(&line).expect("texts and finite numbers are JSON");
    body.extend_from_slice(line.as_bytes());
    body.push(b'\n');
}

#[cfg(test)]
mod tests {
    use groundwatch_core::{Scope, Timestamp};

    use super::*;
    use crate::format::sample;

    #[test]
    fn a_measure_is_a_line() {
        let (metric, measure) = sample();
        let scope = Scope::default();
        let origin = Origin { scope: &scope, stream: "all", minute: Timestamp::from_secs(1_767_225_600) };
        let mut body = Vec::new();
        append(&mut body, origin, &metric, &measure);
        let expected = concat!(
            r#"{"metric_stream_name":"all","account_id":"000000000000","region":"us-east-1","namespace":"AWS/EC2","#,
            r#""metric_name":"CPUUtilization","dimensions":{"InstanceId":"i-1"},"timestamp":1767225600000,"#,
            r#""value":{"max":20.5,"min":10.0,"sum":30.5,"count":2.0,"p99":20.0},"unit":"Percent"}"#,
            "\n"
        );
        assert_eq!(String::from_utf8_lossy(&body), expected);
    }
}
