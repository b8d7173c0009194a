//! Who gets which message: attributes in what is delivered, and filter policies between publisher and
//! subscriber.

use std::collections::BTreeMap;

use groundwatch_api::sns::{
    MessageAttributeValue, Publish, PublishInput, SetSubscriptionAttributes, SetSubscriptionAttributesInput,
    Subscribe,
};
use groundwatch_api::{Blob, Fault};

use crate::harness::{Sns, handle, subscribe_input};

const HOOK: &str = "http://hook.test/";

pub(crate) async fn publish(
    sns: &Sns,
    topic: &str,
    message: &str,
    attributes: &[(&str, &str, &str)],
) -> Result<(), Fault> {
    let value = |data_type: &str, value: &str| MessageAttributeValue {
        data_type: Some(data_type.to_owned()),
        string_value: (data_type != "Binary").then(|| value.to_owned()),
        binary_value: (data_type == "Binary").then(|| Blob(value.as_bytes().to_vec())),
    };
    let attributes: BTreeMap<_, _> =
        attributes.iter().map(|(name, kind, text)| ((*name).to_owned(), value(kind, text))).collect();
    let input = PublishInput {
        topic_arn: Some(topic.to_owned()),
        message: Some(message.to_owned()),
        message_attributes: Some(attributes),
        ..Default::default()
    };
    sns.call(input, handle::<Publish, _>).await.map(|_| ())
}

pub(crate) async fn set(sns: &Sns, subscription: &str, name: &str, value: &str) -> Result<(), Fault> {
    let input = SetSubscriptionAttributesInput {
        subscription_arn: Some(subscription.to_owned()),
        attribute_name: Some(name.to_owned()),
        attribute_value: Some(value.to_owned()),
    };
    sns.call(input, handle::<SetSubscriptionAttributes, _>).await.map(|_| ())
}

async fn subscribe_with(sns: &Sns, topic: &str, attributes: &[(&str, &str)]) -> Result<(), Fault> {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let input = groundwatch_api::sns::SubscribeInput {
        attributes: Some(attributes.collect()),
        ..subscribe_input(topic, HOOK)
    };
    sns.call(input, handle::<Subscribe, _>).await.map(|_| ())
}

fn message(result: Result<(), Fault>) -> String {
    let fault = result.expect_err("a fault");
    format!("{}: {}", fault.shape.code, fault.message.unwrap_or_default())
}

#[tokio::test]
async fn attributes_are_delivered_with_their_types() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    let attributes =
        [("store", "String", "a \"b\""), ("price", "Number", "1.50"), ("blob", "Binary", "\u{2}\u{3}")];
    publish(&sns, &topic, "text", &attributes).await.expect("published");
    let sns = sns.restart();
    sns.settle().await;
    let body: serde_json::Value = serde_json::from_slice(&sns.inbox.last(HOOK).post.body).expect("JSON");
    assert_eq!(
        body["MessageAttributes"],
        serde_json::json!({
            "store": { "Type": "String", "Value": "a \"b\"" },
            "price": { "Type": "Number", "Value": "1.50" },
            "blob": { "Type": "Binary", "Value": "AgM=" },
        })
    );
}

#[tokio::test]
async fn malformed_attributes_have_an_error_of_their_own() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let check = async |attribute: (&str, &str, &str), expected: &str| {
        let result = publish(&sns, &topic, "text", &[attribute]).await;
        assert_eq!(message(result), format!("ParameterValueInvalid: {expected}"));
    };
    check(("price", "Number", "error"), "Could not cast message attribute 'price' value to number.").await;
    check(
        ("store", "String", ""),
        "The message attribute 'store' must contain non-empty message attribute value for message attribute type \
         'String'.",
    )
    .await;
    check(
        ("store", "Boolean", "true"),
        "The message attribute 'store' has an invalid message attribute type, the set of supported type prefixes is \
         Binary, Number, and String.",
    )
    .await;
    let long = "a".repeat(100_000);
    let result = publish(&sns, &topic, &"a".repeat(200_000), &[("store", "String", &long)]).await;
    assert_eq!(message(result), "InvalidParameter: Invalid parameter: Message too long");
}

#[tokio::test]
async fn only_wanted_messages_are_delivered() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let subscription = sns.subscribed(&topic, HOOK).await;
    set(&sns, &subscription, "FilterPolicy", r#"{"store": ["a"]}"#).await.expect("set");
    let sns = sns.restart();
    publish(&sns, &topic, "one", &[("store", "String", "a")]).await.expect("published");
    publish(&sns, &topic, "two", &[("store", "String", "b")]).await.expect("published");
    publish(&sns, &topic, "three", &[]).await.expect("published");
    sns.settle().await;
    assert_eq!(sns.inbox.messages(HOOK), ["one"]);

    set(&sns, &subscription, "FilterPolicyScope", "MessageBody").await.expect("set");
    publish(&sns, &topic, r#"{"store":"a"}"#, &[]).await.expect("published");
    publish(&sns, &topic, "store", &[("store", "String", "a")]).await.expect("published");
    sns.settle().await;
    assert_eq!(sns.inbox.messages(HOOK), ["one", r#"{"store":"a"}"#]);

    set(&sns, &subscription, "FilterPolicy", "").await.expect("taken away");
    publish(&sns, &topic, "all", &[]).await.expect("published");
    sns.settle().await;
    assert_eq!(sns.inbox.messages(HOOK)[2..], ["all"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_policy_is_worded_by_the_call() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let subscription = sns.subscribed(&topic, HOOK).await;
    let (bad, nested) = (r#"{"store": [{"error": 1}]}"#, r#"{"store": {"name": ["a"]}}"#);
    let upon_set = set(&sns, &subscription, "FilterPolicy", bad).await;
    assert_eq!(
        message(upon_set),
        "InvalidParameter: Invalid parameter: FilterPolicy: Unrecognized match type error"
    );
    let upon_subscribe = subscribe_with(&sns, &topic, &[("FilterPolicy", bad)]).await;
    assert_eq!(
        message(upon_subscribe),
        "InvalidParameter: Invalid parameter: Attributes Reason: FilterPolicy: Unrecognized match type error"
    );
    let flat = subscribe_with(&sns, &topic, &[("FilterPolicy", nested)]).await;
    let expected = "InvalidParameter: Invalid parameter: Filter policy scope MessageAttributes does not support nested \
                    filter policy";
    assert_eq!(message(flat), expected);
    set(&sns, &subscription, "FilterPolicyScope", "MessageBody").await.expect("set");
    set(&sns, &subscription, "FilterPolicy", nested).await.expect("set");
    let back = set(&sns, &subscription, "FilterPolicyScope", "MessageAttributes").await;
    assert_eq!(message(back), expected, "the policy that is there has to suit the new scope");
}
