//! Visibility, delays and long polls, by a clock that the test moves.

use std::sync::Arc;

use groundwatch_api::sqs::{Message, ReceiveMessage, ReceiveMessageInput, SendMessageInput};

use crate::kit::{Kit, to};

/// A poll of twenty seconds that runs by itself until somebody asks for its outcome.
async fn poll(kit: &Arc<Kit>, url: &str) -> tokio::task::JoinHandle<Vec<Message>> {
    let (kit, url) = (Arc::clone(kit), url.to_owned());
    let running = tokio::spawn(async move {
        let input = ReceiveMessageInput {
            queue_url: Some(url),
            wait_time_seconds: Some(20),
            ..ReceiveMessageInput::default()
        };
        kit.call::<ReceiveMessage>(input).await.expect("received").messages.unwrap_or_default()
    });
    // On this runtime of one thread the poll goes on to where it waits.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    running
}

#[tokio::test]
async fn a_long_poll_gets_the_message_that_arrives() {
    let kit = Arc::new(Kit::new().await);
    let url = kit.create("q", &[]).await;
    let waiting = poll(&kit, &url).await;
    assert!(!waiting.is_finished());
    kit.send(&url, "a").await;
    assert_eq!(waiting.await.expect("ends").len(), 1);
}

#[tokio::test]
async fn a_long_poll_gets_the_message_that_appears_by_the_clock() {
    let kit = Arc::new(Kit::new().await);
    let url = kit.create("q", &[]).await;
    kit.try_send(SendMessageInput {
        message_body: Some("a".to_owned()),
        delay_seconds: Some(10),
        ..to(&url)
    })
    .await
    .expect("sent");
    let waiting = poll(&kit, &url).await;
    kit.settle(9).await;
    assert!(!waiting.is_finished());
    kit.settle(1).await;
    assert_eq!(waiting.await.expect("ends").len(), 1);
}

#[tokio::test]
async fn a_long_poll_ends_by_the_clock_with_nothing() {
    let kit = Arc::new(Kit::new().await);
    let url = kit.create("q", &[]).await;
    let waiting = poll(&kit, &url).await;
    kit.settle(20).await;
    assert!(waiting.await.expect("ends").is_empty());
}

#[tokio::test]
async fn long_polls_do_not_hold_up_a_server_that_stops() {
    let kit = Arc::new(Kit::new().await);
    let url = kit.create("q", &[]).await;
    let waiting = poll(&kit, &url).await;
    assert!(!waiting.is_finished());
    kit.sqs.end_long_polls();
    assert!(waiting.await.expect("ends").is_empty());
    assert!(poll(&kit, &url).await.await.expect("ends at once").is_empty());
    kit.send(&url, "a").await;
    assert_eq!(poll(&kit, &url).await.await.expect("ends").len(), 1, "what is there is still received");
}

#[tokio::test]
async fn each_of_many_polls_gets_a_message() {
    let kit = Arc::new(Kit::new().await);
    let url = kit.create("q", &[]).await;
    let mut waiting = Vec::new();
    for _ in 0..5 {
        waiting.push(poll(&kit, &url).await);
    }
    for number in 0..5 {
        kit.send(&url, &number.to_string()).await;
    }
    for poll in waiting {
        assert_eq!(poll.await.expect("ends").len(), 1);
    }
}

#[tokio::test]
async fn a_receipt_can_give_a_message_back_or_keep_it_longer() {
    let kit = Kit::new().await;
    let url = kit.create("q", &[]).await;
    kit.send(&url, "a").await;
    let received = kit.receive(&url).await;
    kit.hide(&url, &received[0], 60).await.expect("hidden");
    kit.advance(59);
    assert!(kit.bodies(&url).await.is_empty());
    kit.hide(&url, &received[0], 0).await.expect("given back");
    assert_eq!(kit.bodies(&url).await, ["a"]);
    let beyond = kit.hide(&url, &received[0], 43_201).await.expect_err("too long");
    assert_eq!(beyond.shape.code, "InvalidParameterValue");
    kit.delete(&url, &received[0]).await.expect("deleted");
    kit.delete(&url, &received[0]).await.expect("gone is fine");
    let gone = kit.hide(&url, &received[0], 1).await.expect_err("gone");
    assert!(gone.message.expect("told").contains("Message does not exist"));
}

#[tokio::test]
async fn messages_expire_with_their_retention_period() {
    let kit = Kit::new().await;
    let url = kit.create("q", &[("MessageRetentionPeriod", "60")]).await;
    kit.send(&url, "a").await;
    kit.advance(60);
    assert!(kit.bodies(&url).await.is_empty());
    assert_eq!(kit.counts(&url).await, ["0", "0", "0"]);
}
