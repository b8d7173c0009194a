//! Contributor Insights through the SDK: rules over log groups, and who contributes most.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{MetricDataQuery, ScanBy, Tag};
use aws_sdk_cloudwatchlogs::types::InputLogEvent;

use crate::harness::{ACCOUNT, Server};

/// 2026-01-01T00:00:00Z, where the manual clock stands.
const START_SECS: i64 = 1_767_225_600;

const DEFINITION: &str = r#"{"Schema":{"Name":"CloudWatchLogRule","Version":1},"LogGroupNames":["web/*"],"LogFormat":"JSON",
    "Contribution":{"Keys":["$.ip"],"ValueOf":"$.bytes","Filters":[{"Match":"$.status","GreaterThan":499}]},"AggregateOn":"Sum"}"#;

/// Two groups with events of the last two minutes.
async fn server_with_logs() -> Server {
    let server = Server::start_with_manual_clock().await;
    let logs = server.logs();
    let event = |ago: i64, ip: &str, status: u16, bytes: u32| {
        let message = format!(r#"{{"ip":"{ip}","status":{status},"bytes":{bytes}}}"#);
        InputLogEvent::builder()
            .timestamp((START_SECS - ago) * 1000)
            .message(message)
            .build()
            .expect("complete")
    };
    for (group, events) in [
        (
            "web/a",
            vec![
                event(90, "10.0.0.1", 500, 10),
                event(80, "10.0.0.2", 200, 1000),
                event(20, "10.0.0.1", 503, 5),
            ],
        ),
        ("web/b", vec![event(70, "10.0.0.2", 500, 12), event(10, "10.0.0.3", 500, 1)]),
        ("other", vec![event(70, "10.0.0.9", 500, 99)]),
    ] {
        logs.create_log_group().log_group_name(group).send().await.expect("created");
        logs.create_log_stream().log_group_name(group).log_stream_name("s").send().await.expect("created");
        let put = logs.put_log_events().log_group_name(group).log_stream_name("s");
        put.set_log_events(Some(events)).send().await.expect("taken");
    }
    server
}

#[tokio::test]
async fn a_report_ranks_the_contributors_of_all_groups_of_a_rule() {
    let server = server_with_logs().await;
    let client = server.cloudwatch();
    client.put_insight_rule().rule_name("errors").rule_definition(DEFINITION).send().await.expect("taken");
    let report = client
        .get_insight_rule_report()
        .rule_name("errors")
        .start_time(DateTime::from_secs(START_SECS - 180))
        .end_time(DateTime::from_secs(START_SECS))
        .period(60)
        .max_contributor_count(2)
        .metrics("UniqueContributors")
        .metrics("Sum")
        .send()
        .await
        .expect("answered");
    assert_eq!(report.key_labels(), ["$.ip"]);
    assert_eq!(report.aggregation_statistic(), Some("Sum"));
    assert_eq!((report.aggregate_value(), report.approximate_unique_count()), (Some(28.0), Some(3)));
    let contributors: Vec<(String, f64, usize)> = report
        .contributors()
        .iter()
        .map(|one| {
            (
                one.keys().concat(),
                one.approximate_aggregate_value().unwrap_or_default(),
                one.datapoints().len(),
            )
        })
        .collect();
    assert_eq!(contributors, [("10.0.0.1".to_owned(), 15.0, 2), ("10.0.0.2".to_owned(), 12.0, 1)]);
    let datapoints: Vec<(Option<f64>, Option<f64>, Option<f64>)> = report
        .metric_datapoints()
        .iter()
        .map(|point| (point.unique_contributors(), point.sum(), point.maximum()))
        .collect();
    // A period without events has zeros, and what was not asked for is not told.
    assert_eq!(
        datapoints,
        [(Some(0.0), Some(0.0), None), (Some(2.0), Some(22.0), None), (Some(2.0), Some(6.0), None)]
    );
}

/// What GetMetricData answers to an expression over the last three minutes and the next one, at a period of a
/// minute.
async fn evaluate(server: &Server, expression: &str) -> Result<Vec<f64>, String> {
    let query = MetricDataQuery::builder().id("e").expression(expression).period(60).build();
    let answer = server
        .cloudwatch()
        .get_metric_data()
        .metric_data_queries(query)
        .start_time(DateTime::from_secs(START_SECS - 180))
        .end_time(DateTime::from_secs(START_SECS + 60))
        .scan_by(ScanBy::TimestampAscending)
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(answer.metric_data_results()[0].values().to_vec()),
        Err(error) => Err(error.into_service_error().meta().message().unwrap_or_default().to_owned()),
    }
}

