//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::listener::Answerer;
use crate::pace::{HEAD_MAX, InWork, Pace};
use crate::response::{Body, Response};
use crate::watched::Watched;

/// How often it is looked whether a client is too slow.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many bytes a connection buffers, and so the size of the largest head.
const BUFFER_BYTES_MAX: usize = 256 << 10;

/// How many headers a request may have.
const HEADERS_MAX: usize = 100;

/// How many requests of one HTTP/2 connection are in work at a time.
const STREAMS_MAX: u32 = 128;

/// The largest head of an HTTP/2 request, in bytes.
const HEADER_LIST_BYTES_MAX: u32 = 64 << 10;

/// How much may be on its way in an HTTP/2 stream, and in the whole connection, before we have read it: room
/// for a batch of log events.
const WINDOW_BYTES: u32 = 1 << 20;

/// The first byte of a TLS handshake. No HTTP request begins with it.
const TLS_HANDSHAKE: u8 = 22;

/// Serves one connection until it ends, its client is too slow, or `closing` and its present requests are
/// answered.
pub(crate) async fn serve(
    stream: TcpStream,
    pace: Pace,
    tls: Option<TlsAcceptor>,
    answerer: Arc<Answerer>,
    closing: CancellationToken,
) {
    // Without it small answers would wait for acknowledgements; a socket that cannot is gone already.
    let _ = stream.set_nodelay(true);
    let spoken = speak(stream, pace.clone(), tls, answerer, closing);
    tokio::select! {
        () = spoken => {}
        () = patience(&pace) => {}
    }
}

/// Ends when the client has been too slow.
async fn patience(pace: &Pace) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Some(slow) = pace.verdict(Instant::now()) {
            tracing::debug!(?slow, "cut a connection whose client is too slow");
            return;
        }
    }
}

/// Finds out what is spoken, and speaks it.
async fn speak(
    stream: TcpStream,
    pace: Pace,
    tls: Option<TlsAcceptor>,
    answerer: Arc<Answerer>,
    closing: CancellationToken,
) {
    let Some(tls) = tls else {
        return http_1(Watched::new(stream, pace.clone()), pace, answerer, closing).await;
    };
    let mut first = [0];
    let begins_tls = match stream.peek(&mut first).await {
        Ok(read) => read == 1 && first[0] == TLS_HANDSHAKE,
        Err(_) => return,
    };
    let stream = Watched::new(stream, pace.clone());
    if !begins_tls {
        return http_1(stream, pace, answerer, closing).await;
    }
    // On the heap: most connections need no room for it.
    Box::pin(over_tls(stream, pace, tls, answerer, closing)).await;
}

async fn over_tls(
    stream: Watched,
    pace: Pace,
    tls: TlsAcceptor,
    answerer: Arc<Answerer>,
    closing: CancellationToken,
) {
    match tokio::time::timeout(HEAD_MAX, tls.accept(stream)).await {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
            pace.multiplex();
            http_2(stream, pace, answerer, closing).await;
        }
        Ok(Ok(stream)) => http_1(stream, pace, answerer, closing).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
}

async fn http_1<S>(stream: S, pace: Pace, answerer: Arc<Answerer>, closing: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let ending = closing.clone();
    let service = move |request| answered(Arc::clone(&answerer), pace.begin(), ending.clone(), request);
    // hyper adds `Date`, from the machine's clock even where ours is manual: clients correct their own clock
    // by it, and sign by that one. Slow heads are our own business, see `Pace`.
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(None).max_headers(HEADERS_MAX);
    server.max_buf_size(BUFFER_BYTES_MAX).half_close(true);
    let connection = server.serve_connection(TokioIo::new(stream), service_fn(service));
    to_its_end(connection, http1::Connection::graceful_shutdown, &closing).await;
}

async fn http_2<S>(stream: S, pace: Pace, answerer: Arc<Answerer>, closing: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let ending = closing.clone();
    let service = move |request| answered(Arc::clone(&answerer), pace.begin(), ending.clone(), request);
    let mut server = http2::Builder::new(TokioExecutor::new());
    server.timer(TokioTimer::new()).max_concurrent_streams(STREAMS_MAX);
    server.max_header_list_size(HEADER_LIST_BYTES_MAX);
    server.initial_stream_window_size(WINDOW_BYTES).initial_connection_window_size(WINDOW_BYTES);
    let connection = server.serve_connection(TokioIo::new(stream), service_fn(service));
    to_its_end(connection, http2::Connection::graceful_shutdown, &closing).await;
}

/// Drives a connection, which is told to `shut_down` when the server is closing.
async fn to_its_end<C>(connection: C, shut_down: fn(Pin<&mut C>), closing: &CancellationToken)
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            shut_down(connection.as_mut());
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

async fn answered(
    answerer: Arc<Answerer>,
    in_work: InWork,
    closing: CancellationToken,
    request: Request<Incoming>,
) -> Result<http::Response<Answer>, Infallible> {
    let answer: Response = answerer.answer(request).await;
    in_work.offered(Instant::now());
    Ok(answer.map(|body| Answer { body: ending_at(body, closing), in_work }))
}

/// Streams would never end by themselves when the server does.
fn ending_at(body: Body, closing: CancellationToken) -> Body {
    match body {
        Body::Stream(pieces) => Body::Stream(Box::pin(pieces.take_until(closing.cancelled_owned()))),
        whole => whole,
    }
}

/// A body on its way out, until which its request is in work.
struct Answer {
    body: Body,
    in_work: InWork,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // It is polled only when the client can take more.
        let Self { body, in_work } = self.get_mut();
        let piece = Pin::new(body).poll_frame(context);
        match piece {
            Poll::Ready(_) => in_work.offered(Instant::now()),
            Poll::Pending => in_work.awaited(),
        }
        piece
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
