//! Looking after topics and subscriptions: attributes, lists, tags, permissions, batches, deletion.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_api::Fault;
use groundwatch_api::sns::{
    AddPermission, AddPermissionInput, DeleteTopic, DeleteTopicInput, GetSubscriptionAttributes,
    GetSubscriptionAttributesInput, GetTopicAttributes, GetTopicAttributesInput, ListSubscriptions,
    ListSubscriptionsByTopic, ListSubscriptionsByTopicInput, ListSubscriptionsInput, ListTagsForResource,
    ListTagsForResourceInput, PublishBatch, PublishBatchInput, PublishBatchRequestEntry, RemovePermission,
    RemovePermissionInput, SetSubscriptionAttributes, SetSubscriptionAttributesInput, SetTopicAttributes,
    SetTopicAttributesInput, Tag, TagResource, TagResourceInput, Unsubscribe, UnsubscribeInput,
    UntagResource, UntagResourceInput,
};

use crate::harness::{Answer, Sns, handle};

const HOOK: &str = "http://hook.test/";
const MISSING: &str = "arn:aws:sns:us-east-1:000000000000:missing";

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
    let fault = result.expect_err("a fault");
    format!("{}: {}", fault.shape.code, fault.message.unwrap_or_default())
}

async fn topic_attributes(sns: &Sns, topic: &str) -> Result<BTreeMap<String, String>, Fault> {
    let input = GetTopicAttributesInput { topic_arn: some(topic) };
    sns.call(input, handle::<GetTopicAttributes, _>).await.map(|output| output.attributes.expect("answered"))
}

async fn set_topic(sns: &Sns, topic: &str, name: &str, value: &str) -> Result<(), Fault> {
    let input = SetTopicAttributesInput {
        topic_arn: some(topic),
        attribute_name: some(name),
        attribute_value: some(value),
    };
    sns.call(input, handle::<SetTopicAttributes, _>).await.map(|_| ())
}

async fn attributes(sns: &Sns, subscription: &str) -> Result<BTreeMap<String, String>, Fault> {
    let input = GetSubscriptionAttributesInput { subscription_arn: some(subscription) };
    sns.call(input, handle::<GetSubscriptionAttributes, _>)
        .await
        .map(|output| output.attributes.expect("answered"))
}

async fn set(sns: &Sns, subscription: &str, name: &str, value: &str) -> Result<(), Fault> {
    let input = SetSubscriptionAttributesInput {
        subscription_arn: some(subscription),
        attribute_name: some(name),
        attribute_value: some(value),
    };
    sns.call(input, handle::<SetSubscriptionAttributes, _>).await.map(|_| ())
}

async fn unsubscribe(sns: &Sns, subscription: &str) {
    let input = UnsubscribeInput { subscription_arn: some(subscription) };
    sns.call(input, handle::<Unsubscribe, _>).await.expect("unsubscribed");
}

async fn listed(sns: &Sns) -> Vec<(String, String)> {
    let output =
        sns.call(ListSubscriptionsInput::default(), handle::<ListSubscriptions, _>).await.expect("a page");
    let subscriptions = output.subscriptions.expect("always there").into_iter();
    subscriptions
        .map(|it| (it.subscription_arn.expect("always there"), it.endpoint.expect("always there")))
        .collect()
}

#[tokio::test]
async fn a_topic_shows_what_was_set_and_counts_its_subscriptions() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let fresh = topic_attributes(&sns, &topic).await.expect("shown");
    assert_eq!(fresh["Owner"], "000000000000");
    assert_eq!(fresh["DisplayName"], "");
    assert!(fresh["Policy"].contains("__default_statement_ID"));
    assert!(!fresh.contains_key("DeliveryPolicy") && !fresh.contains_key("FifoTopic"));

    set_topic(&sns, &topic, "DisplayName", "Alerts").await.expect("set");
    sns.subscribe(&topic, "http://pending.test/").await.expect("subscribed");
    let gone = sns.subscribed(&topic, HOOK).await;
    unsubscribe(&sns, &gone).await;
    sns.subscribed(&topic, HOOK).await;
    let sns = sns.restart();
    let shown = topic_attributes(&sns, &topic).await.expect("shown");
    assert_eq!(shown["DisplayName"], "Alerts");
    let counts =
        ["Confirmed", "Pending", "Deleted"].map(|kind| shown[&format!("Subscriptions{kind}")].as_str());
    assert_eq!(counts, ["1", "1", "1"]);
}

#[tokio::test]
async fn no_logs_of_deliveries_can_be_asked_for() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    set_topic(&sns, &topic, "HTTPSuccessFeedbackSampleRate", "0").await.expect("set");
    let shown = topic_attributes(&sns, &topic).await.expect("shown");
    assert_eq!(shown["HTTPSuccessFeedbackSampleRate"], "0");
}

