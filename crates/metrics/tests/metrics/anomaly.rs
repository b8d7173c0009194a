//! Anomaly detectors and the bands that they make.

use groundwatch_api::cloudwatch::{
    AnomalyDetector, DeleteAnomalyDetector, DescribeAnomalyDetectors, DescribeAnomalyDetectorsOutput,
    PutAnomalyDetector,
};
use serde_json::{Value, json};

use crate::kit::{NOW, World, moment, refused};

const SLOT_SECS: i64 = 300;

/// Busy from eight to six, by UTC, with a little noise of its own.
fn orders(at_secs: i64) -> f64 {
    let busy = (8..18).contains(&(at_secs.rem_euclid(86_400) / 3600));
    let noise = ((at_secs / SLOT_SECS).wrapping_mul(2_654_435_761) >> 9).rem_euclid(101) as f64 / 25.0;
    if busy { 100.0 + noise } else { 10.0 + noise }
}

/// The last `days` of `Shop/Orders`, every five minutes.
async fn world(days: i64) -> World {
    let world = World::new().await;
    let now = moment(NOW).as_secs();
    let mut at = now - days * 86_400;
    while at < now {
        let until = (at + 1000 * SLOT_SECS).min(now);
        let data: Vec<Value> = (at..until)
            .step_by(SLOT_SECS as usize)
            .map(|at| json!({ "MetricName": "Orders", "Timestamp": at, "Value": orders(at) }))
            .collect();
        world.put(json!({ "Namespace": "Shop", "MetricData": data })).await.expect("taken");
        at = until;
    }
    world
}

fn metric(id: &str) -> Value {
    json!({ "Id": id, "ReturnData": false, "MetricStat": {
        "Metric": { "Namespace": "Shop", "MetricName": "Orders" }, "Period": SLOT_SECS, "Stat": "Sum",
    }})
}

/// The bounds of `expression` over the last day: `(start, lower, upper)`, ascending.
async fn bounds(world: &World, queries: Vec<Value>) -> Vec<(i64, f64, f64)> {
    let now = moment(NOW).as_secs();
    let answer = world
        .data(json!({
            "MetricDataQueries": queries, "StartTime": now - 86_400, "EndTime": now, "ScanBy": "TimestampAscending",
        }))
        .await
        .expect("answered");
    let [lower, upper] = &answer.metric_data_results.expect("results")[..] else { panic!("two bounds") };
    assert_eq!((lower.id.as_deref(), lower.label.as_deref()), (Some("e1"), Some("Orders (expected)")));
    assert_eq!(lower.timestamps, upper.timestamps);
    let starts = lower.timestamps.iter().flatten().map(|start| start.0.as_secs());
    let bounds = lower.values.iter().flatten().zip(upper.values.iter().flatten());
    starts.zip(bounds).map(|(start, (lower, upper))| (start, *lower, *upper)).collect()
}

fn band(expression: &str) -> Value {
    json!({ "Id": "e1", "Expression": expression })
}

#[tokio::test]
async fn a_band_follows_the_hours_of_the_day() {
    let world = world(13).await;
    let bounds = bounds(&world, vec![metric("m1"), band("ANOMALY_DETECTION_BAND(m1, 3)")]).await;
    assert_eq!(bounds.len(), 288);
    let usual = bounds.iter().filter(|(at, lower, upper)| (*lower..=*upper).contains(&orders(*at)));
    assert!(usual.count() >= 285);
    let (_, lower, upper) = bounds[0];
    assert!(lower > 80.0 && upper < 130.0, "at noon: {lower} {upper}");
}

#[tokio::test]
async fn a_wider_band_is_wider_and_two_deviations_are_the_default() {
    let world = world(3).await;
    let width = async |expression: &str| {
        let bounds = bounds(&world, vec![metric("m1"), band(expression)]).await;
        bounds[100].2 - bounds[100].1
    };
    let (default, two) =
        (width("ANOMALY_DETECTION_BAND(m1)").await, width("ANOMALY_DETECTION_BAND(m1, 2)").await);
    assert_eq!(default, two);
    let four = width("ANOMALY_DETECTION_BAND(m1, 4)").await;
    assert!((four - 2.0 * two).abs() < 1e-9 * four, "{two} {four}");
}

#[tokio::test]
async fn expressions_have_bands_too() {
    let world = world(3).await;
    let now = moment(NOW).as_secs();
    let answer = world
        .data(json!({
            "MetricDataQueries": [metric("m1"), { "Id": "e1", "Expression": "m1 * 2", "ReturnData": false },
                { "Id": "e2", "Expression": "LAST(ANOMALY_DETECTION_BAND(e1))" },
                { "Id": "e3", "Expression": "FIRST(ANOMALY_DETECTION_BAND(m1 + m1))" }],
            "StartTime": now - 3600, "EndTime": now,
        }))
        .await
        .expect("answered");
    let results = answer.metric_data_results.expect("results");
    let [upper, lower] = &results[..] else { panic!("{results:?}") };
    for (upper, lower) in upper.values.iter().flatten().zip(lower.values.iter().flatten()) {
        assert!(*upper > 200.0 && *upper < 230.0 && *lower < 205.0 && *lower > 170.0, "{lower} {upper}");
    }
    assert_eq!(upper.values.as_ref().map(Vec::len), Some(12));
}

