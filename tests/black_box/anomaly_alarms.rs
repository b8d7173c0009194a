//! Alarms on anomaly bands through the SDK, by the manual clock: two usual weeks, then something unusual.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Metric, MetricAlarm, MetricDataQuery, MetricDatum, MetricStat, StateValue,
};

use crate::harness::Server;

/// 2026-01-01T00:00:00Z, where the manual clock stands.
const START_SECS: i64 = 1_767_225_600;
const DAY_SECS: i64 = 86_400;
const PERIOD_SECS: i64 = 300;

/// 100 by day, 20 by night, and some noise.
fn orders(at_secs: i64) -> f64 {
    let base = if (8..18).contains(&(at_secs.rem_euclid(DAY_SECS) / 3600)) { 100.0 } else { 20.0 };
    base + ((at_secs / PERIOD_SECS * 2_654_435_761) >> 7).rem_euclid(7) as f64
}

async fn put(client: &Client, samples: impl Iterator<Item = (i64, f64)>) {
    let datum = |(at, value)| {
        MetricDatum::builder().metric_name("Orders").timestamp(DateTime::from_secs(at)).value(value).build()
    };
    let data: Vec<_> = samples.map(datum).collect();
    for part in data.chunks(1000) {
        let request = client.put_metric_data().namespace("Shop").set_metric_data(Some(part.to_vec()));
        request.send().await.expect("taken");
    }
}

async fn put_alarm(client: &Client) {
    let metric = Metric::builder().namespace("Shop").metric_name("Orders").build();
    let stat = MetricStat::builder().metric(metric).period(PERIOD_SECS as i32).stat("Average").build();
    let band = MetricDataQuery::builder().id("ad1").expression("ANOMALY_DETECTION_BAND(m1, 3)");
    client
        .put_metric_alarm()
        .alarm_name("orders")
        .metrics(MetricDataQuery::builder().id("m1").metric_stat(stat).return_data(true).build())
        .metrics(band.return_data(true).build())
        .threshold_metric_id("ad1")
        .comparison_operator(ComparisonOperator::LessThanLowerOrGreaterThanUpperThreshold)
        .evaluation_periods(1)
        .send()
        .await
        .expect("taken");
}

async fn describe(client: &Client) -> MetricAlarm {
    let output = client.describe_alarms().alarm_names("orders").send().await.expect("answered");
    output.metric_alarms().first().expect("the alarm exists").clone()
}

#[tokio::test]
async fn a_spike_after_two_usual_weeks_is_told() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    let from = START_SECS - 14 * DAY_SECS + 3600;
    put(&client, (from..START_SECS).step_by(PERIOD_SECS as usize).map(|at| (at, orders(at)))).await;
    put_alarm(&client).await;
    server.advance("PT1M").await;
    assert_eq!(describe(&client).await.state_value(), Some(&StateValue::Ok));

    put(&client, [(START_SECS + 60, 90.0)].into_iter()).await;
    server.advance("PT2M").await;
    let alarm = describe(&client).await;
    assert_eq!(alarm.state_value(), Some(&StateValue::Alarm), "{alarm:?}");
    assert_eq!((alarm.threshold(), alarm.threshold_metric_id()), (None, Some("ad1")));
    let reason = alarm.state_reason().expect("a reason");
    assert!(reason.starts_with("Thresholds Crossed: 1 datapoint [90.0 ("), "{reason}");
    // By day 90 would be too few, by night it is too many.
    let (_, bounds) = reason.split_once("] was less than the lower thresholds [").expect("a lower bound");
    let (lower, upper) =
        bounds.split_once("] or greater than the upper thresholds [").expect("an upper bound");
    let upper = upper.trim_end_matches("].");
    let [lower, upper] = [lower, upper].map(|bound| bound.parse::<f64>().expect("a number"));
    assert!((0.0..=20.0).contains(&lower) && (26.0..60.0).contains(&upper), "{reason}");

    put(&client, [(START_SECS + 420, 23.0)].into_iter()).await;
    server.advance("PT6M").await;
    let alarm = describe(&client).await;
    assert_eq!(alarm.state_value(), Some(&StateValue::Ok), "{alarm:?}");
}