#[tokio::test]
async fn topic_attributes_that_cannot_be_set_are_refused() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let check = async |name: &str, value: &str, expected: &str| {
        assert_eq!(refusal(set_topic(&sns, &topic, name, value).await), expected);
    };
    check("Colour", "red", "InvalidParameter: Invalid parameter: AttributeName").await;
    check("FifoTopic", "false", "InvalidParameter: Invalid parameter: AttributeName").await;
    check("Policy", "anyone", "InvalidParameter: Invalid parameter: Policy Error: null").await;
    check(
        "DeliveryPolicy",
        r#"{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}"#,
        "InvalidParameter: Invalid parameter: DeliveryPolicy: numRetries must be between 0 and 100",
    )
    .await;
    assert_eq!(refusal(topic_attributes(&sns, MISSING).await), "NotFound: Topic does not exist");
}

#[tokio::test]
async fn a_deleted_topic_takes_its_subscriptions_along() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let subscription = sns.subscribed(&topic, HOOK).await;
    sns.inbox.answer(HOOK, Answer::Status(500));
    sns.publish(&topic, "late").await.expect("published");
    for _ in 0..2 {
        let input = DeleteTopicInput { topic_arn: Some(topic.clone()) };
        sns.call(input, handle::<DeleteTopic, _>).await.expect("also a second time");
    }
    assert_eq!(listed(&sns).await, []);
    assert_eq!(refusal(attributes(&sns, &subscription).await), "NotFound: Subscription does not exist");
    sns.advance(Duration::from_secs(3600)).await;
    assert_eq!(sns.inbox.received(HOOK).len(), 0, "nobody waits for the message any more");
    let again = sns.create_topic("alerts").await;
    sns.subscribed(&again, HOOK).await;
}

#[tokio::test]
async fn lists_tell_how_a_subscription_stands() {
    let sns = Sns::new();
    let (topic, other) = (sns.create_topic("alerts").await, sns.create_topic("alerts-2").await);
    let confirmed = sns.subscribed(&topic, HOOK).await;
    sns.subscribe(&other, "http://user:word@pending.test/").await.expect("subscribed");
    let mut all = listed(&sns).await;
    all.sort();
    assert_eq!(
        all,
        [
            ("PendingConfirmation".to_owned(), "http://user:****@pending.test/".to_owned()),
            (confirmed.clone(), HOOK.to_owned()),
        ]
    );
    let by_topic = async |topic: &str, next_token| {
        let input = ListSubscriptionsByTopicInput { topic_arn: some(topic), next_token };
        sns.call(input, handle::<ListSubscriptionsByTopic, _>).await
    };
    let page = by_topic(&topic, None).await.expect("a page").subscriptions.expect("always there");
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].subscription_arn, Some(confirmed));
    assert_eq!(refusal(by_topic(MISSING, None).await), "NotFound: Topic does not exist");

    for number in 0..100 {
        sns.subscribe(&topic, &format!("http://hook-{number}.test/")).await.expect("subscribed");
    }
    let first = by_topic(&topic, None).await.expect("a page");
    assert_eq!(first.subscriptions.expect("always there").len(), 100);
    let foreign = by_topic(&other, first.next_token.clone()).await;
    assert_eq!(refusal(foreign), "InvalidParameter: Invalid parameter: NextToken");
    let second = by_topic(&topic, first.next_token).await.expect("a page");
    assert_eq!((second.subscriptions.expect("always there").len(), second.next_token), (1, None));
}

#[tokio::test]
async fn a_subscription_shows_what_was_set() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let subscription = sns.subscribed(&topic, HOOK).await;
    let policy = r#"{"healthyRetryPolicy": {"numRetries": 10, "minDelayTarget": 1, "maxDelayTarget": 2}}"#;
    set(&sns, &subscription, "DeliveryPolicy", policy).await.expect("set");
    set(&sns, &subscription, "RawMessageDelivery", "true").await.expect("set");
    let sns = sns.restart();
    let shown = attributes(&sns, &subscription).await.expect("shown");
    for (name, value) in [
        ("Endpoint", HOOK),
        ("Protocol", "http"),
        ("TopicArn", &topic),
        ("PendingConfirmation", "false"),
        ("ConfirmationWasAuthenticated", "false"),
        ("RawMessageDelivery", "true"),
        ("DeliveryPolicy", policy),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    assert!(shown["EffectiveDeliveryPolicy"].contains(r#""numRetries":10"#));
    set(&sns, &subscription, "DeliveryPolicy", "").await.expect("taken away");
    assert!(!attributes(&sns, &subscription).await.expect("shown").contains_key("DeliveryPolicy"));

    let check = async |name: &str, value: &str, expected: &str| {
        let result = set(&sns, &subscription, name, value).await;
        assert_eq!(refusal(result), format!("InvalidParameter: Invalid parameter: {expected}"));
    };
    check("Colour", "red", "AttributeName").await;
    check(
        "RawMessageDelivery",
        "perhaps",
        "RawMessageDelivery: Invalid value [perhaps]. Must be true or false.",
    )
    .await;
    let missing = format!("{topic}:00000000-0000-0000-0000-000000000007");
    assert_eq!(refusal(attributes(&sns, &missing).await), "NotFound: Subscription does not exist");
}

#[tokio::test]
async fn retries_follow_the_delivery_policy() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let subscription = sns.subscribed(&topic, HOOK).await;
    let policy = r#"{"healthyRetryPolicy": {"numRetries": 3, "minDelayTarget": 100, "maxDelayTarget": 3000,
        "numMinDelayRetries": 1, "numMaxDelayRetries": 1}}"#;
    set(&sns, &subscription, "DeliveryPolicy", policy).await.expect("set");
    sns.inbox.answer(HOOK, Answer::Unreachable);
    sns.publish(&topic, "text").await.expect("published");
    let start = groundwatch_core::Clock::now(&*sns.clock).as_millis();
    sns.advance(Duration::from_secs(20_000)).await;
    let tries: Vec<_> =
        sns.inbox.received(HOOK).iter().map(|it| (it.at.as_millis() - start) / 1000).collect();
    assert_eq!(tries, [0, 100, 3100, 6100]);
}

