//! Anomaly detection through the SDK: a detector, its state, and the band around its metric.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    AnomalyDetectorStateValue, Metric, MetricDataQuery, MetricDatum, MetricStat, SingleMetricAnomalyDetector,
};

use crate::harness::Server;

/// 2026-01-01T00:00:00Z, where the manual clock stands.
const START_SECS: i64 = 1_767_225_600;
const DAY_SECS: i64 = 86_400;

/// Hours of ten days: 100 by day, 20 by night, and some noise.
fn orders(at_secs: i64) -> f64 {
    let base = if (8..18).contains(&(at_secs.rem_euclid(DAY_SECS) / 3600)) { 100.0 } else { 20.0 };
    base + ((at_secs / 3600 * 2_654_435_761) >> 7).rem_euclid(7) as f64
}

#[tokio::test]
async fn a_detector_learns_what_is_usual() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    let data = (0..240).map(|hour| START_SECS - 10 * DAY_SECS + hour * 3600).map(|at| {
        MetricDatum::builder()
            .metric_name("Orders")
            .timestamp(DateTime::from_secs(at))
            .value(orders(at))
            .build()
    });
    client
        .put_metric_data()
        .namespace("Shop")
        .set_metric_data(Some(data.collect()))
        .send()
        .await
        .expect("taken");
    let detector =
        SingleMetricAnomalyDetector::builder().namespace("Shop").metric_name("Orders").stat("Sum").build();
    let put = client.put_anomaly_detector().single_metric_anomaly_detector(detector.clone());
    put.send().await.expect("taken");

    let described = client.describe_anomaly_detectors().namespace("Shop").send().await.expect("described");
    let [found] = described.anomaly_detectors() else { panic!("{described:?}") };
    assert_eq!(found.state_value(), Some(&AnomalyDetectorStateValue::Trained));

    let metric = Metric::builder().namespace("Shop").metric_name("Orders").build();
    let stat = MetricStat::builder().metric(metric).period(3600).stat("Sum").build();
    let answer = client
        .get_metric_data()
        .metric_data_queries(MetricDataQuery::builder().id("m1").metric_stat(stat).return_data(false).build())
        .metric_data_queries(
            MetricDataQuery::builder().id("ad1").expression("ANOMALY_DETECTION_BAND(m1, 3)").build(),
        )
        .start_time(DateTime::from_secs(START_SECS - DAY_SECS))
        .end_time(DateTime::from_secs(START_SECS + 12 * 3600))
        .scan_by(aws_sdk_cloudwatch::types::ScanBy::TimestampAscending)
        .send()
        .await
        .expect("answered");
    let [lower, upper] = answer.metric_data_results() else { panic!("{answer:?}") };
    assert_eq!((lower.label(), upper.label()), (Some("Orders (expected)"), Some("Orders (expected)")));
    // The band also tells what is expected of hours to come.
    assert_eq!(lower.values().len(), 36);
    for ((start, lower), upper) in lower.timestamps().iter().zip(lower.values()).zip(upper.values()) {
        let value = orders(start.secs());
        assert!(*lower <= value && value <= *upper, "{start}: {value} in {lower} {upper}");
        assert!(upper - lower < 60.0, "{start}: {lower} {upper}");
    }

    client
        .delete_anomaly_detector()
        .single_metric_anomaly_detector(detector.clone())
        .send()
        .await
        .expect("deleted");
    let again = client.delete_anomaly_detector().single_metric_anomaly_detector(detector).send().await;
    assert!(again.expect_err("gone").into_service_error().is_resource_not_found_exception());
}
