//! PutMetricData: what is refused, and in which words.

use serde_json::{Value, json};

use crate::kit::{World, refused};

async fn refuse(datum: Value, code: &str, message: &str) {
    let world = World::new().await;
    let good = json!({ "MetricName": "good", "Value": 1.0 });
    let put = world.put(json!({ "Namespace": "Test", "MetricData": [good, datum] })).await;
    assert_eq!(refused(put), (code_of(code), message.to_owned()));
    assert_eq!(world.store.series_count(), 0, "one bad datum refuses the whole request");
}

fn code_of(code: &str) -> &'static str {
    match code {
        "combination" => "InvalidParameterCombination",
        "value" => "InvalidParameterValue",
        "missing" => "MissingParameter",
        other => panic!("`{other}` is no code"),
    }
}

fn with(members: Value) -> Value {
    let mut datum = json!({ "MetricName": "m" });
    let all = datum.as_object_mut().expect("an object");
    all.extend(members.as_object().expect("an object").clone());
    datum
}

#[tokio::test]
async fn members_that_exclude_each_other() {
    let set = json!({ "SampleCount": 1.0, "Sum": 1.0, "Minimum": 1.0, "Maximum": 1.0 });
    refuse(
        with(json!({ "Value": 1.0, "Values": [1.0] })),
        "combination",
        "The parameters MetricData.member.2.Value and MetricData.member.2.Values are mutually exclusive and you have specified both.",
    )
    .await;
    refuse(
        with(json!({ "Value": 1.0, "StatisticValues": set })),
        "combination",
        "The parameters MetricData.member.2.Value and MetricData.member.2.StatisticValues are mutually exclusive and you have specified both.",
    )
    .await;
    refuse(
        with(json!({ "Values": [1.0, 2.0], "Counts": [1.0] })),
        "value",
        "The parameters MetricData.member.2.Values and MetricData.member.2.Counts must be of the same size.",
    )
    .await;
    refuse(
        with(json!({})),
        "missing",
        "At least one of the parameters MetricData.member.2.Value, MetricData.member.2.Values and MetricData.member.2.StatisticValues must be specified.",
    )
    .await;
}

#[tokio::test]
async fn numbers_that_cannot_be_stored() {
    let invalid = |number: &str, member: &str| {
        format!("The value {number} for parameter MetricData.member.2.{member} is invalid.")
    };
    refuse(with(json!({ "Value": 1e109 })), "value", &invalid("1E109", "Value")).await;
    refuse(with(json!({ "Value": -1e300 })), "value", &invalid("-1E300", "Value")).await;
    refuse(with(json!({ "Values": [1.0, 1e200] })), "value", &invalid("1E200", "Values.member.2")).await;
    refuse(with(json!({ "Values": [1.0], "Counts": [-2.0] })), "value", &invalid("-2", "Counts.member.1"))
        .await;
    let set = |count: f64, minimum: f64| json!({ "SampleCount": count, "Sum": 1.0, "Minimum": minimum, "Maximum": 1.0 });
    let put = with(json!({ "StatisticValues": set(0.0, 1.0) }));
    refuse(put, "value", &invalid("0", "StatisticValues.SampleCount")).await;
    refuse(
        with(json!({ "StatisticValues": set(1.0, 2.0) })),
        "value",
        "The parameter MetricData.member.2.StatisticValues.Minimum must not be greater than the parameter MetricData.member.2.StatisticValues.Maximum.",
    )
    .await;
    let many: Vec<f64> = (0..151).map(f64::from).collect();
    refuse(
        with(json!({ "Values": many })),
        "value",
        "The collection MetricData.member.2.Values must not have a size greater than 150.",
    )
    .await;
}

