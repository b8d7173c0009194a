//! GetMetricData through the SDK, with what refers to other queries or finds metrics.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricDatum, MetricStat, ScanBy,
};

use crate::harness::Server;

/// 2026-01-01T00:00:00Z, where the manual clock stands.
const START_SECS: i64 = 1_767_225_600;

/// Two hosts with a value a minute for five minutes: 0 to 4, and ten times that.
async fn server_with_hosts() -> Server {
    let server = Server::start_with_manual_clock().await;
    let mut put = server.cloudwatch().put_metric_data().namespace("Hosts");
    for (host, factor) in [("a", 1), ("b", 10)] {
        for minute in 0..5 {
            let datum = MetricDatum::builder()
                .metric_name("Cpu")
                .dimensions(Dimension::builder().name("Host").value(host).build())
                .timestamp(DateTime::from_secs(START_SECS - 300 + minute * 60))
                .value((minute * factor) as f64);
            put = put.metric_data(datum.build());
        }
    }
    put.send().await.expect("accepted");
    server
}

fn cpu(id: &str, host: &str) -> MetricDataQuery {
    let metric = Metric::builder()
        .namespace("Hosts")
        .metric_name("Cpu")
        .dimensions(Dimension::builder().name("Host").value(host).build());
    let stat = MetricStat::builder().metric(metric.build()).period(60).stat("Average").build();
    MetricDataQuery::builder().id(id).metric_stat(stat).return_data(false).build()
}

async fn results(server: &Server, queries: Vec<MetricDataQuery>) -> Result<Vec<MetricDataResult>, String> {
    let answer = server
        .cloudwatch()
        .get_metric_data()
        .set_metric_data_queries(Some(queries))
        .start_time(DateTime::from_secs(START_SECS - 300))
        .end_time(DateTime::from_secs(START_SECS))
        .scan_by(ScanBy::TimestampAscending)
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(answer.metric_data_results().to_vec()),
        Err(error) => Err(error.into_service_error().meta().message().unwrap_or_default().to_owned()),
    }
}

fn shown(results: &[MetricDataResult]) -> Vec<(&str, &str, &[f64])> {
    results
        .iter()
        .map(|result| (result.id().unwrap_or_default(), result.label().unwrap_or_default(), result.values()))
        .collect()
}

#[tokio::test]
async fn metric_math_computes_from_other_queries() {
    let server = server_with_hosts().await;
    let share = MetricDataQuery::builder().id("e1").expression("100 * m1 / (m1 + m2)").label("share").build();
    let found = results(&server, vec![cpu("m1", "a"), cpu("m2", "b"), share]).await.expect("answered");
    let ninth = 100.0 / 11.0;
    // At first both are 0, and a division by zero leaves a gap.
    let [("e1", "share", values)] = shown(&found)[..] else { panic!("{found:?}") };
    assert_eq!(values.len(), 4);
    assert!(values.iter().all(|value| (value - ninth).abs() < 1e-9), "{values:?}");
}

#[tokio::test]
async fn search_finds_metrics_and_labels_them() {
    let server = server_with_hosts().await;
    let search = MetricDataQuery::builder()
        .id("e1")
        .expression("SEARCH('{Hosts,Host} MetricName=\"Cpu\"', 'Sum', 60)")
        .label("${PROP('Dim.Host')} up to ${MAX}");
    let found = results(&server, vec![search.build()]).await.expect("answered");
    let a: &[f64] = &[0.0, 1.0, 2.0, 3.0, 4.0];
    let b: &[f64] = &[0.0, 10.0, 20.0, 30.0, 40.0];
    assert_eq!(shown(&found), [("e1", "a up to 4", a), ("e1", "b up to 40", b)]);
}

#[tokio::test]
async fn metrics_insights_ranks_groups() {
    let server = server_with_hosts().await;
    let query = MetricDataQuery::builder()
        .id("q1")
        .expression("SELECT MAX(Cpu) FROM SCHEMA(Hosts, Host) GROUP BY Host ORDER BY MAX() DESC LIMIT 1")
        .period(300);
    let found = results(&server, vec![query.build()]).await.expect("answered");
    assert_eq!(shown(&found), [("q1", "b", &[40.0][..])]);
}

#[tokio::test]
async fn what_is_not_offered_is_refused_by_name_and_position() {
    let server = server_with_hosts().await;
    let quota = MetricDataQuery::builder().id("e1").expression("m1 / SERVICE_QUOTA(m1)").build();
    let message = results(&server, vec![cpu("m1", "a"), quota]).await.expect_err("refused");
    let expected = "Error in expression 'e1': Function 'SERVICE_QUOTA' is not supported at character 6";
    assert_eq!(message, expected);
}