#[tokio::test]
async fn what_has_no_history_has_no_band() {
    let world = World::new().await;
    let bounds = bounds(&world, vec![metric("m1"), band("ANOMALY_DETECTION_BAND(m1)")]).await;
    assert_eq!(bounds, []);
}

#[tokio::test]
async fn excluded_ranges_of_the_detector_teach_nothing() {
    let world = world(3).await;
    let now = moment(NOW).as_secs();
    let before = bounds(&world, vec![metric("m1"), band("ANOMALY_DETECTION_BAND(m1)")]).await;
    let detector = json!({ "SingleMetricAnomalyDetector": { "Namespace": "Shop", "MetricName": "Orders", "Stat": "Sum" },
        "Configuration": { "ExcludedTimeRanges": [{ "StartTime": now - 10 * 86_400, "EndTime": now }] } });
    world.call::<PutAnomalyDetector>(&detector).await.expect("taken");
    let after = bounds(&world, vec![metric("m1"), band("ANOMALY_DETECTION_BAND(m1)")]).await;
    assert_eq!((before.len(), after.len()), (288, 0));
}

async fn described(world: &World, input: Value) -> DescribeAnomalyDetectorsOutput {
    world.call::<DescribeAnomalyDetectors>(&input).await.expect("described")
}

/// As JSON, without ids, which differ from run to run.
fn shown(detectors: Option<Vec<AnomalyDetector>>) -> Value {
    let mut shown = serde_json::to_value(detectors).expect("JSON");
    for detector in shown.as_array_mut().expect("a list") {
        let id = detector.as_object_mut().and_then(|detector| detector.remove("AnomalyDetectorId"));
        assert!(id.is_some_and(|id| id.as_str().is_some_and(|id| id.len() == 36)));
    }
    shown
}

#[tokio::test]
async fn a_detector_is_described_in_both_forms() {
    let world = world(3).await;
    let dimensions = json!([{ "Name": "b", "Value": "2" }, { "Name": "a", "Value": "1" }]);
    let flat =
        json!({ "Namespace": "Shop", "MetricName": "Returns", "Stat": "p99", "Dimensions": dimensions });
    let single = json!({ "SingleMetricAnomalyDetector": { "Namespace": "Shop", "MetricName": "Orders", "Stat": "Sum" },
        "Configuration": { "MetricTimezone": "Asia/Tokyo" }, "MetricCharacteristics": { "PeriodicSpikes": true } });
    world.call::<PutAnomalyDetector>(&flat).await.expect("taken");
    world.call::<PutAnomalyDetector>(&single).await.expect("taken");
    let expected = json!([
        { "Namespace": "Shop", "MetricName": "Orders", "Dimensions": [], "Stat": "Sum",
          "Configuration": { "ExcludedTimeRanges": [], "MetricTimezone": "Asia/Tokyo" },
          "MetricCharacteristics": { "PeriodicSpikes": true }, "StateValue": "TRAINED",
          "SingleMetricAnomalyDetector": { "AccountId": "000000000000", "Namespace": "Shop", "MetricName": "Orders",
            "Dimensions": [], "Stat": "Sum" } },
        { "Namespace": "Shop", "MetricName": "Returns", "Dimensions": dimensions, "Stat": "p99",
          "Configuration": { "ExcludedTimeRanges": [] }, "StateValue": "TRAINED_INSUFFICIENT_DATA",
          "SingleMetricAnomalyDetector": { "AccountId": "000000000000", "Namespace": "Shop", "MetricName": "Returns",
            "Dimensions": dimensions, "Stat": "p99" } },
    ]);
    assert_eq!(shown(described(&world, json!({})).await.anomaly_detectors), expected);
    for (filter, count) in [
        (json!({ "Namespace": "Shop" }), 2),
        (json!({ "Namespace": "Other" }), 0),
        (json!({ "MetricName": "Returns" }), 1),
        (json!({ "Dimensions": [{ "Name": "a", "Value": "1" }] }), 1),
        (json!({ "AnomalyDetectorTypes": ["METRIC_MATH"] }), 0),
    ] {
        let found = described(&world, filter.clone()).await.anomaly_detectors.expect("a list");
        assert_eq!(found.len(), count, "{filter}");
    }
}

