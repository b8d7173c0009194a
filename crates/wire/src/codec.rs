//! One table for all protocols: how an operation's input is decoded and its output encoded.

use std::fmt::Write as _;

use bytes::Bytes;
use groundwatch_api::{Fault, Operation, Protocol};
use groundwatch_core::RequestId;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::request::SMITHY_PROTOCOL;
use crate::response::{Response, response};
use crate::{Malformed, cbor, fault, json, query};

/// The content type of answers, of errors too.
pub(crate) fn content_type(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Query => "text/xml",
        Protocol::Json10 => "application/x-amz-json-1.0",
        Protocol::Json11 => "application/x-amz-json-1.1",
        Protocol::RpcV2Cbor => "application/cbor",
    }
}

/// An answer of that protocol, with the headers that its clients insist on.
pub(crate) fn answer(protocol: Protocol, status: StatusCode, body: impl Into<Bytes>) -> Response {
    let mut answer = response(status, content_type(protocol), body);
    if protocol == Protocol::RpcV2Cbor {
        answer.headers_mut().insert(SMITHY_PROTOCOL, HeaderValue::from_static("rpc-v2-cbor"));
    }
    answer
}

/// Decodes an operation's input.
pub fn decode<O: Operation>(protocol: Protocol, document: &[u8]) -> Result<O::Input<'_>, Fault> {
    let input = match protocol {
        Protocol::Query => query::decode(document, O::SERVICE.flattened),
        Protocol::Json10 | Protocol::Json11 => json::decode(document),
        // An operation without members is called without a body.
        Protocol::RpcV2Cbor if document.is_empty() => cbor::decode(&[0xa0]),
        Protocol::RpcV2Cbor => cbor::decode(document),
    };
    input.map_err(|malformed| fault::not_decodable(&malformed))
}

/// Encodes an operation's output into a successful answer.
pub(crate) fn encode<O: Operation<Output: Serialize>>(
    protocol: Protocol,
    output: &O::Output,
    id: &RequestId,
) -> Result<Response, Malformed> {
    let document: Bytes = match protocol {
        Protocol::Query => envelope::<O>(output, id)?.into(),
        _ if !O::HAS_OUTPUT => return Ok(without_body(protocol)),
        Protocol::Json10 | Protocol::Json11 => json::encode(output)?.into(),
        Protocol::RpcV2Cbor => cbor::encode(output)?.into(),
    };
    Ok(answer(protocol, StatusCode::OK, document))
}

/// What AWS answers where the model has no output shape.
fn without_body(protocol: Protocol) -> Response {
    let mut answer = answer(protocol, StatusCode::OK, Bytes::new());
    if protocol == Protocol::RpcV2Cbor {
        // Some clients would try to read an empty body as the content type says.
        answer.headers_mut().remove(header::CONTENT_TYPE);
    }
    answer
}

/// `<OpResponse><OpResult>…</OpResult><ResponseMetadata>…`.
fn envelope<O: Operation<Output: Serialize>>(
    output: &O::Output,
    id: &RequestId,
) -> Result<String, Malformed> {
    let (operation, namespace) = (O::NAME, O::SERVICE.xml_namespace);
    let mut xml = format!("<{operation}Response xmlns=\"{namespace}\">");
    if O::HAS_OUTPUT {
        let result = query::encode(output, O::SERVICE.flattened)?;
        // Writing to a `String` does not fail.
        let _ = write!(xml, "<{operation}Result>{result}</{operation}Result>");
    }
    let _ =
        write!(xml, "<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>");
    Ok(xml)
}
