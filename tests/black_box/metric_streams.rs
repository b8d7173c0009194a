//! Metric streams through the SDK: minutes go to the operator's target, in order, none left out over a
//! restart.

use std::collections::BTreeMap;
use std::path::Path;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{MetricDatum, MetricStreamFilter, MetricStreamOutputFormat, StandardUnit};
use serde_json::{Value, json};

use crate::harness::{ACCOUNT, Server};

/// 2026-01-01T00:00:00Z, where the manual clock stands.
const START_SECS: i64 = 1_767_225_600;

const FIREHOSE: &str = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/metrics";

/// A server that sends what is for Firehose into a folder.
async fn server(directory: &Path) -> Server {
    let folder = directory.join("sent");
    let config = directory.join("groundwatch.toml");
    let text = format!("[[target]]\narn = \"arn:aws:firehose:*\"\nfolder = {folder:?}\n");
    std::fs::write(&config, text).expect("written");
    let flags = ["--clock", "manual", "--config", config.to_str().expect("a path of text")];
    let server = Server::start_in(&directory.join("data"), &flags);
    server.set_clock("2026-01-01T00:00:00Z").await;
    server
}

async fn put(server: &Server, name: &str, at_secs: i64, value: f64) {
    let datum = MetricDatum::builder()
        .metric_name(name)
        .timestamp(DateTime::from_secs(at_secs))
        .value(value)
        .unit(StandardUnit::Count)
        .build();
    server.cloudwatch().put_metric_data().namespace("Shop").metric_data(datum).send().await.expect("taken");
}

async fn create(server: &Server, name: &str, format: MetricStreamOutputFormat) {
    let filter = MetricStreamFilter::builder().namespace("Shop").metric_names("Orders").build();
    server
        .cloudwatch()
        .put_metric_stream()
        .name(name)
        .firehose_arn(FIREHOSE)
        .role_arn("arn:aws:iam::123456789012:role/r")
        .output_format(format)
        .include_filters(filter)
        .send()
        .await
        .expect("created");
}

/// What is in the folder, by the names of files.
fn sent(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    fn collect(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, files);
            } else {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                files.insert(name, std::fs::read(&path).expect("readable"));
            }
        }
    }
    let mut files = BTreeMap::new();
    collect(&directory.join("sent"), &mut files);
    files
}

/// The lines of all files: the moment and the sum of each.
fn sums(directory: &Path) -> Vec<(i64, f64)> {
    let mut sums = Vec::new();
    for body in sent(directory).values() {
        for line in String::from_utf8_lossy(body).lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(line["metric_name"], "Orders");
            sums.push((
                line["timestamp"].as_i64().unwrap_or(0) / 1000,
                line["value"]["sum"].as_f64().unwrap_or(0.0),
            ));
        }
    }
    sums.sort_by_key(|(at, _)| *at);
    sums
}

#[tokio::test]
async fn each_minute_is_sent_once_it_is_over() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = server(directory.path()).await;
    create(&server, "json", MetricStreamOutputFormat::Json).await;
    put(&server, "Orders", START_SECS + 10, 1.0).await;
    put(&server, "Orders", START_SECS + 50, 2.0).await;
    put(&server, "Returns", START_SECS + 50, 9.0).await;
    server.advance("PT119S").await;
    assert_eq!(sums(directory.path()), []);
    server.advance("PT1S").await;
    let files = sent(directory.path());
    let line: Value = serde_json::from_slice(files.values().next().expect("a file")).expect("one line");
    let expected = json!({
        "metric_stream_name": "json", "account_id": ACCOUNT, "region": "eu-central-1", "namespace": "Shop",
        "metric_name": "Orders", "dimensions": {}, "timestamp": START_SECS * 1000,
        "value": { "max": 2.0, "min": 1.0, "sum": 3.0, "count": 2.0 }, "unit": "Count",
    });
    assert_eq!(line, expected);
}

