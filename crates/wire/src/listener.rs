//! The HTTP server: accepts connections, and hands their requests on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use groundwatch_api::Fault;
use groundwatch_core::{BoxFuture, RequestId};
use http::Request;
use http::request::Parts;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::body::{Received, discard};
use crate::connection_limit::ConnectionLimit;
use crate::pace::Pace;
use crate::response::{Response, stamp};
use crate::{Dialect, Router, browser, connection, errors};

/// Paths that are answered beside AWS's: health, the clock, endpoints of other protocols.
pub trait Paths: Send + Sync + 'static {
    /// Whether requests to this path are to be handled here.
    fn owns(&self, path: &str) -> bool;

    /// Answers a request to an owned path. Its body is whole, bounded, and not compressed any more. What has
    /// begun comes to its end, also if the client hangs up.
    fn handle<'a>(&'a self, request: Request<Bytes>, id: &'a RequestId) -> BoxFuture<'a, Response>;
}

/// A bound TCP address, ready to serve.
pub struct Listener {
    listener: TcpListener,
    answerer: Arc<Answerer>,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Serves `paths` and, beside them, the operations of `router`.
    pub fn new(listener: TcpListener, router: Router, paths: Arc<dyn Paths>) -> Self {
        Self { listener, answerer: Arc::new(Answerer { router, paths }), tls: None }
    }

    /// Takes TLS too, told apart from plain HTTP by a connection's first byte, and over it HTTP/2 from
    /// clients that offer it.
    #[must_use]
    pub fn with_tls(mut self, mut config: ServerConfig) -> Self {
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        self.tls = Some(TlsAcceptor::from(Arc::new(config)));
        self
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is ready. Then it accepts no more, lets every request that has begun come to its
    /// end, for `grace` at most, and returns how many connections it had to cut.
    pub async fn serve(self, stop: impl Future<Output = ()>, grace: Duration) -> usize {
        let connections = TaskTracker::new();
        let (closing, cut) = (CancellationToken::new(), CancellationToken::new());
        let accepting = self.accept(&connections, &closing, &cut);
        tokio::select! {
            () = accepting => {}
            () = stop => {}
        }
        let Self { listener, answerer, .. } = self;
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

    /// Accepts connections, forever.
    async fn accept(&self, connections: &TaskTracker, closing: &CancellationToken, cut: &CancellationToken) {
        let limit = ConnectionLimit::new();
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let room = limit.room().await;
                    let pace = Pace::new(Instant::now());
                    let slot = limit.join(pace.clone(), room);
                    let answerer = Arc::clone(&self.answerer);
                    let connection =
                        connection::serve(stream, pace, self.tls.clone(), answerer, closing.clone());
                    let cut = cut.clone();
                    connections.spawn(async move {
                        let in_its_slot = slot.out.run_until_cancelled(connection);
                        cut.run_until_cancelled(in_its_slot).await;
                    });
                }
                Err(error) => {
                    // Mostly out of file descriptors: connections that end free some.
                    limit.close_longest_idle();
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

/// Answers requests, of whichever connection.
pub(crate) struct Answerer {
    pub(crate) router: Router,
    pub(crate) paths: Arc<dyn Paths>,
}

impl Answerer {
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response {
        if self.paths.owns(request.uri().path()) {
            self.beside_aws(request).await
        } else {
            self.router.answer(request).await
        }
    }

    async fn beside_aws(&self, request: Request<Incoming>) -> Response {
        let id = RequestId(Uuid::new_v4().to_string());
        let (head, mut body) = request.into_parts();
        let dialect = Dialect::of(&head, None, &[]);
        let received = match self.receive(&head, &mut body).await {
            Ok(received) => received,
            Err(fault) => {
                discard(&head.headers, body);
                return errors::render(&fault, &dialect, &id);
            }
        };
        let request = Request::from_parts(head, received.bytes.clone());
        let (paths, known_as) = (Arc::clone(&self.paths), id.clone());
        let call = Box::pin(async move { Ok(paths.handle(request, &known_as).await) });
        match self.router.run_to_its_end(call, received, "beside AWS", &id).await {
            Ok(mut answer) => {
                stamp(&mut answer, &id);
                answer
            }
            Err(fault) => errors::render(&fault, &dialect, &id),
        }
    }

    async fn receive(&self, head: &Parts, body: &mut Incoming) -> Result<Received, Fault> {
        browser::refuse_foreign_pages(head)?;
        let intake = self.router.intake();
        let received = intake.receive(&head.headers, body).await?;
        intake.unpack(&head.headers, received).await
    }
}
