//! FIFO topics: order, and no message twice.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_api::Fault;
use groundwatch_api::sns::{
    CreateTopic, CreateTopicInput, DeleteTopic, DeleteTopicInput, Publish, PublishInput, PublishOutput,
    Subscribe, SubscribeInput,
};
use groundwatch_notify::QueueError;

use crate::harness::{START, Sns, handle};

const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q.fifo";

async fn create(sns: &Sns, name: &str, attributes: &[(&str, &str)]) -> Result<String, Fault> {
    let attributes: BTreeMap<_, _> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let input =
        CreateTopicInput { name: Some(name.to_owned()), attributes: Some(attributes), ..Default::default() };
    sns.call(input, handle::<CreateTopic, _>).await.map(|output| output.topic_arn.expect("an ARN"))
}

/// A FIFO topic with a raw subscription of a FIFO queue.
async fn subscribed(sns: &Sns, attributes: &[(&str, &str)]) -> String {
    let attributes = [&[("FifoTopic", "true")], attributes].concat();
    let topic = create(sns, "topic.fifo", &attributes).await.expect("created");
    let input = SubscribeInput {
        topic_arn: Some(topic.clone()),
        protocol: Some("sqs".to_owned()),
        endpoint: Some(QUEUE.to_owned()),
        attributes: Some(BTreeMap::from([("RawMessageDelivery".to_owned(), "true".to_owned())])),
        return_subscription_arn: None,
    };
    sns.call(input, handle::<Subscribe, _>).await.expect("subscribed");
    topic
}

async fn publish(sns: &Sns, topic: &str, text: &str, group: &str, id: &str) -> Result<PublishOutput, Fault> {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let input = PublishInput {
        topic_arn: Some(topic.to_owned()),
        message: Some(text.to_owned()),
        message_group_id: given(group),
        message_deduplication_id: given(id),
        ..Default::default()
    };
    sns.call(input, handle::<Publish, _>).await
}

fn texts(sns: &Sns) -> Vec<String> {
    sns.inbox.queued.lock().expect("not poisoned").iter().map(|message| message.body.clone()).collect()
}

fn message<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
    result.expect_err("a fault").message.unwrap_or_default()
}

#[tokio::test]
async fn a_message_that_comes_again_within_five_minutes_is_the_same() {
    let sns = Sns::new();
    let topic = subscribed(&sns, &[]).await;
    let first = publish(&sns, &topic, "one", "g", "id").await.expect("published");
    assert_eq!(first.sequence_number.as_deref(), Some("10000000000000000000"));
    sns.advance(Duration::from_secs(299)).await;
    let sns = sns.restart();
    assert_eq!(publish(&sns, &topic, "other text", "g", "id").await, Ok(first.clone()));
    assert_eq!(texts(&sns), ["one"]);
    sns.advance(Duration::from_secs(1)).await;
    let later = publish(&sns, &topic, "two", "g", "id").await.expect("published");
    assert_eq!(later.sequence_number.as_deref(), Some("10000000000000000001"));
    assert_eq!(texts(&sns), ["one", "two"]);
    let queued = sns.inbox.queued.lock().expect("not poisoned").clone();
    assert_eq!(queued[1].group_id.as_deref(), Some("g"));
    assert_eq!(queued[1].deduplication_id.as_deref(), Some("id"));
}

#[tokio::test]
async fn content_can_tell_messages_apart() {
    let sns = Sns::new();
    let topic = subscribed(&sns, &[("ContentBasedDeduplication", "true")]).await;
    for text in ["one", "two", "one"] {
        publish(&sns, &topic, text, "g", "").await.expect("published");
    }
    assert_eq!(texts(&sns), ["one", "two"]);
}

#[tokio::test]
async fn messages_are_told_apart_within_their_group_if_the_topic_says_so() {
    let sns = Sns::new();
    let topic = subscribed(&sns, &[("FifoThroughputScope", "MessageGroup")]).await;
    for group in ["a", "b", "a"] {
        publish(&sns, &topic, group, group, "id").await.expect("published");
    }
    assert_eq!(texts(&sns), ["a", "b"]);
}

