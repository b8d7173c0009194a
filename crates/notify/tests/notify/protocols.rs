//! Subscribers that are no webhooks: queues, mailboxes, functions; and dead-letter queues.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_api::Fault;
use groundwatch_api::sns::{MessageAttributeValue, Publish, PublishInput, Subscribe, SubscribeInput};
use groundwatch_notify::{AttributeValue, Email, QueueError, QueueMessage};
use serde_json::Value;

use crate::harness::{Answer, FUNCTION_URL, Sns, handle};

const HOOK: &str = "http://hook.test/";
pub(crate) const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";
pub(crate) const DEAD_LETTERS: &str = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead"}"#;

pub(crate) async fn subscribe(
    sns: &Sns,
    topic: &str,
    protocol: &str,
    endpoint: &str,
    attributes: &[(&str, &str)],
) -> Result<String, Fault> {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let input = SubscribeInput {
        topic_arn: Some(topic.to_owned()),
        protocol: Some(protocol.to_owned()),
        endpoint: Some(endpoint.to_owned()),
        attributes: Some(attributes.collect()),
        return_subscription_arn: None,
    };
    sns.call(input, handle::<Subscribe, _>)
        .await
        .map(|output| output.subscription_arn.expect("always answered"))
}

fn queued(sns: &Sns) -> Vec<QueueMessage> {
    sns.inbox.queued.lock().expect("not poisoned").clone()
}

fn letters(sns: &Sns) -> Vec<Email> {
    sns.inbox.letters.lock().expect("not poisoned").clone()
}

fn message(result: Result<String, Fault>) -> String {
    result.expect_err("a fault").message.unwrap_or_default()
}

#[tokio::test]
async fn a_message_is_in_its_queues_when_its_publisher_has_an_answer() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let arn = subscribe(&sns, &topic, "sqs", QUEUE, &[]).await.expect("subscribed");
    assert!(arn.starts_with(&topic), "its owner need not confirm: {arn}");
    let id = sns.publish(&topic, "text").await.expect("published");
    let taken = queued(&sns);
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].queue_arn, QUEUE);
    let body: Value = serde_json::from_str(&taken[0].body).expect("JSON");
    assert_eq!((&body["Message"], &body["MessageId"]), (&"text".into(), &id.into()));
    sns.advance(Duration::from_secs(60)).await;
    assert_eq!(queued(&sns).len(), 1, "and only once");
}

#[tokio::test]
async fn raw_delivery_into_a_queue_keeps_the_attributes_beside_the_text() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    subscribe(&sns, &topic, "sqs", QUEUE, &[("RawMessageDelivery", "true")]).await.expect("subscribed");
    let value = MessageAttributeValue {
        data_type: Some("Number".to_owned()),
        string_value: Some("12.50".to_owned()),
        binary_value: None,
    };
    let input = PublishInput {
        topic_arn: Some(topic),
        message: Some("text".to_owned()),
        message_attributes: Some(BTreeMap::from([("price".to_owned(), value)])),
        message_group_id: Some("group".to_owned()),
        ..Default::default()
    };
    sns.call(input, handle::<Publish, _>).await.expect("published");
    let taken = queued(&sns).remove(0);
    assert_eq!((taken.body.as_str(), taken.group_id.as_deref()), ("text", Some("group")));
    let attribute = &taken.attributes["price"];
    assert_eq!(attribute.data_type, "Number");
    assert_eq!(attribute.value, AttributeValue::Text("12.50".to_owned()));
}

#[tokio::test]
async fn a_queue_that_is_busy_gets_its_message_later() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    subscribe(&sns, &topic, "sqs", QUEUE, &[]).await.expect("subscribed");
    let busy = QueueError::Unavailable { reason: "busy".to_owned() };
    sns.inbox.queue_errors.lock().expect("not poisoned").insert(QUEUE.to_owned(), busy);
    sns.publish(&topic, "text").await.expect("published all the same");
    let sns = sns.restart();
    sns.advance(Duration::from_secs(10)).await;
    assert_eq!(queued(&sns), []);
    sns.inbox.queue_errors.lock().expect("not poisoned").clear();
    sns.advance(Duration::from_secs(60)).await;
    assert_eq!(queued(&sns).len(), 1);
}

#[tokio::test]
async fn what_cannot_be_delivered_goes_to_the_dead_letter_queue() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    subscribe(&sns, &topic, "http", HOOK, &[("RedrivePolicy", DEAD_LETTERS)]).await.expect("subscribed");
    let policy = [("RedrivePolicy", DEAD_LETTERS)];
    sns.settle().await;
    let token = sns.inbox.last(HOOK).text("Token");
    sns.confirm(&topic, &token).await.expect("confirmed");
    sns.inbox.answer(HOOK, Answer::Status(404));
    sns.publish(&topic, "to the webhook").await.expect("published");
    sns.settle().await;
    let dead = queued(&sns).remove(0);
    assert_eq!(dead.queue_arn, "arn:aws:sqs:us-east-1:000000000000:dead");
    assert!(dead.body.contains("to the webhook"));
    // recorded: nothing about the failure goes along.
    assert!(dead.attributes.is_empty());

    subscribe(&sns, &topic, "sqs", QUEUE, &policy).await.expect("subscribed");
    sns.inbox.answer(HOOK, Answer::Status(200));
    let gone = QueueError::Refused { reason: "there is no such queue".to_owned() };
    sns.inbox.queue_errors.lock().expect("not poisoned").insert(QUEUE.to_owned(), gone);
    sns.publish(&topic, "to the queue").await.expect("published");
    sns.settle().await;
    assert!(queued(&sns).last().expect("a second one").body.contains("to the queue"));
}

