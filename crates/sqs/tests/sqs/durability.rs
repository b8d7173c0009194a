//! What was answered is there after a restart, from the journal and from checkpoints.

use std::task::{Context, Waker};

use groundwatch_api::sqs::{
    DeleteQueue, DeleteQueueInput, PurgeQueue, PurgeQueueInput, SendMessageInput, StartMessageMoveTask,
    StartMessageMoveTaskInput,
};
use groundwatch_core::Clock;
use proptest::prelude::*;

use crate::kit::{Kit, attribute, to};

/// Longer than the age at which a checkpoint is due.
const PAST_CHECKPOINT_SECS: i64 = 11 * 60;

#[tokio::test]
async fn messages_receipts_and_counts_survive_a_restart() {
    let kit = Kit::new().await;
    let url = kit.create("q", &[("VisibilityTimeout", "60")]).await;
    kit.send(&url, "a").await;
    let received = kit.receive(&url).await;
    kit.send(&url, "b").await;
    let delayed =
        SendMessageInput { message_body: Some("c".to_owned()), delay_seconds: Some(90), ..to(&url) };
    kit.try_send(delayed).await.expect("sent");

    let kit = kit.restart().await;
    assert_eq!(kit.counts(&url).await, ["1", "1", "1"]);
    kit.advance(60);
    let again = kit.receive(&url).await;
    let known: Vec<_> = again
        .iter()
        .map(|message| (message.body.as_deref(), attribute(message, "ApproximateReceiveCount")))
        .collect();
    assert_eq!(known, [(Some("a"), "2"), (Some("b"), "1")]);
    assert_eq!(
        attribute(&again[0], "ApproximateFirstReceiveTimestamp"),
        attribute(&received[0], "ApproximateFirstReceiveTimestamp")
    );
    kit.delete(&url, &again[0]).await.expect("deleted");
    let kit = kit.restart().await;
    assert_eq!(kit.counts(&url).await, ["0", "1", "1"]);
}

#[tokio::test]
async fn a_checkpoint_holds_what_the_journal_no_longer_has() {
    let kit = Kit::new().await;
    let url = kit.create("q", &[("VisibilityTimeout", "43200")]).await;
    for number in 0..50 {
        kit.send(&url, &format!("m{number}")).await;
    }
    kit.receive(&url).await;
    kit.settle(PAST_CHECKPOINT_SECS).await;
    kit.send(&url, "after").await;
    let kit = kit.restart().await;
    assert_eq!(kit.counts(&url).await, ["41", "10", "0"]);
    kit.settle(PAST_CHECKPOINT_SECS).await;
    let kit = kit.restart().await;
    assert_eq!(kit.counts(&url).await, ["41", "10", "0"]);
    let rest = kit.bodies(&url).await;
    assert_eq!((rest.len(), rest[0].as_str()), (10, "m10"));
}

