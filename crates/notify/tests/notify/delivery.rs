//! Getting messages to subscribers that answer, fail, hang, or come back.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_api::sns::{Subscribe, SubscribeInput};
use groundwatch_core::{Clock, Scope};
use groundwatch_notify::NotifyError;

use crate::harness::{Answer, START, Sns, handle, subscribe_input};

const HOOK: &str = "http://hook.test/";
const OTHER: &str = "http://other.test/";
const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";

/// The moments, in milliseconds after the start, at which the hook was tried.
fn tries(sns: &Sns) -> Vec<i64> {
    let received = sns.inbox.received(HOOK);
    received.iter().map(|received| received.at.as_millis() - START.as_millis()).collect()
}

#[tokio::test]
async fn failures_are_retried_in_growing_steps_of_virtual_time() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    sns.inbox.answer(HOOK, Answer::Status(503));
    sns.publish(&topic, "text").await.expect("published");
    sns.settle().await;
    assert_eq!(tries(&sns), [0; 4], "three retries come at once");
    sns.advance(Duration::from_secs(4)).await;
    assert_eq!(tries(&sns)[4..], [1000, 2000, 3349]);
    sns.inbox.answer(HOOK, Answer::Status(200));
    sns.advance(Duration::from_secs(3600)).await;
    assert_eq!(tries(&sns).len(), 8, "once it is accepted, no more");
    assert_eq!(sns.notify.activities()[0].next_due(), None);
}

#[tokio::test]
async fn after_fifty_retries_a_message_is_given_up() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    sns.inbox.answer(HOOK, Answer::Unreachable);
    sns.publish(&topic, "text").await.expect("published");
    sns.advance(Duration::from_secs(3600)).await;
    assert_eq!(tries(&sns).len(), 51);
    assert!(sns.restart().notify.activities()[0].next_due().is_none(), "nothing is kept of it");
}

#[tokio::test]
async fn what_the_subscriber_refuses_is_not_retried() {
    for status in [302, 400, 403, 404, 410] {
        let sns = Sns::new();
        let topic = sns.create_topic("alerts").await;
        sns.subscribed(&topic, HOOK).await;
        sns.inbox.answer(HOOK, Answer::Status(status));
        sns.publish(&topic, "text").await.expect("published");
        sns.advance(Duration::from_secs(3600)).await;
        assert_eq!(tries(&sns).len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_restart_between_publish_and_delivery_loses_nothing() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    for message in ["one", "two", "three"] {
        sns.publish(&topic, message).await.expect("published");
    }
    let sns = sns.restart();
    sns.settle().await;
    assert_eq!(sns.inbox.messages(HOOK), ["one", "two", "three"]);
    let sns = sns.restart();
    sns.settle().await;
    assert_eq!(sns.inbox.messages(HOOK).len(), 3, "nothing is sent again");
}

#[tokio::test]
async fn a_restart_between_retries_goes_on_counting() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    sns.inbox.answer(HOOK, Answer::Status(500));
    sns.publish(&topic, "text").await.expect("published");
    sns.settle().await;
    let sns = sns.restart();
    sns.advance(Duration::from_secs(3600)).await;
    assert_eq!(tries(&sns).len(), 51);
}

#[tokio::test]
async fn a_clock_that_is_set_back_delays_nothing() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    sns.inbox.answer(HOOK, Answer::Status(500));
    sns.publish(&topic, "text").await.expect("published");
    sns.settle().await;
    sns.inbox.answer(HOOK, Answer::Status(200));
    sns.clock.set(START - Duration::from_secs(86_400));
    sns.settle().await;
    assert_eq!(tries(&sns).len(), 5);
    assert_eq!(sns.notify.activities()[0].next_due(), None);
}

#[tokio::test]
async fn every_subscriber_gets_a_message_once() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let hooks: Vec<String> = (0..300).map(|number| format!("http://hook-{number}.test/")).collect();
    for hook in &hooks {
        sns.subscribed(&topic, hook).await;
    }
    sns.publish(&topic, "one").await.expect("published");
    sns.publish(&topic, "two").await.expect("published");
    sns.settle().await;
    for hook in &hooks {
        assert_eq!(sns.inbox.messages(hook), ["one", "two"], "{hook}");
    }
}

