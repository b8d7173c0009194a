//! Alarm → SNS topic → webhook, with the confirmation handshake, through the SDK.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricDatum, Statistic};
use serde_json::Value;

use crate::harness::{ACCOUNT, Server};

/// How long a delivery may take before a test gives up; it comes within milliseconds.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(20);

/// A webhook on a free port that hands over what it was posted: (message type, body).
struct Webhook {
    url: String,
    posts: Receiver<(String, Value)>,
}

impl Webhook {
    /// Answers the first `failures` posts with 503, all others with 200.
    fn listen(mut failures: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("bound"));
        let (sender, posts) = channel();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let Ok(mut socket) = socket else { return };
                let Some((kind, body)) = read_post(&mut socket) else { continue };
                if failures > 0 {
                    failures -= 1;
                    let _ = socket
                        .write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    continue;
                }
                let _ =
                    socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                if sender.send((kind, body)).is_err() {
                    return;
                }
            }
        });
        Self { url, posts }
    }

    async fn next(&mut self) -> (String, Value) {
        // The webhook's thread needs no runtime; waiting for it must not block the one that the SDK runs on.
        tokio::task::block_in_place(|| self.posts.recv_timeout(DELIVERY_TIMEOUT)).expect("a delivery")
    }
}

fn read_post(socket: &mut impl Read) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = socket.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let header = |name: &str| {
            head.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
        };
        let length: usize = header("content-length:")?.parse().ok()?;
        if bytes.len() >= end + 4 + length {
            let kind = header("x-amz-sns-message-type:")?;
            return Some((kind, serde_json::from_slice(&bytes[end + 4..]).ok()?));
        }
    }
}

async fn confirmed_topic(server: &Server, webhook: &mut Webhook) -> String {
    let sns = server.sns();
    let topic = sns.create_topic().name("alerts").send().await.expect("created");
    let topic_arn = topic.topic_arn().expect("an ARN").to_owned();
    assert_eq!(topic_arn, format!("arn:aws:sns:eu-central-1:{ACCOUNT}:alerts"));
    let subscription = sns
        .subscribe()
        .topic_arn(&topic_arn)
        .protocol("http")
        .endpoint(&webhook.url)
        .send()
        .await
        .expect("subscribed");
    assert_eq!(subscription.subscription_arn(), Some("pending confirmation"));
    let (kind, body) = webhook.next().await;
    assert_eq!(kind, "subscriptionconfirmation");
    let subscribe_url = body["SubscribeURL"].as_str().expect("a link");
    let path = subscribe_url.strip_prefix(&server.url).expect("it leads back to this server");
    let answer = server.request("GET", path, &[], b"").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains("<SubscriptionArn>arn:aws:sns:"), "{}", answer.text());
    topic_arn
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_reaches_a_webhook_with_aws_message() {
    let server = Server::start_with_manual_clock().await;
    let mut webhook = Webhook::listen(0);
    let topic_arn = confirmed_topic(&server, &mut webhook).await;
    let client = server.cloudwatch();
    client
        .put_metric_alarm()
        .alarm_name("cpu is hot")
        .namespace("Hosts")
        .metric_name("Cpu")
        .statistic(Statistic::Average)
        .period(60)
        .evaluation_periods(1)
        .threshold(80.0)
        .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
        .alarm_actions(&topic_arn)
        .send()
        .await
        .expect("accepted");
    client
        .put_metric_data()
        .namespace("Hosts")
        .metric_data(MetricDatum::builder().metric_name("Cpu").value(93.5).build())
        .send()
        .await
        .expect("accepted");
    server.advance("PT2M").await;

    let (kind, body) = webhook.next().await;
    assert_eq!(kind, "notification");
    assert_eq!(body["Subject"], "ALARM: \"cpu is hot\" in EU (Frankfurt)");
    let message: Value =
        serde_json::from_str(body["Message"].as_str().expect("text")).expect("JSON in the text");
    assert_eq!(message["AlarmName"], "cpu is hot");
    assert_eq!(message["NewStateValue"], "ALARM");
    assert_eq!(message["AWSAccountId"], ACCOUNT);
    assert_eq!(message["Trigger"]["Statistic"], "AVERAGE");
    assert_eq!(message["Trigger"]["Threshold"], 80.0);

    let history = client.describe_alarm_history().alarm_name("cpu is hot").send().await.expect("answered");
    let executed = format!("Successfully executed action {topic_arn}");
    assert!(
        history.alarm_history_items().iter().any(|item| item.history_summary() == Some(&executed)),
        "{:?}",
        history.alarm_history_items()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_webhook_is_tried_again_by_the_clock() {
    let server = Server::start_with_manual_clock().await;
    let mut webhook = Webhook::listen(0);
    let topic_arn = confirmed_topic(&server, &mut webhook).await;
    let sns = server.sns();
    sns.publish().topic_arn(&topic_arn).subject("s").message("first").send().await.expect("published");
    assert_eq!(webhook.next().await.1["Message"], "first");

    let mut busy = Webhook::listen(6);
    let pending = sns
        .subscribe()
        .topic_arn(&topic_arn)
        .protocol("http")
        .endpoint(&busy.url)
        .send()
        .await
        .expect("subscribed");
    assert_eq!(pending.subscription_arn(), Some("pending confirmation"));
    server.advance("PT5M").await;
    assert_eq!(busy.next().await.0, "subscriptionconfirmation", "after six refusals");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsubscribed_webhook_hears_nothing() {
    let server = Server::start_with_manual_clock().await;
    let mut webhook = Webhook::listen(0);
    let topic_arn = confirmed_topic(&server, &mut webhook).await;
    let sns = server.sns();
    sns.publish().topic_arn(&topic_arn).message("heard").send().await.expect("published");
    let (_, body) = webhook.next().await;
    let unsubscribe =
        body["UnsubscribeURL"].as_str().expect("a link").strip_prefix(&server.url).expect("ours").to_owned();
    assert_eq!(server.request("GET", &unsubscribe, &[], b"").await.status, 200);
    // Whoever followed the link need not be the subscriber, who is told therefore and may take it back.
    assert_eq!(webhook.next().await.0, "unsubscribeconfirmation");
    sns.publish().topic_arn(&topic_arn).message("unheard").send().await.expect("published");
    server.advance("PT1M").await;
    let nothing = webhook.posts.try_recv();
    assert!(nothing.is_err(), "{nothing:?}");
}
