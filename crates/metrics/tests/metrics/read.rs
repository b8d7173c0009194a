//! GetMetricStatistics and GetMetricData: what is refused, shapes of answers, paging.

use groundwatch_api::cloudwatch::{GetMetricDataOutput, StatusCode};
use serde_json::{Value, json};

use crate::kit::{World, refused};

fn statistics_request(members: Value) -> Value {
    let mut request = json!({
        "Namespace": "Test", "MetricName": "m", "Period": 60,
        "StartTime": "2026-01-02T11:00:00Z", "EndTime": "2026-01-02T12:00:00Z",
    });
    request.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    request
}

async fn refuse_statistics(members: Value, code: &str, message: &str) {
    let answer = World::new().await.statistics(statistics_request(members)).await;
    let (found, text) = refused(answer);
    assert_eq!((found, text.as_str()), (code, message));
}

#[tokio::test]
async fn get_metric_statistics_refuses_in_the_words_of_aws() {
    let either = "Must specify either Statistics or ExtendedStatistics";
    refuse_statistics(json!({}), "InvalidParameterCombination", either).await;
    let both = json!({ "Statistics": ["Sum"], "ExtendedStatistics": ["p90"] });
    refuse_statistics(both, "InvalidParameterCombination", either).await;
    let order = "The parameter StartTime must be less than the parameter EndTime.";
    let same = json!({ "Statistics": ["Sum"], "EndTime": "2026-01-02T11:00:00Z" });
    refuse_statistics(same, "InvalidParameterValue", order).await;
    let day = json!({ "Statistics": ["Sum"], "StartTime": "2026-01-01T12:00:00Z", "Period": 1 });
    let many = "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.";
    refuse_statistics(day, "InvalidParameterCombination", many).await;
    let period = "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.";
    refuse_statistics(json!({ "Statistics": ["Sum"], "Period": 61 }), "InvalidParameterValue", period).await;
    let extended = "The value p101 for parameter ExtendedStatistics.member.2 is invalid.";
    let unknown = json!({ "ExtendedStatistics": ["p9", "p101"] });
    refuse_statistics(unknown, "InvalidParameterValue", extended).await;
}

#[tokio::test]
async fn a_day_of_minutes_is_just_not_too_much() {
    let world = World::new().await;
    let request = |start: &str| statistics_request(json!({ "Statistics": ["Sum"], "StartTime": start }));
    world.statistics(request("2026-01-01T12:00:00Z")).await.expect("1440 points");
    let (_, message) = refused(world.statistics(request("2026-01-01T11:59:59Z")).await);
    assert!(message.starts_with("You have requested up to 1441 datapoints"), "{message}");
}

#[tokio::test]
async fn a_datapoint_has_the_statistics_that_were_asked_for() {
    let world = World::new().await;
    world.put_data(json!([{ "MetricName": "m", "Values": [1.0, 4.0], "Counts": [3.0, 1.0], "Timestamp": "2026-01-02T11:30:00Z", "Unit": "Count" }])).await;
    let simple = statistics_request(json!({ "Statistics": ["Sum", "Average", "SampleCount"] }));
    let answer = world.statistics(simple).await.expect("an answer");
    assert_eq!(
        serde_json::to_value(&answer).expect("JSON"),
        json!({ "Label": "m", "Datapoints": [
            { "Timestamp": 1_767_353_400, "Sum": 7.0, "Average": 1.75, "SampleCount": 4.0, "Unit": "Count" },
        ] })
    );
    let extended = statistics_request(json!({ "ExtendedStatistics": ["p50", "tm90.0"] }));
    let answer = world.statistics(extended).await.expect("an answer");
    assert_eq!(
        serde_json::to_value(&answer.datapoints).expect("JSON"),
        json!([{ "Timestamp": 1_767_353_400, "ExtendedStatistics": { "p50": 1.0, "tm90.0": 5.4 / 3.6 }, "Unit": "Count" }])
    );
}

