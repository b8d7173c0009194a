//! Dead-letter queues and the way back.

use groundwatch_api::sqs::{
    CancelMessageMoveTask, CancelMessageMoveTaskInput, ListMessageMoveTasks, ListMessageMoveTasksInput,
    ListMessageMoveTasksResultEntry, SetQueueAttributes, SetQueueAttributesInput, StartMessageMoveTask,
    StartMessageMoveTaskInput,
};

use crate::kit::{Kit, attribute, pairs};

const DEAD_ARN: &str = "arn:aws:sqs:us-east-1:000000000000:dead";
const POLICY: &str =
    r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":2}"#;

/// A queue whose messages die after two receipts, and the queue that they go to.
async fn with_dead_letters() -> (Kit, String, String) {
    let kit = Kit::new().await;
    let dead = kit.create("dead", &[]).await;
    let url = kit.create("q", &[("RedrivePolicy", POLICY), ("VisibilityTimeout", "10")]).await;
    (kit, url, dead)
}

async fn kill(kit: &Kit, url: &str) {
    for _ in 0..3 {
        kit.receive(url).await;
        kit.advance(10);
    }
}

fn start() -> StartMessageMoveTaskInput {
    StartMessageMoveTaskInput {
        source_arn: Some(DEAD_ARN.to_owned()),
        ..StartMessageMoveTaskInput::default()
    }
}

async fn tasks(kit: &Kit) -> Vec<ListMessageMoveTasksResultEntry> {
    let input = ListMessageMoveTasksInput { source_arn: Some(DEAD_ARN.to_owned()), max_results: Some(10) };
    kit.call::<ListMessageMoveTasks>(input).await.expect("listed").results.expect("told")
}

#[tokio::test]
async fn a_message_that_is_received_too_often_goes_to_the_dead_letter_queue() {
    let (kit, url, dead) = with_dead_letters().await;
    let sent = kit.send(&url, "a").await;
    kill(&kit, &url).await;
    let kit = kit.restart().await;
    let letters = kit.receive(&dead).await;
    assert_eq!(letters.len(), 1);
    assert_eq!((&letters[0].message_id, letters[0].body.as_deref()), (&sent.message_id, Some("a")));
    assert_eq!(attribute(&letters[0], "DeadLetterQueueSourceArn"), "arn:aws:sqs:us-east-1:000000000000:q");
    // recorded: two receives there and one here, also after a restart.
    assert_eq!(attribute(&letters[0], "ApproximateReceiveCount"), "3");
    assert_eq!(kit.counts(&url).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn more_dead_messages_than_move_at_once_hold_up_nobody() {
    let (kit, url, dead) = with_dead_letters().await;
    for number in 0..120 {
        kit.send(&url, &number.to_string()).await;
    }
    for _ in 0..2 {
        while !kit.receive(&url).await.is_empty() {}
        kit.advance(10);
    }
    kit.send(&url, "alive").await;
    assert_eq!(kit.bodies(&url).await, ["alive"]);
    assert_eq!(kit.counts(&dead).await, ["120", "0", "0"]);
}

#[tokio::test]
async fn a_move_task_brings_messages_back_to_where_they_came_from() {
    let (kit, url, dead) = with_dead_letters().await;
    for number in 0..250 {
        kit.send(&url, &number.to_string()).await;
    }
    for _ in 0..3 {
        while !kit.receive(&url).await.is_empty() {}
        kit.advance(10);
    }
    assert_eq!(kit.counts(&dead).await[0], "250");
    let handle = kit.call::<StartMessageMoveTask>(start()).await.expect("started").task_handle;
    assert_eq!(tasks(&kit).await[0].task_handle, handle);
    let second = kit.call::<StartMessageMoveTask>(start()).await.expect_err("one at a time");
    assert_eq!(second.shape.code, "InvalidParameterValue");
    kit.settle(1).await;
    let [task] = &tasks(&kit).await[..] else { panic!("one task") };
    assert_eq!(
        (task.status.as_deref(), task.approximate_number_of_messages_moved),
        (Some("COMPLETED"), Some(250))
    );
    assert_eq!(task.task_handle, None);
    assert_eq!(kit.counts(&url).await[0], "250");
}

#[tokio::test]
async fn a_cancelled_task_leaves_the_rest_where_it_is() {
    let (kit, url, dead) = with_dead_letters().await;
    for number in 0..5 {
        kit.send(&url, &number.to_string()).await;
    }
    kill(&kit, &url).await;
    let input = StartMessageMoveTaskInput { max_number_of_messages_per_second: Some(2), ..start() };
    let task_handle = kit.call::<StartMessageMoveTask>(input).await.expect("started").task_handle;
    kit.settle(0).await;
    let cancel = CancelMessageMoveTaskInput { task_handle };
    let cancelled = kit.call::<CancelMessageMoveTask>(cancel).await.expect("cancelled");
    assert_eq!(cancelled.approximate_number_of_messages_moved, Some(2));
    kit.settle(5).await;
    assert_eq!((kit.counts(&dead).await[0].as_str(), kit.counts(&url).await[0].as_str()), ("3", "2"));
    assert_eq!(tasks(&kit).await[0].status.as_deref(), Some("CANCELLED"));
}

#[tokio::test]
async fn policies_that_cannot_work_are_refused() {
    let (kit, _, dead) = with_dead_letters().await;
    let set = |url: &str, name: &str, value: &str| SetQueueAttributesInput {
        queue_url: Some(url.to_owned()),
        attributes: Some(pairs(&[(name, value)])),
    };
    let other = kit.create("other", &[]).await;
    let fifo = kit.create("other.fifo", &[("FifoQueue", "true")]).await;
    let missing = POLICY.replace(":dead", ":missing");
    for (url, policy, reason) in [
        (&other, missing.as_str(), "Dead letter target does not exist."),
        (&fifo, POLICY, "Dead-letter queue must be same type of queue as the source."),
    ] {
        let refused =
            kit.call::<SetQueueAttributes>(set(url, "RedrivePolicy", policy)).await.expect_err(reason);
        assert!(refused.message.expect("told").ends_with(reason));
    }
    let deny = set(&dead, "RedriveAllowPolicy", r#"{"redrivePermission":"denyAll"}"#);
    kit.call::<SetQueueAttributes>(deny).await.expect("set");
    kit.call::<SetQueueAttributes>(set(&other, "RedrivePolicy", POLICY)).await.expect_err("denied");
}
