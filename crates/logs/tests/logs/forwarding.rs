//! Subscriptions: what is sent on, to whom, and that nothing is left out.

use std::time::Duration;

use groundwatch_api::logs::{
    DeleteAccountPolicy, DeleteAccountPolicyInput, DeleteSubscriptionFilter, DeleteSubscriptionFilterInput,
    DescribeSubscriptionFilters, DescribeSubscriptionFiltersInput, PolicyType, PutAccountPolicy,
    PutAccountPolicyInput, PutSubscriptionFilter, PutSubscriptionFilterInput,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{GROUP, STREAM, Service, assert_refused};

const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:logs";
const OTHER: &str = "arn:aws:sqs:us-east-1:000000000000:other";

fn filter(name: &str, pattern: &str, arn: &str) -> PutSubscriptionFilterInput {
    PutSubscriptionFilterInput {
        log_group_name: Some(GROUP.to_owned()),
        filter_name: Some(name.to_owned()),
        filter_pattern: Some(pattern.to_owned()),
        destination_arn: Some(arn.to_owned()),
        ..Default::default()
    }
}

impl Service {
    async fn subscribe(&self, name: &str, pattern: &str, arn: &str) {
        self.call::<PutSubscriptionFilter>(filter(name, pattern, arn)).await.expect("subscribed");
    }

    async fn write(&self, group: &str, stream: &str, events: &[(i64, &str)]) {
        self.put(group, stream, events).await.expect("accepted");
    }

    /// The texts that came to a queue, in their order, without messages that only try it.
    fn texts(&self, arn: &str) -> Vec<String> {
        let messages = self.queues.take(arn);
        let data = messages.iter().filter(|message| message["messageType"] == "DATA_MESSAGE");
        let events = data.flat_map(|message| message["logEvents"].as_array().cloned().expect("a list"));
        events.map(|event| event["message"].as_str().expect("a text").to_owned()).collect()
    }

    fn wait(&mut self, duration: Duration) {
        self.call.received = self.call.received + duration;
    }
}

#[tokio::test]
async fn what_arrives_after_a_refusal_and_a_restart_is_sent() {
    let mut service = Service::new().await;
    service.subscribe("all", "", QUEUE).await;
    service.write(GROUP, STREAM, &[(0, "one")]).await;
    service.disk.fail_call_after(0);
    service.put(GROUP, STREAM, &[(0, "refused")]).await.expect_err("refused");
    service.forward().await;
    service.restart().await;
    service.write(GROUP, STREAM, &[(0, "two")]).await;
    service.forward().await;
    assert_eq!(service.texts(QUEUE), ["one", "two"]);
}

#[tokio::test]
async fn segments_from_before_are_not_looked_at() {
    for compacts in [false, true] {
        let mut service = Service::new().await;
        service.subscribe("all", "", QUEUE).await;
        service.write(GROUP, STREAM, &[(0, "one")]).await;
        service.forward().await;
        service.flush().await;
        if compacts {
            service.compact().await;
        }
        service.damage_segments();
        service.restart().await;
        service.write(GROUP, STREAM, &[(0, "two")]).await;
        service.flush().await;
        service.forward().await;
        assert_eq!(service.texts(QUEUE), ["one", "two"], "compacts: {compacts}");
    }
}

#[tokio::test]
async fn what_matches_is_sent_as_the_message_of_the_guide() {
    let service = Service::new().await;
    service.write(GROUP, STREAM, &[(0, "ERROR before")]).await;
    service.subscribe("errors", "ERROR", QUEUE).await;
    let control = service.queues.take(QUEUE);
    assert_eq!(control.len(), 1);
    assert_eq!(control[0]["messageType"], "CONTROL_MESSAGE");
    service.create_stream(GROUP, "second").await.expect("created");
    service.write(GROUP, STREAM, &[(0, "ERROR one"), (1, "fine"), (2, "ERROR two")]).await;
    service.write(GROUP, "second", &[(1, "ERROR three")]).await;
    service.forward().await;
    let messages = service.queues.take(QUEUE);
    assert_eq!(messages.len(), 2, "one a stream");
    let first = &messages[0];
    assert_eq!(first["messageType"], "DATA_MESSAGE");
    assert_eq!(first["owner"], "000000000000");
    assert_eq!((&first["logGroup"], &first["logStream"]), (&Value::from(GROUP), &Value::from(STREAM)));
    assert_eq!(first["subscriptionFilters"], serde_json::json!(["errors"]));
    let texts: Vec<&Value> =
        first["logEvents"].as_array().expect("a list").iter().map(|event| &event["message"]).collect();
    assert_eq!(texts, ["ERROR one", "ERROR two"]);
    assert_eq!(first["logEvents"][0]["id"].as_str().map(str::len), Some(56));
    assert_eq!(messages[1]["logStream"], "second");
    service.forward().await;
    assert!(service.queues.take(QUEUE).is_empty(), "each once");
}

#[tokio::test]
async fn fields_that_the_pattern_finds_and_system_fields_travel_along() {
    let service = Service::new().await;
    let mut input = filter("fields", "[level = W*, rest]", QUEUE);
    input.emit_system_fields = Some(vec!["@aws.region".to_owned(), "@source.log".to_owned()]);
    service.call::<PutSubscriptionFilter>(input).await.expect("subscribed");
    service.queues.take(QUEUE);
    service.write(GROUP, STREAM, &[(0, "WARN disk")]).await;
    service.forward().await;
    let event = service.queues.take(QUEUE)[0]["logEvents"][0].clone();
    assert_eq!(event["extractedFields"], serde_json::json!({ "level": "WARN", "rest": "disk" }));
    assert_eq!((&event["@aws.region"], &event["@source.log"]), (&"us-east-1".into(), &GROUP.into()));
}

#[tokio::test]
async fn a_selection_by_fields_decides_for_the_whole_group() {
    let service = Service::new().await;
    for (name, selection, arn) in
        [("in", "@aws.region IN [\"us-east-1\"]", QUEUE), ("out", "@aws.account = \"1\"", OTHER)]
    {
        let input = PutSubscriptionFilterInput {
            field_selection_criteria: Some(selection.to_owned()),
            ..filter(name, "", arn)
        };
        service.call::<PutSubscriptionFilter>(input).await.expect("subscribed");
    }
    service.write(GROUP, STREAM, &[(0, "a")]).await;
    service.forward().await;
    assert_eq!((service.texts(QUEUE), service.texts(OTHER)), (vec!["a".to_owned()], vec![]));
}

#[tokio::test]
async fn events_wait_for_a_receiver_over_restarts_and_flushes() {
    let mut service = Service::new().await;
    service.subscribe("all", "", QUEUE).await;
    service.texts(QUEUE);
    service.queues.away(&[QUEUE]);
    service.write(GROUP, STREAM, &[(0, "in memory, then in a segment")]).await;
    service.forward().await;
    service.flush().await;
    service.write(GROUP, STREAM, &[(-5000, "in the journal")]).await;
    service.restart().await;
    service.forward().await;
    assert!(service.texts(QUEUE).is_empty());
    service.queues.away(&[]);
    service.wait(Duration::from_secs(60));
    service.forward().await;
    let mut texts = service.texts(QUEUE);
    texts.sort();
    assert_eq!(texts, ["in memory, then in a segment", "in the journal"]);
    service.restart().await;
    service.forward().await;
    assert!(service.texts(QUEUE).is_empty(), "what is noted is not repeated");
}

#[tokio::test]
async fn a_receiver_that_is_away_holds_up_nobody_else() {
    let service = Service::new().await;
    service.subscribe("away", "", QUEUE).await;
    service.subscribe("there", "", OTHER).await;
    service.texts(OTHER);
    service.queues.away(&[QUEUE]);
    for number in 0..3 {
        service.write(GROUP, STREAM, &[(number, &number.to_string())]).await;
        service.forward().await;
    }
    assert_eq!(service.texts(OTHER), ["0", "1", "2"]);
}

#[tokio::test]
async fn events_are_given_up_when_they_are_a_day_old() {
    let mut service = Service::new().await;
    service.subscribe("all", "", QUEUE).await;
    service.texts(QUEUE);
    service.queues.away(&[QUEUE]);
    service.write(GROUP, STREAM, &[(0, "old")]).await;
    service.forward().await;
    service.wait(Duration::from_secs(24 * 60 * 60));
    service.forward().await;
    service.queues.away(&[]);
    service.write(GROUP, STREAM, &[(0, "new")]).await;
    service.wait(Duration::from_secs(120));
    service.forward().await;
    assert_eq!(service.texts(QUEUE), ["new"]);
}

#[tokio::test]
async fn many_events_are_sent_in_pages_in_the_order_of_their_times() {
    let service = Service::new().await;
    service.subscribe("all", "", QUEUE).await;
    service.texts(QUEUE);
    let long = "x".repeat(10_000);
    let texts: Vec<String> = (0..90).map(|number| format!("{number:03}{long}")).collect();
    let events: Vec<(i64, &str)> =
        texts.iter().zip(0..).map(|(text, millis)| (millis, text.as_str())).collect();
    service.write(GROUP, STREAM, &events).await;
    service.forward().await;
    assert_eq!(service.texts(QUEUE), texts);
}

#[tokio::test]
async fn a_group_has_two_filters_and_replacing_one_keeps_its_place() {
    let service = Service::new().await;
    service.subscribe("a", "", QUEUE).await;
    service.subscribe("b", "", QUEUE).await;
    let third = service.call::<PutSubscriptionFilter>(filter("c", "", QUEUE)).await;
    assert_refused(third, "LimitExceededException", "Resource limit exceeded.");
    service.write(GROUP, STREAM, &[(0, "one")]).await;
    service.subscribe("a", "", OTHER).await;
    service.forward().await;
    assert_eq!(service.texts(OTHER), ["one"], "what was not sent yet goes to the new receiver");
    let input =
        DescribeSubscriptionFiltersInput { log_group_name: Some(GROUP.to_owned()), ..Default::default() };
    let described = service.call::<DescribeSubscriptionFilters>(input).await.expect("described");
    let filters = described.subscription_filters.expect("a list");
    let names: Vec<_> = filters.iter().map(|filter| filter.filter_name.as_deref()).collect();
    assert_eq!(names, [Some("a"), Some("b")]);
    assert_eq!(filters[0].destination_arn.as_deref(), Some(OTHER));
}

#[tokio::test]
async fn a_deleted_filter_sends_nothing_more() {
    let service = Service::new().await;
    service.subscribe("a", "", QUEUE).await;
    service.texts(QUEUE);
    service.write(GROUP, STREAM, &[(0, "one")]).await;
    let input = || DeleteSubscriptionFilterInput {
        log_group_name: Some(GROUP.to_owned()),
        filter_name: Some("a".to_owned()),
    };
    service.call::<DeleteSubscriptionFilter>(input()).await.expect("deleted");
    service.forward().await;
    assert!(service.texts(QUEUE).is_empty());
    let again = service.call::<DeleteSubscriptionFilter>(input()).await;
    assert_refused(again, "ResourceNotFoundException", "The specified subscription filter does not exist.");
}

#[tokio::test]
async fn a_destination_that_cannot_be_reached_is_refused_in_the_words_of_aws() {
    let service = Service::new().await;
    let check = async |arn: &str, role: Option<&str>, message: &str| {
        let input = PutSubscriptionFilterInput { role_arn: role.map(str::to_owned), ..filter("f", "", arn) };
        let outcome = service.call::<PutSubscriptionFilter>(input).await;
        assert_refused(outcome, "InvalidParameterException", message);
    };
    let role = Some("arn:aws:iam::000000000000:role/r");
    let stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
    check(
        "arn:aws:lambda:us-east-1:000000000000:function:f",
        None,
        "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.",
    )
    .await;
    check(stream, None, "destinationArn for vendor kinesis cannot be used without roleArn").await;
    check(
        stream,
        role,
        "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state.",
    )
    .await;
    check(
        "arn:aws:logs:us-east-1:000000000000:log-group:g",
        None,
        "PutSubscriptionFilter operation cannot work with destinationArn for vendor logs",
    )
    .await;
}

#[tokio::test]
async fn a_policy_of_the_account_is_about_all_groups_but_those_it_leaves_out() {
    let mut service = Service::new().await;
    service.create_group("out").await.expect("created");
    service.create_stream("out", STREAM).await.expect("created");
    let policy = PutAccountPolicyInput {
        policy_name: Some("p".to_owned()),
        policy_type: Some(PolicyType::SubscriptionFilterPolicy),
        policy_document: Some(format!(r#"{{"DestinationArn":"{QUEUE}","FilterPattern":"a"}}"#)),
        selection_criteria: Some(r#"LogGroupName NOT IN ["out"]"#.to_owned()),
        ..Default::default()
    };
    service.write(GROUP, STREAM, &[(0, "a before")]).await;
    service.call::<PutAccountPolicy>(policy).await.expect("put");
    service.texts(QUEUE);
    service.create_group("late").await.expect("created");
    service.create_stream("late", STREAM).await.expect("created");
    service.write(GROUP, STREAM, &[(0, "a one"), (1, "b")]).await;
    service.write("out", STREAM, &[(0, "a two")]).await;
    service.restart().await;
    service.write("late", STREAM, &[(0, "a three")]).await;
    service.forward().await;
    let mut texts = service.texts(QUEUE);
    texts.sort();
    assert_eq!(texts, ["a one", "a three"]);
    let delete = DeleteAccountPolicyInput {
        policy_name: Some("p".to_owned()),
        policy_type: Some(PolicyType::SubscriptionFilterPolicy),
        ..Default::default()
    };
    service.call::<DeleteAccountPolicy>(delete).await.expect("deleted");
    service.write(GROUP, STREAM, &[(0, "a four")]).await;
    service.forward().await;
    assert!(service.texts(QUEUE).is_empty());
}

#[tokio::test]
async fn policies_that_would_change_nothing_are_refused_by_name() {
    let service = Service::new().await;
    let policy = PutAccountPolicyInput {
        policy_name: Some("p".to_owned()),
        policy_type: Some(PolicyType::MetricExtractionPolicy),
        policy_document: Some("{}".to_owned()),
        ..Default::default()
    };
    let outcome = service.call::<PutAccountPolicy>(policy).await;
    assert_refused(
        outcome,
        "InvalidParameterException",
        "policyType METRIC_EXTRACTION_POLICY is not supported.",
    );
}

/// What happens between one event and the next.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Put { second: i64 },
    Forward,
    Flush,
    Restart,
    Away(bool),
}

fn any_happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (-100_i64..100).prop_map(|second| Happening::Put { second }),
        3 => Just(Happening::Forward),
        1 => Just(Happening::Flush),
        1 => Just(Happening::Restart),
        2 => any::<bool>().prop_map(Happening::Away),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_happens_every_event_arrives(happenings in proptest::collection::vec(any_happening(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut service = Service::new().await;
            service.subscribe("all", "", QUEUE).await;
            let (mut expected, mut arrived) = (Vec::new(), service.texts(QUEUE));
            for happening in happenings {
                match happening {
                    Happening::Put { second } => {
                        let text = format!("event {}", expected.len());
                        service.write(GROUP, STREAM, &[(second * 1000, &text)]).await;
                        expected.push(text);
                    }
                    Happening::Forward => service.forward().await,
                    Happening::Flush => service.flush().await,
                    Happening::Restart => service.restart().await,
                    Happening::Away(true) => service.queues.away(&[QUEUE]),
                    Happening::Away(false) => service.queues.away(&[]),
                }
                service.wait(Duration::from_secs(1));
                arrived.extend(service.texts(QUEUE));
            }
            service.queues.away(&[]);
            service.wait(Duration::from_secs(120));
            service.forward().await;
            arrived.extend(service.texts(QUEUE));
            // Without a crash between sending and noting, also not twice.
            arrived.sort();
            expected.sort();
            assert_eq!(arrived, expected);
        });
    }
}
