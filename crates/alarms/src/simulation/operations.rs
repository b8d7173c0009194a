//! The API: what it refuses in which words, what it shows, how it pages.

use groundwatch_api::cloudwatch::{
    self as api, ActionConfiguration, AlarmTagsPropagation, DeleteAlarmsInput, DescribeAlarmHistoryInput,
    DescribeAlarmsInput, EvaluationWindow, MetricDataQuery, PutMetricAlarmInput, SetAlarmStateInput,
    SlidingWindow, Tag,
};

use super::{World, alarm, at};

#[tokio::test]
async fn definitions_are_refused_in_awss_words() {
    let world = World::new();
    let cases: &[(PutMetricAlarmInput, &str, &str)] = &[
        (
            PutMetricAlarmInput { period: Some(7), ..alarm("a") },
            "ValidationError",
            "Period must be 10, 20, 30 or a multiple of 60",
        ),
        (
            PutMetricAlarmInput { period: Some(90), ..alarm("a") },
            "ValidationError",
            "Period must be 10, 20, 30 or a multiple of 60",
        ),
        (
            PutMetricAlarmInput { evaluation_periods: Some(1441), ..alarm("a") },
            "ValidationError",
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).",
        ),
        (
            PutMetricAlarmInput { period: Some(86_400), evaluation_periods: Some(8), ..alarm("a") },
            "ValidationError",
            "Metrics cannot be checked across more than 7 days (EvaluationPeriods * Period must be <= 604800).",
        ),
        (
            PutMetricAlarmInput { datapoints_to_alarm: Some(2), ..alarm("a") },
            "ValidationError",
            "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
        ),
        (
            PutMetricAlarmInput {
                evaluate_low_sample_count_percentile: Some("maybe".to_owned()),
                ..alarm("a")
            },
            "ValidationError",
            "Option maybe is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are \
             evaluate and ignore.",
        ),
        (
            PutMetricAlarmInput { treat_missing_data: Some("bad".to_owned()), ..alarm("a") },
            "ValidationError",
            "Option bad is not supported. Supported options for parameter TreatMissingData are breaching, \
             notBreaching, ignore and missing.",
        ),
        (
            PutMetricAlarmInput { statistic: None, extended_statistic: Some("90".to_owned()), ..alarm("a") },
            "InvalidParameterValue",
            "The value 90 for parameter ExtendedStatistic is not supported.",
        ),
        (
            PutMetricAlarmInput { statistic: None, extended_statistic: Some("Sum".to_owned()), ..alarm("a") },
            "InvalidParameterValue",
            "The value Sum for parameter ExtendedStatistic is not supported.",
        ),
        (
            PutMetricAlarmInput { extended_statistic: Some("p90".to_owned()), ..alarm("a") },
            "InvalidParameterCombination",
            "Exactly one of the parameters Statistic and ExtendedStatistic must be specified.",
        ),
        (
            PutMetricAlarmInput { statistic: None, ..alarm("a") },
            "InvalidParameterCombination",
            "Exactly one of the parameters Statistic and ExtendedStatistic must be specified.",
        ),
        (
            PutMetricAlarmInput { namespace: None, ..alarm("a") },
            "ValidationError",
            "Namespace must not be null",
        ),
        (
            PutMetricAlarmInput { metric_name: None, ..alarm("a") },
            "ValidationError",
            "MetricName must not be null",
        ),
        (PutMetricAlarmInput { period: None, ..alarm("a") }, "ValidationError", "Period must not be null"),
        (
            PutMetricAlarmInput {
                alarm_actions: Some(vec!["arn:aws:automate:us-east-1:ec2:recover".to_owned()]),
                ..alarm("a")
            },
            "ValidationError",
            "Invalid use of EC2 action. An EC2 action can only be used if the alarm is monitoring an EC2 instance.",
        ),
        (
            PutMetricAlarmInput { threshold: None, ..alarm("a") },
            "ValidationError",
            "Threshold must not be null",
        ),
        (
            PutMetricAlarmInput { threshold: Some(f64::NAN), ..alarm("a") },
            "InvalidParameterValue",
            "The parameter Threshold must be a finite number.",
        ),
        (
            PutMetricAlarmInput { alarm_actions: Some(vec!["ops".to_owned()]), ..alarm("a") },
            "ValidationError",
            "Invalid arn syntax: ops",
        ),
        (
            PutMetricAlarmInput {
                ok_actions: Some(vec!["arn:aws:sns:eu-west-1:1:ops".to_owned()]),
                ..alarm("a")
            },
            "ValidationError",
            "Invalid region eu-west-1 specified. Only us-east-1 is supported.",
        ),
        (
            PutMetricAlarmInput { metrics: Some(vec![MetricDataQuery::default()]), ..alarm("a") },
            "ValidationError",
            "MetricName should not be set if list of Metrics is set.",
        ),
        (
            PutMetricAlarmInput {
                action_configuration: Some(propagating(Some("team"), Some("stage"))),
                ..alarm("a")
            },
            "InvalidParameterCombination",
            "The parameter IncludedTagKeys cannot be used together with ExcludedTagKeys.",
        ),
        (
            PutMetricAlarmInput {
                comparison_operator: Some(api::ComparisonOperator::GreaterThanUpperThreshold),
                ..alarm("a")
            },
            "ValidationError",
            "ComparisonOperators for ranges require ThresholdMetricId to be set",
        ),
        (alarm("a\nb"), "InvalidParameterValue", "The value a\nb for parameter AlarmName is not supported."),
    ];
    for (input, code, message) in cases {
        let fault = world.call::<api::PutMetricAlarm>(input.clone()).await.expect_err(message);
        assert_eq!((fault.shape.code, fault.message.as_deref()), (*code, Some(*message)));
    }
    assert!(world.describe("a").await.is_none());
}

