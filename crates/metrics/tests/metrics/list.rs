//! ListMetrics: filters, activity, pages.

use groundwatch_api::cloudwatch::ListMetricsOutput;
use serde_json::{Value, json};

use crate::kit::{World, refused};

async fn put(world: &World, namespace: &str, name: &str, dimensions: &[(&str, &str)]) {
    let dimensions: Vec<Value> =
        dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    let datum = json!({ "MetricName": name, "Dimensions": dimensions, "Value": 1.0 });
    world.put(json!({ "Namespace": namespace, "MetricData": [datum] })).await.expect("valid");
}

/// `namespace/name{dimension=value,…}` of each metric.
fn shown(output: ListMetricsOutput) -> Vec<String> {
    let metrics = output.metrics.expect("always there").into_iter();
    let show = |metric: groundwatch_api::cloudwatch::Metric| {
        let dimensions = metric.dimensions.expect("always there").into_iter();
        let dimensions: Vec<String> = dimensions
            .map(|d| format!("{}={}", d.name.expect("a name"), d.value.expect("a value")))
            .collect();
        format!(
            "{}/{}{{{}}}",
            metric.namespace.expect("one"),
            metric.metric_name.expect("one"),
            dimensions.join(",")
        )
    };
    metrics.map(show).collect()
}

async fn check(world: &World, filter: Value, expected: &[&str]) {
    let found = shown(world.list(filter.clone()).await.expect("an answer"));
    assert_eq!(found, expected, "{filter}");
}

#[tokio::test]
async fn filters_are_exact_for_names_and_at_least_for_dimensions() {
    let world = World::new().await;
    put(&world, "Web", "requests", &[("Host", "a"), ("Az", "1")]).await;
    put(&world, "Web", "requests", &[("Host", "b")]).await;
    put(&world, "Web", "errors", &[]).await;
    put(&world, "Web2", "requests", &[("Host", "a")]).await;
    let all = ["Web/errors{}", "Web/requests{Az=1,Host=a}", "Web/requests{Host=b}", "Web2/requests{Host=a}"];
    check(&world, json!({}), &all).await;
    check(&world, json!({ "Namespace": "Web" }), &all[..3]).await;
    check(&world, json!({ "Namespace": "We" }), &[]).await;
    check(&world, json!({ "MetricName": "requests" }), &all[1..]).await;
    check(&world, json!({ "Namespace": "Web", "MetricName": "requests" }), &all[1..3]).await;
    check(&world, json!({ "Namespace": "Web", "MetricName": "request" }), &[]).await;
    check(&world, json!({ "Dimensions": [{ "Name": "Host" }] }), &all[1..]).await;
    check(&world, json!({ "Dimensions": [{ "Name": "Host", "Value": "a" }] }), &[all[1], all[3]]).await;
    check(&world, json!({ "Namespace": "Web", "Dimensions": [{ "Name": "Host", "Value": "a" }] }), &[all[1]])
        .await;
    check(&world, json!({ "Dimensions": [{ "Name": "Host" }, { "Name": "Az", "Value": "1" }] }), &[all[1]])
        .await;
    check(&world, json!({ "Dimensions": [{ "Name": "Host" }, { "Name": "Az", "Value": "2" }] }), &[]).await;
    check(&world, json!({ "Namespace": "Web\0requests" }), &[]).await;
    check(&world, json!({ "MetricName": "errors", "Dimensions": [{ "Name": "Host" }] }), &[]).await;
}

#[tokio::test]
async fn a_metric_is_listed_once_whatever_its_units() {
    let world = World::new().await;
    for unit in ["Seconds", "Count"] {
        world.put_data(json!([{ "MetricName": "m", "Value": 1.0, "Unit": unit }])).await;
    }
    check(&world, json!({}), &["Test/m{}"]).await;
}

