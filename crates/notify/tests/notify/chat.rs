//! Messages for chat and on-call services.

use std::collections::BTreeMap;

use groundwatch_api::Fault;
use groundwatch_api::sns::{Subscribe, SubscribeInput};
use serde_json::Value;

use crate::harness::{Sns, handle, subscribe_input};

const HOOK: &str = "https://hooks.test/services/x";
const ALARM: &str = r#"{"AlarmName":"disk","AlarmDescription":null,"NewStateValue":"ALARM","NewStateReason":"It is full.",
    "StateChangeTime":"2026-01-01T00:00:00.000+0000","AlarmArn":"arn:aws:cloudwatch:us-east-1:000000000000:alarm:disk"}"#;

async fn subscribe(sns: &Sns, topic: &str, endpoint: SubscribeInput, format: &str) -> Result<(), Fault> {
    let attributes = BTreeMap::from([("MessageFormat".to_owned(), format.to_owned())]);
    let input =
        SubscribeInput { attributes: Some(attributes), topic_arn: Some(topic.to_owned()), ..endpoint };
    sns.call(input, handle::<Subscribe, _>).await.map(|_| ())
}

/// What a service gets: the message that asks a person to confirm, and then those with these texts.
async fn posted(format: &str, texts: &[&str]) -> (String, Vec<Value>) {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    subscribe(&sns, &topic, subscribe_input(&topic, HOOK), format).await.expect("subscribed");
    sns.settle().await;
    let confirmation = String::from_utf8_lossy(&sns.inbox.last(HOOK).post.body).into_owned();
    let (_, token) = confirmation.split_once("Token=").expect("a link");
    let token: String = token.chars().take_while(char::is_ascii_alphanumeric).collect();
    sns.confirm(&topic, &token).await.expect("confirmed");
    sns.inbox.forget(HOOK);
    for text in texts {
        sns.publish(&topic, text).await.expect("published");
    }
    let sns = sns.restart();
    sns.settle().await;
    let received = sns.inbox.received(HOOK);
    let posts = received.iter().inspect(|received| {
        assert!(received.post.headers.contains(&("content-type", "application/json".to_owned())));
    });
    (confirmation, posts.map(|received| serde_json::from_slice(&received.post.body).expect("JSON")).collect())
}

#[tokio::test]
async fn slack_gets_text_and_a_coloured_attachment() {
    let (_, posts) = posted("slack", &[ALARM, "plain"]).await;
    assert_eq!(posts[0]["text"], "ALARM: disk");
    assert_eq!(posts[0]["attachments"][0]["color"], "danger");
    assert_eq!(posts[0]["attachments"][0]["text"], "It is full.");
    assert_eq!(posts[1]["attachments"][0]["text"], "plain");
}

#[tokio::test]
async fn teams_gets_an_adaptive_card() {
    let (_, posts) = posted("teams", &[ALARM]).await;
    let attachment = &posts[0]["attachments"][0];
    assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(attachment["content"]["body"][0]["text"], "ALARM: disk");
    assert_eq!(attachment["content"]["body"][0]["color"], "attention");
}

#[tokio::test]
async fn the_end_of_an_alarm_resolves_its_incident() {
    let (_, posts) = posted("pagerduty:abc123", &[ALARM, &ALARM.replace("\"ALARM\"", "\"OK\"")]).await;
    let actions: Vec<_> = posts.iter().map(|post| post["event_action"].as_str().expect("text")).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    assert_eq!(posts[0]["dedup_key"], posts[1]["dedup_key"]);
    assert_eq!(posts[0]["routing_key"], "abc123");
    assert_eq!(posts[0]["payload"]["severity"], "critical");
}

#[tokio::test]
async fn formats_are_for_webhooks_and_have_names() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let message = |result: Result<(), Fault>| result.expect_err("a fault").message.unwrap_or_default();
    for format in ["irc", "pagerduty", "pagerduty:", "pagerduty:a b"] {
        assert_eq!(
            message(subscribe(&sns, &topic, subscribe_input(&topic, HOOK), format).await),
            format!("Invalid parameter: Attributes Reason: MessageFormat: Invalid value [{format}]")
        );
    }
    let queue = SubscribeInput {
        protocol: Some("sqs".to_owned()),
        endpoint: Some("arn:aws:sqs:us-east-1:000000000000:q".to_owned()),
        ..Default::default()
    };
    assert_eq!(
        message(subscribe(&sns, &topic, queue, "slack").await),
        "Invalid parameter: Attributes Reason: MessageFormat: Invalid value [slack]"
    );
}
