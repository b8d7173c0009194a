use std::borrow::Cow;

use super::*;
use crate::cloudwatch::borrowed::{Dimension, MetricDatum, PutMetricDataInput};
use crate::cloudwatch::{self, SetAlarmStateInput, StateValue};
use crate::logs::borrowed::{InputLogEvent, PutLogEventsInput};
use crate::logs::{
    self, CreateLogGroupInput, FilterLogEventsInput, MetricTransformation, PutDeliveryDestinationInput,
    PutMetricFilterInput, StartLiveTailInput,
};
use crate::{common, fill, sns, sqs};

/// The message that the constraint table of an operation has for an input, if any.
fn message<O: Operation>(input: &O::Input<'_>) -> Option<String> {
    check::<O>(input).err().map(|fault| fault.message.expect("violations are told"))
}

#[track_caller]
fn check_message<O: Operation>(input: &O::Input<'_>, violations: &[&str]) {
    let expected = match violations {
        [] => None,
        [one] => Some(format!("1 validation error detected: {one}")),
        many => Some(format!("{} validation errors detected: {}", many.len(), many.join("; "))),
    };
    assert_eq!(message::<O>(input), expected);
}

fn put_metric_data(datum: MetricDatum<'_>) -> PutMetricDataInput<'_> {
    PutMetricDataInput {
        namespace: Some("App".into()),
        metric_data: Some(vec![MetricDatum { metric_name: Some("ok".into()), ..Default::default() }, datum]),
        ..Default::default()
    }
}

/// Recorded: a value outside an enum, and a member that is missing.
#[test]
fn recorded_messages_are_word_by_word() {
    let input = SetAlarmStateInput {
        alarm_name: Some("a".to_owned()),
        state_value: Some(StateValue::from("INVALID")),
        state_reason: Some(String::new()),
        state_reason_data: None,
    };
    check_message::<cloudwatch::SetAlarmState>(
        &input,
        &["Value 'INVALID' at 'stateValue' failed to satisfy constraint: \
            Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"],
    );

    let input = FilterLogEventsInput { limit: Some(10_001), ..Default::default() };
    check_message::<logs::FilterLogEvents>(
        &input,
        &[
            "Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000",
        ],
    );
}

/// Recorded: AWS takes a colon in a namespace, which its model forbids.
#[test]
fn metric_filters_publish_to_namespaces_with_colons() {
    let input = |namespace: &str| PutMetricFilterInput {
        log_group_name: Some("g".to_owned()),
        filter_name: Some("f".to_owned()),
        filter_pattern: Some(String::new()),
        metric_transformations: Some(vec![MetricTransformation {
            metric_name: Some("m".to_owned()),
            metric_namespace: Some(namespace.to_owned()),
            metric_value: Some("1".to_owned()),
            ..Default::default()
        }]),
        ..Default::default()
    };
    check_message::<logs::PutMetricFilter>(&input("A.B-c_d/1#2:metricNamespace"), &[]);
    assert!(message::<logs::PutMetricFilter>(&input("a*")).is_some());
}

/// SQS and SNS have words of their own for a member of the input that is missing.
#[test]
fn a_missing_member_is_reported_in_the_services_words() {
    let fault = check::<sqs::SendMessage>(&Default::default()).expect_err("nothing is there");
    assert_eq!(fault.shape.code, "MissingParameter");
    assert_eq!(fault.message.as_deref(), Some("The request must contain the parameter QueueUrl."));
    let fault = check::<sns::Unsubscribe>(&Default::default()).expect_err("nothing is there");
    assert_eq!(fault.shape.code, "InvalidParameter");
    let message = "Invalid parameter: SubscriptionArn Reason: no value for required parameter";
    assert_eq!(fault.message.as_deref(), Some(message));
}

#[test]
fn several_violations_are_counted_and_joined() {
    check_message::<cloudwatch::SetAlarmState>(
        &SetAlarmStateInput { alarm_name: Some(String::new()), ..Default::default() },
        &[
            "Value '' at 'alarmName' failed to satisfy constraint: Member must have length greater than or equal to 1",
            "Value null at 'stateValue' failed to satisfy constraint: Member must not be null",
            "Value null at 'stateReason' failed to satisfy constraint: Member must not be null",
        ],
    );
}

#[test]
fn paths_count_elements_from_one() {
    let dimensions = vec![Dimension { name: Some("host".into()), value: None }];
    check_message::<cloudwatch::PutMetricData>(
        &put_metric_data(MetricDatum { dimensions: Some(dimensions), ..Default::default() }),
        &[
            "Value null at 'metricData.2.member.metricName' failed to satisfy constraint: Member must not be null",
            "Value null at 'metricData.2.member.dimensions.1.member.value' failed to satisfy constraint: \
                Member must not be null",
        ],
    );
}

#[test]
fn an_empty_message_names_its_event() {
    let input = PutLogEventsInput {
        log_group_name: Some("g".into()),
        log_stream_name: Some("s".into()),
        log_events: Some(vec![InputLogEvent { timestamp: Some(1), message: Some("".into()) }]),
        ..Default::default()
    };
    check_message::<logs::PutLogEvents>(
        &input,
        &["Value '' at 'logEvents.1.member.message' failed to satisfy constraint: \
            Member must have length greater than or equal to 1"],
    );
    let fault = check::<logs::PutLogEvents>(&input).expect_err("the message is empty");
    assert_eq!(fault.shape, &logs::errors::INVALID_PARAMETER_EXCEPTION);
}

#[test]
fn a_list_without_elements_shows_brackets() {
    let input = PutLogEventsInput {
        log_group_name: Some("g".into()),
        log_stream_name: Some("s".into()),
        log_events: Some(Vec::new()),
        ..Default::default()
    };
    check_message::<logs::PutLogEvents>(
        &input,
        &[
            "Value '[]' at 'logEvents' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ],
    );
}

#[test]
fn simple_elements_are_reported_by_their_container() {
    let names = vec!["ok".to_owned(), "a:b".to_owned()];
    check_message::<logs::FilterLogEvents>(
        &FilterLogEventsInput { log_stream_names: Some(names), ..Default::default() },
        &[
            "Value '[ok, a:b]' at 'logStreamNames' failed to satisfy constraint: Member must satisfy constraint: \
            [Member must have length less than or equal to 512, Member must have length greater than or equal to 1, \
            Member must satisfy regular expression pattern: [^:*]*, Member must not be null]",
        ],
    );
}

#[test]
fn keys_and_values_of_maps_are_told_apart() {
    let tagged = |key: &str, value: &str| CreateLogGroupInput {
        log_group_name: Some("g".to_owned()),
        tags: Some([(key.to_owned(), value.to_owned())].into()),
        ..Default::default()
    };
    check_message::<logs::CreateLogGroup>(&tagged("team", "größe"), &[]);
    check_message::<logs::CreateLogGroup>(
        &tagged("a!", "v"),
        &["Value '{a!=v}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: \
            [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, \
            Member must satisfy regular expression pattern: ^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+)$, \
            Member must not be null]"],
    );
    check_message::<logs::CreateLogGroup>(
        &tagged("k", "v!"),
        &["Value '{k=v!}' at 'tags' failed to satisfy constraint: Map value must satisfy constraint: \
            [Member must have length less than or equal to 256, \
            Member must satisfy regular expression pattern: ^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$, \
            Member must not be null]"],
    );
}

#[test]
fn patterns_match_the_whole_value() {
    let named =
        |name: &str| CreateLogGroupInput { log_group_name: Some(name.to_owned()), ..Default::default() };
    check_message::<logs::CreateLogGroup>(&named("/aws/lambda/f_1.x#-"), &[]);
    check_message::<logs::CreateLogGroup>(
        &named("ok\n"),
        &["Value 'ok\n' at 'logGroupName' failed to satisfy constraint: \
            Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"],
    );
}

#[test]
fn lengths_are_counted_in_characters() {
    let named =
        |name: String| put_metric_data(MetricDatum { metric_name: Some(name.into()), ..Default::default() });
    assert_eq!(message::<cloudwatch::PutMetricData>(&named("🦀".repeat(255))), None);
    let text = message::<cloudwatch::PutMetricData>(&named("ü".repeat(256))).expect("256 are too many");
    assert!(text.ends_with("Member must have length less than or equal to 255"), "{text}");
}

#[test]
fn long_values_are_cut_at_a_character() {
    let name = "ü".repeat(1_000_000);
    let input = put_metric_data(MetricDatum { metric_name: Some(Cow::Owned(name)), ..Default::default() });
    let text = message::<cloudwatch::PutMetricData>(&input).expect("too long");
    assert!(text.len() < 2 * VALUE_BYTES_MAX);
    assert!(text.contains("üü…' at 'metricData.2.member.metricName'"), "{text}");
}

#[test]
fn the_number_of_messages_is_bounded_and_the_count_is_not() {
    let input = PutMetricDataInput {
        namespace: Some("App".into()),
        metric_data: Some(vec![MetricDatum::default(); 100_000]),
        ..Default::default()
    };
    let text = message::<cloudwatch::PutMetricData>(&input).expect("names are missing");
    assert!(text.starts_with("100000 validation errors detected: "));
    assert_eq!(text.matches("Member must not be null").count(), MESSAGES_MAX);
}

#[test]
fn frameworks_and_services_have_errors_of_their_own() {
    let fault =
        check::<cloudwatch::SetAlarmState>(&SetAlarmStateInput::default()).expect_err("all is missing");
    assert_eq!(fault.shape, &common::VALIDATION);
}

/// Runs the table of every operation, which also compiles its patterns.
#[test]
fn no_input_makes_a_table_panic() {
    fn run<O: Operation>() {
        for seed in 0..200 {
            let input: O::Input<'static> = fill::fill(seed);
            let _ = check::<O>(&input);
        }
    }
    macro_rules! run_all {
        ($($operation:path,)*) => { $(run::<$operation>();)* };
    }
    crate::for_each_operation!(run_all);
    crate::for_each_streaming_operation!(run_all);
}

#[test]
fn some_values_are_not_told() {
    let groups = |count: usize| StartLiveTailInput {
        log_group_identifiers: Some(vec!["g".to_owned(); count]),
        ..Default::default()
    };
    check_message::<logs::StartLiveTail>(
        &groups(11),
        &[
            "Value at 'logGroupIdentifiers' failed to satisfy constraint: Member must have length less than or equal to 10",
        ],
    );
}

#[test]
fn vended_logs_have_a_validation_error_of_their_own() {
    let input = PutDeliveryDestinationInput::default();
    let fault = check::<logs::PutDeliveryDestination>(&input).expect_err("no name");
    assert_eq!(fault.shape.shape, "ValidationException");
}