fn propagating(included: Option<&str>, excluded: Option<&str>) -> ActionConfiguration {
    let keys = |key: Option<&str>| key.map(|key| vec![key.to_owned()]);
    ActionConfiguration {
        alarm_tags_propagation: Some(AlarmTagsPropagation {
            enabled: Some(true),
            included_tag_keys: keys(included),
            excluded_tag_keys: keys(excluded),
        }),
    }
}

#[tokio::test]
async fn an_alarm_shows_what_was_set_and_nothing_else() {
    let world = World::new();
    world.put(alarm("plain")).await;
    let plain = world.describe("plain").await.expect("an alarm");
    assert_eq!((plain.ok_actions, plain.alarm_actions), (Some(Vec::new()), Some(Vec::new())));
    assert_eq!((plain.insufficient_data_actions, plain.dimensions), (Some(Vec::new()), Some(Vec::new())));
    assert_eq!((plain.actions_enabled, plain.threshold), (Some(true), Some(1.0)));
    assert_eq!((plain.treat_missing_data, plain.datapoints_to_alarm, plain.unit), (None, None, None));
    assert_eq!((plain.alarm_description, plain.metrics, plain.evaluation_window), (None, None, None));
    assert_eq!((plain.evaluate_low_sample_count_percentile, plain.state_reason_data), (None, None));
    assert_eq!(plain.state_reason.as_deref(), Some("Unchecked: Initial alarm creation"));

    let input = PutMetricAlarmInput {
        alarm_description: Some("too hot".to_owned()),
        actions_enabled: Some(false),
        statistic: None,
        extended_statistic: Some("p99".to_owned()),
        unit: Some(api::StandardUnit::Percent),
        datapoints_to_alarm: Some(1),
        treat_missing_data: Some("notBreaching".to_owned()),
        evaluate_low_sample_count_percentile: Some("ignore".to_owned()),
        dimensions: Some(vec![api::Dimension { name: Some("Host".to_owned()), value: Some("a".to_owned()) }]),
        alarm_actions: Some(vec!["arn:aws:sns:us-east-1:123456789012:x".to_owned()]),
        action_configuration: Some(propagating(Some("team"), None)),
        evaluation_window: Some(EvaluationWindow {
            wall_clock_window: None,
            sliding_window: Some(SlidingWindow {}),
        }),
        ..alarm("full: a/b")
    };
    world.put(input.clone()).await;
    let full = world.describe("full: a/b").await.expect("an alarm");
    assert_eq!(full.alarm_arn.as_deref(), Some("arn:aws:cloudwatch:us-east-1:000000000000:alarm:full: a/b"));
    assert_eq!((full.alarm_description, full.unit), (input.alarm_description, input.unit));
    assert_eq!((full.statistic, full.extended_statistic), (None, input.extended_statistic));
    assert_eq!((full.actions_enabled, full.alarm_actions), (Some(false), input.alarm_actions));
    assert_eq!((full.dimensions, full.treat_missing_data), (input.dimensions, input.treat_missing_data));
    assert_eq!((full.datapoints_to_alarm, full.evaluation_window), (Some(1), input.evaluation_window));
    assert_eq!(full.action_configuration, input.action_configuration);
    assert_eq!(full.evaluate_low_sample_count_percentile, input.evaluate_low_sample_count_percentile);
}