#[tokio::test]
async fn dimensions_must_match_exactly() {
    let world = World::new().await;
    let dimension = |name: &str| json!({ "Name": name, "Value": "v" });
    world.put_data(json!([{ "MetricName": "m", "Value": 1.0, "Dimensions": [dimension("b"), dimension("a")], "Timestamp": "2026-01-02T11:30:00Z" }])).await;
    for (dimensions, points) in
        [(vec![], 0), (vec!["a"], 0), (vec!["a", "b"], 1), (vec!["b", "a"], 1), (vec!["a", "b", "c"], 0)]
    {
        let dimensions: Vec<Value> = dimensions.into_iter().map(dimension).collect();
        let request = statistics_request(json!({ "Statistics": ["Sum"], "Dimensions": dimensions }));
        let answer = world.statistics(request).await.expect("an answer");
        assert_eq!(answer.datapoints.map(|points| points.len()), Some(points), "{dimensions:?}");
    }
}

fn metric_stat(stat: &str, period: i32) -> Value {
    json!({ "Metric": { "Namespace": "Test", "MetricName": "m" }, "Period": period, "Stat": stat })
}

fn data_request(queries: Value, members: Value) -> Value {
    let mut request = json!({
        "MetricDataQueries": queries, "StartTime": "2026-01-02T11:00:00Z", "EndTime": "2026-01-02T12:00:00Z",
    });
    request.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    request
}

async fn refuse_data(queries: Value, members: Value, message: &str) {
    let (code, found) = refused(World::new().await.data(data_request(queries, members)).await);
    assert_eq!((code, found.as_str()), ("ValidationError", message));
}

#[tokio::test]
async fn get_metric_data_refuses_in_the_words_of_aws() {
    let good = json!([{ "Id": "a", "MetricStat": metric_stat("Sum", 60) }]);
    let query = |members: Value| {
        let mut query = json!({ "Id": "a" });
        query.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        json!([query])
    };
    let none = json!({});
    refuse_data(
        query(json!({})),
        none.clone(),
        "The parameter MetricDataQueries.member.1.MetricStat is required.\n",
    )
    .await;
    let same = json!({ "EndTime": "2026-01-02T11:00:00.9Z" });
    refuse_data(good.clone(), same, "The parameter StartTime must not equal parameter EndTime.").await;
    let before = json!({ "EndTime": "2026-01-02T10:00:00Z" });
    refuse_data(good.clone(), before, "The parameter EndTime must be greater than StartTime.").await;
    refuse_data(
        json!([{ "Id": "A-1", "MetricStat": metric_stat("Sum", 60) }, { "Id": "b", "MetricStat": metric_stat("sum", 60) }]),
        none.clone(),
        "The value A-1 for parameter MetricDataQueries.member.1.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.\nThe value for parameter MetricDataQueries.member.2.MetricStat.Stat is not a valid statistic.\n",
    )
    .await;
    refuse_data(
        json!([{ "Id": "a", "MetricStat": metric_stat("Sum", 60) }, { "Id": "a", "MetricStat": metric_stat("Sum", 45) }]),
        none.clone(),
        "The values for parameter id in MetricDataQueries are not unique.\nThe parameter MetricDataQueries.member.2.MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60.\n",
    )
    .await;
    refuse_data(
        query(json!({ "MetricStat": metric_stat("Sum", 60), "Expression": "m1 + 1" })),
        none.clone(),
        "The parameters MetricDataQueries.member.1.Expression and MetricDataQueries.member.1.MetricStat are mutually exclusive and you have specified both.\n",
    )
    .await;
    refuse_data(
        query(json!({ "Expression": "1 / 2", "Period": 61 })),
        none.clone(),
        "The parameter MetricDataQueries.member.1.Period must be 1, 5, 10, 20, 30 or a multiple of 60.\n",
    )
    .await;
    let token = World::new().await.data(data_request(good, json!({ "NextToken": "zz" }))).await;
    assert_eq!(refused(token).0, "InvalidNextToken");
}

#[tokio::test]
async fn a_metric_that_does_not_exist_has_a_complete_empty_result() {
    let world = World::new().await;
    let answer =
        world.data(data_request(json!([{ "Id": "a", "MetricStat": metric_stat("p99", 60) }]), json!({})));
    assert_eq!(
        serde_json::to_value(answer.await.expect("an answer")).expect("JSON"),
        json!({
            "MetricDataResults": [{ "Id": "a", "Label": "m", "Timestamps": [], "Values": [], "StatusCode": "Complete" }],
            "Messages": [],
        })
    );
}

