//! What a gigabyte of log events costs below the wire: `cargo run --release -p groundwatch-logs --example
//! ingest`.
//!
//! Puts batches of about 1 MB from several writers through the typed operation into a data directory
//! (`--dir`, default a temporary one), flushes, and reads. The journal alone is measured first, as the
//! yardstick: the difference is the price of this crate. Prints wall time and CPU time (user and system, all
//! threads).
#![allow(clippy::print_stdout, reason = "a program")]

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use groundwatch_api::Handle;
use groundwatch_api::logs::borrowed::{InputLogEvent, PutLogEventsInput};
use groundwatch_api::logs::{
    CreateLogGroup, CreateLogGroupInput, CreateLogStream, CreateLogStreamInput, FilterLogEvents,
    FilterLogEventsInput, GetLogEvents, GetLogEventsInput, PutLogEvents,
};
use groundwatch_core::{Activity as _, BoxFuture, Call, Caller, ManualClock, RequestId, Scope, Timestamp};
use groundwatch_logs::{
    AdmittedMetrics, LocalServices, Logs, MessageSender, MetricDatum, MetricSink, SinkError, StoreOptions,
};
use groundwatch_outbound::{HttpAnswer, HttpClient, HttpError, HttpRequest, Outbound, Outcome};
use groundwatch_storage::{Storage, StorageOptions, StreamId};

const NOW: Timestamp = Timestamp::from_secs(1_767_323_045);
const BATCHES: usize = 1024;
const WRITERS: usize = 4;
const GROUP: &str = "/app/orders";

/// Nothing here gives rise to metrics.
struct NoMetrics;

impl MetricSink for NoMetrics {
    fn admit<'a>(
        &'a self,
        _scope: &'a Scope,
        _data: Vec<MetricDatum>,
    ) -> BoxFuture<'a, Result<Box<dyn AdmittedMetrics + 'a>, SinkError>> {
        Box::pin(async { Err(SinkError::Overloaded) })
    }
}

/// Nobody subscribes here.
struct Nobody;

impl LocalServices for Nobody {
    fn deliver<'a>(&'a self, _: &'a Scope, arn: &'a str, _: String) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { Outcome::Refused { reason: format!("{arn} is nobody") } })
    }
}

impl HttpClient for Nobody {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, HttpError>> {
        Box::pin(async move { Err(HttpError::Unreachable { reason: request.url }) })
    }
}

fn nowhere() -> MessageSender {
    MessageSender::new(
        Outbound::new(Vec::new(), Arc::new(Nobody), Arc::new(ManualClock::new(NOW))),
        Arc::new(Nobody),
    )
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    runtime.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let dir = match std::env::args().skip_while(|argument| argument != "--dir").nth(1) {
        Some(dir) => dir.into(),
        None => temporary.path().to_owned(),
    };
    // As large as the run, so that ingestion and flush are measured apart.
    let options = StoreOptions { flush_bytes: 4 << 30, head_bytes_max: 4 << 30, ..StoreOptions::default() };
    let (storage, recovery) = Storage::open(StorageOptions::new(&dir))?;
    anyhow::ensure!(recovery.count() == 0, "the data directory must be new");
    let lines = Arc::new(lines());
    let batch_bytes: usize = lines.iter().map(String::len).sum();
    let total = Total { bytes: BATCHES * batch_bytes, events: BATCHES * lines.len() };

    let payload = lines.concat();
    let started = Cost::now()?;
    for_all_writers(|_| {
        let (storage, payload) = (storage.clone(), payload.clone());
        async move {
            for _ in 0..BATCHES / WRITERS {
                storage.journal.append(StreamId::LOGS, payload.clone().into_bytes()).await?;
            }
            Ok(())
        }
    })
    .await?;
    total.report("journal alone", &started)?;

    let logs = Arc::new(Logs::replay(&storage, options)?.finish(Arc::new(NoMetrics), nowhere()).await?);
    prepare(&logs).await?;
    let started = Cost::now()?;
    for_all_writers(|writer| {
        let (logs, lines) = (logs.clone(), lines.clone());
        async move {
            for batch in 0..BATCHES / WRITERS {
                put(&logs, &format!("stream-{writer}"), &lines, batch as i64).await?;
            }
            Ok(())
        }
    })
    .await?;
    total.report("PutLogEvents", &started)?;
    read(&logs, &total, "in memory").await?;

    let started = Cost::now()?;
    logs.flush_activity(Arc::new(ManualClock::new(NOW))).run(NOW).await;
    total.report("flush", &started)?;
    read(&logs, &total, "in a segment").await
}

async fn prepare(logs: &Logs) -> anyhow::Result<()> {
    let input = CreateLogGroupInput { log_group_name: Some(GROUP.to_owned()), ..Default::default() };
    Handle::<CreateLogGroup>::handle(logs, &call(), input).await?;
    for writer in 0..WRITERS {
        let input = CreateLogStreamInput {
            log_group_name: Some(GROUP.to_owned()),
            log_stream_name: Some(format!("stream-{writer}")),
        };
        Handle::<CreateLogStream>::handle(logs, &call(), input).await?;
    }
    Ok(())
}