#[tokio::test]
async fn tags_come_with_creation_only() {
    let world = World::new();
    let tagged = |value: &str| PutMetricAlarmInput {
        tags: Some(vec![Tag { key: Some("team".to_owned()), value: Some(value.to_owned()) }]),
        ..alarm("cpu")
    };
    world.put(tagged("ops")).await;
    world.put(tagged("dev")).await;
    let (_, alarm) = world.alarms.store.get(&crate::testing::key("cpu")).expect("an alarm");
    assert_eq!(alarm.tags.get("team"), Some("ops"));
}

async fn names(world: &World, input: DescribeAlarmsInput) -> Vec<String> {
    let output = world.call::<api::DescribeAlarms>(input).await.expect("a good question");
    assert!(output.composite_alarms.is_some() && output.log_alarms.is_some(), "lists are never null");
    let alarms = output.metric_alarms.expect("lists are never null").into_iter();
    alarms.filter_map(|alarm| alarm.alarm_name).collect()
}

#[tokio::test]
async fn alarms_are_found_by_name_prefix_state_and_action() {
    let world = World::new();
    for name in ["web-b", "db", "web-a"] {
        world.put(alarm(name)).await;
    }
    let action = "arn:aws:sns:us-east-1:000000000000:ops";
    world.put(PutMetricAlarmInput { ok_actions: Some(vec![action.to_owned()]), ..alarm("mail") }).await;
    world.set_state("db", "ALARM").await;
    let all = DescribeAlarmsInput::default;
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(names(&world, all()).await, ["db", "mail", "web-a", "web-b"]);
    let by_prefix = DescribeAlarmsInput { alarm_name_prefix: text("web-"), ..all() };
    assert_eq!(names(&world, by_prefix).await, ["web-a", "web-b"]);
    let some = ["web-b", "none", "db", "db"].map(str::to_owned).to_vec();
    assert_eq!(
        names(&world, DescribeAlarmsInput { alarm_names: Some(some), ..all() }).await,
        ["db", "web-b"]
    );
    let by_state = DescribeAlarmsInput { state_value: Some(api::StateValue::Alarm), ..all() };
    assert_eq!(names(&world, by_state).await, ["db"]);
    let by_action = DescribeAlarmsInput { action_prefix: text("arn:aws:sns:"), ..all() };
    assert_eq!(names(&world, by_action).await, ["mail"]);
    let composite = DescribeAlarmsInput { alarm_types: Some(vec![api::AlarmType::CompositeAlarm]), ..all() };
    assert!(names(&world, composite).await.is_empty());
    for related in [
        DescribeAlarmsInput { children_of_alarm_name: text("db"), ..all() },
        DescribeAlarmsInput { parents_of_alarm_name: text("db"), ..all() },
    ] {
        assert!(names(&world, related).await.is_empty(), "there are no composite alarms");
    }
}

