//! Alarms through the SDK, by the manual clock.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, HistoryItemType, MetricAlarm, MetricDatum, StateValue, Statistic,
};

use crate::harness::{ACCOUNT, Server};

async fn put_alarm(client: &Client, name: &str, periods: i32, needed: i32) {
    client
        .put_metric_alarm()
        .alarm_name(name)
        .namespace("App")
        .metric_name("Errors")
        .statistic(Statistic::Sum)
        .period(60)
        .evaluation_periods(periods)
        .datapoints_to_alarm(needed)
        .threshold(5.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .send()
        .await
        .expect("accepted");
}

async fn put_errors(client: &Client, value: f64) {
    client
        .put_metric_data()
        .namespace("App")
        .metric_data(MetricDatum::builder().metric_name("Errors").value(value).build())
        .send()
        .await
        .expect("accepted");
}

async fn describe(client: &Client, name: &str) -> MetricAlarm {
    let output = client.describe_alarms().alarm_names(name).send().await.expect("answered");
    output.metric_alarms().first().expect("the alarm exists").clone()
}

#[tokio::test]
async fn an_alarm_lives_through_its_states() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    put_alarm(&client, "errors", 2, 2).await;
    let alarm = describe(&client, "errors").await;
    assert_eq!(alarm.state_value(), Some(&StateValue::InsufficientData));
    let arn = format!("arn:aws:cloudwatch:eu-central-1:{ACCOUNT}:alarm:errors");
    assert_eq!(alarm.alarm_arn(), Some(arn.as_str()));

    for _ in 0..3 {
        put_errors(&client, 10.0).await;
        server.advance("PT1M").await;
    }
    let alarm = describe(&client, "errors").await;
    assert_eq!(alarm.state_value(), Some(&StateValue::Alarm), "{alarm:?}");
    let reason = alarm.state_reason().expect("a reason");
    assert!(reason.starts_with("Threshold Crossed: 2 out of the last 2 datapoints [10.0 ("), "{reason}");
    assert!(
        reason.ends_with(
            "were greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition)."
        ),
        "{reason}"
    );

    for _ in 0..2 {
        put_errors(&client, 1.0).await;
        server.advance("PT1M").await;
    }
    assert_eq!(describe(&client, "errors").await.state_value(), Some(&StateValue::Ok));

    // Nothing arrives any more: the last real points leave the evaluation range, and the state is unknown.
    server.advance("PT10M").await;
    assert_eq!(describe(&client, "errors").await.state_value(), Some(&StateValue::InsufficientData));

    let history = client
        .describe_alarm_history()
        .alarm_name("errors")
        .history_item_type(HistoryItemType::StateUpdate)
        .send()
        .await
        .expect("answered");
    let summaries: Vec<_> =
        history.alarm_history_items().iter().filter_map(|item| item.history_summary()).collect();
    assert_eq!(
        summaries.last(),
        Some(&"Alarm updated from INSUFFICIENT_DATA to ALARM"),
        "newest first: {summaries:?}"
    );
    assert_eq!(summaries.first(), Some(&"Alarm updated from OK to INSUFFICIENT_DATA"), "{summaries:?}");
}

#[tokio::test]
async fn a_set_state_lasts_until_the_next_evaluation() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    put_alarm(&client, "errors", 1, 1).await;
    put_errors(&client, 0.0).await;
    server.advance("PT1M").await;
    client
        .set_alarm_state()
        .alarm_name("errors")
        .state_value(StateValue::Alarm)
        .state_reason("fire drill")
        .send()
        .await
        .expect("accepted");
    let alarm = describe(&client, "errors").await;
    assert_eq!((alarm.state_value(), alarm.state_reason()), (Some(&StateValue::Alarm), Some("fire drill")));
    put_errors(&client, 0.0).await;
    server.advance("PT1M").await;
    assert_eq!(describe(&client, "errors").await.state_value(), Some(&StateValue::Ok));
}

#[tokio::test]
async fn history_outlives_its_alarm() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    put_alarm(&client, "errors", 1, 1).await;
    client.delete_alarms().alarm_names("errors").alarm_names("never-there").send().await.expect("accepted");
    assert!(client.describe_alarms().send().await.expect("answered").metric_alarms().is_empty());
    let history = client.describe_alarm_history().alarm_name("errors").send().await.expect("answered");
    let summaries: Vec<_> =
        history.alarm_history_items().iter().filter_map(|item| item.history_summary()).collect();
    assert!(summaries.contains(&"Alarm \"errors\" created"), "{summaries:?}");
}

#[tokio::test]
async fn an_unknown_alarm_has_no_state_to_set() {
    let server = Server::start_with_manual_clock().await;
    let error = server
        .cloudwatch()
        .set_alarm_state()
        .alarm_name("never-there")
        .state_value(StateValue::Ok)
        .state_reason("-")
        .send()
        .await
        .expect_err("refused")
        .into_service_error();
    assert!(error.is_resource_not_found(), "{error:?}");
}

#[tokio::test]
async fn a_manual_day_passes_in_order() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    put_alarm(&client, "errors", 1, 1).await;
    put_errors(&client, 100.0).await;
    server.advance("P1D").await;
    let history = client
        .describe_alarm_history()
        .alarm_name("errors")
        .history_item_type(HistoryItemType::StateUpdate)
        .scan_by(aws_sdk_cloudwatch::types::ScanBy::TimestampAscending)
        .send()
        .await
        .expect("answered");
    let times: Vec<_> = history.alarm_history_items().iter().filter_map(|item| item.timestamp()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(times.len(), 2, "to ALARM and, when the point has left the range, to INSUFFICIENT_DATA");
    assert!(times[1] < &DateTime::from_secs(1_767_225_600 + 3600), "{times:?}");
}