#[tokio::test]
async fn a_purged_queue_is_empty_and_a_new_one_of_that_name_too() {
    let kit = Kit::new().await;
    let url = kit.create("q", &[]).await;
    kit.send(&url, "a").await;
    let purge = || PurgeQueueInput { queue_url: Some(url.clone()) };
    kit.call::<PurgeQueue>(purge()).await.expect("purged");
    let refused = kit.call::<PurgeQueue>(purge()).await.expect_err("too soon");
    assert_eq!(refused.shape.code, "AWS.SimpleQueueService.PurgeQueueInProgress");
    kit.send(&url, "b").await;
    let kit = kit.restart().await;
    assert_eq!(kit.bodies(&url).await, ["b"]);
    kit.call::<DeleteQueue>(DeleteQueueInput { queue_url: Some(url.clone()) }).await.expect("deleted");
    kit.create("q", &[]).await;
    let kit = kit.restart().await;
    assert_eq!(kit.counts(&url).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn a_purge_leaves_what_it_deletes_deleted_and_nothing_else() {
    let kit = Kit::new().await;
    let url = kit.create("q", &[]).await;
    let mut sending = Box::pin(kit.send(&url, "a"));
    let begun = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(begun.is_pending(), "it is being written");
    let purge = kit.call::<PurgeQueue>(PurgeQueueInput { queue_url: Some(url.clone()) });
    let (purged, _) = tokio::join!(purge, sending);
    purged.expect("purged");
    let before = kit.counts(&url).await;
    let kit = kit.restart().await;
    assert_eq!(kit.counts(&url).await, before);
}

#[tokio::test]
async fn a_clock_that_is_set_back_puts_no_checkpoint_off() {
    let kit = Kit::new().await;
    let url = kit.create("q", &[]).await;
    kit.send(&url, "a").await;
    kit.advance(-365 * 86_400);
    let due = || kit.sqs.activities().iter().filter_map(|activity| activity.next_due()).min();
    assert_eq!(due(), Some(kit.clock.now()));
    kit.settle(0).await;
    assert!(due() > Some(kit.clock.now()));
}

#[tokio::test]
async fn memory_is_bounded_and_free_again_when_messages_are_gone() {
    let kit = Kit::with_memory(20_000).await;
    let url = kit.create("q", &[]).await;
    let send =
        |size: usize| kit.try_send(SendMessageInput { message_body: Some("x".repeat(size)), ..to(&url) });
    send(10_000).await.expect("fits");
    let refused = send(10_000).await.expect_err("does not fit");
    assert_eq!(refused.shape.code, "RequestThrottled");
    for message in kit.receive(&url).await {
        kit.delete(&url, &message).await.expect("deleted");
    }
    send(10_000).await.expect("fits again");
}

#[tokio::test]
async fn a_move_task_goes_on_after_a_restart() {
    let kit = Kit::new().await;
    let dead = kit.create("dead", &[]).await;
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":1}"#;
    let url = kit.create("q", &[("RedrivePolicy", policy), ("VisibilityTimeout", "0")]).await;
    for number in 0..10 {
        kit.send(&url, &number.to_string()).await;
    }
    assert_eq!(kit.receive(&url).await.len(), 10);
    assert_eq!(kit.receive(&url).await.len(), 0);
    let input = StartMessageMoveTaskInput {
        source_arn: Some("arn:aws:sqs:us-east-1:000000000000:dead".to_owned()),
        max_number_of_messages_per_second: Some(3),
        ..StartMessageMoveTaskInput::default()
    };
    kit.call::<StartMessageMoveTask>(input).await.expect("started");
    kit.settle(1).await;
    assert_eq!(kit.counts(&dead).await[0], "4");
    let kit = kit.restart().await;
    kit.settle(5).await;
    assert_eq!((kit.counts(&dead).await[0].as_str(), kit.counts(&url).await[0].as_str()), ("0", "10"));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    Receive,
    Delete(usize),
    Hide(usize),
    Wait(i64),
    Restart,
    Checkpoint,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Send),
        4 => Just(Step::Receive),
        4 => (0..8usize).prop_map(Step::Delete),
        2 => (0..8usize).prop_map(Step::Hide),
        2 => (1..40i64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
        1 => Just(Step::Checkpoint),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Two services do the same; only one of them is restarted and takes checkpoints. Nobody can tell.
    #[test]
    fn restarts_and_checkpoints_change_nothing(steps in prop::collection::vec(step(), 1..30), fifo: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (mut kit, plain) = (Kit::new().await, Kit::new().await);
            let (name, attributes): (_, &[_]) = match fifo {
                true => ("q.fifo", &[("FifoQueue", "true")]),
                false => ("q", &[]),
            };
            let url = kit.create(name, attributes).await;
            plain.create(name, attributes).await;
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Send if fifo => {
                        for kit in [&kit, &plain] {
                            kit.send_in(&url, &(number % 3).to_string(), &number.to_string()).await;
                        }
                    }
                    Step::Send => {
                        for kit in [&kit, &plain] {
                            kit.send(&url, &number.to_string()).await;
                        }
                    }
                    Step::Receive => {
                        ours.extend(kit.receive(&url).await);
                        theirs.extend(plain.receive(&url).await);
                    }
                    Step::Delete(index) if index < ours.len() => {
                        let outcomes = (kit.delete(&url, &ours[index]).await, plain.delete(&url, &theirs[index]).await);
                        assert_eq!(outcomes.0.is_ok(), outcomes.1.is_ok());
                    }
                    Step::Hide(index) if index < ours.len() => {
                        let outcomes = (kit.hide(&url, &ours[index], 7).await, plain.hide(&url, &theirs[index], 7).await);
                        assert_eq!(outcomes.0.is_ok(), outcomes.1.is_ok());
                    }
                    Step::Wait(secs) => {
                        kit.advance(secs);
                        plain.advance(secs);
                    }
                    Step::Restart => kit = kit.restart().await,
                    Step::Checkpoint => {
                        kit.settle(PAST_CHECKPOINT_SECS).await;
                        plain.advance(PAST_CHECKPOINT_SECS);
                    }
                    Step::Delete(_) | Step::Hide(_) => {}
                }
                assert_eq!(kit.counts(&url).await, plain.counts(&url).await);
                let texts = |messages: &[groundwatch_api::sqs::Message]| -> Vec<_> {
                    messages.iter().map(|message| (message.body.clone(), attribute(message, "ApproximateReceiveCount").to_owned())).collect()
                };
                assert_eq!(texts(&ours), texts(&theirs));
            }
        });
    }
}