#[tokio::test]
async fn questions_that_exclude_each_other_are_refused() {
    let world = World::new();
    let text = |text: &str| Some(text.to_owned());
    for (input, message) in [
        (
            DescribeAlarmsInput {
                alarm_names: Some(vec!["a".to_owned()]),
                alarm_name_prefix: text("a"),
                ..DescribeAlarmsInput::default()
            },
            "The parameter AlarmNames cannot be used together with AlarmNamePrefix.",
        ),
        (
            DescribeAlarmsInput {
                parents_of_alarm_name: text("a"),
                state_value: Some(api::StateValue::Ok),
                ..DescribeAlarmsInput::default()
            },
            "The parameter ParentsOfAlarmName cannot be used together with StateValue.",
        ),
    ] {
        let fault = world.call::<api::DescribeAlarms>(input).await.expect_err(message);
        assert_eq!(fault.message.as_deref(), Some(message));
    }
    let foreign = DescribeAlarmsInput { next_token: text("zz"), ..DescribeAlarmsInput::default() };
    let fault = world.call::<api::DescribeAlarms>(foreign).await.expect_err("a foreign token");
    assert_eq!(fault.shape.code, "InvalidNextToken");
}

#[tokio::test]
async fn pages_hold_what_was_asked_for_and_end() {
    let world = World::new();
    for index in 0..12 {
        world.put(alarm(&format!("p-{index:02}"))).await;
    }
    for by_name in [false, true] {
        let mut sizes = Vec::new();
        let mut next_token = None;
        loop {
            let names = (0..12).map(|index| format!("p-{index:02}")).collect();
            let input = DescribeAlarmsInput {
                alarm_names: by_name.then_some(names),
                max_records: Some(4),
                next_token,
                ..DescribeAlarmsInput::default()
            };
            let page = world.call::<api::DescribeAlarms>(input).await.expect("a page");
            sizes.push(page.metric_alarms.expect("lists are never null").len());
            next_token = page.next_token;
            if next_token.is_none() {
                break;
            }
        }
        // Twelve fill three pages exactly: there is no fourth, empty one.
        assert_eq!(sizes, [4, 4, 4]);
    }
}

#[tokio::test]
async fn history_outlives_the_alarm_and_comes_newest_first() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    world.advance_to(at("12:00:01")).await;
    world.set_state("cpu", "ALARM").await;
    world.advance_to(at("12:00:02")).await;
    let names = ["none", "cpu"].map(str::to_owned).to_vec();
    world.call::<api::DeleteAlarms>(DeleteAlarmsInput { alarm_names: Some(names) }).await.expect("deleted");
    world.advance_to(at("12:10:00")).await;
    assert!(world.describe("cpu").await.is_none());

    let mut summaries = Vec::new();
    let mut next_token = None;
    loop {
        let input = DescribeAlarmHistoryInput {
            alarm_name: Some("cpu".to_owned()),
            max_records: Some(1),
            next_token,
            ..DescribeAlarmHistoryInput::default()
        };
        let page = world.call::<api::DescribeAlarmHistory>(input).await.expect("a page");
        summaries.extend(
            page.alarm_history_items.expect("never null").into_iter().filter_map(|item| item.history_summary),
        );
        next_token = page.next_token;
        if next_token.is_none() {
            break;
        }
    }
    assert_eq!(
        summaries,
        ["Alarm \"cpu\" deleted", "Alarm updated from INSUFFICIENT_DATA to ALARM", "Alarm \"cpu\" created"]
    );
}