#[tokio::test]
async fn tags_come_and_go() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let tag = async |arn: &str, tags: Vec<(String, String)>| {
        let tags = tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect();
        let input = TagResourceInput { resource_arn: some(arn), tags: Some(tags) };
        sns.call(input, handle::<TagResource, _>).await
    };
    let tags = async || {
        let input = ListTagsForResourceInput { resource_arn: Some(topic.clone()) };
        let tags = sns.call(input, handle::<ListTagsForResource, _>).await.expect("listed").tags;
        let tags = tags.expect("always there").into_iter();
        tags.map(|tag| format!("{}={}", tag.key.expect("one"), tag.value.expect("one"))).collect::<Vec<_>>()
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    tag(&topic, vec![pair("team", "x"), pair("stage", "test")]).await.expect("tagged");
    tag(&topic, vec![pair("team", "y")]).await.expect("tagged");
    assert_eq!(tags().await, ["stage=test", "team=y"]);
    let many = (0..49).map(|number| pair(&number.to_string(), "")).collect();
    assert_eq!(
        refusal(tag(&topic, many).await),
        "TagLimitExceeded: Could not complete request: tag quota of per resource exceeded"
    );
    let input =
        UntagResourceInput { resource_arn: Some(topic.clone()), tag_keys: Some(vec!["team".to_owned()]) };
    sns.call(input, handle::<UntagResource, _>).await.expect("untagged");
    assert_eq!(tags().await, ["stage=test"]);
    for arn in [MISSING, "not an ARN"] {
        assert_eq!(refusal(tag(arn, Vec::new()).await), "ResourceNotFound: Resource does not exist");
    }
}

#[tokio::test]
async fn permissions_are_statements_of_the_policy() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let add = async |label: &str| {
        let input = AddPermissionInput {
            topic_arn: Some(topic.clone()),
            label: some(label),
            aws_account_id: Some(vec!["999999999999".to_owned()]),
            action_name: Some(vec!["Publish".to_owned()]),
        };
        sns.call(input, handle::<AddPermission, _>).await
    };
    let policy = async || topic_attributes(&sns, &topic).await.expect("shown")["Policy"].clone();
    add("team").await.expect("added");
    assert!(policy().await.contains("arn:aws:iam::999999999999:root"));
    assert_eq!(refusal(add("team").await), "InvalidParameter: Invalid parameter: Statement already exists");
    let input = RemovePermissionInput { topic_arn: Some(topic.clone()), label: some("team") };
    sns.call(input, handle::<RemovePermission, _>).await.expect("removed");
    assert!(!policy().await.contains("999999999999"));
}

#[tokio::test]
async fn a_batch_is_published_as_a_whole_or_not_at_all() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    sns.subscribed(&topic, HOOK).await;
    let publish = async |entries: &[(&str, &str)]| {
        let entries = entries.iter().map(|(id, message)| PublishBatchRequestEntry {
            id: some(id),
            message: some(message),
            ..Default::default()
        });
        let input = PublishBatchInput {
            topic_arn: Some(topic.clone()),
            publish_batch_request_entries: Some(entries.collect()),
        };
        sns.call(input, handle::<PublishBatch, _>).await
    };
    let refused = publish(&[("a", "one"), ("b", ""), ("c", "three")]).await.expect_err("refused");
    assert_eq!(refused.message.as_deref(), Some("Invalid parameter: Empty message"));
    let output = publish(&[("a", "one"), ("c", "three")]).await.expect("published");
    let successful = output.successful.expect("always there");
    assert_eq!(successful.iter().filter_map(|entry| entry.id.as_deref()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(output.failed, Some(Vec::new()));
    sns.settle().await;
    assert_eq!(sns.inbox.messages(HOOK), ["one", "three"]);

    let long = "a".repeat(140_000);
    for (entries, code) in [
        (vec![], "EmptyBatchRequest"),
        (vec![("a", "1"); 11], "TooManyEntriesInBatchRequest"),
        (vec![("a", "1"), ("a", "2")], "BatchEntryIdsNotDistinct"),
        (vec![("a b", "1")], "InvalidBatchEntryId"),
        (vec![("a", &long), ("b", &long)], "BatchRequestTooLong"),
    ] {
        assert_eq!(publish(&entries).await.expect_err(code).shape.code, code);
    }
}
