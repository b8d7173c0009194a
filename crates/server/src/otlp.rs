//! The endpoint for OpenTelemetry: `POST /v1/logs`, as CloudWatch's own OTLP endpoint takes it.
//!
//! Source: CloudWatch Logs user guide, "Sending logs using the OTLP endpoint": the group and the stream are
//! named in headers and must exist.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_api::logs::PutLogEvents;
use groundwatch_api::logs::borrowed::{InputLogEvent, PutLogEventsInput};
use groundwatch_api::{Fault, Handle, validate};
use groundwatch_core::{Call, RequestId, SharedClock};
use groundwatch_logs::Logs;
use groundwatch_otlp::{Encoding, Event, LogsRequest, Refusal, Rejected, decode};
use groundwatch_wire::{Authenticator, Body, Claim, Credential, DevelopmentAuthenticator, Response};
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode, header};

const GROUP: &str = "x-aws-log-group";
const STREAM: &str = "x-aws-log-stream";

/// What one `PutLogEvents` takes: bytes with 26 for every event, events, and milliseconds between first and
/// last.
const BATCH_BYTES_MAX: usize = 1 << 20;
const EVENT_OVERHEAD_BYTES: usize = 26;
const BATCH_EVENTS_MAX: usize = 10_000;
const BATCH_SPAN_MS_MAX: i64 = 24 * 60 * 60 * 1000;

/// The endpoint.
pub(crate) struct OtlpEndpoint {
    logs: Arc<Logs>,
    clock: SharedClock,
}

/// Why a request is not carried out: the status and the reason.
struct Refused(StatusCode, Refusal, String);

impl OtlpEndpoint {
    pub(crate) fn new(logs: Arc<Logs>, clock: SharedClock) -> Self {
        Self { logs, clock }
    }

    /// Whether requests to this path are for it. Metrics and traces are, so that they are refused in their
    /// own words.
    pub(crate) fn owns(path: &str) -> bool {
        matches!(path, "/v1/logs" | "/v1/metrics" | "/v1/traces")
    }

    pub(crate) async fn handle(&self, request: Request<Bytes>, id: &RequestId) -> Response {
        let (head, body) = request.into_parts();
        let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let encoding = content_type.and_then(Encoding::of);
        let answered = match encoding {
            Some(encoding) => self.carry_out(&head, encoding, &body, id).await,
            None => Err(Refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Refusal::InvalidArgument,
                "the content type must be application/x-protobuf or application/json".to_owned(),
            )),
        };
        let encoding = encoding.unwrap_or(Encoding::Json);
        match answered {
            Ok(rejected) => answer(encoding, StatusCode::OK, encoding.accepted(rejected)),
            Err(Refused(status, refusal, message)) => {
                answer(encoding, status, encoding.refused(refusal, &message))
            }
        }
    }

    async fn carry_out(
        &self,
        head: &Parts,
        encoding: Encoding,
        body: &Bytes,
        id: &RequestId,
    ) -> Result<Rejected, Refused> {
        let path = head.uri.path();
        if path != "/v1/logs" {
            let message = format!("{path} is not implemented; /v1/logs is");
            return Err(Refused(StatusCode::NOT_IMPLEMENTED, Refusal::Unimplemented, message));
        }
        if head.method != Method::POST {
            let message = format!("{path} takes POST");
            return Err(Refused(StatusCode::METHOD_NOT_ALLOWED, Refusal::InvalidArgument, message));
        }
        let (group, stream) = (named(head, GROUP)?, named(head, STREAM)?);
        let credential = Credential::of(head).map_err(refused)?;
        let claim = Claim { head, credential: credential.as_ref(), body };
        let caller = DevelopmentAuthenticator.authenticate(&claim).map_err(refused)?;
        let request = decode(encoding, body).map_err(|error| bad_request(error.to_string()))?;

        let call = Call::new(caller, id.clone(), self.clock.now());
        let (events, too_large) = events(&request, call.received.as_millis());
        let stored = store(&self.logs, &call, &group, &stream, &events).await?;
        Ok(Rejected { too_large, ..stored })
    }
}

/// The events of a request in the order of time, and how many are too large for any batch.
fn events(request: &LogsRequest, now_millis: i64) -> (Vec<(i64, String)>, usize) {
    let mut events = Vec::new();
    let mut too_large = 0;
    for logs in &request.resource_logs {
        for of_scope in &logs.scope_logs {
            for record in &of_scope.log_records {
                let Event { at_millis, message } =
                    record.to_event(logs.resource.as_ref(), of_scope.scope.as_ref());
                if message.len() + EVENT_OVERHEAD_BYTES > BATCH_BYTES_MAX {
                    too_large += 1;
                } else {
                    events.push((at_millis.unwrap_or(now_millis), message));
                }
            }
        }
    }
    events.sort_by_key(|(millis, _)| *millis);
    (events, too_large)
}

