//! What topics say about themselves.

use std::time::Duration;

use groundwatch_core::Clock as _;
use groundwatch_notify::QueueError;

use crate::filtering::publish;
use crate::harness::{Answer, START, Sns};
use crate::protocols::{DEAD_LETTERS, QUEUE, subscribe};

const HOOK: &str = "http://hook.test/";

/// Lets a minute pass; what is said of it, as `name=sum`, without `NumberOf` and `Notifications`.
async fn told(sns: &Sns) -> Vec<String> {
    sns.advance(Duration::from_secs(60)).await;
    let samples = sns.notify.meters().read(sns.clock.now());
    assert!(samples.iter().all(|sample| {
        sample.namespace == "AWS/SNS" && sample.dimensions == [("TopicName", "alerts".to_owned())]
    }));
    let short = |name: &str| name.replace("NumberOf", "").replace("Notifications", "");
    let mut told: Vec<String> =
        samples.iter().map(|sample| format!("{}={}", short(sample.name), sample.statistics.sum)).collect();
    told.sort_unstable();
    told
}

#[tokio::test]
async fn a_minute_says_what_was_published_and_arrived() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    subscribe(&sns, &topic, "sqs", QUEUE, &[]).await.expect("subscribed");
    assert_eq!(told(&sns).await, [""; 0], "a handshake is no notification");
    publish(&sns, &topic, "four", &[]).await.expect("published");
    publish(&sns, &topic, "sixsix", &[]).await.expect("published");
    let published = START + Duration::from_secs(60);
    assert_eq!(sns.notify.meters().next_due(), Some(published + Duration::from_millis(59_999)));
    assert_eq!(told(&sns).await, ["Delivered=4", "MessagesPublished=2", "PublishSize=10"]);
    assert_eq!(sns.notify.meters().next_due(), None);
}

#[tokio::test]
async fn what_policies_reject_is_counted_by_the_reason() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    for scope in ["MessageAttributes", "MessageBody"] {
        let queue = format!("{QUEUE}-{scope}");
        let policy = [("FilterPolicy", r#"{"store": ["a"]}"#), ("FilterPolicyScope", scope)];
        subscribe(&sns, &topic, "sqs", &queue, &policy).await.expect("subscribed");
    }
    for (body, attributes) in [
        (r#"{"store":"a"}"#, &[][..]),
        (r#"{"store":"b"}"#, &[("store", "String", "b")]),
        ("no JSON", &[("store", "String.Array", "[\"b\"")]),
        ("no JSON", &[("store", "String", "a")]),
    ] {
        publish(&sns, &topic, body, attributes).await.expect("published");
    }
    let expected = [
        "Delivered=2",
        "FilteredOut-InvalidAttributes=1",
        "FilteredOut-InvalidMessageBody=2",
        "FilteredOut-MessageAttributes=3",
        "FilteredOut-MessageBody=3",
        "FilteredOut-NoMessageAttributes=1",
        "FilteredOut=6",
        "MessagesPublished=4",
    ];
    assert_eq!(told(&sns).await[..8], expected);
}

#[tokio::test]
async fn failures_count_by_attempt_over_http_and_by_message_elsewhere() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    sns.inbox.answer(HOOK, Answer::Status(500));
    for queue in [QUEUE, "arn:aws:sqs:us-east-1:000000000000:r"] {
        let redrive = [("RedrivePolicy", DEAD_LETTERS)];
        subscribe(&sns, &topic, "sqs", queue, &redrive).await.expect("subscribed");
    }
    let gone = QueueError::Refused { reason: "gone".to_owned() };
    sns.inbox.queue_errors.lock().expect("not poisoned").insert(QUEUE.to_owned(), gone);
    publish(&sns, &topic, "m", &[]).await.expect("published");
    let minute = told(&sns).await;
    // As many as the default policy makes within a minute.
    let http_attempts = sns.inbox.received(HOOK).len();
    assert!(http_attempts > 1);
    let failed = format!("Failed={}", http_attempts + 1);
    assert_eq!(minute[..4], ["Delivered=1", &failed, "MessagesPublished=1", "PublishSize=1"]);
    assert_eq!(minute[4..], ["RedrivenToDlq=1"]);
}