#[tokio::test]
async fn times_and_resolutions_out_of_range() {
    let at = |time: &str| with(json!({ "Value": 1.0, "Timestamp": time }));
    let past =
        "The parameter MetricData.member.2.Timestamp must specify a time no more than two weeks in the past.";
    let future = "The parameter MetricData.member.2.Timestamp must specify a time no more than two hours in the future.";
    refuse(at("2025-12-19T11:59:59Z"), "value", past).await;
    refuse(at("2026-01-02T14:00:00.001Z"), "value", future).await;
    refuse(
        with(json!({ "Value": 1.0, "StorageResolution": 30 })),
        "value",
        "The value 30 for parameter MetricData.member.2.StorageResolution is invalid.",
    )
    .await;
    let world = World::new().await;
    let edges = [at("2025-12-19T12:00:00Z"), at("2026-01-02T14:00:00Z")];
    world.put_data(Value::from(edges.to_vec())).await;
}

#[tokio::test]
async fn names_that_are_no_names() {
    let dimension = |name: &str, value: &str| {
        with(json!({ "Value": 1.0, "Dimensions": [{ "Name": name, "Value": value }] }))
    };
    let invalid = |text: &str, part: &str| {
        format!("The value {text} for parameter MetricData.member.2.Dimensions.member.1.{part} is invalid.")
    };
    refuse(dimension(":a", "b"), "value", &invalid(":a", "Name")).await;
    refuse(dimension("ä", "b"), "value", &invalid("ä", "Name")).await;
    refuse(dimension("a", "  "), "value", &invalid("  ", "Value")).await;
    refuse(dimension("a", "b\u{0}c"), "value", &invalid("b\\0c", "Value")).await;
    let twice = json!([{ "Name": "a", "Value": "1" }, { "Name": "a", "Value": "2" }]);
    refuse(
        with(json!({ "Value": 1.0, "Dimensions": twice })),
        "value",
        "No metric may specify the same dimension name twice.",
    )
    .await;
    let world = World::new().await;
    let put = world.put(json!({ "Namespace": "a\tb", "MetricData": [with(json!({ "Value": 1.0 }))] })).await;
    assert_eq!(refused(put).1, "The value a\\tb for parameter Namespace is invalid.");
}

#[tokio::test]
async fn requests_that_are_too_large_or_empty() {
    let world = World::new().await;
    let data = |count: usize| Value::from(vec![with(json!({ "Value": 1.0 })); count]);
    world.put(json!({ "Namespace": "Test", "MetricData": data(1000) })).await.expect("as many as allowed");
    let put = world.put(json!({ "Namespace": "Test", "MetricData": data(1001) })).await;
    assert_eq!(refused(put).1, "The collection MetricData must not have a size greater than 1000.");
    let entity = json!([{ "MetricData": data(500) }]);
    let put = json!({ "Namespace": "Test", "MetricData": data(501), "EntityMetricData": entity, "StrictEntityValidation": false });
    assert_eq!(
        refused(world.put(put).await).1,
        "The collection MetricData must not have a size greater than 1000."
    );
    assert_eq!(
        refused(world.put(json!({ "Namespace": "Test" })).await).1,
        "The parameter MetricData is required."
    );
}

#[tokio::test]
async fn data_of_entities_are_stored_with_the_rest() {
    let world = World::new().await;
    let keys = json!({ "Type": "Service", "Name": "shop" });
    let entity =
        json!([{ "Entity": { "KeyAttributes": keys }, "MetricData": [with(json!({ "Value": 1.0 }))] }]);
    let request = |strict: Value| json!({ "Namespace": "Test", "EntityMetricData": entity, "StrictEntityValidation": strict });
    world.put(request(json!(true))).await.expect("valid");
    assert_eq!(world.store.series_count(), 1);
    assert_eq!(
        refused(world.put(request(Value::Null)).await).1,
        "The parameter StrictEntityValidation is required."
    );
    let bare = json!([{ "MetricData": [with(json!({ "Values": [] }))] }]);
    let request = json!({ "Namespace": "Test", "EntityMetricData": bare, "StrictEntityValidation": false });
    let (_, message) = refused(world.put(request).await);
    assert!(message.contains("EntityMetricData.member.1.MetricData.member.1.Value"), "{message}");
}
