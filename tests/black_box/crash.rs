//! SIGKILL in the middle of ingestion, flush and compaction, again and again: every acknowledged datum and event is there,
//! once.
//!
//! `GROUNDWATCH_CRASHES` sets how often (default 5; the acceptance run uses 50).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, Statistic};
use aws_sdk_cloudwatchlogs::types::InputLogEvent;

use crate::harness::{Server, sdk_config};

const WRITERS: usize = 4;
const ITEMS_PER_REQUEST: usize = 50;

/// What one writer knows: per request, whether it was acknowledged. Request `n` wrote the items of [`items`].
#[derive(Default)]
struct Written {
    acknowledged: Vec<u64>,
    /// Sent, but the answer never came: may be there, wholly or not at all.
    unknown: Vec<u64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_acknowledged_is_lost() {
    let crashes: u32 =
        std::env::var("GROUNDWATCH_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let directory = tempfile::tempdir().expect("a temporary directory");
    // A small memory budget, so that flushes to segments happen between the crashes too. A server merges what it finds as it
    // starts, so that crashes come in the middle of that.
    let flags = ["--metrics-memory-mib", "8", "--logs-memory-mib", "8"];
    let mut server = Server::start_in(directory.path(), &flags);
    let logs = server.logs();
    logs.create_log_group().log_group_name("/crash").send().await.expect("created");
    for writer in 0..WRITERS {
        logs.create_log_stream()
            .log_group_name("/crash")
            .log_stream_name(format!("w{writer}"))
            .send()
            .await
            .expect("created");
    }
    let started = DateTime::from(std::time::UNIX_EPOCH + since_epoch());
    let mut written: Vec<Written> = (0..WRITERS).map(|_| Written::default()).collect();
    let mut next_request = 0;
    for crash in 0..crashes {
        let stop = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = written
            .drain(..)
            .enumerate()
            .map(|(writer, known)| {
                tokio::spawn(write(server.url.clone(), writer, next_request, known, stop.clone()))
            })
            .collect();
        // Not a wait for something to happen: the crash must come at a moment that nobody chose.
        tokio::time::sleep(Duration::from_millis(120 + u64::from(crash * 37 % 200))).await;
        server.kill();
        stop.store(true, Ordering::SeqCst);
        for task in tasks {
            written.push(task.await.expect("a writer ends well"));
        }
        next_request += 1_000_000;
        server = Server::start_in(directory.path(), &flags);
        if crash % 10 == 9 {
            verify(&server, started, &written).await;
        }
    }
    verify(&server, started, &written).await;
    let requests: usize = written.iter().map(|written| written.acknowledged.len()).sum();
    assert!(requests > crashes as usize, "the writers got through");
    println!("{crashes} crashes, {requests} requests of {ITEMS_PER_REQUEST} items acknowledged");
}

#[expect(clippy::disallowed_methods, reason = "the server under test runs by the machine's clock")]
fn since_epoch() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970")
}

/// The distinct items of a request: request `n` of a writer writes `n * ITEMS .. (n + 1) * ITEMS`.
fn items(request: u64) -> std::ops::Range<u64> {
    let per_request = ITEMS_PER_REQUEST as u64;
    request * per_request..(request + 1) * per_request
}

/// Writes events and data until the server is gone. Even requests are events, odd ones are data.
async fn write(
    url: String,
    writer: usize,
    first: u64,
    mut written: Written,
    stop: Arc<AtomicBool>,
) -> Written {
    let sdk = sdk_config(&url);
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sdk);
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&sdk);
    for request in first.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let acknowledged = if request % 2 == 0 {
            let now_ms = since_epoch().as_millis() as i64;
            let put = logs.put_log_events().log_group_name("/crash").log_stream_name(format!("w{writer}"));
            let put = items(request).fold(put, |put, item| {
                let message = format!("item {item} {}", "x".repeat(200));
                put.log_events(
                    InputLogEvent::builder().timestamp(now_ms).message(message).build().expect("complete"),
                )
            });
            put.send().await.is_ok()
        } else {
            // Each request is one sample of weight 1 in each of its series; values tell the request.
            let put = cloudwatch.put_metric_data().namespace("Crash");
            let put = (0..ITEMS_PER_REQUEST).fold(put, |put, series| {
                put.metric_data(
                    MetricDatum::builder()
                        .metric_name("M")
                        .dimensions(
                            Dimension::builder().name("W").value(format!("{writer}-{series}")).build(),
                        )
                        .value(request as f64)
                        .build(),
                )
            });
            put.send().await.is_ok()
        };
        if acknowledged {
            written.acknowledged.push(request);
        } else {
            written.unknown.push(request);
        }
        if !acknowledged {
            break;
        }
    }
    written
}

