//! Answers on their way out.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use groundwatch_core::RequestId;
use http::{HeaderName, HeaderValue, StatusCode, header};
use hyper::body::{Frame, SizeHint};

/// An HTTP response.
pub type Response = http::Response<Body>;

/// The header of a request's id, in every protocol.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// How much of a whole body is handed over at a time, in bytes. What is handed over can no longer be taken
/// back from a client that does not read it.
const PIECE_BYTES_MAX: usize = 16 << 10;

/// A response's body.
#[non_exhaustive]
pub enum Body {
    /// All of it is there.
    Whole(Bytes),
    /// Piece by piece, for as long as it takes. Each piece is sent as soon as it is there.
    Stream(Pieces),
}

/// The pieces of a body that is streamed.
pub type Pieces = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

impl Body {
    /// A body that is all there.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(bytes.into())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(body) => f.debug_tuple("Whole").field(body).finish(),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(rest) if rest.is_empty() => Poll::Ready(None),
            Self::Whole(rest) => {
                let piece = rest.split_to(rest.len().min(PIECE_BYTES_MAX));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Self::Stream(pieces) => {
                pieces.as_mut().poll_next(context).map(|piece| Some(Ok(Frame::data(piece?))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(rest) => rest.is_empty(),
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(rest) => SizeHint::with_exact(rest.len() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// A response with a body of that type, or without one.
pub(crate) fn response(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::whole(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Notes the request's id in its answer.
pub(crate) fn stamp(response: &mut Response, id: &RequestId) {
    // Ids are made here and always fit.
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}