#[tokio::test]
async fn a_dead_letter_queue_that_is_busy_gets_its_message_later() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    subscribe(&sns, &topic, "sqs", QUEUE, &[("RedrivePolicy", DEAD_LETTERS)]).await.expect("subscribed");
    let gone = QueueError::Refused { reason: "there is no such queue".to_owned() };
    let busy = QueueError::Unavailable { reason: "busy".to_owned() };
    let dead = "arn:aws:sqs:us-east-1:000000000000:dead".to_owned();
    sns.inbox
        .queue_errors
        .lock()
        .expect("not poisoned")
        .extend([(QUEUE.to_owned(), gone), (dead.clone(), busy)]);
    sns.publish(&topic, "text").await.expect("published");
    sns.advance(Duration::from_secs(3600)).await;
    assert_eq!(queued(&sns), []);
    sns.inbox.queue_errors.lock().expect("not poisoned").remove(&dead);
    sns.advance(Duration::from_secs(60)).await;
    assert_eq!(queued(&sns).len(), 1);
}

#[tokio::test]
async fn a_mail_box_confirms_by_a_link_and_gets_text() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let pending = subscribe(&sns, &topic, "email", "a@example.com", &[]).await;
    assert_eq!(pending.as_deref(), Ok("pending confirmation"));
    sns.settle().await;
    let confirmation = letters(&sns).remove(0);
    assert_eq!(confirmation.to, "a@example.com");
    assert_eq!(confirmation.subject, "AWS Notification - Subscription Confirmation");
    let (_, token) = confirmation.text.split_once("Token=").expect("a link");
    sns.confirm(&topic, token.trim()).await.expect("confirmed");
    sns.notify
        .publish(&Default::default(), &topic, Some("it burns"), "in the attic", None)
        .await
        .expect("published");
    sns.settle().await;
    let notification = letters(&sns).pop().expect("a mail");
    assert_eq!(notification.subject, "it burns");
    assert!(notification.text.starts_with("in the attic\n"), "{}", notification.text);
    assert!(notification.text.contains("Action=Unsubscribe&SubscriptionArn="), "{}", notification.text);
}

#[tokio::test]
async fn a_mail_box_for_programs_gets_json() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    subscribe(&sns, &topic, "email-json", "a@example.com", &[]).await.expect("subscribed");
    sns.settle().await;
    let confirmation = letters(&sns).remove(0).text;
    let (_, token) = confirmation.split_once("Token=").expect("a link");
    sns.confirm(&topic, token.trim()).await.expect("confirmed");
    sns.publish(&topic, "text").await.expect("published");
    sns.settle().await;
    let json: Value = serde_json::from_str(&letters(&sns).pop().expect("a mail").text).expect("JSON");
    assert_eq!(json["Message"], "text");
}

#[tokio::test]
async fn a_function_gets_an_event() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let known = "arn:aws:lambda:us-east-1:000000000000:function:known";
    let arn = subscribe(&sns, &topic, "lambda", known, &[]).await.expect("subscribed");
    sns.publish(&topic, "text").await.expect("published");
    sns.settle().await;
    let post = sns.inbox.last(FUNCTION_URL).post;
    assert!(post.headers.contains(&("content-type", "application/json".to_owned())));
    let event: Value = serde_json::from_slice(&post.body).expect("JSON");
    let record = &event["Records"][0];
    assert_eq!(record["EventSource"], "aws:sns");
    assert_eq!(record["EventSubscriptionArn"], arn);
    assert_eq!(record["Sns"]["Message"], "text");
    assert_eq!(record["Sns"]["Subject"], Value::Null);

    let unknown = subscribe(&sns, &topic, "lambda", &known.replace("known", "other"), &[]).await;
    assert_eq!(
        message(unknown),
        "Invalid parameter: Protocol Reason: the protocol lambda without a URL configured for this function is not \
         supported by Groundwatch"
    );
}

#[tokio::test]
async fn endpoints_that_cannot_be_are_refused_as_aws_does() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let check = async |protocol: &str, endpoint: &str, expected: &str| {
        let result = subscribe(&sns, &topic, protocol, endpoint, &[]).await;
        assert_eq!(message(result), format!("Invalid parameter: {expected}"));
    };
    check("sqs", "unknown", "SQS endpoint ARN").await;
    check(
        "sqs",
        &format!("{QUEUE}.fifo"),
        "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
    )
    .await;
    check("lambda", "f", "Lambda endpoint ARN").await;
    check("email", "nobody", "Email address").await;
    let policy = [("RedrivePolicy", r#"{"deadLetterTargetArn":"dead"}"#)];
    assert_eq!(
        message(subscribe(&sns, &topic, "sqs", QUEUE, &policy).await),
        "Invalid parameter: RedrivePolicy: deadLetterTargetArn is an invalid arn"
    );
}
