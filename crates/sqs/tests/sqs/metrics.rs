//! What queues say about themselves.

use groundwatch_core::Clock as _;
use groundwatch_own_metrics::{Sample, Statistics};

use crate::kit::{Kit, START};

/// Lets so many seconds pass, and reads what is said then.
fn read(kit: &Kit, secs: i64) -> Vec<Sample> {
    kit.advance(secs);
    kit.sqs.meters().read(kit.clock.now())
}

/// What a queue says of one metric.
fn told(samples: &[Sample], queue: &str, name: &str) -> Option<Statistics> {
    let of = |sample: &&Sample| sample.name == name && sample.dimensions == [("QueueName", queue.to_owned())];
    samples.iter().find(of).map(|sample| sample.statistics)
}

/// Asserts what `q` says of metrics without the words `ApproximateNumberOf` and `NumberOf`.
#[track_caller]
fn check(samples: &[Sample], queue: &str, expected: &[(&str, f64)]) {
    for (name, value) in expected {
        assert_eq!(told(samples, queue, name), Some(Statistics::of(*value)), "{name}");
    }
}

#[tokio::test]
async fn a_minute_is_told_when_it_is_over() {
    let kit = Kit::new().await;
    let url = kit.create("q", &[("VisibilityTimeout", "90")]).await;
    kit.receive(&url).await;
    for body in ["a", "bbb", "cc"] {
        kit.send(&url, body).await;
    }
    kit.advance(20);
    let received = kit.receive(&url).await;
    kit.delete(&url, &received[0]).await.expect("deleted");
    kit.delete(&url, &received[0]).await.expect("no mistake, and counted too");
    kit.send(&url, "d").await;
    let samples = read(&kit, 40);
    check(
        &samples,
        "q",
        &[
            ("ApproximateAgeOfOldestMessage", 60.0),
            ("ApproximateNumberOfMessagesDelayed", 0.0),
            ("ApproximateNumberOfMessagesNotVisible", 2.0),
            ("ApproximateNumberOfMessagesVisible", 1.0),
            ("NumberOfEmptyReceives", 1.0),
            ("NumberOfMessagesDeleted", 2.0),
            ("NumberOfMessagesReceived", 3.0),
            ("NumberOfMessagesSent", 4.0),
        ],
    );
    let sizes = Statistics { count: 4, sum: 7.0, minimum: 1.0, maximum: 3.0 };
    assert_eq!(told(&samples, "q", "SentMessageSize"), Some(sizes));
    assert!(samples.iter().all(|sample| sample.minute == START && sample.namespace == "AWS/SQS"));
    assert_eq!(samples.len(), 9, "what only FIFO queues have is not told");

    let samples = read(&kit, 60);
    let quiet = ["EmptyReceives", "MessagesDeleted", "MessagesReceived", "MessagesSent"];
    for name in quiet {
        check(&samples, "q", &[(&format!("NumberOf{name}"), 0.0)]);
    }
    check(&samples, "q", &[("ApproximateNumberOfMessagesVisible", 3.0)]);
    assert_eq!(told(&samples, "q", "SentMessageSize"), None, "nothing was sent");
}

#[tokio::test]
async fn a_queue_without_messages_is_silent_six_hours_after_the_last_access() {
    let kit = Kit::new().await;
    kit.create("q", &[]).await;
    let meters = kit.sqs.meters();
    assert_eq!(read(&kit, 60).len(), 8);
    assert_eq!(read(&kit, 6 * 3600 - 60).len(), 8);
    assert_eq!(read(&kit, 60), []);
    assert_eq!(meters.next_due(), None, "nobody is woken for nothing");
    kit.receive("q").await;
    assert!(meters.next_due().is_some());
    assert_eq!(read(&kit, 60).len(), 8);
}

#[tokio::test]
async fn messages_keep_a_queue_active_also_over_a_restart() {
    let kit = Kit::new().await;
    let url = kit.create("q", &[]).await;
    kit.create("other", &[]).await;
    kit.send(&url, "a").await;
    kit.advance(30);
    let kit = kit.restart().await;
    let samples = read(&kit, 30);
    check(
        &samples,
        "q",
        &[("ApproximateNumberOfMessagesVisible", 1.0), ("ApproximateAgeOfOldestMessage", 60.0)],
    );
    assert_eq!(samples.len(), 8, "of the other queue nothing is known");
    let samples = read(&kit, 7 * 3600);
    check(&samples, "q", &[("ApproximateNumberOfMessagesVisible", 1.0)]);
}

#[tokio::test]
async fn a_fifo_queue_tells_its_groups_and_repetitions() {
    let kit = Kit::new().await;
    let url = kit.create("q.fifo", &[("FifoQueue", "true")]).await;
    for (group, body) in [("a", "1"), ("a", "2"), ("b", "3"), ("b", "3")] {
        kit.send_in(&url, group, body).await;
    }
    assert_eq!(kit.receive(&url).await.len(), 3);
    kit.send_in(&url, "c", "4").await;
    check(
        &read(&kit, 20),
        "q.fifo",
        &[
            ("ApproximateNumberOfGroupsWithInflightMessages", 2.0),
            ("NumberOfDeduplicatedSentMessages", 1.0),
            ("NumberOfMessagesSent", 4.0),
        ],
    );
}

#[tokio::test]
async fn a_message_that_is_received_in_vain_stops_counting_as_the_oldest() {
    let kit = Kit::new().await;
    let url = kit.create("q", &[("VisibilityTimeout", "10")]).await;
    kit.send(&url, "poison").await;
    for _ in 0..3 {
        kit.receive(&url).await;
        kit.advance(10);
    }
    kit.send(&url, "good").await;
    check(&read(&kit, 30), "q", &[("ApproximateAgeOfOldestMessage", 30.0)]);
}