async fn put(logs: &Logs, stream: &str, lines: &[String], batch: i64) -> anyhow::Result<()> {
    let first = NOW.as_millis() - 3_600_000 + batch * lines.len() as i64 / 4;
    let events = lines.iter().zip(0..).map(|(line, index)| InputLogEvent {
        timestamp: Some(first + index / 4),
        message: Some(Cow::Borrowed(line)),
    });
    let input = PutLogEventsInput {
        log_group_name: Some(Cow::Borrowed(GROUP)),
        log_stream_name: Some(Cow::Borrowed(stream)),
        log_events: Some(events.collect()),
        ..Default::default()
    };
    Handle::<PutLogEvents>::handle(logs, &call(), input).await?;
    Ok(())
}

async fn read(logs: &Logs, total: &Total, place: &str) -> anyhow::Result<()> {
    for round in ["first", "again"] {
        let started = Instant::now();
        let input = GetLogEventsInput {
            log_group_name: Some(GROUP.to_owned()),
            log_stream_name: Some("stream-1".to_owned()),
            limit: Some(100),
            ..Default::default()
        };
        let page = Handle::<GetLogEvents>::handle(logs, &call(), input).await?;
        anyhow::ensure!(page.events.is_some_and(|events| events.len() == 100));
        println!("last 100 events {place}, {round}: {:.2} ms", started.elapsed().as_secs_f64() * 1e3);
    }
    let started = Cost::now()?;
    let mut input = FilterLogEventsInput {
        log_group_name: Some(GROUP.to_owned()),
        filter_pattern: Some("nowhere".to_owned()),
        ..Default::default()
    };
    loop {
        let page = Handle::<FilterLogEvents>::handle(logs, &call(), input.clone()).await?;
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            break;
        }
    }
    total.report(&format!("search for a word {place}"), &started)
}

async fn for_all_writers<F>(write: impl Fn(usize) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(writer));
    }
    while let Some(written) = writers.join_next().await {
        written??;
    }
    Ok(())
}

fn call() -> Call {
    Call::new(Caller::default(), RequestId("bench".to_owned()), NOW)
}

/// About 1 MB of lines of about 300 bytes, with numbers that look like chance.
fn lines() -> Vec<String> {
    let (mut lines, mut bytes, mut chance) = (Vec::new(), 0, 0x9e37_79b9_7f4a_7c15_u64);
    while bytes < 940_000 {
        let mut next = || {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            chance
        };
        let mut line = format!(
            "{{\"level\":\"INFO\",\"logger\":\"com.example.orders.OrderService\",\"traceId\":\"{:016x}{:016x}\",",
            next(),
            next()
        );
        let (user, order, millis) = (next() % 100_000, next() % 10_000_000, next() % 900);
        let _ = write!(
            line,
            "\"userId\":{user},\"orderId\":\"ord-{order:08}\",\"durationMs\":{millis},\"path\":\"/api/v1/orders/{order}\",\
             \"message\":\"order accepted and handed to the warehouse in eu-central-1\"}}"
        );
        bytes += line.len();
        lines.push(line);
    }
    lines
}

struct Total {
    bytes: usize,
    events: usize,
}

impl Total {
    fn report(&self, what: &str, started: &Cost) -> anyhow::Result<()> {
        let now = Cost::now()?;
        let (user_secs, system_secs) =
            (now.user_secs - started.user_secs, now.system_secs - started.system_secs);
        let wall_secs = started.at.elapsed().as_secs_f64();
        let (gigabytes, events) = (self.bytes as f64 / 1e9, self.events as f64);
        println!(
            "{what}: {:.2} GB/s, CPU-s/GB {:.2} user {:.2} system, {:.0} CPU-ns/event ({gigabytes:.2} GB, {events} events)",
            gigabytes / wall_secs,
            user_secs / gigabytes,
            system_secs / gigabytes,
            (user_secs + system_secs) * 1e9 / events,
        );
        Ok(())
    }
}

struct Cost {
    at: Instant,
    user_secs: f64,
    system_secs: f64,
}

impl Cost {
    /// User and system time of this process so far, from `/proc`.
    fn now() -> anyhow::Result<Self> {
        const TICKS_PER_SEC: f64 = 100.0;
        let stat = std::fs::read_to_string("/proc/self/stat").context("this program needs Linux's /proc")?;
        let fields = stat.rsplit_once(')').context("a name in parentheses")?.1;
        let ticks =
            |index: usize| fields.split_whitespace().nth(index).and_then(|field| field.parse::<f64>().ok());
        let (user, system) = (ticks(11).context("user time")?, ticks(12).context("system time")?);
        Ok(Self { at: Instant::now(), user_secs: user / TICKS_PER_SEC, system_secs: system / TICKS_PER_SEC })
    }
}
