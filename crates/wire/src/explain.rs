//! The wish to know why an answer is as it is: a header of the request, and one of the answer that says where
//! to read on.

use groundwatch_core::RequestId;
use http::{HeaderMap, HeaderValue};

use crate::response::Response;

/// `x-groundwatch-explain: true` in a request; in its answer, the path of the explanation.
const HEADER: &str = "x-groundwatch-explain";

/// What the paths of explanations begin with; the request's id follows.
pub const EXPLANATIONS_PATH: &str = "/_groundwatch/explain/";

/// Whether a request with these headers asks for an explanation.
pub(crate) fn asks_why(headers: &HeaderMap) -> bool {
    headers.get(HEADER).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// Tells where the explanation of an answer is, if its operation makes any.
pub(crate) fn point_to_explanation(answer: &mut Response, id: &RequestId) {
    let path = HeaderValue::from_str(&format!("{EXPLANATIONS_PATH}{id}"));
    answer.headers_mut().insert(HEADER, path.expect("request ids are plain ASCII"));
}
