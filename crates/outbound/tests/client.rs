//! The HTTP client over real connections.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use groundwatch_outbound::{Fence, HttpClient, HttpError, HttpRequest, WebClient};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A server on a free port of this machine, which answers `answer` to everybody; under any path but `/`, a
/// mistake.
async fn server(answer: fn() -> Response<Full<Bytes>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(move |request: Request<Incoming>| async move {
                let is_expected = request.uri().path() == "/";
                Ok::<_, Infallible>(if is_expected {
                    answer()
                } else {
                    Response::new(Full::from("followed"))
                })
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

fn post(url: impl Into<String>) -> HttpRequest {
    HttpRequest::post(url, Vec::new(), "body", Duration::from_secs(15))
}

fn client() -> WebClient {
    WebClient::new(Fence::Open).expect("a client")
}

#[tokio::test]
async fn redirects_are_answers_and_not_followed() {
    let address = server(|| {
        let mut response = Response::new(Full::from("elsewhere"));
        *response.status_mut() = http::StatusCode::TEMPORARY_REDIRECT;
        response.headers_mut().insert("location", http::HeaderValue::from_static("/elsewhere"));
        response
    })
    .await;
    let answer = client().send(post(format!("http://{address}/"))).await.expect("an answer");
    assert_eq!((answer.status, &answer.body[..]), (307, &b"elsewhere"[..]));
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let address = server(|| Response::new(Full::from(vec![b'x'; 64 << 20]))).await;
    let answer = client().send(post(format!("http://{address}/"))).await.expect("an answer");
    assert_eq!((answer.status, answer.body.len()), (200, 256 << 10));
}

#[tokio::test]
async fn what_went_wrong_is_told_apart() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = silent.local_addr().expect("an address");
    let timeout = Duration::from_millis(50);
    let hanging = HttpRequest { timeout, ..post(format!("http://{address}/")) };
    assert_eq!(client().send(hanging).await, Err(HttpError::TimedOut));

    drop(silent);
    let refused = client().send(post(format!("http://{address}/"))).await;
    assert!(matches!(refused, Err(HttpError::Unreachable { .. })), "{refused:?}");

    let not_a_url = client().send(post("hook")).await;
    assert!(matches!(not_a_url, Err(HttpError::Refused { .. })), "{not_a_url:?}");
}

#[tokio::test]
async fn a_fence_keeps_out_addresses_and_the_names_that_lead_to_them() {
    let address = server(|| Response::new(Full::default())).await;
    let fenced = WebClient::new(Fence::PublicOnly).expect("a client");
    let by_address = fenced.send(post(format!("http://{address}/"))).await;
    assert!(matches!(by_address, Err(HttpError::Refused { .. })), "{by_address:?}");
    let by_name = fenced.send(post(format!("http://localhost:{}/", address.port()))).await;
    let Err(HttpError::Unreachable { reason }) = by_name else { panic!("{by_name:?}") };
    assert!(reason.contains("localhost is not a public address"), "{reason}");
}