async fn all_pages(world: &World, scan_by: &str, datapoints_max: i32) -> (Vec<Vec<f64>>, usize) {
    let queries = json!([
        { "Id": "a", "MetricStat": metric_stat("Sum", 60) },
        { "Id": "hidden", "MetricStat": metric_stat("Sum", 60), "ReturnData": false },
        { "Id": "b", "MetricStat": metric_stat("Sum", 300) },
    ]);
    let (mut values, mut pages, mut token) = (vec![Vec::new(); 2], 0, None);
    loop {
        let members = json!({ "ScanBy": scan_by, "MaxDatapoints": datapoints_max, "NextToken": token });
        let page: GetMetricDataOutput =
            world.data(data_request(queries.clone(), members)).await.expect("a page");
        pages += 1;
        let results = page.metric_data_results.expect("always there");
        assert_eq!(results.len(), 2);
        let count: usize = results.iter().map(|result| result.values.as_ref().map_or(0, Vec::len)).sum();
        assert!(count <= datapoints_max as usize);
        let partial = results.iter().any(|result| result.status_code == Some(StatusCode::PartialData));
        assert_eq!(partial, page.next_token.is_some());
        for (index, result) in results.into_iter().enumerate() {
            values[index].extend(result.values.expect("always there"));
        }
        token = page.next_token;
        if token.is_none() {
            return (values, pages);
        }
    }
}

#[tokio::test]
async fn pages_together_hold_every_point_once_in_order() {
    let world = World::new().await;
    let minute = |minute: u32| json!({ "MetricName": "m", "Value": minute, "Timestamp": format!("2026-01-02T11:{minute:02}:00Z") });
    world.put_data(Value::from((0..10).map(minute).collect::<Vec<_>>())).await;
    let ascending: Vec<f64> = (0..10).map(f64::from).collect();
    let descending: Vec<f64> = (0..10).rev().map(f64::from).collect();
    for (datapoints_max, pages) in [(1, 12), (5, 3), (7, 2), (11, 2), (12, 1), (100_800, 1)] {
        let expected = (vec![ascending.clone(), vec![10.0, 35.0]], pages);
        assert_eq!(all_pages(&world, "TimestampAscending", datapoints_max).await, expected);
        let expected = (vec![descending.clone(), vec![35.0, 10.0]], pages);
        assert_eq!(all_pages(&world, "TimestampDescending", datapoints_max).await, expected);
    }
}

#[tokio::test]
async fn a_window_of_decades_is_read_whole_and_page_by_page() {
    let world = World::new().await;
    for minute in [15, 45] {
        let timestamp = format!("2026-01-02T11:{minute}:00Z");
        world
            .put_data(json!([{ "MetricName": "m", "Value": f64::from(minute), "Timestamp": timestamp }]))
            .await;
        world.store.flush().await.expect("a flush");
    }
    let queries: Vec<Value> = (0..500)
        .map(|number| json!({ "Id": format!("q{number}"), "MetricStat": metric_stat("Sum", 1) }))
        .collect();
    for (members, values) in [
        (json!({ "StartTime": 0 }), vec![45.0, 15.0]),
        (json!({ "StartTime": 0, "ScanBy": "TimestampAscending" }), vec![15.0, 45.0]),
        (json!({ "StartTime": 0, "EndTime": 4_000_000_000_u32, "MaxDatapoints": 1 }), vec![45.0]),
    ] {
        let answer = world.data(data_request(json!(queries), members)).await.expect("an answer");
        let results = answer.metric_data_results.expect("always there");
        assert_eq!(results.first().and_then(|result| result.values.clone()), Some(values));
    }
}

#[tokio::test]
async fn a_request_whose_queries_return_no_data_has_no_results() {
    let query = json!({ "Id": "a", "MetricStat": metric_stat("Sum", 60), "ReturnData": false });
    let answer = World::new().await.data(data_request(json!([query]), json!({}))).await;
    assert_eq!(answer.expect("an answer").metric_data_results, Some(Vec::new()));
}
