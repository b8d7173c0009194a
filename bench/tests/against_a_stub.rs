//! The load generator against a server that keeps what it is sent in two maps, and that can be made to
//! misbehave.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use clap::Parser;
use groundwatch_bench::{BenchArgs, Report, measure};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Every how many writes something happens; 0 for never.
#[derive(Default)]
struct Faults {
    loses: u64,
    throttles: u64,
    breaks: u64,
}

#[derive(Default)]
struct Stub {
    faults: Faults,
    writes: AtomicU64,
    /// Count and sum by metric name and dimensions.
    metrics: Mutex<HashMap<String, (u64, f64)>>,
    /// Messages by group and stream.
    streams: Mutex<HashMap<String, Vec<String>>>,
}

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    bench: BenchArgs,
}

impl Stub {
    async fn bench(self, arguments: &str) -> anyhow::Result<Vec<Report>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let stub = Arc::new(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stub = stub.clone();
                let service = service_fn(move |request| answer(stub.clone(), request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        let fixed = ["bench", "--endpoint", &endpoint, "--connections", "2"];
        let warmup = if arguments.contains("--warmup") { "" } else { " --warmup 0s" };
        let arguments = format!("{arguments}{warmup}");
        let command = Command::parse_from(fixed.into_iter().chain(arguments.split_whitespace()));
        measure(command.bench, |_| ()).await
    }

    fn fault(&self) -> Option<(u16, Value)> {
        let number = self.writes.fetch_add(1, Relaxed) + 1;
        let happens = |every: u64| every > 0 && number.is_multiple_of(every);
        if happens(self.faults.loses) {
            return Some((200, json!({})));
        }
        if happens(self.faults.throttles) {
            return Some((400, json!({"__type": "ThrottlingException", "message": "slow down"})));
        }
        happens(self.faults.breaks).then(|| (500, json!({"__type": "InternalFailure"})))
    }

    fn respond(&self, operation: &str, input: &Value) -> (u16, Value) {
        match operation {
            "PutMetricData" => self.fault().unwrap_or_else(|| self.put_metric_data(input)),
            "PutLogEvents" => self.fault().unwrap_or_else(|| self.put_log_events(input)),
            "GetMetricStatistics" => (200, self.statistics(input)),
            "GetMetricData" => (200, json!({"MetricDataResults": [{"Id": "m0", "Values": [1.0]}]})),
            "GetLogEvents" => (200, self.log_events(input)),
            "FilterLogEvents" => (200, self.filter(input)),
            _ => (200, json!({})),
        }
    }

    fn put_metric_data(&self, input: &Value) -> (u16, Value) {
        let mut metrics = self.metrics.lock().expect("no test panics in here");
        for datum in input["MetricData"].as_array().expect("a list") {
            let (count, sum) = metrics.entry(series(datum)).or_default();
            let one = [datum["Value"].clone()];
            for value in datum["Values"].as_array().map_or(&one[..], Vec::as_slice) {
                *count += 1;
                *sum += value.as_f64().expect("a number");
            }
        }
        (200, json!({}))
    }

    fn statistics(&self, input: &Value) -> Value {
        let metrics = self.metrics.lock().expect("no test panics in here");
        let (count, sum) = metrics.get(&series(input)).copied().unwrap_or_default();
        json!({"Datapoints": [{"SampleCount": count, "Sum": sum, "Average": 1.0, "Maximum": 1.0}]})
    }

    fn put_log_events(&self, input: &Value) -> (u16, Value) {
        let mut streams = self.streams.lock().expect("no test panics in here");
        let messages = streams.entry(stream(input)).or_default();
        for event in input["logEvents"].as_array().expect("a list") {
            messages.push(event["message"].as_str().expect("text").to_owned());
        }
        (200, json!({"nextSequenceToken": "1"}))
    }

    /// Pages of 1,000 events, numbered by their tokens.
    fn log_events(&self, input: &Value) -> Value {
        let streams = self.streams.lock().expect("no test panics in here");
        let events = streams.get(&stream(input)).map_or(&[][..], Vec::as_slice);
        let pages: Vec<&[String]> = events.chunks(1_000).collect();
        let page = input["nextToken"].as_str().map_or(0, |token| token.parse().expect("ours"));
        let messages = pages.get(page).copied().unwrap_or_default();
        let events: Vec<Value> = messages.iter().map(|message| json!({"message": message})).collect();
        json!({"events": events, "nextForwardToken": (page + 1).min(pages.len()).to_string()})
    }

    fn filter(&self, input: &Value) -> Value {
        let streams = self.streams.lock().expect("no test panics in here");
        let word = input["filterPattern"].as_str().expect("text");
        let found = streams.values().flatten().filter(|message| message.contains(word));
        json!({"events": found.map(|message| json!({"message": message})).collect::<Vec<_>>()})
    }
}

fn series(input: &Value) -> String {
    format!("{} {}", input["MetricName"], input["Dimensions"])
}

fn stream(input: &Value) -> String {
    format!("{} {}", input["logGroupName"], input["logStreamName"])
}

async fn answer(stub: Arc<Stub>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request.headers()["x-amz-target"].to_str().expect("ASCII").to_owned();
    let body = request.into_body().collect().await.expect("the client is well").to_bytes();
    let input = serde_json::from_slice(&body).expect("JSON");
    let (status, output) = stub.respond(target.rsplit('.').next().unwrap_or_default(), &input);
    Ok(Response::builder().status(status).body(output.to_string().into()).expect("a response"))
}

const METRICS: &str = "put-metric-data --protocol json --series 50 --data-per-request 20 --requests 60";
const LOGS: &str = "put-log-events --groups 3 --streams 2 --batch-bytes 20000 --requests 60";

fn mismatches(reports: &[Report]) -> usize {
    reports.iter().filter_map(|report| report.checked.as_ref()).map(|checked| checked.mismatches.len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_server_passes_every_check() {
    for load in [METRICS, LOGS, &format!("{METRICS} --values-per-datum 3")] {
        let reports = Stub::default().bench(load).await.expect(load);
        let [report] = &reports[..] else { panic!("one load was asked for") };
        assert!(report.checked.is_some() && !report.has_mismatches(), "{report}");
        assert!(report.requests >= 60 && report.errors.is_empty(), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_per_datum_multiply_the_values() {
    let load = format!("{METRICS} --series 20 --values-per-datum 3");
    let reports = Stub::default().bench(&load.replace("--series 50 ", "")).await.expect("it runs");
    assert_eq!(reports[0].items, reports[0].requests * 20 * 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_loses_what_it_acknowledged_is_caught() {
    for load in [METRICS, LOGS] {
        let stub = Stub { faults: Faults { loses: 7, ..Faults::default() }, ..Stub::default() };
        let reports = stub.bench(load).await.expect(load);
        assert!(mismatches(&reports) > 0, "{load}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_requests_are_sent_again_and_counted() {
    for load in [METRICS, LOGS] {
        let stub = Stub { faults: Faults { throttles: 9, ..Faults::default() }, ..Stub::default() };
        let reports = stub.bench(load).await.expect(load);
        assert!(reports[0].errors["ThrottlingException"] >= 6, "{}", reports[0]);
        assert_eq!(mismatches(&reports), 0, "{}", reports[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_unknown_fate_are_no_mismatches() {
    for load in [METRICS, LOGS] {
        let stub = Stub { faults: Faults { breaks: 9, ..Faults::default() }, ..Stub::default() };
        let reports = stub.bench(load).await.expect(load);
        assert!(reports[0].errors["InternalFailure"] >= 6, "{}", reports[0]);
        assert_eq!(mismatches(&reports), 0, "{}", reports[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_takes_nothing_is_given_up() {
    for load in [LOGS.to_owned(), format!("{LOGS} --warmup 1h")] {
        let stub = Stub { faults: Faults { breaks: 1, ..Faults::default() }, ..Stub::default() };
        let error = stub.bench(&load).await.expect_err("nothing was acknowledged");
        assert!(error.to_string().contains("InternalFailure"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_workloads_write_and_then_read_in_four_ways() {
    let all = LOGS.replace("put-log-events", "all") + " --protocol json --series 50";
    let reports = Stub::default().bench(&all).await.expect("it runs");
    let loads: Vec<&str> = reports.iter().map(|report| &*report.load).collect();
    assert_eq!(
        loads,
        [
            "put-metric-data",
            "put-log-events",
            "get-metric-statistics",
            "get-metric-data",
            "get-log-events",
            "filter-log-events"
        ]
    );
    assert!(reports.iter().all(|report| report.requests >= 60 && report.errors.is_empty()));
}

#[tokio::test]
async fn endpoint_without_a_server_is_an_error_that_says_what_to_do() {
    let unused =
        TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("bound").port();
    let endpoint = format!("http://127.0.0.1:{unused}");
    let command = Command::parse_from(["bench", "--endpoint", &endpoint]);
    let error = measure(command.bench, |_| ()).await.expect_err("nobody listens");
    assert!(error.to_string().contains("groundwatch serve"), "{error}");
}