/// Stores events in as few batches as they fit in.
async fn store(
    logs: &Logs,
    call: &Call,
    group: &str,
    stream: &str,
    events: &[(i64, String)],
) -> Result<Rejected, Refused> {
    let mut rejected = Rejected::default();
    for batch in batches(events) {
        let events = &events[batch];
        let count = events.len();
        let event = |(millis, message): &'_ (i64, String)| InputLogEvent {
            timestamp: Some(*millis),
            message: Some(Cow::Owned(message.clone())),
        };
        let input = PutLogEventsInput {
            log_group_name: Some(Cow::Borrowed(group)),
            log_stream_name: Some(Cow::Borrowed(stream)),
            log_events: Some(events.iter().map(event).collect()),
            ..PutLogEventsInput::default()
        };
        validate::check::<PutLogEvents>(&input).map_err(refused)?;
        let output = Handle::<PutLogEvents>::handle(logs, call, input).await.map_err(refused)?;
        if let Some(info) = output.rejected_log_events_info {
            let index = |index: Option<i32>| index.and_then(|index| usize::try_from(index).ok());
            let too_old = index(info.too_old_log_event_end_index).unwrap_or(0);
            rejected.too_old += too_old;
            rejected.expired += index(info.expired_log_event_end_index).map_or(0, |end| end - too_old);
            rejected.too_new += index(info.too_new_log_event_start_index).map_or(0, |start| count - start);
        }
    }
    Ok(rejected)
}

/// Cuts events, which are in the order of time, into batches that `PutLogEvents` takes.
fn batches(events: &[(i64, String)]) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, (millis, message)) in events.iter().enumerate() {
        let size = message.len() + EVENT_OVERHEAD_BYTES;
        let full = bytes + size > BATCH_BYTES_MAX
            || index - start == BATCH_EVENTS_MAX
            || millis.saturating_sub(events[start].0) > BATCH_SPAN_MS_MAX;
        if full {
            batches.push(start..index);
            (start, bytes) = (index, 0);
        }
        bytes += size;
    }
    if start < events.len() {
        batches.push(start..events.len());
    }
    batches
}

fn named(head: &Parts, name: &str) -> Result<String, Refused> {
    let value =
        head.headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
    value.map(str::to_owned).ok_or_else(|| bad_request(format!("the header {name} is missing")))
}

fn bad_request(message: String) -> Refused {
    Refused(StatusCode::BAD_REQUEST, Refusal::InvalidArgument, message)
}

/// A fault of the service in the words of OTLP, whose clients retry 429 and 503.
fn refused(fault: Fault) -> Refused {
    let (status, refusal) = match fault.shape.shape {
        "ResourceNotFoundException" => (StatusCode::NOT_FOUND, Refusal::NotFound),
        "ThrottlingException" => (StatusCode::TOO_MANY_REQUESTS, Refusal::ResourceExhausted),
        "ServiceUnavailableException" => (StatusCode::SERVICE_UNAVAILABLE, Refusal::Unavailable),
        _ if fault.shape.status >= 500 => (StatusCode::INTERNAL_SERVER_ERROR, Refusal::Internal),
        _ => (StatusCode::BAD_REQUEST, Refusal::InvalidArgument),
    };
    Refused(status, refusal, fault.message.unwrap_or_default())
}

fn answer(encoding: Encoding, status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::whole(body));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(encoding.content_type());
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_to_the_limits_of_put_log_events() {
        let check = |sizes: &[(i64, usize)], expected: &[(usize, usize)]| {
            let events: Vec<_> = sizes.iter().map(|(millis, size)| (*millis, "x".repeat(*size))).collect();
            let cut: Vec<_> = batches(&events).iter().map(|batch| (batch.start, batch.end)).collect();
            assert_eq!(cut, expected);
        };
        check(&[], &[]);
        check(&[(0, 1), (1, 1)], &[(0, 2)]);
        check(&[(0, 600_000), (0, 600_000), (1, 1)], &[(0, 1), (1, 3)]);
        check(&[(0, 1), (BATCH_SPAN_MS_MAX, 1), (BATCH_SPAN_MS_MAX + 1, 1)], &[(0, 2), (2, 3)]);
        let many = vec![(0, 0); BATCH_EVENTS_MAX + 1];
        check(&many, &[(0, BATCH_EVENTS_MAX), (BATCH_EVENTS_MAX, BATCH_EVENTS_MAX + 1)]);
    }
}
