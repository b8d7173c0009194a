//! The HTTP/1.1 server.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use groundwatch_core::{BoxFuture, RequestId};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::body::discard;
use crate::response::Response;
use crate::{Dialect, Router, errors};

/// How many connections are open at a time; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 4096;

/// How long a head may take, and a connection stay idle. SDKs keep theirs for a minute at most.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);

/// How many bytes a connection buffers, and so the size of the largest head.
const BUFFER_BYTES_MAX: usize = 256 << 10;

/// How many headers a request may have.
const HEADERS_MAX: usize = 100;

/// Paths that are answered beside AWS's: health, the clock, doors of other makers' protocols.
pub trait Paths: Send + Sync + 'static {
    /// Whether requests to this path are to be handled here.
    fn owns(&self, path: &str) -> bool;

    /// Answers a request to an owned path. Its body is whole, bounded, and not compressed any more.
    fn handle(&self, request: Request<Bytes>) -> BoxFuture<'_, Response>;
}

/// A bound TCP address, ready to serve.
pub struct Listener {
    listener: TcpListener,
    answerer: Arc<Answerer>,
}

impl Listener {
    /// Serves `paths` and, beside them, the operations of `router`.
    pub fn new(listener: TcpListener, router: Router, paths: Arc<dyn Paths>) -> Self {
        Self { listener, answerer: Arc::new(Answerer { router, paths }) }
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is ready. Then it accepts no more, lets every request that has begun come to its end, for `grace`
    /// at most, and returns how many connections it had to cut.
    pub async fn serve(self, stop: impl Future<Output = ()>, grace: Duration) -> usize {
        let Self { listener, answerer } = self;
        let connections = TaskTracker::new();
        let (closing, cut) = (CancellationToken::new(), CancellationToken::new());
        let accepting = accept(&listener, &answerer, &connections, &closing, &cut);
        tokio::select! {
            () = accepting => {}
            () = stop => {}
        }
        drop(listener);
        closing.cancel();
        connections.close();
        let finished = async {
            connections.wait().await;
            answerer.router.finish().await;
        };
        if tokio::time::timeout(grace, finished).await.is_ok() {
            return 0;
        }
        let left = connections.len();
        cut.cancel();
        left
    }
}

/// Accepts connections, for ever.
async fn accept(
    listener: &TcpListener,
    answerer: &Arc<Answerer>,
    connections: &TaskTracker,
    closing: &CancellationToken,
    cut: &CancellationToken,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = connection(stream, Arc::clone(answerer), closing.clone());
                let cut = cut.clone();
                connections.spawn(async move {
                    cut.run_until_cancelled(connection).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Mostly out of file descriptors: connections that end free some.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Serves one connection until it ends, or until `closing` and its present request is answered.
async fn connection(stream: TcpStream, answerer: Arc<Answerer>, closing: CancellationToken) {
    // Without it small answers would wait for acknowledgements; a socket that cannot is gone already.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let answerer = Arc::clone(&answerer);
        async move { Ok::<_, Infallible>(answerer.answer(request).await) }
    });
    // hyper adds `Date`, from the machine's clock even where ours is manual: clients correct their own clock by it, and
    // sign by that one.
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_headers(HEADERS_MAX);
    server.max_buf_size(BUFFER_BYTES_MAX).half_close(true);
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

struct Answerer {
    router: Router,
    paths: Arc<dyn Paths>,
}

impl Answerer {
    async fn answer(&self, request: Request<Incoming>) -> Response {
        if self.paths.owns(request.uri().path()) {
            self.beside_aws(request).await
        } else {
            self.router.answer(request).await
        }
    }

    async fn beside_aws(&self, request: Request<Incoming>) -> Response {
        let (head, mut body) = request.into_parts();
        let intake = self.router.intake();
        let received = match intake.receive(&head.headers, &mut body).await {
            Ok(received) => intake.unpack(&head.headers, received).await,
            Err(fault) => Err(fault),
        };
        match received {
            Ok(received) => self.paths.handle(Request::from_parts(head, received.bytes.clone())).await,
            Err(fault) => {
                discard(&head.headers, body);
                let id = RequestId(Uuid::new_v4().to_string());
                errors::render(&fault, &Dialect::of(&head, None, &[]), &id)
            }
        }
    }
}