#[tokio::test]
async fn no_minute_is_left_out_over_a_crash() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = server(directory.path()).await;
    create(&server, "json", MetricStreamOutputFormat::Json).await;
    for minute in 0..10 {
        put(&server, "Orders", START_SECS + minute * 60, minute as f64).await;
    }
    server.advance("PT5M").await;
    let before = sums(directory.path()).len();
    assert_eq!(before, 4);
    drop(server);
    // The clock comes up at the machine's date, any time later, before it is set: all that was missed may be
    // due.
    let again = self::server(directory.path()).await;
    again.set_clock("2026-01-01T00:05:00Z").await;
    again.advance("PT10M").await;
    let expected: Vec<(i64, f64)> = (0..10).map(|minute| (START_SECS + minute * 60, minute as f64)).collect();
    assert_eq!(sums(directory.path()), expected);
}

#[tokio::test]
async fn what_was_measured_while_a_stream_was_stopped_is_not_sent() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = server(directory.path()).await;
    create(&server, "json", MetricStreamOutputFormat::Json).await;
    let client = server.cloudwatch();
    client.stop_metric_streams().names("json").send().await.expect("stopped");
    put(&server, "Orders", START_SECS, 1.0).await;
    server.advance("PT5M").await;
    client.start_metric_streams().names("json").send().await.expect("started");
    put(&server, "Orders", START_SECS + 300, 2.0).await;
    server.advance("PT5M").await;
    assert_eq!(sums(directory.path()), [(START_SECS + 300, 2.0)]);
    let missing = client.start_metric_streams().names("json").names("none").send().await;
    assert!(missing.is_err());
}

#[tokio::test]
async fn streams_are_described_listed_and_deleted() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = server(directory.path()).await;
    let client = server.cloudwatch();
    create(&server, "a", MetricStreamOutputFormat::Json).await;
    create(&server, "b", MetricStreamOutputFormat::OpenTelemetry10).await;
    client.stop_metric_streams().names("b").send().await.expect("stopped");
    let got = client.get_metric_stream().name("b").send().await.expect("there");
    assert_eq!((got.state(), got.firehose_arn()), (Some("stopped"), Some(FIREHOSE)));
    assert_eq!(got.include_filters()[0].metric_names(), ["Orders"]);
    // What is replaced keeps its state.
    create(&server, "b", MetricStreamOutputFormat::OpenTelemetry07).await;
    let got = client.get_metric_stream().name("b").send().await.expect("there");
    assert_eq!(
        (got.state(), got.output_format()),
        (Some("stopped"), Some(&MetricStreamOutputFormat::OpenTelemetry07))
    );

    let first = client.list_metric_streams().max_results(1).send().await.expect("listed");
    let second =
        client.list_metric_streams().set_next_token(first.next_token().map(str::to_owned)).send().await;
    let names: Vec<String> = first
        .entries()
        .iter()
        .chain(second.expect("listed").entries())
        .cloned()
        .filter_map(|entry| entry.name().map(str::to_owned))
        .collect();
    assert_eq!(names, ["a", "b"]);
    client.delete_metric_stream().name("a").send().await.expect("deleted");
    let gone = client.get_metric_stream().name("a").send().await.expect_err("gone").into_service_error();
    assert!(gone.is_resource_not_found_exception());
}

#[tokio::test]
async fn the_binary_format_has_a_length_before_each_message() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = server(directory.path()).await;
    create(&server, "otel", MetricStreamOutputFormat::OpenTelemetry10).await;
    put(&server, "Orders", START_SECS + 10, 1.0).await;
    server.advance("PT2M").await;
    let files = sent(directory.path());
    let body = files.values().next().expect("a file");
    let length = usize::from(body[0] & 0x7f) | usize::from(body[1]) << 7;
    assert_eq!(body.len(), length + 2);
    let text = b"amazonaws.com/Shop/Orders";
    assert!(body.windows(text.len()).any(|window| window == text));
}
