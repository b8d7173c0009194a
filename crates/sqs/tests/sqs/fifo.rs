//! FIFO queues: order, groups, deduplication.

use groundwatch_api::sqs::SendMessageInput;

use crate::kit::{Kit, to};

const FIFO: &[(&str, &str)] = &[("FifoQueue", "true"), ("ContentBasedDeduplication", "true")];

fn content(url: &str, group: &str, body: &str) -> SendMessageInput {
    SendMessageInput {
        message_body: Some(body.to_owned()),
        message_group_id: Some(group.to_owned()),
        ..to(url)
    }
}

#[tokio::test]
async fn a_group_is_blocked_until_its_messages_in_flight_are_gone() {
    let kit = Kit::new().await;
    let url = kit.create("q.fifo", FIFO).await;
    for body in ["1", "2"] {
        kit.send_in(&url, "g", body).await;
    }
    let both = kit.receive(&url).await;
    assert_eq!(both.len(), 2, "as many of a group as possible");
    kit.send_in(&url, "g", "3").await;
    kit.send_in(&url, "h", "4").await;
    assert_eq!(kit.bodies(&url).await, ["4"]);
    kit.delete(&url, &both[0]).await.expect("deleted");
    assert!(kit.bodies(&url).await.is_empty());
    kit.delete(&url, &both[1]).await.expect("deleted");
    assert_eq!(kit.bodies(&url).await, ["3"]);
}

#[tokio::test]
async fn a_repetition_within_five_minutes_is_the_same_message() {
    let kit = Kit::new().await;
    let url = kit.create("q.fifo", FIFO).await;
    let first = kit.try_send(content(&url, "g", "a")).await.expect("sent");
    for message in kit.receive(&url).await {
        kit.delete(&url, &message).await.expect("deleted");
    }
    let kit = kit.restart().await;
    let again = kit.try_send(content(&url, "h", "a")).await.expect("sent");
    assert_eq!((&again.message_id, &again.sequence_number), (&first.message_id, &first.sequence_number));
    assert!(kit.bodies(&url).await.is_empty());
    kit.advance(300);
    let new = kit.try_send(content(&url, "g", "a")).await.expect("sent");
    assert_ne!(new.message_id, first.message_id);
    assert!(new.sequence_number > first.sequence_number);
    assert_eq!(kit.bodies(&url).await, ["a"]);
}

#[tokio::test]
async fn ids_are_the_groups_own_where_the_scope_says_so() {
    let kit = Kit::new().await;
    let url = kit.create("q.fifo", &[FIFO[0], FIFO[1], ("DeduplicationScope", "messageGroup")]).await;
    for group in ["g", "h", "g"] {
        kit.try_send(content(&url, group, "a")).await.expect("sent");
    }
    assert_eq!(kit.bodies(&url).await.len(), 2);
}

#[tokio::test]
async fn an_expired_receipt_does_nothing() {
    let kit = Kit::new().await;
    let url = kit.create("q.fifo", FIFO).await;
    kit.send_in(&url, "g", "1").await;
    let received = kit.receive(&url).await;
    kit.advance(30);
    let refused = kit.delete(&url, &received[0]).await.expect_err("expired");
    let message = refused.message.expect("told");
    assert!(
        message.ends_with("for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."),
        "{message}"
    );
    assert_eq!(kit.bodies(&url).await, ["1"]);
}

#[tokio::test]
async fn what_is_remembered_of_messages_takes_memory_for_five_minutes() {
    let kit = Kit::with_memory(20_000).await;
    let url = kit.create("q.fifo", &[("FifoQueue", "true"), ("ContentBasedDeduplication", "true")]).await;
    let mut sent = 0;
    while sent < 200 && kit.try_send(content(&url, "g", &sent.to_string())).await.is_ok() {
        for message in kit.receive(&url).await {
            kit.delete(&url, &message).await.expect("deleted");
        }
        sent += 1;
    }
    assert!((10..200).contains(&sent));
    kit.settle(6 * 60).await;
    kit.try_send(content(&url, "g", "after")).await.expect("there is room again");
}
