//! What exporters are answered.

use prost::Message as _;
use serde_json::json;

use crate::Encoding;

/// How many records were not stored, and why. Source: CloudWatch Logs user guide, OTLP endpoint, partial
/// success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// Older than 14 days.
    pub too_old: usize,
    /// More than two hours ahead.
    pub too_new: usize,
    /// Older than the group keeps events.
    pub expired: usize,
    /// Larger than any event may be. AWS refuses the whole request.
    pub too_large: usize,
}

/// Why a request is refused as a whole: `google.rpc.Code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It can never succeed.
    InvalidArgument = 3,
    /// Where it should go does not exist.
    NotFound = 5,
    /// Too much at a time: retry later.
    ResourceExhausted = 8,
    /// This is not offered.
    Unimplemented = 12,
    /// Something failed here.
    Internal = 13,
    /// Retry later.
    Unavailable = 14,
}

impl Rejected {
    /// How many in all.
    pub fn count(&self) -> usize {
        self.too_old + self.too_new + self.expired + self.too_large
    }

    fn message(&self) -> String {
        let mut counts = json!({
            "tooOldLogEventCount": self.too_old,
            "tooNewLogEventCount": self.too_new,
            "expiredLogEventCount": self.expired,
        });
        if self.too_large > 0 {
            counts["tooLargeLogEventCount"] = self.too_large.into();
        }
        counts.to_string()
    }
}

/// `ExportLogsServiceResponse`.
#[derive(Clone, PartialEq, prost::Message)]
struct LogsResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

/// `ExportLogsPartialSuccess`.
#[derive(Clone, PartialEq, prost::Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_log_records: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

impl Encoding {
    /// The body of the answer to a request that was carried out, but for `rejected`.
    pub fn accepted(self, rejected: Rejected) -> Vec<u8> {
        let count = i64::try_from(rejected.count()).unwrap_or(i64::MAX);
        let partial_success = (count > 0)
            .then(|| PartialSuccess { rejected_log_records: count, error_message: rejected.message() });
        match (self, partial_success) {
            (Self::Protobuf, partial_success) => LogsResponse { partial_success }.encode_to_vec(),
            (Self::Json, None) => b"{}".to_vec(),
            (Self::Json, Some(partial)) => json!({
                "partialSuccess": {
                    "rejectedLogRecords": partial.rejected_log_records.to_string(),
                    "errorMessage": partial.error_message,
                }
            })
            .to_string()
            .into_bytes(),
        }
    }

    /// The body of the answer to a request that was refused.
    pub fn refused(self, refusal: Refusal, message: &str) -> Vec<u8> {
        let code = refusal as i32;
        match self {
            Self::Protobuf => Status { code, message: message.to_owned() }.encode_to_vec(),
            Self::Json => json!({ "code": code, "message": message }).to_string().into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_say_what_was_not_stored() {
        assert_eq!(Encoding::Json.accepted(Rejected::default()), b"{}");
        assert!(Encoding::Protobuf.accepted(Rejected::default()).is_empty());
        let rejected = Rejected { too_old: 3, too_new: 1, expired: 1, too_large: 0 };
        let json: serde_json::Value =
            serde_json::from_slice(&Encoding::Json.accepted(rejected)).expect("JSON");
        assert_eq!(json["partialSuccess"]["rejectedLogRecords"], "5");
        let why = r#"{"expiredLogEventCount":1,"tooNewLogEventCount":1,"tooOldLogEventCount":3}"#;
        assert_eq!(json["partialSuccess"]["errorMessage"], why);
        let protobuf =
            LogsResponse::decode(Encoding::Protobuf.accepted(rejected).as_slice()).expect("a response");
        assert_eq!(protobuf.partial_success.map(|partial| partial.rejected_log_records), Some(5));
    }

    #[test]
    fn refusals_are_statuses_in_the_encoding_of_the_request() {
        let body = Encoding::Protobuf.refused(Refusal::NotFound, "gone");
        let status = Status::decode(body.as_slice()).expect("a status");
        assert_eq!((status.code, status.message.as_str()), (5, "gone"));
        assert_eq!(Encoding::Json.refused(Refusal::NotFound, "gone"), br#"{"code":5,"message":"gone"}"#);
    }
}
