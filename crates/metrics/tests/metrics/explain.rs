//! What explanations say.

use groundwatch_api::cloudwatch::{GetMetricData, GetMetricStatistics};
use serde_json::{Value, json};

use crate::kit::World;

/// Two units of `m`, one of them flushed; a negative value in `negative`; `m` of a host.
async fn world() -> World {
    let world = World::new().await;
    let datum = |name: &str, unit: &str, value: f64| json!({ "MetricName": name, "Unit": unit, "Value": value, "Timestamp": "2026-01-02T11:30:00Z" });
    world.put_data(json!([datum("m", "Seconds", 1.0), datum("negative", "None", -1.0)])).await;
    world.store.flush().await.expect("a flush");
    world.put_data(json!([datum("m", "Count", 2.0)])).await;
    let mut of_host = datum("of-host", "None", 3.0);
    of_host["Dimensions"] = json!([{ "Name": "Host", "Value": "a" }]);
    world.put_data(json!([of_host])).await;
    world
}

fn metric(name: &str, stat: &str) -> Value {
    let metric = json!({ "Namespace": "Test", "MetricName": name });
    json!({ "Id": "q", "MetricStat": { "Metric": metric, "Period": 60, "Stat": stat } })
}

async fn explain(queries: Value) -> Value {
    let world = world().await;
    let request = json!({
        "MetricDataQueries": queries, "StartTime": "2026-01-02T11:00:00Z", "EndTime": "2026-01-02T12:00:00Z",
    });
    world.explained::<GetMetricData>(&request).await["queries"].clone()
}

/// The first query's explanation says that this was dropped, or nothing.
#[track_caller]
fn dropped(queries: &Value, expected: Option<&str>) {
    let dropped = queries[0]["dropped"].as_array().expect("a list");
    let first = dropped.first().and_then(Value::as_str);
    assert_eq!(first, expected, "{queries}");
}

#[tokio::test]
async fn a_metric_is_explained_with_its_places_and_the_unit_that_was_left_out() {
    let queries = explain(json!([metric("m", "Sum")])).await;
    let series = &queries[0]["series"][0];
    assert_eq!((&queries[0]["kind"], &queries[0]["seriesMatched"]), (&json!("metric"), &json!(1)));
    assert_eq!(queries[0]["range"], json!(["2026-01-02T11:00:00Z", "2026-01-02T12:00:00Z"]));
    assert_eq!((&series["metricName"], &series["unit"]), (&json!("m"), &json!("Count")));
    assert_eq!(series["blocks"].as_array().map(Vec::len), Some(1));
    assert_eq!(series["rowsInBlocks"], 1);
    assert!(series["samplesInMemory"].as_u64().is_some_and(|samples| samples > 0), "{series}");
    dropped(&queries, Some("data in Seconds: no unit was asked for"));
}

#[tokio::test]
async fn what_is_missing_has_its_reason() {
    let none = "everything: there is no metric of that name in that namespace";
    dropped(&explain(json!([metric("n", "Sum")])).await, Some(none));
    let other = "everything: 1 metrics have that name, but none exactly these dimensions";
    dropped(&explain(json!([metric("of-host", "Sum")])).await, Some(other));
    let valueless = "1 periods in which p50 has no value: statistics over the distribution take neither negative values nor \
                     statistic sets without values";
    dropped(&explain(json!([metric("negative", "p50")])).await, Some(valueless));
    dropped(&explain(json!([metric("negative", "Sum")])).await, None);
}

#[tokio::test]
async fn a_search_and_an_insights_query_tell_what_they_matched() {
    let search = json!({ "Id": "e", "Expression": "SEARCH('Namespace=\"Test\"', 'Sum', 60)" });
    let queries = explain(json!([search])).await;
    assert_eq!((&queries[0]["kind"], &queries[1]["kind"]), (&json!("metric-math"), &json!("search")));
    assert_eq!((&queries[1]["id"], &queries[1]["seriesMatched"]), (&json!("e"), &json!(3)));
    let sql = "SELECT SUM(\"of-host\") FROM \"Test\" GROUP BY Host";
    let insights = json!({ "Id": "i", "Expression": sql, "Period": 60 });
    let queries = explain(json!([insights])).await;
    assert_eq!(queries[0]["kind"], "metrics-insights");
    assert_eq!(queries[0]["series"][0]["dimensions"], json!({ "Host": "a" }));
}

#[tokio::test]
async fn statistics_are_explained_each_and_only_if_that_was_asked_for() {
    let world = world().await;
    let request = json!({
        "Namespace": "Test", "MetricName": "m", "Period": 60, "Statistics": ["Sum", "Average"],
        "StartTime": "2026-01-02T11:00:00Z", "EndTime": "2026-01-02T12:00:00Z",
    });
    world.statistics(request.clone()).await.expect("an answer");
    assert!(!world.has_explanation());
    let queries = world.explained::<GetMetricStatistics>(&request).await["queries"].clone();
    let ids: Vec<&str> =
        queries.as_array().expect("a list").iter().filter_map(|query| query["id"].as_str()).collect();
    assert_eq!(ids, ["Sum", "Average"]);
    // Every unit is in such an answer.
    dropped(&queries, None);
}