#[tokio::test]
async fn listings_have_pages() {
    let world = World::new().await;
    for number in 0..5 {
        let flat = json!({ "Namespace": "Shop", "MetricName": format!("m{number}"), "Stat": "Sum" });
        world.call::<PutAnomalyDetector>(&flat).await.expect("taken");
    }
    let (mut names, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = described(&world, json!({ "MaxResults": 2, "NextToken": token })).await;
        names
            .extend(page.anomaly_detectors.into_iter().flatten().filter_map(|detector| detector.metric_name));
        match page.next_token {
            Some(next) => token = json!(next),
            None => break,
        }
    }
    assert_eq!(names, ["m0", "m1", "m2", "m3", "m4"]);
}

#[tokio::test]
async fn what_was_put_twice_is_one_and_is_gone_when_deleted() {
    let world = World::new().await;
    let flat = json!({ "Namespace": "Shop", "MetricName": "Orders", "Stat": "Sum" });
    let nested = json!({ "SingleMetricAnomalyDetector": flat });
    let first = world.call::<PutAnomalyDetector>(&flat).await.expect("taken").anomaly_detector_id;
    let second = world.call::<PutAnomalyDetector>(&nested).await.expect("taken").anomaly_detector_id;
    assert_eq!(first, second);
    let math = json!({ "MetricMathAnomalyDetector": { "MetricDataQueries": [
        metric("m1"), { "Id": "e1", "Expression": "m1 * 2", "ReturnData": true }] } });
    world.call::<PutAnomalyDetector>(&math).await.expect("taken");
    let both = json!({ "AnomalyDetectorTypes": ["SINGLE_METRIC", "METRIC_MATH"] });
    assert_eq!(described(&world, both.clone()).await.anomaly_detectors.map(|found| found.len()), Some(2));

    world.call::<DeleteAnomalyDetector>(&json!({ "AnomalyDetectorId": first })).await.expect("deleted");
    world.call::<DeleteAnomalyDetector>(&math).await.expect("deleted");
    assert_eq!(described(&world, both).await.anomaly_detectors, Some(Vec::new()));
    let world = world.restart().await;
    for gone in [flat, math, json!({ "AnomalyDetectorId": first })] {
        let (code, _) = refused(world.call::<DeleteAnomalyDetector>(&gone).await);
        assert!(code.contains("ResourceNotFound"), "{code}");
    }
}

#[tokio::test]
async fn what_names_nothing_or_two_things_is_refused() {
    let world = World::new().await;
    let single = json!({ "Namespace": "Shop", "MetricName": "Orders", "Stat": "Sum" });
    let queries = |queries: Value| json!({ "MetricMathAnomalyDetector": { "MetricDataQueries": queries } });
    let with = |configuration: Value| json!({ "SingleMetricAnomalyDetector": single, "Configuration": configuration });
    for (input, expected) in [
        (json!({}), "The parameter Stat is required."),
        (json!({ "Stat": "Sum", "MetricName": "Orders" }), "The parameter Namespace is required."),
        (
            json!({ "SingleMetricAnomalyDetector": { "Stat": "Sum" } }),
            "The parameter SingleMetricAnomalyDetector.Namespace is required.",
        ),
        (
            json!({ "SingleMetricAnomalyDetector": single, "Namespace": "Shop" }),
            "The parameters SingleMetricAnomalyDetector and Namespace, MetricName, Dimensions, Stat are mutually exclusive \
             and you have specified both.",
        ),
        (
            with(json!({ "MetricTimezone": "Mars/Olympus" })),
            "The value Mars/Olympus for parameter Configuration.MetricTimezone is invalid.",
        ),
        (
            with(json!({ "ExcludedTimeRanges": [{ "StartTime": 2000, "EndTime": 1000 }] })),
            "The parameter Configuration.ExcludedTimeRanges.member.1.StartTime must be before EndTime.",
        ),
        (
            queries(json!([metric("m1")])),
            "Exactly one element of MetricMathAnomalyDetector.MetricDataQueries must have ReturnData true.",
        ),
        (
            queries(json!([{ "Id": "e1", "Expression": "SEARCH('Orders', 'Sum', 60)" }])),
            "Error in expression 'e1': anomaly detection does not support SEARCH at character 1",
        ),
    ] {
        let (_, message) = refused(world.call::<PutAnomalyDetector>(&input).await);
        assert_eq!(message, expected, "{input}");
    }
}

#[tokio::test]
async fn two_puts_of_one_detector_answer_with_one_id() {
    let world = World::new().await;
    let detector = json!({ "Namespace": "Shop", "MetricName": "Orders", "Stat": "Sum" });
    let put = || world.call::<PutAnomalyDetector>(&detector);
    let (one, other) = tokio::join!(put(), put());
    assert_eq!(one.expect("taken").anomaly_detector_id, other.expect("taken").anomaly_detector_id);
}
