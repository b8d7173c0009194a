//! Posting over real connections.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_api::Handle;
use groundwatch_api::sns::{CreateTopic, CreateTopicInput, Publish, PublishInput, Subscribe};
use groundwatch_core::{Clock, SystemClock};
use groundwatch_notify::{Notify, NotifyConfig, Transports};
use groundwatch_outbound::{Fence, Outbound, WebClient};
use groundwatch_storage::Catalog;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::harness::{handle, signed_call, subscribe_input, unsigned_call};

/// A request as a webhook saw it.
struct Seen {
    header: http::HeaderMap,
    body: String,
}

/// A webhook on a free port of this machine, which answers `answer` and hands on what it saw.
async fn webhook(answer: fn(&str) -> Response<Full<Bytes>>) -> (SocketAddr, mpsc::UnboundedReceiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (seen, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let seen = seen.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let seen = seen.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                    let body = String::from_utf8_lossy(&body).into_owned();
                    let _ = seen.send(Seen { header: head.headers, body });
                    Ok::<_, Infallible>(answer(head.uri.path()))
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    (address, received)
}

fn accepted(_path: &str) -> Response<Full<Bytes>> {
    Response::new(Full::default())
}

#[tokio::test]
async fn a_webhook_shakes_hands_and_gets_the_message() {
    let (address, mut received) = webhook(accepted).await;
    let dir = tempfile::tempdir().expect("a directory");
    let catalog = Catalog::open(&dir.path().join("catalog.db")).expect("a catalog");
    let web = Arc::new(WebClient::new(Fence::Open).expect("a client"));
    let outbound = Outbound::new(Vec::new(), web.clone(), Arc::new(SystemClock));
    let config = NotifyConfig::new("http://127.0.0.1:4566/");
    let notify = Notify::open(
        &catalog,
        Arc::new(SystemClock),
        Transports { web, outbound, queues: None, mail: None },
        &config,
    )
    .expect("opens");
    let activity = notify.activities().remove(0);
    let call = signed_call("us-east-1", "000000000000");

    let input = CreateTopicInput { name: Some("alerts".to_owned()), ..Default::default() };
    let topic = handle::<CreateTopic, _>(&notify, call.clone(), input).await.expect("a topic").topic_arn;
    let topic = topic.expect("an ARN");
    let input = subscribe_input(&topic, &format!("http://user:word@{address}/hook"));
    handle::<Subscribe, _>(&notify, call.clone(), input).await.expect("subscribed");
    activity.run(SystemClock.now()).await;
    let confirmation = received.recv().await.expect("a request");
    assert_eq!(confirmation.header["authorization"], "Basic dXNlcjp3b3Jk");
    let body: serde_json::Value = serde_json::from_str(&confirmation.body).expect("JSON");
    let input = groundwatch_api::sns::ConfirmSubscriptionInput {
        topic_arn: body["TopicArn"].as_str().map(str::to_owned),
        token: body["Token"].as_str().map(str::to_owned),
        ..Default::default()
    };
    Handle::<groundwatch_api::sns::ConfirmSubscription>::handle(&notify, &unsigned_call(), input)
        .await
        .expect("confirmed");

    let input = PublishInput {
        topic_arn: Some(topic.clone()),
        message: Some("grüße".to_owned()),
        ..Default::default()
    };
    handle::<Publish, _>(&notify, call, input).await.expect("published");
    activity.run(SystemClock.now()).await;
    let notification = received.recv().await.expect("a request");
    assert_eq!(notification.header["x-amz-sns-message-type"], "Notification");
    assert_eq!(notification.header["x-amz-sns-topic-arn"], topic.as_str());
    assert_eq!(notification.header["content-type"], "text/plain; charset=UTF-8");
    assert_eq!(notification.header["user-agent"], "Amazon Simple Notification Service Agent");
    let body: serde_json::Value = serde_json::from_str(&notification.body).expect("JSON");
    assert_eq!(body["Message"], "grüße");
}