async fn verify(server: &Server, started: DateTime, written: &[Written]) {
    for (writer, written) in written.iter().enumerate() {
        verify_events(server, writer, written).await;
        verify_data(server, started, writer, written).await;
    }
}

async fn verify_events(server: &Server, writer: usize, written: &Written) {
    let logs = server.logs();
    let mut times_seen: BTreeMap<u64, u32> = BTreeMap::new();
    let mut token = None;
    loop {
        let page = logs
            .get_log_events()
            .log_group_name("/crash")
            .log_stream_name(format!("w{writer}"))
            .start_from_head(true)
            .set_next_token(token.clone())
            .send()
            .await
            .expect("answered");
        for event in page.events() {
            let message = event.message().expect("a message");
            let item =
                message.split(' ').nth(1).and_then(|item| item.parse().ok()).expect("an intact message");
            assert_eq!(message, format!("item {item} {}", "x".repeat(200)), "an intact message");
            *times_seen.entry(item).or_default() += 1;
        }
        let next = page.next_forward_token().map(str::to_owned);
        if next == token {
            break;
        }
        token = next;
    }
    for request in written.acknowledged.iter().filter(|request| *request % 2 == 0) {
        for item in items(*request) {
            assert_eq!(times_seen.remove(&item), Some(1), "writer {writer}: acknowledged item {item}");
        }
    }
    for request in written.unknown.iter().filter(|request| *request % 2 == 0) {
        let seen: Vec<_> = items(*request).map(|item| times_seen.remove(&item)).collect();
        assert!(
            seen.iter().all(|times| *times == seen[0]),
            "writer {writer}: request {request} is there in part"
        );
    }
    assert!(times_seen.is_empty(), "writer {writer}: events that nobody wrote: {times_seen:?}");
}

async fn verify_data(server: &Server, started: DateTime, writer: usize, written: &Written) {
    let client = server.cloudwatch();
    let acknowledged: Vec<u64> =
        written.acknowledged.iter().copied().filter(|request| request % 2 == 1).collect();
    let unknown: Vec<u64> = written.unknown.iter().copied().filter(|request| request % 2 == 1).collect();
    for series in [0, ITEMS_PER_REQUEST - 1] {
        let statistics = client
            .get_metric_statistics()
            .namespace("Crash")
            .metric_name("M")
            .dimensions(Dimension::builder().name("W").value(format!("{writer}-{series}")).build())
            .start_time(DateTime::from_secs(started.secs() - 3600))
            .end_time(DateTime::from_secs(started.secs() + 7200))
            .period(60)
            .statistics(Statistic::SampleCount)
            .statistics(Statistic::Sum)
            .send()
            .await
            .expect("answered");
        let count: f64 = statistics.datapoints().iter().filter_map(|point| point.sample_count()).sum();
        let sum: f64 = statistics.datapoints().iter().filter_map(|point| point.sum()).sum();
        let least = acknowledged.len() as f64;
        assert!(
            (least..=least + unknown.len() as f64).contains(&count),
            "writer {writer}: {count} samples, {least} acknowledged, {} unknown",
            unknown.len()
        );
        let sum_least: f64 = acknowledged.iter().map(|request| *request as f64).sum();
        let sum_most = sum_least + unknown.iter().map(|request| *request as f64).sum::<f64>();
        assert!(
            (sum_least..=sum_most).contains(&sum),
            "writer {writer}: sum {sum}, expected {sum_least} to {sum_most}"
        );
    }
}