#[tokio::test]
async fn history_is_found_by_kind_time_and_type() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    world.advance_to(at("12:00:01")).await;
    world.set_state("cpu", "OK").await;
    world.advance_to(at("12:00:02")).await;
    world.set_state("cpu", "ALARM").await;
    let count = async |input: DescribeAlarmHistoryInput| {
        let page = world.call::<api::DescribeAlarmHistory>(input).await.expect("a page");
        page.alarm_history_items.expect("never null").len()
    };
    let all = DescribeAlarmHistoryInput::default;
    assert_eq!(count(all()).await, 3);
    let states = Some(api::HistoryItemType::StateUpdate);
    assert_eq!(count(DescribeAlarmHistoryInput { history_item_type: states, ..all() }).await, 2);
    let (start_date, end_date) = (Some(at("12:00:01").into()), Some(at("12:00:01").into()));
    assert_eq!(
        count(DescribeAlarmHistoryInput { start_date, end_date, ..all() }).await,
        1,
        "both ends count"
    );
    let alarm_types = Some(vec![api::AlarmType::CompositeAlarm]);
    assert_eq!(count(DescribeAlarmHistoryInput { alarm_types, ..all() }).await, 0);
    let backwards = DescribeAlarmHistoryInput {
        start_date: Some(at("13:00:00").into()),
        end_date: Some(at("12:00:00").into()),
        ..all()
    };
    assert!(world.call::<api::DescribeAlarmHistory>(backwards).await.is_err());
}

#[tokio::test]
async fn history_is_forgotten_after_thirty_days() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    world.settle().await;
    let day = std::time::Duration::from_secs(86_400);
    world.jump_to(at("12:00:00") + day * 30 - std::time::Duration::from_secs(60)).await;
    assert_eq!(world.history().await.len(), 1);
    world.jump_to(at("18:01:00") + day * 30).await;
    assert!(world.history().await.is_empty());
}

#[tokio::test]
async fn servers_that_never_run_for_long_forget_history_too() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    let day = std::time::Duration::from_secs(86_400);
    world.clock.set(at("12:00:00") + day * 31);
    let world = world.restart();
    world.advance_to(at("12:10:00") + day * 31).await;
    assert!(world.history().await.is_empty());
}

#[tokio::test]
async fn setting_a_state_checks_alarm_and_data() {
    let world = World::new();
    let set = |name: &str, data: &str| SetAlarmStateInput {
        alarm_name: Some(name.to_owned()),
        state_value: Some(api::StateValue::Alarm),
        state_reason: Some("by hand".to_owned()),
        state_reason_data: Some(data.to_owned()),
    };
    let fault = world.call::<api::SetAlarmState>(set("cpu", "{}")).await.expect_err("no such alarm");
    assert_eq!((fault.shape.code, fault.message), ("ResourceNotFound", None));
    world.put(alarm("cpu")).await;
    let fault = world.call::<api::SetAlarmState>(set("cpu", "{n:1}")).await.expect_err("not JSON");
    assert_eq!(fault.shape.code, "InvalidFormat");
    world.call::<api::SetAlarmState>(set("cpu", "{\"n\":1}")).await.expect("set");
    let alarm = world.describe("cpu").await.expect("an alarm");
    assert_eq!(alarm.state_reason_data.as_deref(), Some("{\"n\":1}"));
    world.call::<api::SetAlarmState>(set("cpu", "{\"n\":1}")).await.expect("set again at the same time");
}

#[tokio::test]
async fn dynamodb_alarms_ignore_missing_data_unless_told_otherwise() {
    let world = World::new();
    let table =
        |name: &str| PutMetricAlarmInput { namespace: Some("AWS/DynamoDB".to_owned()), ..alarm(name) };
    world.put(table("default")).await;
    world.put(PutMetricAlarmInput { treat_missing_data: Some("missing".to_owned()), ..table("told") }).await;
    for name in ["default", "told"] {
        world.metrics.add(name, at("12:00:30"), 9.0);
    }
    world.advance_to(at("12:10:00")).await;
    assert_eq!(world.state("default").await, "ALARM");
    assert_eq!(world.state("told").await, "INSUFFICIENT_DATA");
}
