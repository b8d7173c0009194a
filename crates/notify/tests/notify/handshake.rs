//! Subscribing, confirming, and ending it.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_api::sns::{
    ConfirmSubscription, ConfirmSubscriptionInput, Subscribe, SubscribeInput, Unsubscribe, UnsubscribeInput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::harness::{BASE_URL, Sns, handle, signed_call, subscribe_input, unsigned_call};

const HOOK: &str = "http://hook.test/";

fn text<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
    result.expect_err("a fault").message.unwrap_or_default()
}

async fn unsubscribe(sns: &Sns, call: &Call, arn: &str) -> Result<(), Fault> {
    let input = UnsubscribeInput { subscription_arn: Some(arn.to_owned()) };
    Handle::<Unsubscribe>::handle(&sns.notify, call, input).await.map(|_| ())
}

#[tokio::test]
async fn messages_come_only_after_the_endpoint_confirmed() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    assert_eq!(sns.subscribe(&topic, HOOK).await.as_deref(), Ok("pending confirmation"));
    sns.publish(&topic, "too early").await.expect("published");
    sns.settle().await;
    let confirmation = sns.inbox.last(HOOK);
    assert_eq!(sns.inbox.received(HOOK).len(), 1);
    assert_eq!(confirmation.text("Type"), "SubscriptionConfirmation");
    let token = confirmation.text("Token");
    assert_eq!(
        confirmation.text("SubscribeURL"),
        format!("{BASE_URL}/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}")
    );

    let arn = sns.confirm(&topic, &token).await.expect("confirmed");
    assert!(arn.starts_with(&format!("{topic}:")), "{arn}");
    assert_eq!(
        sns.confirm(&topic, &token).await.as_deref(),
        Ok(arn.as_str()),
        "confirming twice is confirming"
    );
    sns.publish(&topic, "in time").await.expect("published");
    sns.settle().await;
    let notification = sns.inbox.last(HOOK);
    assert_eq!(
        (notification.text("Type"), notification.text("Message")),
        ("Notification".into(), "in time".into())
    );
    assert_eq!(sns.inbox.received(HOOK).len(), 2);
}

#[tokio::test]
async fn an_endpoint_subscribes_to_a_topic_once() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let asking = SubscribeInput { return_subscription_arn: Some(true), ..subscribe_input(&topic, HOOK) };
    let pending = sns.call(asking, handle::<Subscribe, _>).await.expect("subscribed").subscription_arn;
    assert_eq!(sns.subscribe(&topic, HOOK).await.as_deref(), Ok("pending confirmation"));
    sns.settle().await;
    assert_eq!(sns.inbox.received(HOOK).len(), 2, "asked again");
    let token = sns.inbox.received(HOOK)[0].text("Token");
    assert_eq!(sns.confirm(&topic, &token).await.ok(), pending, "the first question's token is good");
    assert_eq!(sns.subscribe(&topic, HOOK).await.ok(), pending);
    sns.settle().await;
    assert_eq!(sns.inbox.received(HOOK).len(), 2, "who has confirmed is not asked");

    let raw = BTreeMap::from([("RawMessageDelivery".to_owned(), "true".to_owned())]);
    let other = SubscribeInput { attributes: Some(raw), ..subscribe_input(&topic, HOOK) };
    assert_eq!(
        text(sns.call(other, handle::<Subscribe, _>).await),
        "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
    );
}

#[tokio::test]
async fn only_its_own_token_confirms_a_subscription() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let other_topic = sns.create_topic("other").await;
    sns.subscribe(&topic, HOOK).await.expect("subscribed");
    sns.settle().await;
    let token = sns.inbox.last(HOOK).text("Token");
    let forged = format!("{}{}", &token[..32], "0".repeat(64));
    let no_topic = format!("{topic}-none");
    for (topic, token) in [(&topic, &forged), (&other_topic, &token), (&no_topic, &token)] {
        assert_eq!(text(sns.confirm(topic, token).await), "Invalid parameter: Token");
    }
    assert_eq!(text(sns.confirm(&topic, "x").await), "Invalid token");
}

#[tokio::test]
async fn an_unconfirmed_subscription_is_forgotten_after_two_days() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let asking = SubscribeInput { return_subscription_arn: Some(true), ..subscribe_input(&topic, HOOK) };
    let first = sns.call(asking.clone(), handle::<Subscribe, _>).await.expect("subscribed").subscription_arn;
    sns.settle().await;
    let token = sns.inbox.last(HOOK).text("Token");
    let sns = sns.restart();
    sns.advance(Duration::from_secs(2 * 86_400)).await;
    assert_eq!(text(sns.confirm(&topic, &token).await), "Invalid parameter: Token");
    let second = sns.call(asking, handle::<Subscribe, _>).await.expect("subscribed").subscription_arn;
    assert_ne!(first, second);
}

