//! SIGKILL in the middle of ingestion, flush, compaction and retention, again and again: every acknowledged
//! datum and event is there, once, what events add to a metric is there with them, and data that are too old
//! are gone.
//!
//! `GROUNDWATCH_CRASHES` sets how often (default 5; the acceptance run uses 50). The server's own log tells
//! how often blocks were merged and deleted meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, Statistic};
use aws_sdk_cloudwatchlogs::types::{InputLogEvent, MetricTransformation};

use crate::harness::{Server, sdk_config};

const WRITERS: usize = 4;
const ITEMS_PER_REQUEST: usize = 50;

/// Points of a minute and less for 3 hours, of five minutes for 2 days, of hours for 5 days.
const RETENTION: &str = "3h,3h,2d,5d";
const HOUR_SECS: i64 = 60 * 60;
/// Samples of each series: how long before the test, and the period at which they can still be read.
const AGES: [(i64, i32); 3] = [(0, 60), (36 * HOUR_SECS, 300), (72 * HOUR_SECS, 3600)];
/// Samples of this age are taken as any others, and deleted by the next compaction.
const EXPIRED: i64 = 8 * 24 * HOUR_SECS;

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
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    // A small memory budget, and no patience: flushes to segments happen between the crashes. A server
    // flushes, merges and deletes what it finds as it starts, so that crashes come in the middle of that.
    let flags = ["--metrics-memory-mib", "8", "--metrics-flush-secs", "0", "--logs-memory-mib", "8"];
    let flags = [&flags[..], &["--logs-flush-secs", "0", "--metrics-retention", RETENTION]].concat();
    let start = || Server::start_logged(directory.path(), &flags, log.path());
    let mut server = start();
    let logs = server.logs();
    logs.create_log_group().log_group_name("/crash").send().await.expect("created");
    // Each event adds a sample of its number.
    let transformation = MetricTransformation::builder().metric_namespace("Crash").metric_name("Items");
    logs.put_metric_filter()
        .log_group_name("/crash")
        .filter_name("items")
        .filter_pattern("[word, item, filler]")
        .metric_transformations(transformation.metric_value("$item").build().expect("complete"))
        .send()
        .await
        .expect("put");
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
                tokio::spawn(write(server.url.clone(), writer, started, next_request, known, stop.clone()))
            })
            .collect();
        // Not a wait for something to happen: the crash must come at a moment that nobody chose.
        tokio::time::sleep(Duration::from_millis(40 + u64::from(crash * 37 % 280))).await;
        server.kill();
        stop.store(true, Ordering::SeqCst);
        for task in tasks {
            written.push(task.await.expect("a writer ends well"));
        }
        next_request += 1_000_000;
        server = start();
        if crash % 10 == 9 {
            verify(&server, started, &written).await;
        }
    }
    server.kill();
    // A manual clock returns when all that is due was done.
    let manual = [&flags[..], &["--clock", "manual"]].concat();
    let mut server = Server::start_logged(directory.path(), &manual, log.path());
    server.advance("PT1S").await;
    verify(&server, started, &written).await;
    server.kill();
    // A server that would show everything has nothing to show of what was too old.
    let server = Server::start_in(directory.path(), &flags[..flags.len() - 2]);
    verify(&server, started, &written).await;
    let (expired, _) = count_and_sum(&server, started, (EXPIRED, 60), "M", Some(dimension(0, 0))).await;
    assert_eq!(expired, 0.0, "samples beyond the retention are gone");
    let requests: usize = written.iter().map(|written| written.acknowledged.len()).sum();
    assert!(requests > crashes as usize, "the writers got through");
    let log = std::fs::read_to_string(log.path()).expect("a log");
    let times = |what: &str| log.matches(what).count();
    let (merged, deleted) = (times("blocks of metrics merged"), times("delete metrics that are too old"));
    println!("{crashes} crashes, {requests} requests of {ITEMS_PER_REQUEST} items acknowledged;");
    println!(
        "metrics: {} blocks written, {merged} merges, {deleted} deletions",
        times("metrics written into a block")
    );
    let (log_merges, as_they_are) = (times("log segments merged"), times("row groups stayed as they are"));
    println!(
        "logs: {} flushes, {log_merges} merges, of which {as_they_are} kept row groups as they are",
        times("log events flushed")
    );
    println!(
        "{} segments that a crash left unregistered",
        times("delete a segment that was never registered")
    );
    assert!(merged > 0 && deleted > 0, "compaction and retention ran: {merged} merges, {deleted} deletions");
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
    started: DateTime,
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
            // Each request is one sample of weight 1 and of each age in each of its series; values tell the
            // request.
            let put = cloudwatch.put_metric_data().namespace("Crash");
            let ages = AGES.iter().map(|(age, _)| *age).chain([EXPIRED]);
            let data = ages.flat_map(|age| (0..ITEMS_PER_REQUEST).map(move |series| (age, series)));
            let put = data.fold(put, |put, (age, series)| {
                put.metric_data(
                    MetricDatum::builder()
                        .metric_name("M")
                        .dimensions(dimension(writer, series))
                        .timestamp(DateTime::from_secs(started.secs() - age + request as i64 % 600))
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
    let (mut events, mut numbers) = (0, 0);
    for (writer, written) in written.iter().enumerate() {
        let found = verify_events(server, writer, written).await;
        events += found.len();
        numbers += found.iter().sum::<u64>();
        verify_data(server, started, writer, written).await;
    }
    let counted = count_and_sum(server, started, AGES[0], "Items", None).await;
    assert_eq!(counted, (events as f64, numbers as f64), "the events, and what they added to the metric");
}

/// The numbers of the events that are there.
async fn verify_events(server: &Server, writer: usize, written: &Written) -> Vec<u64> {
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
    let found = times_seen.keys().copied().collect();
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
    found
}

async fn verify_data(server: &Server, started: DateTime, writer: usize, written: &Written) {
    let acknowledged: Vec<u64> =
        written.acknowledged.iter().copied().filter(|request| request % 2 == 1).collect();
    let unknown: Vec<u64> = written.unknown.iter().copied().filter(|request| request % 2 == 1).collect();
    for (age, series) in AGES.iter().flat_map(|age| [(*age, 0), (*age, ITEMS_PER_REQUEST - 1)]) {
        let dimension = Some(dimension(writer, series));
        let (count, sum) = count_and_sum(server, started, age, "M", dimension).await;
        let (age, _) = age;
        let least = acknowledged.len() as f64;
        assert!(
            (least..=least + unknown.len() as f64).contains(&count),
            "writer {writer}, {age} s old: {count} samples, {least} acknowledged, {} unknown",
            unknown.len()
        );
        let sum_least: f64 = acknowledged.iter().map(|request| *request as f64).sum();
        let sum_most = sum_least + unknown.iter().map(|request| *request as f64).sum::<f64>();
        assert!(
            (sum_least..=sum_most).contains(&sum),
            "writer {writer}, {age} s old: sum {sum}, expected {sum_least} to {sum_most}"
        );
    }
}

fn dimension(writer: usize, series: usize) -> Dimension {
    Dimension::builder().name("W").value(format!("{writer}-{series}")).build()
}

/// How many samples of that age a metric has, and what they add up to.
async fn count_and_sum(
    server: &Server,
    started: DateTime,
    (age, period): (i64, i32),
    metric: &str,
    dimension: Option<Dimension>,
) -> (f64, f64) {
    let at = started.secs() - age;
    let statistics = server
        .cloudwatch()
        .get_metric_statistics()
        .namespace("Crash")
        .metric_name(metric)
        .set_dimensions(dimension.map(|dimension| vec![dimension]))
        .start_time(DateTime::from_secs(at - HOUR_SECS))
        .end_time(DateTime::from_secs(at + 2 * HOUR_SECS))
        .period(period)
        .statistics(Statistic::SampleCount)
        .statistics(Statistic::Sum)
        .send()
        .await
        .expect("answered");
    let count = statistics.datapoints().iter().filter_map(|point| point.sample_count()).sum();
    let sum = statistics.datapoints().iter().filter_map(|point| point.sum()).sum();
    (count, sum)
}
