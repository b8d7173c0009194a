//! Alarms on anomaly bands over time.

use groundwatch_api::cloudwatch::{self as api, ComparisonOperator, MetricDataQuery, PutMetricAlarmInput};
use groundwatch_core::Scope;

use super::math::{expression, metric_of};
use super::{World, alarm, at};
use crate::explain::backtest::Subject;
use crate::explain::why::Grounds;
use crate::reader::Band;

/// An alarm on the metric `orders` that is breached outside the band `ad1` in one period of one.
fn on_band(comparison: ComparisonOperator) -> PutMetricAlarmInput {
    let orders = MetricDataQuery { return_data: Some(true), ..metric_of("m1", "orders") };
    PutMetricAlarmInput {
        metrics: Some(vec![orders, expression("ad1", "ANOMALY_DETECTION_BAND(m1, 2)")]),
        metric_name: None,
        namespace: None,
        period: None,
        statistic: None,
        threshold: None,
        threshold_metric_id: Some("ad1".to_owned()),
        comparison_operator: Some(comparison),
        datapoints_to_alarm: Some(1),
        ..alarm("orders")
    }
}

fn expect_two_to_four(world: &World) {
    *world.metrics.band.lock() = Some(Band { lower: 2.0, upper: 4.0 });
}

#[tokio::test]
async fn what_is_unusual_is_told_with_what_was_expected() {
    let world = World::new();
    expect_two_to_four(&world);
    world.put(on_band(ComparisonOperator::LessThanLowerOrGreaterThanUpperThreshold)).await;
    for (time, value) in [("12:00:10", 3.0), ("12:01:10", 9.0), ("12:02:10", 3.5), ("12:03:10", 1.0)] {
        world.metrics.add("orders", at(time), value);
    }
    world.advance_to(at("12:02:00")).await;
    let described = world.describe("orders").await.expect("an alarm");
    assert_eq!(
        described.state_reason.as_deref(),
        Some(
            "Thresholds Crossed: 1 out of the last 1 datapoints [9.0 (02/01/26 12:01:00)] was less than the lower \
             thresholds [2.0] or greater than the upper thresholds [4.0] (minimum 1 datapoint for OK -> ALARM transition)."
        )
    );
    assert_eq!(
        described.state_reason_data.as_deref(),
        Some(
            "{\"version\":\"1.0\",\"queryDate\":\"2026-01-02T12:02:00.000+0000\",\
             \"startDate\":\"2026-01-02T12:01:00.000+0000\",\"period\":60,\"recentDatapoints\":[9.0],\
             \"recentLowerThresholds\":[2.0],\"recentUpperThresholds\":[4.0],\"evaluatedDatapoints\":\
             [{\"timestamp\":\"2026-01-02T12:01:00.000+0000\",\"sampleCount\":1.0,\"value\":9.0}]}"
        )
    );
    assert_eq!((described.threshold, described.threshold_metric_id.as_deref()), (None, Some("ad1")));

    world.advance_to(at("12:04:00")).await;
    assert_eq!(
        world.transitions().await,
        [
            "12:01:00 INSUFFICIENT_DATA to OK",
            "12:02:00 OK to ALARM",
            "12:03:00 ALARM to OK",
            "12:04:00 OK to ALARM"
        ]
    );
    let items = world.history_items().await;
    let created = items.first().and_then(|item| item.history_data.as_deref()).expect("the creation");
    assert!(
        created.contains("\"thresholdMetricId\":\"ad1\"") && !created.contains("\"threshold\":"),
        "{created}"
    );
}

#[tokio::test]
async fn one_bound_may_be_left() {
    for (comparison, states, phrase) in [
        (
            ComparisonOperator::LessThanLowerThreshold,
            ["ALARM", "OK"],
            "was not less than the lower thresholds [2.0] (",
        ),
        (
            ComparisonOperator::GreaterThanUpperThreshold,
            ["OK", "ALARM"],
            "was greater than the upper thresholds [4.0] (",
        ),
    ] {
        let world = World::new();
        expect_two_to_four(&world);
        world.put(on_band(comparison)).await;
        world.metrics.add("orders", at("12:00:10"), 1.0);
        world.metrics.add("orders", at("12:01:10"), 9.0);
        world.advance_to(at("12:01:00")).await;
        assert_eq!(world.state("orders").await, states[0]);
        world.advance_to(at("12:02:00")).await;
        assert_eq!(world.state("orders").await, states[1]);
        let reason = world.describe("orders").await.and_then(|alarm| alarm.state_reason).expect("a reason");
        assert!(reason.contains(phrase), "{reason}");
    }
}

