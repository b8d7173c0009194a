//! Faults on the wire: the only place that knows that a code has two names, and a status that depends on the
//! protocol.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use groundwatch_api::{ErrorShape, Fault, Protocol, Service};
use groundwatch_core::RequestId;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::codec::answer;
use crate::query::escape;
use crate::response::{Response, stamp};
use crate::{Dialect, cbor, fault, json};

/// Carries the code of the query protocol beside a JSON or CBOR body.
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");

/// The namespace of the errors of AWS's framework.
const FRAMEWORK_NAMESPACE: &str = "com.amazon.coral.service";

/// The answer that tells a client of a fault.
pub fn render(fault: &Fault, dialect: &Dialect, id: &RequestId) -> Response {
    let status =
        StatusCode::from_u16(status(fault.shape, dialect)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = match dialect.protocol {
        Protocol::Query => xml(fault, dialect.service, id).into_bytes(),
        Protocol::Json10 | Protocol::Json11 => {
            json::encode(&members(fault, dialect.service)).unwrap_or_default()
        }
        Protocol::RpcV2Cbor => cbor::encode(&members(fault, dialect.service)).unwrap_or_default(),
    };
    let mut answer = answer(dialect.protocol, status, body);
    if dialect.protocol != Protocol::Query && is_query_compatible(dialect) {
        let value = format!("{};{}", fault.shape.code, side(fault.shape));
        // Codes are ASCII words from the model.
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(QUERY_ERROR, value);
        }
    }
    stamp(&mut answer, id);
    answer
}

fn is_query_compatible(dialect: &Dialect) -> bool {
    dialect.service.is_some_and(|service| service.query_compatible)
}

/// Over JSON and CBOR, query-compatible services answer every mistake of the client's with 400, unless the
/// client says that it knows the statuses of old (recorded from AWS with SetAlarmState).
fn status(shape: &ErrorShape, dialect: &Dialect) -> u16 {
    let collapses = dialect.protocol != Protocol::Query
        && is_query_compatible(dialect)
        && !dialect.query_mode
        && !fault::is_of_framework(shape);
    if collapses && (400..500).contains(&shape.status) { 400 } else { shape.status }
}

/// Whose mistake it is.
fn side(shape: &ErrorShape) -> &'static str {
    if shape.status < 500 { "Sender" } else { "Receiver" }
}

fn xml(fault: &Fault, service: Option<&Service>, id: &RequestId) -> String {
    let mut xml = String::from("<ErrorResponse");
    // Writing to a `String` does not fail.
    if let Some(service) = service.filter(|service| !service.xml_namespace.is_empty()) {
        let _ = write!(xml, " xmlns=\"{}\"", service.xml_namespace);
    }
    let _ = write!(xml, "><Error><Type>{}</Type><Code>{}</Code>", side(fault.shape), fault.shape.code);
    let others = service.map_or(&[][..], |service| service.query_messages);
    let other = others.iter().find(|(code, _)| *code == fault.shape.code).map(|(_, message)| *message);
    if let Some(message) = other.or(fault.message.as_deref()) {
        let _ = write!(xml, "<Message>{}</Message>", escape(message));
    }
    for (name, value) in &fault.details {
        let _ = write!(xml, "<{name}>{}</{name}>", escape(value));
    }
    let _ = write!(xml, "</Error><RequestId>{id}</RequestId></ErrorResponse>");
    xml
}

/// The error document of JSON and CBOR.
fn members(fault: &Fault, service: Option<&Service>) -> BTreeMap<&'static str, String> {
    let mut members = BTreeMap::from([("__type", shape_id(fault.shape, service))]);
    if let Some(message) = &fault.message {
        members.insert("message", message.clone());
    }
    members.extend(fault.details.iter().cloned());
    members
}

/// A shape's name as `__type` has it: with a namespace where the service sends namespaces at all.
fn shape_id(shape: &ErrorShape, service: Option<&Service>) -> String {
    // A violated constraint brings its own namespace.
    let (own_namespace, name) = match shape.shape.split_once('#') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, shape.shape),
    };
    let Some(service) = service.filter(|service| !service.shape_namespace.is_empty()) else {
        return name.to_owned();
    };
    let fallback = if fault::is_of_framework(shape) { FRAMEWORK_NAMESPACE } else { service.shape_namespace };
    format!("{}#{name}", own_namespace.unwrap_or(fallback))
}

#[cfg(test)]
mod tests;
