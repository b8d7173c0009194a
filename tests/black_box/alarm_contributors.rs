//! An alarm on several series through the SDK, by the manual clock: each group of a query is a contributor.

use std::collections::HashMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, HistoryItemType, MetricDataQuery, MetricDatum, StateValue,
};

use crate::harness::Server;

const QUERY: &str = "SELECT MAX(QueueDepth) FROM SCHEMA(Fleet, Host) GROUP BY Host ORDER BY MAX() DESC";

async fn put_depths(client: &Client, depths: [(&str, f64); 3]) {
    let datum = |(host, depth): (&str, f64)| {
        let host = Dimension::builder().name("Host").value(host).build();
        MetricDatum::builder().metric_name("QueueDepth").dimensions(host).value(depth).build()
    };
    let data = depths.map(datum).to_vec();
    client.put_metric_data().namespace("Fleet").set_metric_data(Some(data)).send().await.expect("taken");
}

/// The hosts in ALARM, with the reasons.
async fn contributors(client: &Client) -> HashMap<String, String> {
    let answer = client.describe_alarm_contributors().alarm_name("fleet").send().await.expect("answered");
    let told = answer.alarm_contributors().iter().map(|contributor| {
        assert_eq!(contributor.contributor_id().map(str::len), Some(16));
        let host = contributor.contributor_attributes().expect("attributes")["Host"].clone();
        (host, contributor.state_reason().expect("a reason").to_owned())
    });
    told.collect()
}

#[tokio::test]
async fn hosts_are_in_alarm_one_by_one() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    client
        .put_metric_alarm()
        .alarm_name("fleet")
        .metrics(MetricDataQuery::builder().id("q1").expression(QUERY).period(60).return_data(true).build())
        .evaluation_periods(1)
        .threshold(5.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .send()
        .await
        .expect("taken");
    put_depths(&client, [("a", 9.0), ("b", 1.0), ("c", 7.0)]).await;
    server.advance("PT1M").await;
    let described = client.describe_alarms().alarm_names("fleet").send().await.expect("answered");
    let alarm = described.metric_alarms().first().expect("the alarm exists");
    assert_eq!(alarm.state_value(), Some(&StateValue::Alarm));
    assert_eq!(alarm.state_reason(), Some("2 out of 3 time series evaluated to ALARM"));
    let told = contributors(&client).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told["a"].contains("datapoint which crossed the threshold: [9.0 ("), "{told:?}");
    assert!(told["c"].contains("datapoint which crossed the threshold: [7.0 ("), "{told:?}");

    put_depths(&client, [("a", 1.0), ("b", 1.0), ("c", 7.0)]).await;
    server.advance("PT1M").await;
    assert_eq!(contributors(&client).await.into_keys().collect::<Vec<_>>(), ["c"]);
    let history = client
        .describe_alarm_history()
        .alarm_name("fleet")
        .history_item_type(HistoryItemType::AlarmContributorStateUpdate)
        .send()
        .await
        .expect("answered");
    let hosts: Vec<_> = history
        .alarm_history_items()
        .iter()
        .filter_map(|item| Some(item.alarm_contributor_attributes()?["Host"].as_str()))
        .collect();
    // Newest first: `a` is fine again, after both had come into ALARM.
    assert_eq!((hosts.first(), hosts.len()), (Some(&"a"), 3), "{hosts:?}");
}

#[tokio::test]
async fn an_unknown_alarm_has_no_contributors() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    let refused = client.describe_alarm_contributors().alarm_name("never-there").send().await;
    let error = refused.expect_err("refused").into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
}