#[tokio::test]
async fn metric_math_computes_with_the_metrics_of_rules() {
    let server = server_with_logs().await;
    let client = server.cloudwatch();
    client.put_insight_rule().rule_name("errors").rule_definition(DEFINITION).send().await.expect("taken");
    let contributors = evaluate(&server, "INSIGHT_RULE_METRIC('errors', 'UniqueContributors')").await;
    assert_eq!(contributors, Ok(vec![0.0, 2.0, 2.0]), "the next minute has nothing to tell yet");
    let share =
        "INSIGHT_RULE_METRIC('errors', 'MaxContributorValue') / INSIGHT_RULE_METRIC('errors', 'Sum') * 100";
    let share = evaluate(&server, &format!("FLOOR({share})")).await;
    assert_eq!(share, Ok(vec![54.0, 83.0]), "of a minute without events there is no share");
    let missing = evaluate(&server, "INSIGHT_RULE_METRIC('none', 'Sum')").await;
    let refusal = "Error in expression 'e': INSIGHT_RULE_METRIC: rule `none` does not exist";
    assert_eq!(missing, Err(refusal.to_owned()));
}

#[tokio::test]
async fn rules_are_listed_disabled_tagged_and_deleted() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    for name in ["a", "b"] {
        let tag = Tag::builder().key("team").value(name).build();
        client
            .put_insight_rule()
            .rule_name(name)
            .rule_definition(DEFINITION)
            .tags(tag)
            .send()
            .await
            .expect("taken");
    }
    let disabled =
        client.disable_insight_rules().rule_names("b").rule_names("c").send().await.expect("answered");
    let [failure] = disabled.failures() else { panic!("{disabled:?}") };
    assert_eq!((failure.failure_resource(), failure.failure_code()), (Some("c"), Some("404")));
    let states = async || -> Vec<(String, String)> {
        let listed = client.describe_insight_rules().send().await.expect("listed");
        let rules = listed.insight_rules().iter();
        rules
            .map(|rule| {
                (rule.name().unwrap_or_default().to_owned(), rule.state().unwrap_or_default().to_owned())
            })
            .collect()
    };
    let pair = |name: &str, state: &str| (name.to_owned(), state.to_owned());
    assert_eq!(states().await, [pair("a", "ENABLED"), pair("b", "DISABLED")]);
    client.enable_insight_rules().rule_names("b").send().await.expect("answered");
    assert_eq!(states().await, [pair("a", "ENABLED"), pair("b", "ENABLED")]);

    let arn = format!("arn:aws:cloudwatch:eu-central-1:{ACCOUNT}:insight-rule/a");
    let tags = client.list_tags_for_resource().resource_arn(&arn).send().await.expect("listed");
    assert_eq!(tags.tags().first().and_then(|tag| tag.value()), Some("a"));

    client.delete_insight_rules().rule_names("a").send().await.expect("deleted");
    let server = server.kill_and_restart(&[]);
    let listed = server.cloudwatch().describe_insight_rules().send().await.expect("listed");
    let [rule] = listed.insight_rules() else { panic!("{listed:?}") };
    assert_eq!((rule.schema(), rule.definition()), (Some("CloudWatchLogRule/1"), Some(DEFINITION)));
}

#[tokio::test]
async fn a_definition_with_a_mistake_is_refused() {
    let server = Server::start_with_manual_clock().await;
    let definition = DEFINITION.replace(r#""$.ip""#, r#""ip""#);
    let put = server.cloudwatch().put_insight_rule().rule_name("a").rule_definition(definition).send().await;
    let message =
        put.expect_err("refused").into_service_error().meta().message().unwrap_or_default().to_owned();
    assert_eq!(message, "The rule definition is not valid: ip must begin with $..");
}
