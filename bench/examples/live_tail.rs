//! How soon live tail shows an event after its acknowledgement, to fifteen sessions while others write.
//!
//! ```sh
//! groundwatch serve &
//! cargo run --release -p groundwatch-bench --example live_tail -- 127.0.0.1:4566 [SECONDS]
//! ```
//!
//! Four connections write batches of 500 lines without a pause; a fifth puts a marked event every 50 ms, and
//! notes when it was acknowledged. Each session follows the group with a filter pattern that only marked
//! events match.

#![expect(clippy::print_stdout, reason = "a program that reports figures")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use bytes::{Buf as _, Bytes, BytesMut};
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

const SESSIONS: usize = 15;
const WRITERS: usize = 4;
const LINES: usize = 500;
const MARK_EVERY: Duration = Duration::from_millis(50);
/// The first marks only warm up.
const UNMEASURED: usize = 20;

/// When each mark was acknowledged.
type Acknowledged = Arc<Mutex<Vec<Instant>>>;

/// Each mark as each session saw it: how long after its acknowledgement.
type Seen = Arc<Mutex<Vec<(usize, Duration)>>>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:4566".to_owned());
    let seconds: u64 = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let group = format!("/bench/live-tail/{}", now_millis());
    let mut client = Client::connect(&address).await?;
    client.call("CreateLogGroup", &json!({ "logGroupName": group })).await?;
    for stream in (0..=WRITERS).map(|number| number.to_string()) {
        client.call("CreateLogStream", &json!({ "logGroupName": group, "logStreamName": stream })).await?;
    }

    let (acknowledged, seen) = (Acknowledged::default(), Seen::default());
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        let answer = Client::connect(&address).await?.follow(&group).await?;
        sessions.push(tokio::spawn(session(answer, Arc::clone(&acknowledged), Arc::clone(&seen))));
    }
    for number in 0..WRITERS {
        let (address, group) = (address.clone(), group.clone());
        tokio::spawn(async move { write(&address, &group, number).await });
    }
    let marks = usize::try_from(Duration::from_secs(seconds).as_millis() / MARK_EVERY.as_millis())?;
    let mut ticks = tokio::time::interval(MARK_EVERY);
    for mark in 0..marks {
        ticks.tick().await;
        client.put(&group, WRITERS, &[format!("MARK {mark} ")]).await?;
        acknowledged.lock().expect("not poisoned").push(Instant::now());
    }
    tokio::time::sleep(Duration::from_secs(2)).await;

    for session in sessions {
        ensure!(!session.is_finished(), "a session ended early");
        session.abort();
    }
    let seen = seen.lock().expect("not poisoned");
    let mut latencies = Histogram::<u64>::new(3)?;
    for (_, latency) in seen.iter().filter(|(mark, _)| *mark >= UNMEASURED) {
        latencies.record(u64::try_from(latency.as_micros())?)?;
    }
    let shown = seen.len();
    let quantile = |quantile: f64| latencies.value_at_quantile(quantile) as f64 / 1000.0;
    println!("{SESSIONS} sessions, {marks} marked events, {shown} of {} shown", marks * SESSIONS);
    println!(
        "shown after acknowledgement, ms: p50 {:.1}, p99 {:.1}, max {:.1}",
        quantile(0.5),
        quantile(0.99),
        quantile(1.0)
    );
    ensure!(shown == marks * SESSIONS, "events are missing");
    Ok(())
}

/// Reads frames until it is stopped.
async fn session(answer: Response<Incoming>, acknowledged: Acknowledged, seen: Seen) -> anyhow::Result<()> {
    let mut body = answer.into_body();
    let mut buffer = BytesMut::new();
    loop {
        let frame = body.frame().await.context("the session ended")??;
        buffer.extend_from_slice(&frame.into_data().unwrap_or_default());
        let arrived = Instant::now();
        while buffer.len() >= 4 {
            let length = (&buffer[..4]).get_u32() as usize;
            if buffer.len() < length {
                break;
            }
            let frame = buffer.split_to(length);
            let text = String::from_utf8_lossy(&frame);
            for mark in
                text.split("MARK ").skip(1).filter_map(|rest| rest.split(' ').next()?.parse::<usize>().ok())
            {
                // An event may be shown before the writer has seen its acknowledgement.
                let at = acknowledged.lock().expect("not poisoned").get(mark).copied().unwrap_or(arrived);
                seen.lock().expect("not poisoned").push((mark, arrived.saturating_duration_since(at)));
            }
        }
    }
}

async fn write(address: &str, group: &str, number: usize) -> anyhow::Result<()> {
    let mut client = Client::connect(address).await?;
    let lines: Vec<String> =
        (0..LINES).map(|line| format!("INFO request {line} {}", "x".repeat(280))).collect();
    loop {
        client.put(group, number, &lines).await?;
    }
}

struct Client {
    address: String,
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    async fn connect(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { address: address.to_owned(), sender })
    }

    async fn put(&mut self, group: &str, stream: usize, lines: &[String]) -> anyhow::Result<()> {
        let now = now_millis();
        let events: Vec<Value> =
            lines.iter().map(|line| json!({ "timestamp": now, "message": line })).collect();
        let input =
            json!({ "logGroupName": group, "logStreamName": stream.to_string(), "logEvents": events });
        // A throttled batch is dropped: this is load.
        let answer = self.send("PutLogEvents", &input).await?;
        answer.into_body().collect().await?;
        Ok(())
    }

    async fn follow(mut self, group: &str) -> anyhow::Result<Response<Incoming>> {
        let input = json!({ "logGroupIdentifiers": [group], "logEventFilterPattern": "MARK" });
        let answer = self.send("StartLiveTail", &input).await?;
        ensure!(answer.status().is_success(), "StartLiveTail: {}", answer.status());
        Ok(answer)
    }

    async fn call(&mut self, operation: &str, input: &Value) -> anyhow::Result<()> {
        let answer = self.send(operation, input).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "{operation}: {}", String::from_utf8_lossy(&body));
        Ok(())
    }

    async fn send(&mut self, operation: &str, input: &Value) -> anyhow::Result<Response<Incoming>> {
        self.sender.ready().await?;
        let request = Request::post("/")
            .header("host", &self.address)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("Logs_20140328.{operation}"))
            .body(Full::from(input.to_string()))?;
        Ok(self.sender.send_request(request).await?)
    }
}

fn now_millis() -> u128 {
    UNIX_EPOCH.elapsed().expect("after 1970").as_millis()
}
