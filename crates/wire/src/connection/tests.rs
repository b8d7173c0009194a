//! HTTP/2 by a clock that runs as fast as the tests.

use bytes::Bytes;
use groundwatch_core::{BoxFuture, ManualClock, RequestId, Timestamp};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2 as client;

use super::*;
use crate::pace::UNREAD_MAX;
use crate::{DevelopmentAuthenticator, Paths, Router};

/// The size of every answer, in bytes: more than a window of HTTP/2 holds by default.
const ANSWER_BYTES: usize = 200_000;

struct Large;

impl Paths for Large {
    fn owns(&self, _path: &str) -> bool {
        true
    }

    fn handle<'a>(&'a self, _request: Request<Bytes>, _id: &'a RequestId) -> BoxFuture<'a, Response> {
        Box::pin(async { Response::new(Body::whole(vec![b'x'; ANSWER_BYTES])) })
    }
}

/// The answer to a request of a client that lets `window_bytes` of each answer come before it has read any.
async fn ask(window_bytes: u32) -> (Pace, http::Response<Incoming>) {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let pace = Pace::new(Instant::now());
    pace.multiplex();
    let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
    let router = Router::new(clock, Arc::new(DevelopmentAuthenticator));
    let answerer = Arc::new(Answerer { router, paths: Arc::new(Large) });
    tokio::spawn(http_2(ours, pace.clone(), answerer, CancellationToken::new()));
    let (mut sender, connection) = client::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(window_bytes)
        .handshake(TokioIo::new(theirs))
        .await
        .expect("a handshake");
    tokio::spawn(connection);
    let request = Request::get("http://localhost/").body(Empty::<Bytes>::new()).expect("a request");
    let answer = sender.send_request(request).await.expect("an answer's head");
    (pace, answer)
}

/// How long the client of an answer that it does not read is borne with.
async fn patience_with(window_bytes: u32) -> Duration {
    let (pace, _answer) = ask(window_bytes).await;
    let begun = Instant::now();
    patience(&pace).await;
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_window_stays_shut_is_cut() {
    for window_bytes in [0, 1, 100_000] {
        let borne = patience_with(window_bytes).await;
        assert!(borne >= UNREAD_MAX && borne <= UNREAD_MAX + LOOK_EVERY * 2, "{window_bytes}: {borne:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_gets_all_of_a_large_answer() {
    let (pace, answer) = ask(1000).await;
    let body = answer.into_body().collect().await.expect("a whole body").to_bytes();
    assert_eq!(body.len(), ANSWER_BYTES);
    assert_eq!(pace.verdict(Instant::now() + UNREAD_MAX), None);
}
