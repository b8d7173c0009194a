//! Alarms on metric math over time.

use groundwatch_api::cloudwatch::{self as api, MetricDataQuery, MetricStat, PutMetricAlarmInput};

use super::{World, alarm, at};

fn metric(id: &str) -> MetricDataQuery {
    metric_of(id, id)
}

/// The metric of that name, as `id`.
pub(super) fn metric_of(id: &str, name: &str) -> MetricDataQuery {
    MetricDataQuery {
        id: Some(id.to_owned()),
        metric_stat: Some(MetricStat {
            metric: Some(api::Metric {
                namespace: Some("Shop".to_owned()),
                metric_name: Some(name.to_owned()),
                dimensions: None,
            }),
            period: Some(60),
            stat: Some("Sum".to_owned()),
            unit: None,
        }),
        return_data: Some(false),
        ..MetricDataQuery::default()
    }
}

pub(super) fn expression(id: &str, text: &str) -> MetricDataQuery {
    MetricDataQuery {
        id: Some(id.to_owned()),
        expression: Some(text.to_owned()),
        return_data: Some(true),
        ..MetricDataQuery::default()
    }
}

/// An alarm on these entries that is breached above 1 in one period.
fn math(entries: Vec<MetricDataQuery>) -> PutMetricAlarmInput {
    PutMetricAlarmInput {
        metrics: Some(entries),
        metric_name: None,
        namespace: None,
        period: None,
        statistic: None,
        ..alarm("math")
    }
}

#[tokio::test]
async fn an_expression_is_evaluated_as_a_metric_is() {
    let world = World::new();
    world
        .put(math(vec![expression("rate", "errors / requests * 100"), metric("errors"), metric("requests")]))
        .await;
    for (minute, errors, requests) in
        [("12:00:10", 1.0, 100.0), ("12:01:10", 5.0, 100.0), ("12:02:10", 5.0, 1000.0)]
    {
        world.metrics.add("errors", at(minute), errors);
        world.metrics.add("requests", at(minute), requests);
    }
    world.advance_to(at("12:03:00")).await;
    assert_eq!(
        world.transitions().await,
        ["12:01:00 INSUFFICIENT_DATA to OK", "12:02:00 OK to ALARM", "12:03:00 ALARM to OK"]
    );
    let alarm = world.describe("math").await.expect("an alarm");
    assert_eq!(
        alarm.state_reason.as_deref(),
        Some(
            "Threshold Crossed: 1 datapoint [0.5 (02/01/26 12:02:00)] was not greater than the threshold (1.0)."
        )
    );
    let data = alarm.state_reason_data.expect("data");
    assert!(
        data.contains("\"period\":60,\"recentDatapoints\":[0.5]") && !data.contains("statistic"),
        "{data}"
    );
    assert!(data.ends_with("{\"timestamp\":\"2026-01-02T12:02:00.000+0000\",\"value\":0.5}]}"), "{data}");
    assert_eq!(alarm.metric_name, None);
    assert_eq!(alarm.metrics.map(|entries| entries.len()), Some(3));
}

/// A number divided by what is missing is no datapoint.
#[tokio::test]
async fn what_has_no_value_is_missing_data() {
    let world = World::new();
    let input = math(vec![expression("rate", "errors / requests"), metric("errors"), metric("requests")]);
    world.put(PutMetricAlarmInput { treat_missing_data: Some("breaching".to_owned()), ..input }).await;
    world.metrics.add("errors", at("12:00:10"), 0.0);
    world.advance_to(at("12:01:00")).await;
    assert_eq!(world.state("math").await, "ALARM");
}

#[tokio::test]
async fn entries_that_cannot_be_watched_are_refused() {
    let world = World::new();
    let hidden = |entry: MetricDataQuery| MetricDataQuery { return_data: Some(false), ..entry };
    let visible = |entry: MetricDataQuery| MetricDataQuery { return_data: None, ..entry };
    let hour = MetricDataQuery {
        metric_stat: metric("b").metric_stat.map(|stat| MetricStat { period: Some(3600), ..stat }),
        ..metric("b")
    };
    let odd = MetricDataQuery {
        metric_stat: metric("a").metric_stat.map(|stat| MetricStat { stat: Some("Mean".to_owned()), ..stat }),
        ..metric("a")
    };
    for (entries, message) in [
        (
            vec![expression("e", "a * 2"), visible(metric("a"))],
            "Exactly one element of the metrics list should return data.",
        ),
        (
            vec![hidden(expression("e", "a * 2")), metric("a")],
            "Exactly one element of the metrics list should return data.",
        ),
        (vec![expression("e", "a * 2")], "Period must not be null"),
        (vec![expression("e", "SEARCH('{Shop} x', 'Sum', 60)")], "Period must not be null"),
        (
            vec![MetricDataQuery {
                period: Some(60),
                ..expression("e", "SUM(SEARCH('{Shop} x', 'Sum', 60))")
            }],
            "SEARCH is not supported on Metric Alarms",
        ),
        (vec![expression("E", "a * 2"), metric("a")], "Invalid metrics list"),
        (vec![expression("e", "a * 2"), odd], "Invalid metrics list"),
        (
            vec![expression("e", "a + b"), metric("a"), hour],
            "Period must be the same for all metrics and expressions.",
        ),
        (vec![expression("a", "a"), metric("a")], "The id a in the parameter Metrics is not unique."),
        (
            vec![expression("e", "c"), metric("a")],
            "Error in expression 'e': Undefined variable 'c' at character 1",
        ),
        (
            vec![MetricDataQuery { expression: None, ..expression("e", "") }, metric("a")],
            "Invalid metrics list",
        ),
        (
            vec![expression("e", "SELECT AVG(x) FROM y"), metric("a")],
            "Groundwatch does not support a Metrics Insights query beside other entries of Metrics in an alarm yet.",
        ),
    ] {
        let fault = world.call::<api::PutMetricAlarm>(math(entries)).await.expect_err(message);
        assert_eq!(fault.message.as_deref(), Some(message));
    }
    let input = PutMetricAlarmInput {
        alarm_actions: Some(vec!["arn:aws:automate:us-east-1:ec2:stop".to_owned()]),
        ..math(vec![expression("e", "a"), metric("a")])
    };
    let fault = world.call::<api::PutMetricAlarm>(input).await.expect_err("an instance of what?");
    assert_eq!(fault.message.as_deref(), Some("Metric math alarms do not support EC2 actions."));
}
