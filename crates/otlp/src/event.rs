//! A log record as a log event: one JSON object.
//!
//! Its members are those that CloudWatch's own endpoint stores and indexes (`severityText`, `traceId`,
//! `attributes.session.id` …): `resource` and `scope` beside the record's own, attributes as an object by
//! their names.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Number, Value as Json, json};

use crate::messages::{AnyValue, KeyValue, LogRecord, Resource, Scope, Value};

const NANOS_PER_MILLI: u64 = 1_000_000;

/// What is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since 1970; `None` if the record has no time.
    pub at_millis: Option<i64>,
    /// A JSON object.
    pub message: String,
}

impl LogRecord {
    /// The event of this record.
    pub fn to_event(&self, resource: Option<&Resource>, scope: Option<&Scope>) -> Event {
        let time = if self.time_unix_nano > 0 { self.time_unix_nano } else { self.observed_time_unix_nano };
        Event {
            // A u64 of nanoseconds has few enough milliseconds for an i64.
            at_millis: (time > 0).then_some((time / NANOS_PER_MILLI) as i64),
            message: Json::Object(self.members(resource, scope)).to_string(),
        }
    }

    fn members(&self, resource: Option<&Resource>, scope: Option<&Scope>) -> Map<String, Json> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Json| members.insert(name.to_owned(), value);
        if let Some(resource) = resource {
            put("resource", json!({ "attributes": object(&resource.attributes) }));
        }
        if let Some(scope) = scope {
            put("scope", scope_members(scope));
        }
        put("timeUnixNano", self.time_unix_nano.into());
        put("observedTimeUnixNano", self.observed_time_unix_nano.into());
        put("severityNumber", self.severity_number.into());
        put("severityText", self.severity_text.as_str().into());
        put("body", self.body.as_ref().map_or(Json::Null, any));
        put("attributes", object(&self.attributes));
        if !self.event_name.is_empty() {
            put("eventName", self.event_name.as_str().into());
        }
        put("flags", self.flags.into());
        put("traceId", hex::encode(&self.trace_id).into());
        put("spanId", hex::encode(&self.span_id).into());
        members
    }
}

fn scope_members(scope: &Scope) -> Json {
    let mut members = Map::new();
    members.insert("name".to_owned(), scope.name.as_str().into());
    if !scope.version.is_empty() {
        members.insert("version".to_owned(), scope.version.as_str().into());
    }
    if !scope.attributes.is_empty() {
        members.insert("attributes".to_owned(), object(&scope.attributes));
    }
    Json::Object(members)
}

fn object(pairs: &[KeyValue]) -> Json {
    let member = |pair: &KeyValue| (pair.key.clone(), pair.value.as_ref().map_or(Json::Null, any));
    Json::Object(pairs.iter().map(member).collect())
}

fn any(value: &AnyValue) -> Json {
    match &value.value {
        None => Json::Null,
        Some(Value::String(text)) => text.as_str().into(),
        Some(Value::Bool(truth)) => (*truth).into(),
        Some(Value::Int(int)) => (*int).into(),
        // JSON has no numbers for NaN and the infinities; protobuf's JSON writes these names.
        Some(Value::Double(double)) => {
            Number::from_f64(*double).map_or_else(|| not_finite(*double), Json::Number)
        }
        Some(Value::Array(array)) => Json::Array(array.values.iter().map(any).collect()),
        Some(Value::KeyValues(list)) => object(&list.values),
        Some(Value::Bytes(bytes)) => BASE64_STANDARD.encode(bytes).into(),
    }
}

fn not_finite(double: f64) -> Json {
    let name = match double {
        _ if double.is_nan() => "NaN",
        _ if double > 0.0 => "Infinity",
        _ => "-Infinity",
    };
    name.into()
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::{Encoding, decode};

    const REQUEST: &str = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
        "scopeLogs":[{"scope":{"name":"lib","version":"1.0"},"logRecords":[{"timeUnixNano":"1767323045123456789",
        "observedTimeUnixNano":1767323045200000000,"severityNumber":9,"severityText":"INFO","body":{"stringValue":"hello"},
        "attributes":[{"key":"n","value":{"intValue":"7"}},{"key":"list","value":{"arrayValue":{"values":[{"boolValue":true},
        {"doubleValue":0.5},{}]}}},{"key":"map","value":{"kvlistValue":{"values":[{"key":"raw","value":{"bytesValue":"AQI="}}]}}}],
        "flags":1,"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174"}]}]}]}"#;

    const EVENT: &str = r#"{"attributes":{"list":[true,0.5,null],"map":{"raw":"AQI="},"n":7},"body":"hello","flags":1,"observedTimeUnixNano":1767323045200000000,"resource":{"attributes":{"service.name":"shop"}},"scope":{"name":"lib","version":"1.0"},"severityNumber":9,"severityText":"INFO","spanId":"eee19b7ec3c1b174","timeUnixNano":1767323045123456789,"traceId":"5b8efff798038103d269b633813fc60c"}"#;

    #[test]
    fn both_encodings_of_a_record_become_the_same_event() {
        let from_json = decode(Encoding::Json, REQUEST.as_bytes()).expect("well-formed");
        let from_protobuf = decode(Encoding::Protobuf, &from_json.encode_to_vec()).expect("well-formed");
        for request in [from_json, from_protobuf] {
            let logs = &request.resource_logs[0];
            let of_scope = &logs.scope_logs[0];
            let event = of_scope.log_records[0].to_event(logs.resource.as_ref(), of_scope.scope.as_ref());
            assert_eq!(event.at_millis, Some(1_767_323_045_123));
            let stored: Json = serde_json::from_str(&event.message).expect("JSON");
            assert_eq!(stored, serde_json::from_str::<Json>(EVENT).expect("JSON"));
        }
    }

    #[test]
    fn a_record_without_a_time_takes_when_it_was_seen() {
        let at = |time_unix_nano, observed_time_unix_nano| {
            LogRecord { time_unix_nano, observed_time_unix_nano, ..LogRecord::default() }
                .to_event(None, None)
                .at_millis
        };
        assert_eq!(at(0, 5_000_000), Some(5));
        assert_eq!(at(7_000_000, 5_000_000), Some(7));
        assert_eq!(at(0, 0), None);
        assert_eq!(at(u64::MAX, 0), Some(18_446_744_073_709));
    }
}