#[tokio::test]
async fn only_metrics_with_data_lately_are_listed() {
    let world = World::new().await;
    put(&world, "Web", "old", &[]).await;
    world.set_clock("2026-01-02T15:00:00Z");
    put(&world, "Web", "new", &[]).await;
    check(&world, json!({ "RecentlyActive": "PT3H" }), &["Web/new{}", "Web/old{}"]).await;
    world.set_clock("2026-01-02T15:00:01Z");
    check(&world, json!({ "RecentlyActive": "PT3H" }), &["Web/new{}"]).await;
    world.set_clock("2026-01-16T12:00:01Z");
    check(&world, json!({}), &["Web/new{}"]).await;
    world.store.flush().await.expect("a flush");
    let world = world.restart().await;
    check(&world, json!({}), &["Web/new{}"]).await;
    world.set_clock("2026-01-16T15:00:01Z");
    check(&world, json!({ "Namespace": "Web" }), &[]).await;
}

#[tokio::test]
async fn accounts_and_regions_see_only_their_own() {
    let mut world = World::new().await;
    put(&world, "Web", "here", &[("Host", "a")]).await;
    world.scope.region = groundwatch_core::Region::new("eu-central-2");
    check(&world, json!({}), &[]).await;
    check(&world, json!({ "Dimensions": [{ "Name": "Host" }] }), &[]).await;
}

#[tokio::test]
async fn pages_hold_500_each_metric_once_in_order() {
    let world = World::new().await;
    let value = |index: usize| format!("{index:04}");
    for start in [1000, 0, 500] {
        let data: Vec<Value> = (start..start + 500)
            .map(|index| json!({ "MetricName": "m", "Value": 1.0, "Dimensions": [{ "Name": "I", "Value": value(index) }, { "Name": "Odd", "Value": (index % 2).to_string() }] }))
            .collect();
        world.put_data(Value::from(data)).await;
    }
    // One filter leads through all series in order, the others through those that an index names.
    for (filter, step) in
        [(json!([]), 1), (json!([{ "Name": "I" }]), 1), (json!([{ "Name": "Odd", "Value": "0" }]), 2)]
    {
        let expected: Vec<String> = (0..1500)
            .step_by(step)
            .map(|index| format!("Test/m{{I={},Odd={}}}", value(index), index % 2))
            .collect();
        let (mut found, mut sizes, mut token) = (Vec::new(), Vec::new(), Value::Null);
        loop {
            let page = world.list(json!({ "Dimensions": filter, "NextToken": token })).await.expect("a page");
            token = page.next_token.clone().map_or(Value::Null, Value::from);
            let metrics = shown(page);
            sizes.push(metrics.len());
            found.extend(metrics);
            if token.is_null() {
                break;
            }
        }
        assert_eq!(found, expected);
        assert_eq!(sizes, if step == 1 { vec![500, 500, 500] } else { vec![500, 250] });
    }
}

#[tokio::test]
async fn a_listing_goes_on_after_a_restart() {
    let mut world = World::new().await;
    for start in [0, 600] {
        let data: Vec<Value> = (start..start + 600)
            .map(|index| json!({ "MetricName": format!("m{index:04}"), "Value": 1.0 }))
            .collect();
        world.put_data(Value::from(data)).await;
    }
    let first = world.list(json!({})).await.expect("a page");
    world = world.restart().await;
    let second = world.list(json!({ "NextToken": first.next_token })).await.expect("a page");
    assert_eq!(shown(second).first().map(String::as_str), Some("Test/m0500{}"));
}

#[tokio::test]
async fn a_foreign_token_is_refused() {
    let world = World::new().await;
    let answer = world.list(json!({ "NextToken": "AAAA" })).await;
    assert_eq!(
        refused(answer),
        ("InvalidParameterValue", "Request parameter NextToken is invalid".to_owned())
    );
}

#[tokio::test]
async fn owners_are_told_when_linked_accounts_are_asked_for() {
    let world = World::new().await;
    put(&world, "Web", "m", &[]).await;
    let page = world.list(json!({ "IncludeLinkedAccounts": true })).await.expect("a page");
    assert_eq!(page.owning_accounts, Some(vec!["000000000000".to_owned()]));
    check(&world, json!({ "OwningAccount": "123456789012" }), &[]).await;
    check(&world, json!({ "OwningAccount": "000000000000" }), &["Web/m{}"]).await;
}
