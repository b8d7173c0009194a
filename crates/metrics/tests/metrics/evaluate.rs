//! Evaluation where tables do not reach: many series, sliding windows, limits.

use groundwatch_metrics::{
    Alignment, DataQuery, DataSource, EvaluationError, EvaluationRange, MetricId, MetricStat, Period,
    Statistic,
};
use serde_json::{Value, json};

use crate::kit::{World, moment};

/// One more than a search yields.
const SERIES: u32 = 501;

async fn world_with_many_series() -> World {
    let world = World::new().await;
    let datum = |host: u32| {
        json!({
            "MetricName": "m", "Value": host, "Timestamp": "2026-01-02T11:00:00Z",
            "Dimensions": [{ "Name": "Host", "Value": format!("h{host:03}") }],
        })
    };
    world.put_data(Value::from((0..SERIES).map(datum).collect::<Vec<_>>())).await;
    world
}

fn request(expression: &str) -> Value {
    json!({
        "MetricDataQueries": [{ "Id": "e1", "Expression": expression, "Period": 60 }],
        "StartTime": "2026-01-02T11:00:00Z", "EndTime": "2026-01-02T11:05:00Z",
    })
}

#[tokio::test]
async fn a_search_that_finds_too_much_answers_with_the_first_and_says_so() {
    let world = world_with_many_series().await;
    let answer = world.data(request("SEARCH('{Test,Host}', 'Sum')")).await.expect("an answer");
    let messages = answer.messages.expect("always there");
    assert_eq!(messages[0].code.as_deref(), Some("MaxMetricsExceeded"));
    let results = answer.metric_data_results.expect("always there");
    assert_eq!(results.len(), 500);
    // Read by several tasks, answered in order.
    for (host, result) in results.iter().enumerate() {
        assert_eq!(result.label, Some(format!("h{host:03} m")));
        assert_eq!(result.values, Some(vec![host as f64]));
    }
}

#[tokio::test]
async fn metrics_insights_adds_up_hundreds_of_series() {
    let world = world_with_many_series().await;
    let sum = f64::from(SERIES * (SERIES - 1) / 2);
    let answer = world.data(request("SELECT SUM(m) FROM Test")).await.expect("an answer");
    assert_eq!(answer.messages, Some(Vec::new()));
    assert_eq!(answer.metric_data_results.expect("always there")[0].values, Some(vec![sum]));
    let top = "SELECT SUM(m) FROM Test GROUP BY Host ORDER BY SUM() DESC LIMIT 2";
    let answer = world.data(request(top)).await.expect("an answer");
    let labels = answer.metric_data_results.expect("always there").into_iter().map(|result| result.label);
    assert_eq!(labels.collect::<Vec<_>>(), [Some("h500".to_owned()), Some("h499".to_owned())]);
}

#[tokio::test]
async fn metrics_insights_reads_two_weeks_and_says_so() {
    let world = World::new().await;
    for at in ["2025-12-18T12:00:00Z", "2025-12-20T12:00:00Z"] {
        world.set_clock(at);
        world.put_data(json!([{ "MetricName": "m", "Value": 1.0 }])).await;
    }
    world.set_clock("2026-01-02T12:00:00Z");
    let ask = |start: &str| {
        let mut request = request("SELECT SUM(m) FROM Test");
        request["StartTime"] = json!(start);
        request
    };
    for (start, values, message) in [
        ("2025-12-18T00:00:00Z", 1, Some("TimeRangeExceeded")),
        ("2025-12-20T00:00:00Z", 1, None),
        ("2025-12-30T00:00:00Z", 0, None),
    ] {
        let answer = world.data(ask(start)).await.expect("an answer");
        let result = &answer.metric_data_results.expect("always there")[0];
        assert_eq!(result.values.as_ref().map(Vec::len), Some(values), "{start}");
        let code = result.messages.as_ref().and_then(|messages| messages[0].code.as_deref());
        assert_eq!(code, message, "{start}");
    }
}

fn metric(period_secs: i64) -> DataQuery {
    let stat = MetricStat {
        metric: MetricId { namespace: "Test".to_owned(), name: "m".to_owned(), dimensions: Vec::new() },
        statistic: Statistic::Sum,
        statistic_text: "Sum".to_owned(),
        period: Period::from_secs(period_secs).expect("a period"),
        unit: None,
    };
    DataQuery { id: "m1".to_owned(), source: DataSource::Metric(stat), label: None, is_returned: false }
}

fn expression(text: &str) -> DataQuery {
    let source = DataSource::Expression { text: text.to_owned(), period: None };
    DataQuery { id: "e1".to_owned(), source, label: None, is_returned: true }
}

#[tokio::test]
async fn periods_of_a_sliding_window_begin_where_it_does() {
    let world = World::new().await;
    let minute = |minute: u32| json!({ "MetricName": "m", "Value": minute, "Timestamp": format!("2026-01-02T11:{minute:02}:00Z") });
    world.put_data(Value::from((1..5).map(minute).collect::<Vec<_>>())).await;
    let at = |text| moment(text);
    let aligned = EvaluationRange::of_request(
        at("2026-01-02T11:01:00Z"),
        at("2026-01-02T11:05:00Z"),
        at("2026-01-02T12:00:00Z"),
    );
    for (alignment, expected) in
        [(Alignment::Epoch, vec![(0, 1.0), (2, 5.0), (4, 4.0)]), (Alignment::Start, vec![(1, 3.0), (3, 7.0)])]
    {
        let range = EvaluationRange { alignment, ..aligned };
        let queries = vec![metric(120), expression("FILL(m1, 0)")];
        let evaluated = world.store.evaluate(&world.scope, queries, &range).await.expect("evaluated");
        let start = at("2026-01-02T11:00:00Z").as_secs();
        let points = evaluated.series[0].points.iter();
        let points: Vec<_> =
            points.map(|(second, value)| ((i64::from(second.0) - start) / 60, *value)).collect();
        assert_eq!(points, expected);
    }
}

#[tokio::test]
async fn more_points_than_one_evaluation_may_read_are_refused() {
    let world = World::new().await;
    world.put_data(json!([{ "MetricName": "m", "Value": 1.0, "Timestamp": "2026-01-02T11:00:00Z" }])).await;
    let year = EvaluationRange::of_request(
        moment("2025-01-02T12:00:00Z"),
        moment("2026-01-02T12:00:00Z"),
        moment("2026-01-02T12:00:00Z"),
    );
    let evaluate =
        |period| world.store.evaluate(&world.scope, vec![metric(period), expression("m1 * 2")], &year);
    assert!(matches!(evaluate(1).await, Err(EvaluationError::TooManyPoints { requested: 31_536_000, .. })));
    assert_eq!(evaluate(60).await.expect("evaluated").series[0].points.len(), 1);
}