#[tokio::test]
async fn a_hanging_subscriber_holds_up_nobody_else() {
    let sns = Arc::new(Sns::new());
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    sns.subscribed(&topic, OTHER).await;
    let gate = Arc::new(tokio::sync::Notify::new());
    sns.inbox.answer(HOOK, Answer::Held(gate.clone()));
    for number in 0..100 {
        sns.publish(&topic, &number.to_string()).await.expect("published");
    }
    let driver = tokio::spawn({
        let sns = sns.clone();
        async move { sns.settle().await }
    });
    while sns.inbox.received(OTHER).len() < 100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(sns.inbox.received(HOOK).len(), 1, "one request at a time");
    while !driver.is_finished() {
        gate.notify_one();
        tokio::task::yield_now().await;
    }
    assert_eq!(sns.inbox.received(HOOK).len(), 100);
}

#[tokio::test]
async fn an_activation_ends_while_a_request_hangs_and_the_clock_moves() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    sns.inbox.answer(HOOK, Answer::Hangs);
    sns.publish(&topic, "text").await.expect("published");
    let activity = sns.notify.activities().remove(0);
    let now = sns.clock.now();
    let activation = activity.run(now);
    tokio::pin!(activation);
    assert!(futures_poll_once(activation.as_mut()).await.is_none(), "the request is under way");
    sns.clock.set(now + Duration::from_secs(2));
    activation.await;
    assert!(activity.next_due().is_some_and(|due| due > sns.clock.now()), "it goes on soon");
}

/// Polls once; `None` if it is not ready.
async fn futures_poll_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn publishers_are_throttled_when_too_much_waits() {
    let sns = Sns::with_backlog(10_000);
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    sns.inbox.answer(HOOK, Answer::Status(500));
    let text = "a".repeat(4000);
    sns.publish(&topic, &text).await.expect("published");
    sns.publish(&topic, &text).await.expect("published");
    let fault = sns.publish(&topic, &text).await.expect_err("too much");
    assert_eq!((fault.shape.code, fault.shape.status), ("Throttled", 429));
    let sns = sns.restart();
    assert!(sns.publish(&topic, &text).await.is_err(), "what waits counts after a restart too");
    sns.inbox.answer(HOOK, Answer::Status(200));
    sns.advance(Duration::from_secs(3600)).await;
    for _ in 0..2 {
        sns.publish(&topic, &text).await.expect("there is room again");
    }
}

#[tokio::test]
async fn a_service_publishes_without_a_call() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    let scope = Scope::default();
    let subject = format!("ALARM: \"{}\"", "x".repeat(200));
    let id = sns.notify.publish(&scope, &topic, Some(&subject), "{}", None).await.expect("published");
    sns.settle().await;
    let received = sns.inbox.last(HOOK);
    assert_eq!(received.text("MessageId"), id.to_string());
    assert_eq!(received.text("Subject"), subject[..100]);
    let missing = sns.notify.publish(&scope, &format!("{topic}-none"), None, "{}", None).await;
    assert!(matches!(missing, Err(NotifyError::TopicNotFound)));
}

#[tokio::test]
async fn what_is_refused_for_want_of_room_is_in_no_queue() {
    let sns = Sns::with_backlog(4_000);
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    let queue = SubscribeInput { protocol: Some("sqs".to_owned()), ..subscribe_input(&topic, QUEUE) };
    sns.call(queue, handle::<Subscribe, _>).await.expect("subscribed");
    sns.inbox.answer(HOOK, Answer::Status(503));
    let mut published = 0;
    for _ in 0..10 {
        published += usize::from(sns.publish(&topic, &"x".repeat(500)).await.is_ok());
    }
    assert!((1..10).contains(&published));
    assert_eq!(sns.inbox.queued.lock().expect("not poisoned").len(), published);
    sns.inbox.answer(HOOK, Answer::Status(200));
    sns.advance(Duration::from_secs(60)).await;
    sns.publish(&topic, "text").await.expect("there is room again");
}
