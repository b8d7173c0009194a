//! Which operation a request means, in the order that tells AWS's protocols apart.
//!
//! 1. RPC v2: its path, with its header.
//! 2. JSON: `X-Amz-Target`.
//! 3. Query: `Action`, in the form or in the query string.
//!
//! Services with REST bindings come fourth, by the path and the name that the request is signed for, as one
//! more function beside the three. Paths that are not AWS's never get here: the [listener](crate::Listener)
//! has taken them out before.

use bytes::{BufMut, Bytes, BytesMut};
use groundwatch_api::{Fault, Protocol, Service};
use http::request::Parts;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::credentials::Credential;
use crate::query::first_value;
use crate::request::{RpcPath, SMITHY_PROTOCOL, TARGET, rpc_path, signed_for, target_service, text};
use crate::{Dialect, fault};

/// The way to an operation.
#[derive(Clone, Debug)]
pub struct Route {
    /// The service.
    pub service: &'static Service,
    /// The operation, which the service has in AWS.
    pub operation: &'static str,
    /// The document to decode the input from: the body, or the query string.
    pub payload: Bytes,
}

/// Finds the operation. `body` is whole and not compressed any more.
pub fn route(
    head: &Parts,
    body: Bytes,
    dialect: &Dialect,
    credential: Option<&Credential>,
    services: &[&'static Service],
) -> Result<Route, Fault> {
    if let Some(path) = rpc_path(head.uri.path()) {
        return rpc(head, &path, body, services);
    }
    if let Some(target) = text(&head.headers, TARGET) {
        return json(target, dialect, body, services);
    }
    let form = parameters(head, dialect, body);
    if let Some(action) = first_value(&form, "Action") {
        let service = query_service(&action, &form, credential, services)?;
        let operation = operation_of(service, &action)?;
        let payload = with_path_parameter(service, head.uri.path(), form);
        return Ok(Route { service, operation, payload });
    }
    Err(without_operation(head, credential, services))
}

fn rpc(head: &Parts, path: &RpcPath<'_>, body: Bytes, services: &[&'static Service]) -> Result<Route, Fault> {
    match text(&head.headers, SMITHY_PROTOCOL) {
        Some("rpc-v2-cbor") => {}
        Some(other) => return Err(fault::unknown_protocol(other)),
        None => return Err(fault::missing_smithy_protocol()),
    }
    let service = path
        .service(services)
        .ok_or_else(|| fault::unknown_service(path.service_id, path.operation, services))?;
    if !service.protocols.contains(&Protocol::RpcV2Cbor) {
        return Err(fault::wrong_protocol(service, "rpc-v2-cbor"));
    }
    Ok(Route { service, operation: operation_of(service, path.operation)?, payload: body })
}

fn json(target: &str, dialect: &Dialect, body: Bytes, services: &[&'static Service]) -> Result<Route, Fault> {
    let (prefix, operation) = target.rsplit_once('.').unwrap_or((target, ""));
    let service = target_service(target, services)
        .ok_or_else(|| fault::unknown_service(prefix, operation, services))?;
    // Which of the two versions is the client's choice: they differ in the content type only.
    let speaks_json =
        service.protocols.iter().any(|known| matches!(known, Protocol::Json10 | Protocol::Json11));
    if !speaks_json {
        return Err(fault::wrong_protocol(service, "JSON"));
    }
    debug_assert!(
        matches!(dialect.protocol, Protocol::Json10 | Protocol::Json11),
        "X-Amz-Target makes it JSON"
    );
    Ok(Route { service, operation: operation_of(service, operation)?, payload: body })
}

/// The parameters of a query request: those of the query string, then those of the form.
fn parameters(head: &Parts, dialect: &Dialect, body: Bytes) -> Bytes {
    let form = if dialect.protocol == Protocol::Query { body } else { Bytes::new() };
    match head.uri.query() {
        None | Some("") => form,
        Some(query) if form.is_empty() => Bytes::copy_from_slice(query.as_bytes()),
        Some(query) => {
            let mut both = BytesMut::with_capacity(query.len() + 1 + form.len());
            both.put_slice(query.as_bytes());
            both.put_u8(b'&');
            both.put(form);
            both.freeze()
        }
    }
}

/// Adds what the path says, for services that are called at the URLs of their resources.
fn with_path_parameter(service: &Service, path: &str, form: Bytes) -> Bytes {
    let name = service.path_parameter;
    if name.is_empty() || path == "/" || first_value(&form, name).is_some() {
        return form;
    }
    let value = utf8_percent_encode(path, NON_ALPHANUMERIC).to_string();
    [&form[..], b"&", name.as_bytes(), b"=", value.as_bytes()].concat().into()
}

/// SNS, SQS, STS and CloudWatch share `POST /` and some names of actions: the credential scope decides, then
/// `Version`.
fn query_service(
    action: &str,
    form: &[u8],
    credential: Option<&Credential>,
    services: &[&'static Service],
) -> Result<&'static Service, Fault> {
    let speaking = |service: &&'static Service| service.protocols.contains(&Protocol::Query);
    if let Some(credential) = credential {
        let service = signed_for(Some(credential), services)
            .ok_or_else(|| fault::unknown_service(&credential.service, action, services))?;
        return if speaking(&service) { Ok(service) } else { Err(fault::wrong_protocol(service, "query")) };
    }
    let version = first_value(form, "Version");
    let having: Vec<&'static Service> = services
        .iter()
        .copied()
        .filter(speaking)
        .filter(|service| service.operations.contains(&action))
        .collect();
    let fitting: Vec<&'static Service> = having
        .iter()
        .copied()
        .filter(|service| version.as_deref().is_none_or(|version| version == service.api_version))
        .collect();
    match (fitting.as_slice(), having.as_slice(), version) {
        (&[service], ..) => Ok(service),
        ([], [], _) => Err(fault::unknown_operation(None, action)),
        ([], _, Some(version)) => Err(fault::wrong_version(action, &version)),
        (several, ..) => Err(fault::ambiguous_action(action, several)),
    }
}

/// The model's own copy of an operation's name.
fn operation_of(service: &'static Service, name: &str) -> Result<&'static str, Fault> {
    let found = service.operations.iter().copied().find(|operation| *operation == name);
    found.ok_or_else(|| fault::unknown_operation(Some(service), name))
}

/// A request that names no operation. Signed for a service that is not here, it is a REST client's.
fn without_operation(head: &Parts, credential: Option<&Credential>, services: &[&'static Service]) -> Fault {
    let path = head.uri.path();
    match credential {
        Some(credential) if signed_for(Some(credential), services).is_none() => {
            fault::unknown_service(&credential.service, &format!("{} {path}", head.method), services)
        }
        _ if path == "/" => fault::missing_action(),
        _ => fault::unknown_path(&head.method, path),
    }
}

#[cfg(test)]
mod tests;
