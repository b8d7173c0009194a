//! Metrics through the SDK: CBOR both ways.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, DimensionFilter, Metric, MetricDataQuery, MetricDatum, MetricStat, ScanBy, StandardUnit,
    Statistic, StatisticSet,
};

use crate::harness::Server;

/// 2026-01-01T00:00:00Z, where the manual clock stands.
const START_SECS: i64 = 1_767_225_600;

fn datum(name: &str, host: &str, at_secs: i64, value: f64) -> MetricDatum {
    MetricDatum::builder()
        .metric_name(name)
        .dimensions(Dimension::builder().name("Host").value(host).build())
        .timestamp(DateTime::from_secs(at_secs))
        .unit(StandardUnit::Percent)
        .value(value)
        .build()
}

#[tokio::test]
async fn a_sample_is_in_the_next_read() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    let put = client.put_metric_data().namespace("Hosts");
    let put =
        (0..10).fold(put, |put, i| put.metric_data(datum("Cpu", "a", START_SECS - 600 + i * 60, i as f64)));
    put.send().await.expect("accepted");

    let statistics = client
        .get_metric_statistics()
        .namespace("Hosts")
        .metric_name("Cpu")
        .dimensions(Dimension::builder().name("Host").value("a").build())
        .start_time(DateTime::from_secs(START_SECS - 600))
        .end_time(DateTime::from_secs(START_SECS))
        .period(300)
        .statistics(Statistic::Sum)
        .statistics(Statistic::SampleCount)
        .statistics(Statistic::Maximum)
        .send()
        .await
        .expect("answered");
    let mut rows: Vec<_> = statistics
        .datapoints()
        .iter()
        .map(|point| {
            (point.timestamp().map(DateTime::secs), point.sum(), point.sample_count(), point.maximum())
        })
        .collect();
    rows.sort_by_key(|row| row.0);
    assert_eq!(
        rows,
        [
            (Some(START_SECS - 600), Some(10.0), Some(5.0), Some(4.0)),
            (Some(START_SECS - 300), Some(35.0), Some(5.0), Some(9.0)),
        ]
    );
    assert_eq!(statistics.label(), Some("Cpu"));
}

#[tokio::test]
async fn get_metric_data_answers_each_query_in_the_order_asked() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    client
        .put_metric_data()
        .namespace("Hosts")
        .metric_data(datum("Cpu", "a", START_SECS - 120, 10.0))
        .metric_data(datum("Cpu", "a", START_SECS - 60, 30.0))
        .metric_data(
            MetricDatum::builder()
                .metric_name("Latency")
                .timestamp(DateTime::from_secs(START_SECS - 60))
                .set_values(Some(vec![1.0, 2.0, 3.0, 4.0]))
                .set_counts(Some(vec![1.0, 1.0, 1.0, 7.0]))
                .build(),
        )
        .send()
        .await
        .expect("accepted");
    let query = |id: &str, name: &str, host: Option<&str>, stat: &str| {
        let dimensions = host.map(|host| vec![Dimension::builder().name("Host").value(host).build()]);
        let metric =
            Metric::builder().namespace("Hosts").metric_name(name).set_dimensions(dimensions).build();
        let stat = MetricStat::builder().metric(metric).period(60).stat(stat).build();
        MetricDataQuery::builder().id(id).metric_stat(stat).build()
    };
    let data = client
        .get_metric_data()
        .metric_data_queries(query("cpu", "Cpu", Some("a"), "Average"))
        .metric_data_queries(query("none", "Cpu", Some("b"), "Average"))
        .metric_data_queries(query("p50", "Latency", None, "p50"))
        .metric_data_queries(query("n", "Latency", None, "SampleCount"))
        .start_time(DateTime::from_secs(START_SECS - 600))
        .end_time(DateTime::from_secs(START_SECS))
        .scan_by(ScanBy::TimestampAscending)
        .send()
        .await
        .expect("answered");
    let results: Vec<_> = data
        .metric_data_results()
        .iter()
        .map(|result| (result.id().unwrap_or(""), result.values()))
        .collect();
    assert_eq!(results[0], ("cpu", &[10.0, 30.0][..]));
    assert_eq!(results[1], ("none", &[][..]));
    assert_eq!(results[3], ("n", &[10.0][..]));
    assert!((3.0..=4.0).contains(&results[2].1[0]), "{results:?}");
}

#[tokio::test]
async fn list_metrics_finds_by_dimension() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    client
        .put_metric_data()
        .namespace("Hosts")
        .metric_data(datum("Cpu", "a", START_SECS, 1.0))
        .metric_data(datum("Cpu", "b", START_SECS, 1.0))
        .metric_data(datum("Net", "b", START_SECS, 1.0))
        .send()
        .await
        .expect("accepted");
    let list = client
        .list_metrics()
        .dimensions(DimensionFilter::builder().name("Host").value("b").build())
        .send()
        .await
        .expect("answered");
    let mut names: Vec<_> = list.metrics().iter().filter_map(|metric| metric.metric_name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Cpu", "Net"]);
}

#[tokio::test]
async fn one_bad_datum_refuses_the_whole_request_and_is_named() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    let both = MetricDatum::builder().metric_name("Cpu").value(1.0).values(2.0).build();
    let error = client
        .put_metric_data()
        .namespace("Hosts")
        .metric_data(datum("Good", "a", START_SECS, 1.0))
        .metric_data(both)
        .send()
        .await
        .expect_err("refused")
        .into_service_error();
    assert_eq!(error.meta().code(), Some("InvalidParameterCombination"), "{error:?}");
    assert_eq!(
        error.meta().message(),
        Some(
            "The parameters MetricData.member.2.Value and MetricData.member.2.Values are mutually exclusive and you have \
             specified both."
        )
    );
    let list = client.list_metrics().send().await.expect("answered");
    assert!(list.metrics().is_empty());
}

#[tokio::test]
async fn statistic_sets_keep_their_extremes() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    let set = StatisticSet::builder().minimum(1.0).maximum(9.0).sum(20.0).sample_count(4.0).build();
    client
        .put_metric_data()
        .namespace("Sets")
        .metric_data(
            MetricDatum::builder()
                .metric_name("M")
                .timestamp(DateTime::from_secs(START_SECS - 60))
                .statistic_values(set)
                .build(),
        )
        .send()
        .await
        .expect("accepted");
    let statistics = client
        .get_metric_statistics()
        .namespace("Sets")
        .metric_name("M")
        .start_time(DateTime::from_secs(START_SECS - 60))
        .end_time(DateTime::from_secs(START_SECS))
        .period(60)
        .set_statistics(Some(vec![Statistic::Minimum, Statistic::Maximum, Statistic::Average]))
        .send()
        .await
        .expect("answered");
    let point = &statistics.datapoints()[0];
    assert_eq!((point.minimum(), point.maximum(), point.average()), (Some(1.0), Some(9.0), Some(5.0)));
}

#[tokio::test]
async fn namespaces_of_aws_are_reserved() {
    let server = Server::start_with_manual_clock().await;
    let put = server
        .cloudwatch()
        .put_metric_data()
        .namespace("AWS/Mine")
        .metric_data(datum("Cpu", "a", START_SECS, 1.0));
    let error = put.send().await.expect_err("refused").into_service_error();
    assert_eq!(error.meta().code(), Some("InvalidParameterValue"), "{error:?}");
    assert_eq!(error.meta().message(), Some("The value AWS/ for parameter Namespace is invalid."));
}
