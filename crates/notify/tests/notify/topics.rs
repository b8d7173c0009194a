//! Topics: creating, finding and listing them.

use std::collections::BTreeMap;

use groundwatch_api::sns::{
    CreateTopic, CreateTopicInput, ListTopics, ListTopicsInput, Publish, PublishInput, Tag,
};
use groundwatch_api::{Fault, Handle};

use crate::harness::{Sns, handle, signed_call};

fn with(attributes: &[(&str, &str)], tags: &[(&str, &str)]) -> CreateTopicInput {
    let attributes: BTreeMap<String, String> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let tags = tags
        .iter()
        .map(|(key, value)| Tag { key: Some((*key).to_owned()), value: Some((*value).to_owned()) })
        .collect();
    CreateTopicInput {
        name: Some("alerts".to_owned()),
        attributes: Some(attributes),
        tags: Some(tags),
        ..Default::default()
    }
}

fn message<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
    let fault = result.expect_err("a fault");
    format!("{}: {}", fault.shape.code, fault.message.unwrap_or_default())
}

#[tokio::test]
async fn creating_a_topic_again_finds_it_unless_something_differs() {
    let sns = Sns::new();
    let create = async |input| sns.call(input, handle::<CreateTopic, _>).await.map(|output| output.topic_arn);
    let arn = Some("arn:aws:sns:us-east-1:000000000000:alerts".to_owned());
    assert_eq!(create(with(&[("DisplayName", "A")], &[("team", "x")])).await, Ok(arn.clone()));
    assert_eq!(create(with(&[], &[])).await, Ok(arn.clone()));
    assert_eq!(create(with(&[("DisplayName", "A")], &[("team", "x")])).await, Ok(arn));
    assert_eq!(
        message(create(with(&[("DisplayName", "B")], &[])).await),
        "InvalidParameter: Invalid parameter: Attributes Reason: Topic already exists with different attributes"
    );
    assert_eq!(
        message(create(with(&[], &[("team", "y")])).await),
        "InvalidParameter: Invalid parameter: Tags Reason: Topic already exists with different tags"
    );
}

#[tokio::test]
async fn attributes_that_would_change_behaviour_are_refused_by_name() {
    let sns = Sns::new();
    let check = async |attribute: &str, value: &str, expected: &str| {
        let result = sns.call(with(&[(attribute, value)], &[]), handle::<CreateTopic, _>).await;
        assert_eq!(
            message(result),
            format!("InvalidParameter: Invalid parameter: Attributes Reason: {expected}")
        );
    };
    check("ContentBasedDeduplication", "true", "ContentBasedDeduplication: Invalid value [true]").await;
    check("TracingConfig", "Active", "active tracing is not supported by Groundwatch").await;
    check(
        "HTTPFailureFeedbackRoleArn",
        "r",
        "the attribute HTTPFailureFeedbackRoleArn is not supported by Groundwatch",
    )
    .await;
    check(
        "SQSSuccessFeedbackSampleRate",
        "100",
        "the attribute SQSSuccessFeedbackSampleRate is not supported by Groundwatch",
    )
    .await;
    check("Colour", "red", "Unknown attribute Colour").await;
    check("ColourFeedbackRoleArn", "r", "Unknown attribute ColourFeedbackRoleArn").await;
}

#[tokio::test]
async fn topics_are_listed_a_hundred_at_a_time() {
    let sns = Sns::new();
    for number in 0..201 {
        sns.create_topic(&format!("topic-{number:03}")).await;
    }
    let mut lengths = Vec::new();
    let mut next_token = None;
    loop {
        let output = sns.call(ListTopicsInput { next_token }, handle::<ListTopics, _>).await.expect("a page");
        lengths.push(output.topics.expect("always there").len());
        next_token = output.next_token;
        if next_token.is_none() {
            break;
        }
    }
    assert_eq!(lengths, [100, 100, 1]);

    let foreign = ListTopicsInput { next_token: Some("abc".to_owned()) };
    assert_eq!(
        message(sns.call(foreign, handle::<ListTopics, _>).await),
        "InvalidParameter: Invalid parameter: NextToken"
    );
}

#[tokio::test]
async fn topics_survive_a_restart_and_are_invisible_to_others() {
    let sns = Sns::new();
    sns.create_topic("alerts").await;
    let sns = sns.restart();
    let count = async |region: &str, account: &str| {
        let call = signed_call(region, account);
        let output = Handle::<ListTopics>::handle(&sns.notify, &call, ListTopicsInput::default()).await;
        output.expect("a page").topics.expect("always there").len()
    };
    assert_eq!(count("us-east-1", "000000000000").await, 1);
    assert_eq!(count("eu-central-1", "000000000000").await, 0);
    assert_eq!(count("us-east-1", "123456789012").await, 0);
}

#[tokio::test]
async fn publishing_checks_target_and_text() {
    let sns = Sns::new();
    let topic = sns.create_topic("alerts").await;
    let check = async |change: fn(&mut PublishInput), expected: &str| {
        let mut input = PublishInput {
            topic_arn: Some(topic.clone()),
            message: Some("text".to_owned()),
            ..Default::default()
        };
        change(&mut input);
        assert_eq!(message(sns.call(input, handle::<Publish, _>).await), expected);
    };
    check(
        |input| input.topic_arn = Some("arn:aws:sns:us-east-1:000000000000:other".to_owned()),
        "NotFound: Topic does not exist",
    )
    .await;
    check(
        |input| input.topic_arn = Some("arn:aws:sns:eu-central-1:000000000000:alerts".to_owned()),
        "InvalidParameter: Invalid parameter: TopicArn",
    )
    .await;
    check(
        |input| input.topic_arn = Some("alerts".to_owned()),
        "InvalidParameter: Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1",
    )
    .await;
    check(
        |input| input.topic_arn = None,
        "InvalidParameter: Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter",
    )
    .await;
    check(
        |input| input.topic_arn = Some("arn:aws:sns:us-east-1:123456789012:alerts".to_owned()),
        "AuthorizationError: User: arn:aws:iam::000000000000:root is not authorized to perform: SNS:Publish on resource: \
         arn:aws:sns:us-east-1:123456789012:alerts because no resource-based policy allows the SNS:Publish action",
    )
    .await;
    check(|input| input.message = Some(String::new()), "InvalidParameter: Invalid parameter: Empty message")
        .await;
    check(
        |input| input.message = Some("a".repeat(262_145)),
        "InvalidParameter: Invalid parameter: Message too long",
    )
    .await;
    check(|input| input.subject = Some("a\nb".to_owned()), "InvalidParameter: Invalid parameter: Subject")
        .await;
    check(
        |input| input.message_structure = Some("json".to_owned()),
        "InvalidParameter: Invalid parameter: Message Structure - JSON message body failed to parse",
    )
    .await;
    check(
        |input| input.phone_number = Some("+49".to_owned()),
        "InvalidParameter: Invalid parameter: PhoneNumber Reason: sending text messages is not supported by Groundwatch",
    )
    .await;
}
