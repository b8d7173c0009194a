//! The errors that the wire itself answers, with their wording. What services answer is theirs.

use groundwatch_api::{ErrorShape, Fault, Service, common};

use crate::Malformed;

/// Declares error shapes that no service's model has, and the list of them.
macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident = $shape:literal, $code:literal, $status:literal;)+) => {
        $($(#[$doc])* pub(crate) static $name: ErrorShape =
            ErrorShape { shape: $shape, code: $code, status: $status };)+
        static ALL: &[&ErrorShape] = &[$(&$name),+];
    };
}

shapes! {
    /// A body that does not decode. The query protocol has an own word for it.
    SERIALIZATION = "SerializationException", "MalformedInput", 400;
    /// A request that is wrong below the level of any protocol: its compression, its headers, its framing.
    MALFORMED_HTTP_REQUEST = "MalformedHttpRequestException", "MalformedHttpRequestException", 400;
    /// A body that is larger than anything legal, packed or unpacked.
    REQUEST_ENTITY_TOO_LARGE = "RequestEntityTooLargeException", "RequestEntityTooLargeException", 413;
    /// A body that does not arrive.
    REQUEST_TIMEOUT = "RequestTimeoutException", "RequestTimeout", 408;
    /// A request that names no operation.
    MISSING_ACTION = "MissingAction", "MissingAction", 400;
    /// An operation that the service does not have in AWS either.
    UNKNOWN_OPERATION = "UnknownOperationException", "InvalidAction", 400;
    /// A path that no protocol of AWS's uses.
    UNKNOWN_PATH = "UnknownOperationException", "InvalidAction", 404;
    /// An operation that the service has in AWS. 501, which SDKs do not retry.
    NOT_IMPLEMENTED = "NotImplementedException", "NotImplemented", 501;
    /// A service that is not served here.
    UNKNOWN_SERVICE = "UnknownServiceException", "UnknownService", 404;
    /// An `Authorization` header, or its like in a query string, that cannot be read.
    INCOMPLETE_SIGNATURE = "IncompleteSignatureException", "IncompleteSignature", 400;
    /// A request that a web page made a browser send.
    FOREIGN_PAGE = "AccessDeniedException", "AccessDenied", 403;
}

/// Whether an error comes from AWS's framework rather than from a service's model: its `__type` has another
/// namespace, and its status is never collapsed.
pub(crate) fn is_of_framework(shape: &ErrorShape) -> bool {
    let common = [&common::INTERNAL_FAILURE, &common::SERVICE_UNAVAILABLE, &common::THROTTLING];
    ALL.iter().chain(&common).any(|ours| std::ptr::eq(*ours, shape))
}

pub(crate) fn not_decodable(malformed: &Malformed) -> Fault {
    SERIALIZATION.with(malformed.to_string())
}

pub(crate) fn too_large(bytes_max: usize) -> Fault {
    REQUEST_ENTITY_TOO_LARGE.with(format!("the request's body is larger than {bytes_max} bytes"))
}

pub(crate) fn too_large_unpacked(bytes_max: usize) -> Fault {
    REQUEST_ENTITY_TOO_LARGE
        .with(format!("the request's body is larger than {bytes_max} bytes after decompression"))
}

pub(crate) fn bad_compression() -> Fault {
    MALFORMED_HTTP_REQUEST.with("the request's body is not what its Content-Encoding says")
}

pub(crate) fn unknown_encoding(encoding: &str) -> Fault {
    MALFORMED_HTTP_REQUEST
        .with(format!("Content-Encoding `{}` is not supported, only gzip is", cut(encoding)))
}

pub(crate) fn body_broke_off() -> Fault {
    MALFORMED_HTTP_REQUEST.with("the request's body broke off")
}

pub(crate) fn body_stalled() -> Fault {
    REQUEST_TIMEOUT.with("the request's body stopped arriving")
}

pub(crate) fn out_of_body_memory() -> Fault {
    common::THROTTLING.with("Rate exceeded")
}

pub(crate) fn incomplete_signature(what: &str) -> Fault {
    INCOMPLETE_SIGNATURE.with(what)
}

pub(crate) fn foreign_page() -> Fault {
    FOREIGN_PAGE.with(
        "a web page of another origin sent this without signing it; sign the request, or send it from outside a browser",
    )
}

pub(crate) fn missing_action() -> Fault {
    MISSING_ACTION.with(
        "the request names no operation: neither X-Amz-Target, nor a parameter Action, nor a path of RPC v2",
    )
}

pub(crate) fn unknown_path(method: &http::Method, path: &str) -> Fault {
    UNKNOWN_PATH.with(format!("nothing here answers {} {}", method, cut(path)))
}

/// `wanted` is the operation, or a REST client's method and path.
pub(crate) fn unknown_service(name: &str, wanted: &str, services: &[&'static Service]) -> Fault {
    let served: Vec<&str> = services.iter().map(|service| service.name).collect();
    UNKNOWN_SERVICE.with(format!(
        "`{}` of service `{}` is not served here; served are {}",
        cut(wanted),
        cut(name),
        served.join(", ")
    ))
}

pub(crate) fn unknown_operation(service: Option<&Service>, operation: &str) -> Fault {
    let operation = cut(operation);
    UNKNOWN_OPERATION.with(match service {
        Some(service) => {
            format!("{} has no operation `{operation}` (version {})", service.name, service.api_version)
        }
        None => format!("no service here has an operation `{operation}`"),
    })
}

pub(crate) fn wrong_version(operation: &str, version: &str) -> Fault {
    UNKNOWN_OPERATION.with(format!(
        "no service here has an operation `{}` in version `{}`",
        cut(operation),
        cut(version)
    ))
}

pub(crate) fn ambiguous_action(operation: &str, candidates: &[&'static Service]) -> Fault {
    let names: Vec<&str> = candidates.iter().map(|service| service.name).collect();
    UNKNOWN_OPERATION.with(format!(
        "`{}` is an operation of {}: sign the request for one of them, or send its Version",
        cut(operation),
        names.join(" and of ")
    ))
}

pub(crate) fn wrong_protocol(service: &Service, protocol: &str) -> Fault {
    UNKNOWN_OPERATION.with(format!("{} does not speak the protocol {}", service.name, cut(protocol)))
}

pub(crate) fn unknown_protocol(protocol: &str) -> Fault {
    MALFORMED_HTTP_REQUEST
        .with(format!("smithy-protocol `{}` is not supported, only rpc-v2-cbor is", cut(protocol)))
}

pub(crate) fn missing_smithy_protocol() -> Fault {
    MALFORMED_HTTP_REQUEST.with("a request of RPC v2 needs the header smithy-protocol: rpc-v2-cbor")
}

pub(crate) fn not_implemented(service: &Service, operation: &str) -> Fault {
    NOT_IMPLEMENTED.with(format!("operation `{operation}` of {} is not implemented", service.name))
}

pub(crate) fn internal_failure() -> Fault {
    common::INTERNAL_FAILURE.with("internal failure; the server's log has the details under this request id")
}

/// The beginning of a text of the client's, short enough for an answer.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(128)]
}