#[tokio::test]
async fn protocols_and_attributes_are_refused_by_name() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let check = async |protocol: &str, endpoint: &str, expected: &str| {
        let protocol = Some(protocol.to_owned());
        let input = SubscribeInput { protocol, ..subscribe_input(&topic, endpoint) };
        assert_eq!(
            text(sns.call(input, handle::<Subscribe, _>).await),
            format!("Invalid parameter: {expected}")
        );
    };
    check("sms", "+4930123456", "Protocol Reason: the protocol sms is not supported by Groundwatch").await;
    check("pigeon", "x", "Amazon SNS does not support this protocol string: pigeon").await;
    check("https", HOOK, "Endpoint must match the specified protocol").await;
    check("http", "hook.test", "Endpoint").await;

    let attributes = Some(BTreeMap::from([("ReplayPolicy".to_owned(), "{}".to_owned())]));
    let input = SubscribeInput { attributes, ..subscribe_input(&topic, HOOK) };
    assert_eq!(
        text(sns.call(input, handle::<Subscribe, _>).await),
        "Invalid parameter: Attributes Reason: the attribute ReplayPolicy is not supported by Groundwatch"
    );
}

#[tokio::test]
async fn its_owner_ends_a_subscription_for_good() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let arn = sns.subscribed(&topic, HOOK).await;
    let owner = signed_call("us-east-1", "000000000000");
    let stranger = signed_call("us-east-1", "123456789012");
    assert!(text(unsubscribe(&sns, &stranger, &arn).await).contains("not authorized"));
    sns.publish(&topic, "before").await.expect("published");
    sns.settle().await;
    for _ in 0..2 {
        unsubscribe(&sns, &owner, &arn).await.expect("also if it is gone already");
    }
    sns.publish(&topic, "after").await.expect("published");
    sns.settle().await;
    assert_eq!(sns.inbox.messages(HOOK), ["before"]);
    assert_eq!(sns.subscribe(&topic, HOOK).await.as_deref(), Ok("pending confirmation"), "it may come back");
    assert_eq!(
        text(unsubscribe(&sns, &owner, "pending confirmation").await),
        "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"
    );
}

#[tokio::test]
async fn an_unsubscribe_link_can_be_taken_back() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let arn = sns.subscribed(&topic, HOOK).await;
    sns.publish(&topic, "one").await.expect("published");
    sns.settle().await;
    let link = sns.inbox.last(HOOK).text("UnsubscribeURL");
    assert_eq!(link, format!("{BASE_URL}/?Action=Unsubscribe&SubscriptionArn={arn}"));

    unsubscribe(&sns, &unsigned_call(), &arn).await.expect("unsubscribed");
    sns.publish(&topic, "two").await.expect("published");
    sns.settle().await;
    let goodbye = sns.inbox.last(HOOK);
    assert_eq!(goodbye.text("Type"), "UnsubscribeConfirmation");
    assert_eq!(sns.inbox.received(HOOK).len(), 2, "message two is not for it");

    assert_eq!(sns.confirm(&topic, &goodbye.text("Token")).await.as_deref(), Ok(arn.as_str()));
    sns.publish(&topic, "three").await.expect("published");
    sns.settle().await;
    assert_eq!(sns.inbox.last(HOOK).text("Message"), "three");
}

#[tokio::test]
async fn a_cancelled_subscription_stays_so_when_its_endpoint_subscribed_anew() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let arn = sns.subscribed(&topic, HOOK).await;
    unsubscribe(&sns, &unsigned_call(), &arn).await.expect("unsubscribed");
    sns.settle().await;
    let token = sns.inbox.last(HOOK).text("Token");
    assert_ne!(sns.subscribed(&topic, HOOK).await, arn);
    assert_eq!(text(sns.confirm(&topic, &token).await), "Invalid parameter: Token");
    sns.advance(Duration::from_secs(2 * 86_400)).await;
    sns.publish(&topic, "once").await.expect("published");
    sns.settle().await;
    assert_eq!(sns.inbox.messages(HOOK), ["once"]);
}

#[tokio::test]
async fn a_link_does_not_end_what_asks_for_a_signature() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribe(&topic, HOOK).await.expect("subscribed");
    sns.settle().await;
    let input = ConfirmSubscriptionInput {
        topic_arn: Some(topic.clone()),
        token: Some(sns.inbox.last(HOOK).text("Token")),
        authenticate_on_unsubscribe: Some("true".to_owned()),
    };
    let arn = sns.call(input, handle::<ConfirmSubscription, _>).await.expect("confirmed").subscription_arn;
    let arn = arn.expect("always answered");
    assert!(text(unsubscribe(&sns, &unsigned_call(), &arn).await).contains("not authorized"));
    unsubscribe(&sns, &signed_call("us-east-1", "000000000000"), &arn).await.expect("unsubscribed");
}
