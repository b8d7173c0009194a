//! OTLP over HTTP: reads what OpenTelemetry's exporters post, and writes what they expect back.
//!
//! Owns the messages of logs in both encodings (protobuf and JSON), what becomes of a log record as the text
//! of a log event, and the answers. Does not own the HTTP endpoint (`server`), where events go (`logs`), or
//! limits of bodies (`wire`).
//!
//! The way through: [`Encoding::of`] (by content type) → [`decode`] → [`LogRecord::to_event`] for each →
//! [`Encoding::accepted`], or [`Encoding::refused`].
//!
//! What always holds: no input makes it panic, and nesting is bounded, by the decoders of both encodings.
//!
//! Sources: OpenTelemetry protocol specification 1.9 (OTLP/HTTP, JSON mapping); CloudWatch Logs user guide,
//! OTLP endpoint.

mod answer;
mod event;
mod json;
mod messages;

pub use answer::{Refusal, Rejected};
pub use event::Event;
pub use messages::{AnyValue, LogRecord, LogsRequest, Resource, ResourceLogs, Scope, ScopeLogs};

use prost::Message as _;

/// How a request is written, and so its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// A body that is not what its content type says.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not the protobuf message.
    #[error("not an ExportLogsServiceRequest: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// Not the JSON document.
    #[error("not an ExportLogsServiceRequest: {0}")]
    Json(#[from] serde_json::Error),
}

impl Encoding {
    /// The encoding that a content type names; parameters after `;` are ignored.
    pub fn of(content_type: &str) -> Option<Self> {
        match content_type.split(';').next()?.trim().to_ascii_lowercase().as_str() {
            "application/x-protobuf" | "application/protobuf" => Some(Self::Protobuf),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }

    /// Its content type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// Reads an `ExportLogsServiceRequest`.
pub fn decode(encoding: Encoding, body: &[u8]) -> Result<LogsRequest, DecodeError> {
    match encoding {
        Encoding::Protobuf => Ok(LogsRequest::decode(body)?),
        Encoding::Json => Ok(serde_json::from_slice(body)?),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_answered(body: Vec<u8>) {
            let _ = decode(Encoding::Protobuf, &body);
            let _ = decode(Encoding::Json, &body);
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!(
            "{}{}{}",
            r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"k","value":"#,
            r#"{"arrayValue":{"values":["#.repeat(200),
            "1"
        );
        assert!(decode(Encoding::Json, deep.as_bytes()).is_err());
    }

    #[test]
    fn content_types_are_told_apart() {
        assert_eq!(Encoding::of("application/x-protobuf"), Some(Encoding::Protobuf));
        assert_eq!(Encoding::of("Application/JSON; charset=utf-8"), Some(Encoding::Json));
        assert_eq!(Encoding::of("text/plain"), None);
    }
}
