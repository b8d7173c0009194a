//! The message that carries events: AWS's JSON, and what it becomes for each kind of receiver.

use std::collections::BTreeMap;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use groundwatch_core::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// How hard messages are compressed: AWS's guide names level 6.
const GZIP_LEVEL: u32 = 6;

/// Events of one stream on their way (source: CloudWatch Logs user guide, subscriptions).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    pub(crate) message_type: MessageType,
    /// The account.
    pub(crate) owner: String,
    pub(crate) log_group: String,
    pub(crate) log_stream: String,
    /// Names of the filters that let the events through: one here.
    pub(crate) subscription_filters: Vec<String>,
    pub(crate) log_events: Vec<ForwardedEvent>,
}

/// Whether a message carries events, or tries a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum MessageType {
    DataMessage,
    ControlMessage,
}

/// One event in a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ForwardedEvent {
    pub(crate) id: String,
    /// Milliseconds since 1970.
    pub(crate) timestamp: i64,
    pub(crate) message: String,
    /// What a space-delimited pattern found, by the names of its fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extracted_fields: Option<BTreeMap<String, String>>,
    /// `@aws.account` and the like, as far as the filter asks for them.
    #[serde(flatten)]
    pub(crate) system_fields: BTreeMap<&'static str, String>,
}

impl Message {
    /// What AWS sends to see whether a destination is there.
    pub(crate) fn control(text: &str, at: Timestamp) -> Self {
        let event = ForwardedEvent {
            id: String::new(),
            timestamp: at.as_millis(),
            message: text.to_owned(),
            extracted_fields: None,
            system_fields: BTreeMap::new(),
        };
        Self {
            message_type: MessageType::ControlMessage,
            owner: "CloudwatchLogs".to_owned(),
            log_group: String::new(),
            log_stream: String::new(),
            subscription_filters: Vec::new(),
            log_events: vec![event],
        }
    }

    /// The JSON itself.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }

    /// The JSON in gzip, as streams get it.
    pub(crate) fn to_gzip(&self) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
        encoder.write_all(&self.to_json()).expect("memory takes all");
        encoder.finish().expect("memory takes all")
    }

    /// The gzip in Base64, as records of streams have it in a request.
    pub(crate) fn to_base64(&self) -> String {
        BASE64.encode(self.to_gzip())
    }

    /// The event that a Lambda function gets.
    pub(crate) fn to_lambda_event(&self) -> Vec<u8> {
        json!({ "awslogs": { "data": self.to_base64() } }).to_string().into_bytes()
    }

    /// The body of OpenSearch's `_bulk`: an index a day, a document an event, with the names that AWS's own
    /// forwarder to OpenSearch uses. A message that is a JSON object gives its members to the document.
    pub(crate) fn to_bulk(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for event in &self.log_events {
            let at = Timestamp::from_millis(event.timestamp);
            let index = at.strftime("cwl-%Y.%m.%d");
            let action = json!({ "index": { "_index": index, "_id": event.id } });
            let line = |body: &mut Vec<u8>, value: &Value| {
                serde_json::to_writer(&mut *body, value).expect("memory takes all");
                body.push(b'\n');
            };
            line(&mut body, &action);
            line(&mut body, &Value::Object(self.document(event, at)));
        }
        body
    }

    fn document(&self, event: &ForwardedEvent, at: Timestamp) -> Map<String, Value> {
        let mut document = match serde_json::from_str(&event.message) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        let found = event.extracted_fields.iter().flatten();
        document.extend(found.map(|(name, text)| (name.clone(), Value::from(text.as_str()))));
        for (name, text) in [
            ("@id", event.id.as_str()),
            ("@timestamp", &at.to_iso8601()),
            ("@message", &event.message),
            ("@owner", &self.owner),
            ("@log_group", &self.log_group),
            ("@log_stream", &self.log_stream),
        ] {
            document.insert(name.to_owned(), Value::from(text));
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn message(texts: &[&str]) -> Message {
        let event = |(number, text): (usize, &&str)| ForwardedEvent {
            id: format!("{number:056}"),
            timestamp: 1_432_826_855_000 + number as i64,
            message: (*text).to_owned(),
            extracted_fields: None,
            system_fields: BTreeMap::new(),
        };
        Message {
            message_type: MessageType::DataMessage,
            owner: "123456789012".to_owned(),
            log_group: "CloudTrail".to_owned(),
            log_stream: "s".to_owned(),
            subscription_filters: vec!["Destination".to_owned()],
            log_events: texts.iter().enumerate().map(event).collect(),
        }
    }

    #[test]
    fn the_json_is_that_of_the_guide() {
        let json = String::from_utf8(message(&["a"]).to_json()).expect("UTF-8");
        let expected = concat!(
            r#"{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"CloudTrail","logStream":"s","#,
            r#""subscriptionFilters":["Destination"],"logEvents":[{"id":"#,
            r#""00000000000000000000000000000000000000000000000000000000","#,
            r#""timestamp":1432826855000,"message":"a"}]}"#,
        );
        assert_eq!(json, expected);
    }

    #[test]
    fn fields_stand_in_the_event() {
        let mut message = message(&["a b"]);
        let event = &mut message.log_events[0];
        event.extracted_fields = Some([("first".to_owned(), "a".to_owned())].into());
        event.system_fields = [("@aws.region", "us-east-1".to_owned())].into();
        let json: Value = serde_json::from_slice(&message.to_json()).expect("JSON");
        assert_eq!(json["logEvents"][0]["extractedFields"], json!({ "first": "a" }));
        assert_eq!(json["logEvents"][0]["@aws.region"], "us-east-1");
    }

    #[test]
    fn a_function_gets_gzip_in_base64() {
        let message = message(&["a", "ü"]);
        let event: Value = serde_json::from_slice(&message.to_lambda_event()).expect("JSON");
        let gzip = BASE64.decode(event["awslogs"]["data"].as_str().expect("a text")).expect("Base64");
        let mut json = Vec::new();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut json).expect("gzip");
        assert_eq!(json, message.to_json());
    }

    #[test]
    fn opensearch_gets_a_document_an_event() {
        let body = String::from_utf8(message(&[r#"{"level":"info"}"#, "text"]).to_bulk()).expect("UTF-8");
        let lines: Vec<Value> =
            body.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0]["index"]["_index"], "cwl-2015.05.28");
        assert_eq!(lines[1]["level"], "info");
        assert_eq!(lines[1]["@message"], r#"{"level":"info"}"#);
        assert_eq!(lines[3]["@log_group"], "CloudTrail");
        assert!(body.ends_with('\n'));
    }
}