#[tokio::test]
async fn nobody_overtakes_a_message_that_waits() {
    let sns = Sns::new();
    let topic = subscribed(&sns, &[]).await;
    let busy = QueueError::Unavailable { reason: "busy".to_owned() };
    sns.inbox.queue_errors.lock().expect("not poisoned").insert(QUEUE.to_owned(), busy);
    publish(&sns, &topic, "one", "g", "1").await.expect("published");
    sns.advance(Duration::from_secs(30)).await;
    publish(&sns, &topic, "two", "g", "2").await.expect("published");
    sns.inbox.queue_errors.lock().expect("not poisoned").clear();
    publish(&sns, &topic, "three", "g", "3").await.expect("published");
    assert!(texts(&sns).is_empty(), "not before those that wait");
    sns.advance(Duration::from_secs(60)).await;
    assert_eq!(texts(&sns), ["one", "two", "three"]);
    publish(&sns, &topic, "four", "g", "4").await.expect("published");
    assert_eq!(texts(&sns).len(), 4, "and at once again");
}

#[tokio::test]
async fn a_clock_that_is_set_back_changes_no_order() {
    for restarts in [false, true] {
        let mut sns = Sns::new();
        let topic = subscribed(&sns, &[]).await;
        let busy = QueueError::Unavailable { reason: "busy".to_owned() };
        sns.inbox.queue_errors.lock().expect("not poisoned").insert(QUEUE.to_owned(), busy);
        publish(&sns, &topic, "one", "g", "1").await.expect("published");
        sns.clock.set(START - Duration::from_secs(3600));
        publish(&sns, &topic, "two", "g", "2").await.expect("published");
        if restarts {
            sns = sns.restart();
        }
        sns.inbox.queue_errors.lock().expect("not poisoned").clear();
        sns.settle().await;
        assert_eq!(texts(&sns), ["one", "two"], "restarts: {restarts}");
    }
}

#[tokio::test]
async fn a_topic_that_is_created_again_has_seen_nothing() {
    let sns = Sns::new();
    let topic = subscribed(&sns, &[]).await;
    let first = publish(&sns, &topic, "old", "g", "id").await.expect("published");
    let input = DeleteTopicInput { topic_arn: Some(topic) };
    sns.call(input, handle::<DeleteTopic, _>).await.expect("deleted");
    let topic = subscribed(&sns, &[]).await;
    let again = publish(&sns, &topic, "new", "g", "id").await.expect("published");
    assert_ne!(again.message_id, first.message_id);
    assert_eq!(again.sequence_number, first.sequence_number);
    assert_eq!(texts(&sns), ["old", "new"]);
}

#[tokio::test]
async fn what_is_not_in_line_is_refused() {
    let sns = Sns::new();
    assert_eq!(
        message(create(&sns, "topic", &[("FifoTopic", "true")]).await),
        "Invalid parameter: Topic Name"
    );
    assert_eq!(message(create(&sns, "topic.fifo", &[]).await), "Invalid parameter: Topic Name");
    let topic = subscribed(&sns, &[]).await;
    let check = async |group: &str, id: &str, expected: &str| {
        let result = publish(&sns, &topic, "text", group, id).await;
        assert_eq!(message(result), format!("Invalid parameter: {expected}"));
    };
    check("", "id", "The MessageGroupId parameter is required for FIFO topics").await;
    check(
        "g",
        "",
        "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    )
    .await;
    check(
        "two words",
        "id",
        "MessageGroupId Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in \
         length",
    )
    .await;
    let hook = sns.subscribe(&topic, "http://hook.test/").await;
    assert_eq!(
        message(hook),
        "Invalid parameter: Invalid parameter: Endpoint Reason: Please use FIFO SQS queue"
    );
    let standard = sns.create_topic("standard").await;
    assert_eq!(
        message(publish(&sns, &standard, "text", "g", "id").await),
        "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that \
         is not valid for this topic type"
    );
}