/// Also without further samples: the model learns from hour to hour.
#[tokio::test]
async fn while_nothing_is_expected_there_are_no_data() {
    let world = World::new();
    world.put(on_band(ComparisonOperator::GreaterThanUpperThreshold)).await;
    world.metrics.add("orders", at("12:00:10"), 9.0);
    world.advance_to(at("12:01:30")).await;
    assert_eq!(world.state("orders").await, "INSUFFICIENT_DATA");
    expect_two_to_four(&world);
    world.advance_to(at("12:02:00")).await;
    assert_eq!(world.state("orders").await, "ALARM");
    let world = world.restart();
    world.advance_to(at("12:10:00")).await;
    assert_eq!(
        world.transitions().await,
        ["12:02:00 INSUFFICIENT_DATA to ALARM", "12:04:00 ALARM to INSUFFICIENT_DATA"]
    );
}

/// Each reading tells its band; history is held against the bands of its time.
#[tokio::test]
async fn evaluations_are_explained_and_tried_on_history() {
    let world = World::new();
    expect_two_to_four(&world);
    world.put(on_band(ComparisonOperator::GreaterThanUpperThreshold)).await;
    world.metrics.add("orders", at("12:00:10"), 9.0);
    world.advance_to(at("12:01:00")).await;
    let why = world.alarms.why(&Scope::default(), "orders", Some(at("12:01:00"))).await.expect("readable");
    let Some(Grounds::Metric { evaluations, recomputed: true }) = why.map(|why| why.grounds) else {
        panic!("a metric alarm, computed again")
    };
    let newest = &evaluations[0].read[0];
    assert_eq!((newest.expected, newest.breaching), (Some(Band { lower: 2.0, upper: 4.0 }), Some(true)));
    let subject = Subject::Alarm("orders".to_owned());
    let tried = world.alarms.backtest(&Scope::default(), subject, at("12:00:00"), at("12:10:00")).await;
    let tried = tried.expect("a backtest").transitions;
    let lines: Vec<_> = tried.iter().map(|it| format!("{} {}", &it.at[11..19], it.to)).collect();
    assert_eq!(lines, ["12:01:00 ALARM", "12:04:00 INSUFFICIENT_DATA"]);
}

const NO_BAND: &str = "Metrics list must contain exactly one metric matching the ThresholdMetricId parameter";

#[tokio::test]
async fn what_cannot_be_held_against_a_band_is_refused() {
    let world = World::new();
    let good = || on_band(ComparisonOperator::GreaterThanUpperThreshold);
    let with = |text: &str| {
        let metrics = good().metrics.map(|mut metrics| {
            metrics[1] = expression("ad1", text);
            metrics
        });
        PutMetricAlarmInput { metrics, ..good() }
    };
    let returning = |entry: usize, returned: bool| {
        let metrics = good().metrics.map(|mut metrics| {
            metrics[entry].return_data = Some(returned);
            metrics
        });
        PutMetricAlarmInput { metrics, ..good() }
    };
    let scaling =
        "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:1:autoScalingGroupName/g:policyName/p";
    for (input, message) in [
        (
            PutMetricAlarmInput { threshold: Some(1.0), ..good() },
            "Threshold and ThresholdMetricId cannot both be set",
        ),
        (
            PutMetricAlarmInput { threshold_metric_id: None, ..good() },
            "ComparisonOperators for ranges require ThresholdMetricId to be set",
        ),
        (PutMetricAlarmInput { threshold_metric_id: Some("ad2".to_owned()), ..good() }, NO_BAND),
        (PutMetricAlarmInput { threshold_metric_id: Some("m1".to_owned()), ..good() }, NO_BAND),
        (with("m1 * 2"), NO_BAND),
        (returning(1, false), NO_BAND),
        (returning(0, false), "Exactly two elements of the metrics list should return data."),
        (with("ANOMALY_DETECTION_BAND(m1, 2) * 2"), NO_BAND),
        (
            PutMetricAlarmInput {
                comparison_operator: Some(ComparisonOperator::GreaterThanThreshold),
                ..good()
            },
            "The value GreaterThanThreshold for parameter ComparisonOperator is not supported.",
        ),
        (
            PutMetricAlarmInput {
                threshold: None,
                threshold_metric_id: Some("ad1".to_owned()),
                ..alarm("a")
            },
            "The value GreaterThanThreshold for parameter ComparisonOperator is not supported.",
        ),
        (
            PutMetricAlarmInput { alarm_actions: Some(vec![scaling.to_owned()]), ..good() },
            "Anomaly detection alarms do not support Auto Scaling actions.",
        ),
    ] {
        let fault = world.call::<api::PutMetricAlarm>(input).await.expect_err(message);
        assert_eq!(fault.message.as_deref(), Some(message));
    }
}
