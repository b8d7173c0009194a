//! What the head of a request tells before its body is looked at: the protocol, and mostly the service.
//!
//! Errors are told in the client's protocol, so this must be known even of a request that can be answered
//! with nothing else.

use groundwatch_api::{Protocol, Service};
use http::request::Parts;
use http::{HeaderMap, header};

use crate::credentials::Credential;
use crate::query::first_value;

pub(crate) const TARGET: &str = "x-amz-target";
pub(crate) const SMITHY_PROTOCOL: &str = "smithy-protocol";
/// Sent by SDKs to services that once spoke the query protocol only: they understand the old error codes and
/// statuses.
const QUERY_MODE: &str = "x-amzn-query-mode";
/// What the log events of a request are.
const LOGS_FORMAT: &str = "x-amzn-logs-format";
/// Which trace a request belongs to.
const TRACE: &str = "x-amzn-trace-id";

/// In which way a client speaks, and so wants to be answered.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The protocol.
    pub protocol: Protocol,
    /// The service, as far as known.
    pub service: Option<&'static Service>,
    /// Whether the client sent `x-amzn-query-mode: true`.
    pub query_mode: bool,
}

impl Dialect {
    /// The dialect that the head speaks. It never fails: a request that says nothing gets the oldest
    /// protocol, as from AWS.
    pub fn of(head: &Parts, credential: Option<&Credential>, services: &[&'static Service]) -> Self {
        let signed_for = || signed_for(credential, services);
        let (protocol, service) = if let Some(path) = rpc_path(head.uri.path()) {
            (Protocol::RpcV2Cbor, path.service(services))
        } else if let Some(target) = text(&head.headers, TARGET) {
            (json_version(&head.headers), target_service(target, services))
        } else if let Some(protocol) = by_content_type(&head.headers) {
            (protocol, signed_for())
        } else {
            (unnamed_protocol(head, credential, services), signed_for())
        };
        let query_mode =
            text(&head.headers, QUERY_MODE).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Self { protocol, service, query_mode }
    }
}

/// The service that a request is signed for.
pub(crate) fn signed_for(
    credential: Option<&Credential>,
    services: &[&'static Service],
) -> Option<&'static Service> {
    let name = &credential?.service;
    services.iter().copied().find(|service| service.signing_name == name)
}

/// The service that `X-Amz-Target` names before its last dot. Prefixes may have dots; some tools send only
/// the last part.
pub(crate) fn target_service(target: &str, services: &[&'static Service]) -> Option<&'static Service> {
    let last_part = |prefix: &str| prefix.rsplit('.').next().unwrap_or_default().to_owned();
    let (prefix, _) = target.rsplit_once('.')?;
    let wanted = last_part(prefix);
    services
        .iter()
        .copied()
        .find(|service| !service.target_prefix.is_empty() && last_part(service.target_prefix) == wanted)
}

/// The last four segments of a path of RPC v2: `service/<service>/operation/<operation>`.
pub(crate) struct RpcPath<'a> {
    pub(crate) service_id: &'a str,
    pub(crate) operation: &'a str,
}

impl RpcPath<'_> {
    pub(crate) fn service(&self, services: &[&'static Service]) -> Option<&'static Service> {
        services
            .iter()
            .copied()
            .find(|service| !service.target_prefix.is_empty() && service.target_prefix == self.service_id)
    }
}

pub(crate) fn rpc_path(path: &str) -> Option<RpcPath<'_>> {
    let mut segments = path.rsplit('/');
    let operation = segments.next()?;
    let (label, service, first) = (segments.next()?, segments.next()?, segments.next()?);
    // The service may be an absolute shape id, `namespace#Name`, whose `#` arrives escaped.
    let service_id = service.rsplit('#').next()?.rsplit("%23").next()?;
    (first == "service" && label == "operation").then_some(RpcPath { service_id, operation })
}

/// Whether the request's log events are said to be in the embedded metric format (source: CloudWatch user
/// guide, "Using the PutLogEvents API to send manually-created embedded metric format logs").
pub(crate) fn announces_metrics(headers: &HeaderMap) -> bool {
    text(headers, LOGS_FORMAT).is_some_and(|format| format.eq_ignore_ascii_case("json/emf"))
}

/// The trace that a request is a part of.
pub(crate) fn trace(headers: &HeaderMap) -> Option<String> {
    text(headers, TRACE).filter(|trace| !trace.is_empty()).map(str::to_owned)
}

/// A header's value, if it is there and is text.
pub(crate) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The content type without parameters, in lower case.
fn content_type(headers: &HeaderMap) -> String {
    let value = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn json_version(headers: &HeaderMap) -> Protocol {
    match content_type(headers).as_str() {
        "application/x-amz-json-1.0" => Protocol::Json10,
        _ => Protocol::Json11,
    }
}

fn by_content_type(headers: &HeaderMap) -> Option<Protocol> {
    if headers.contains_key(SMITHY_PROTOCOL) {
        return Some(Protocol::RpcV2Cbor);
    }
    match content_type(headers).as_str() {
        "application/cbor" => Some(Protocol::RpcV2Cbor),
        "application/x-amz-json-1.0" => Some(Protocol::Json10),
        "application/x-amz-json-1.1" | "application/json" => Some(Protocol::Json11),
        "application/x-www-form-urlencoded" => Some(Protocol::Query),
        _ => None,
    }
}

/// The protocol of a request that does not say: query, unless it is a REST client's of a service that is not
/// here. Those read JSON, but for S3's.
fn unnamed_protocol(
    head: &Parts,
    credential: Option<&Credential>,
    services: &[&'static Service],
) -> Protocol {
    let is_elsewhere = |credential: &&Credential| {
        credential.service != "s3" && signed_for(Some(credential), services).is_none()
    };
    let names_action = || first_value(head.uri.query().unwrap_or_default().as_bytes(), "Action").is_some();
    match credential.filter(is_elsewhere) {
        Some(_) if !names_action() => Protocol::Json11,
        _ => Protocol::Query,
    }
}
