//! Log groups' settings and metric filters through the SDK: what is set is what other calls, and CloudWatch,
//! then show.

use aws_sdk_cloudwatch::types::Statistic;
use aws_sdk_cloudwatchlogs::types::{InputLogEvent, MetricTransformation};
use aws_smithy_types::DateTime;

use crate::harness::Server;

/// 2026-01-01T00:00:00Z in milliseconds, where the manual clock stands.
const START_MS: i64 = 1_767_225_600_000;
const GROUP: &str = "/app";

async fn put(client: &aws_sdk_cloudwatchlogs::Client, messages: &[&str]) {
    let put = client.put_log_events().log_group_name(GROUP).log_stream_name("s");
    let put = messages.iter().fold(put, |put, message| {
        put.log_events(
            InputLogEvent::builder().timestamp(START_MS).message(*message).build().expect("complete"),
        )
    });
    put.send().await.expect("accepted");
}

async fn server_with_group() -> (Server, aws_sdk_cloudwatchlogs::Client) {
    let server = Server::start_with_manual_clock().await;
    let client = server.logs();
    client.create_log_group().log_group_name(GROUP).send().await.expect("created");
    client.create_log_stream().log_group_name(GROUP).log_stream_name("s").send().await.expect("created");
    (server, client)
}

#[tokio::test]
async fn a_metric_filter_publishes_a_metric() {
    let (server, client) = server_with_group().await;
    let transformation = MetricTransformation::builder()
        .metric_namespace("App")
        .metric_name("Latency")
        .metric_value("$.latency")
        .build()
        .expect("complete");
    client
        .put_metric_filter()
        .log_group_name(GROUP)
        .filter_name("latency")
        .filter_pattern("{ $.latency > 10 }")
        .metric_transformations(transformation)
        .send()
        .await
        .expect("put");
    put(&client, &[r#"{"latency":5}"#, r#"{"latency":20}"#, r#"{"latency":40}"#, "text"]).await;
    let statistics = server
        .cloudwatch()
        .get_metric_statistics()
        .namespace("App")
        .metric_name("Latency")
        .start_time(DateTime::from_millis(START_MS))
        .end_time(DateTime::from_millis(START_MS + 60_000))
        .period(60)
        .statistics(Statistic::Sum)
        .statistics(Statistic::SampleCount)
        .send()
        .await
        .expect("answered");
    let [datapoint] = statistics.datapoints() else { panic!("one minute: {statistics:?}") };
    assert_eq!((datapoint.sum(), datapoint.sample_count()), (Some(60.0), Some(2.0)));
    let filters = client.describe_metric_filters().log_group_name(GROUP).send().await.expect("described");
    assert_eq!(filters.metric_filters()[0].filter_name(), Some("latency"));
}

#[tokio::test]
async fn retention_hides_and_frees_what_has_expired() {
    let (server, client) = server_with_group().await;
    put(&client, &["old"]).await;
    client.put_retention_policy().log_group_name(GROUP).retention_in_days(1).send().await.expect("put");
    server.advance("PT25H").await;
    let events = client.filter_log_events().log_group_name(GROUP).send().await.expect("answered");
    assert!(events.events().is_empty());
    // The flush is an hour after the event, and what has expired is looked for every hour.
    server.advance("PT2H").await;
    let groups = client.describe_log_groups().send().await.expect("described");
    assert_eq!(groups.log_groups()[0].stored_bytes(), Some(0));
    assert_eq!(groups.log_groups()[0].retention_in_days(), Some(1));
}

#[tokio::test]
async fn tags_keys_and_protection_are_kept() {
    let (_server, client) = server_with_group().await;
    let groups = client.describe_log_groups().send().await.expect("described");
    let arn = groups.log_groups()[0].log_group_arn().expect("an ARN");
    client.tag_resource().resource_arn(arn).tags("team", "red").send().await.expect("tagged");
    let tags = client.list_tags_for_resource().resource_arn(arn).send().await.expect("listed");
    assert_eq!(tags.tags().and_then(|tags| tags.get("team")).map(String::as_str), Some("red"));
    client.associate_kms_key().log_group_name(GROUP).kms_key_id("key").send().await.expect("associated");
    client
        .put_log_group_deletion_protection()
        .log_group_identifier(GROUP)
        .deletion_protection_enabled(true)
        .send()
        .await
        .expect("protected");
    client.delete_log_group().log_group_name(GROUP).send().await.expect_err("protected");
    client
        .delete_log_stream()
        .log_group_name(GROUP)
        .log_stream_name("s")
        .send()
        .await
        .expect_err("protected");
    let listed = client.list_log_groups().log_group_name_pattern("^/app").send().await.expect("listed");
    assert_eq!(listed.log_groups()[0].log_group_arn(), Some(arn));
    let groups = client.describe_log_groups().send().await.expect("described");
    assert_eq!(groups.log_groups()[0].kms_key_id(), Some("key"));
}

#[tokio::test]
async fn a_pattern_is_tested_without_a_group() {
    let server = Server::start_with_manual_clock().await;
    let tested = server
        .logs()
        .test_metric_filter()
        .filter_pattern("[ip, ..., status = 4*]")
        .log_event_messages("10.0.0.1 GET / 404")
        .log_event_messages("10.0.0.1 GET / 200")
        .send()
        .await
        .expect("tested");
    let [record] = tested.matches() else { panic!("one matches: {tested:?}") };
    assert_eq!(record.event_number(), 1);
    assert_eq!(
        record.extracted_values().and_then(|values| values.get("$status")).map(String::as_str),
        Some("404")
    );
}
