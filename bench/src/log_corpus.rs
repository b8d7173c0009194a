//! A corpus of log events in a server of one's own: sent as fast as it is taken, flushed and merged, and then searched.
//!
//! The server is this same program by the machine's clock. Events carry the times that their lines say. The processor time
//! of the load is all that the server used until everything was flushed and merged. What is searched is chosen from the
//! corpus: identifiers that few lines have, in all groups one after the other, as `FilterLogEvents` takes one group.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::future::try_join_all;
use groundwatch_core::{Clock as _, SystemClock};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::BenchArgs;
use crate::body::log_events::{BATCH_EVENTS_MAX, EVENT_OVERHEAD_BYTES, head, tail};
use crate::client::{Connection, Failure};
use crate::corpus::logs::{Event, Fleet, Generator};
use crate::metric_day::server::OwnServer;
use crate::metric_day::size_of;
use crate::protocol::{Protocol, RequestHead, Service};

/// How long before now the corpus begins.
const AGE: Duration = Duration::from_secs(60 * 60);
/// The server's arguments: what is left in memory is flushed soon.
const SERVE: [&str; 2] = ["--logs-flush-secs", "10"];
/// The server has come to rest when its files stayed the same for so long: longer than anything waits to be merged.
const REST: Duration = Duration::from_secs(80);
/// How often words are looked for, and tails are read.
const ASKED: usize = 20;
/// No line has it, and every line is looked at.
const EXPRESSION: &str = "%status=9[0-9][0-9] |took [0-9]+ years%";

/// What it came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogCorpus {
    /// Events.
    pub events: u64,
    /// Bytes of their text.
    pub text_bytes: u64,
    /// Text that was acknowledged in a second, in millions of bytes, until the last one was.
    pub ingest_mb_per_sec: f64,
    /// Requests that were throttled, and sent again.
    pub throttled: usize,
    /// Processor time of the server for a GB of text, with all flushing and merging.
    pub cpu_secs_per_gb: f64,
    /// Processor time of the server until the last acknowledgement, for a GB of text.
    pub cpu_secs_per_gb_ingest: f64,
    /// The most memory that was resident at any time, in millions of bytes.
    pub resident_mb_peak: f64,
    /// Files with their indexes, in bytes.
    pub disk_bytes: u64,
    /// What `zstd -3` makes of the text, a line an event.
    pub zstd_bytes: u64,
    /// A rare word in all groups, right after a restart, in milliseconds.
    pub rare_word_cold_ms: f64,
    /// The same, when others were looked for before: the median.
    pub rare_word_warm_ms: f64,
    /// The last 100 events of a stream, in milliseconds: the median over streams, after a restart.
    pub last_100_ms: f64,
    /// Text that a regular expression passes over in a second, in billions of bytes.
    pub regex_gb_per_sec: f64,
}

/// The names of a group and of a stream.
type Stream = (Arc<str>, Arc<str>);

/// The corpus, encoded.
struct Corpus {
    groups: Vec<(Arc<str>, Vec<Arc<str>>)>,
    /// The body of each request, before and from its events on.
    requests: Vec<(Bytes, Bytes)>,
    events: u64,
    text_bytes: u64,
    zstd_bytes: u64,
    rare_words: Vec<String>,
}

/// Runs it in a directory of its own, which is deleted afterwards unless it was named.
pub(crate) async fn run(args: &BenchArgs) -> anyhow::Result<LogCorpus> {
    let named = args.data_dir.clone();
    let dir = named.clone().unwrap_or_else(|| {
        PathBuf::from(format!("groundwatch-bench-{}", SystemClock.now().strftime("%Y%m%dT%H%M%S")))
    });
    anyhow::ensure!(!dir.exists(), "{} is there already: the corpus needs an empty directory", dir.display());
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let outcome = measure(args, &dir).await;
    if named.is_none() {
        std::fs::remove_dir_all(&dir).with_context(|| format!("cannot delete {}", dir.display()))?;
    }
    outcome
}

async fn measure(args: &BenchArgs, dir: &Path) -> anyhow::Result<LogCorpus> {
    eprintln!("making {} MiB of lines", args.corpus_mib);
    let mut corpus = Corpus::new(args)?;
    let server = OwnServer::start_with(dir, args, &SERVE)?;
    create(&server, args, &corpus).await?;
    let before = server.process().usage()?;
    let begun = Instant::now();
    let requests = std::mem::take(&mut corpus.requests);
    eprintln!("sending {} requests", requests.len());
    let throttled = send(&server, args, requests).await?;
    let (load_secs, sent) = (begun.elapsed().as_secs_f64(), server.process().usage()?);
    eprintln!("sent in {load_secs:.0} s; waiting for the server to come to rest");
    let files = dir.join("segments").join("log-events");
    rest(&files).await?;
    let rested = server.process().usage()?;
    let disk_bytes = size_of(&files)?;
    server.end()?;

    let server = OwnServer::start_with(dir, args, &SERVE)?;
    let mut asking = Asking::new(&server, args)?;
    let (mut words, mut cold) = (Vec::new(), None);
    for word in corpus.rare_words.iter().take(ASKED) {
        let (ms, found) = asking.search(&corpus, &format!("\"{word}\"")).await?;
        anyhow::ensure!(found > 0, "`{word}` was sent and is not found");
        match cold {
            None => cold = Some(ms),
            Some(_) => words.push(ms),
        }
    }
    server.end()?;
    let server = OwnServer::start_with(dir, args, &SERVE)?;
    let mut asking = Asking::new(&server, args)?;
    let mut tails = Vec::new();
    for (group, streams) in &corpus.groups {
        for stream in streams.iter().take(ASKED.div_ceil(10)) {
            tails.push(asking.last_events(group, stream).await?);
        }
    }
    let (regex_ms, found) = asking.search(&corpus, EXPRESSION).await?;
    anyhow::ensure!(found == 0, "the expression was found, which no line has");
    let last = server.process().usage()?;
    server.end()?;
    let gigabytes = corpus.text_bytes as f64 / 1e9;
    Ok(LogCorpus {
        events: corpus.events,
        text_bytes: corpus.text_bytes,
        ingest_mb_per_sec: corpus.text_bytes as f64 / 1e6 / load_secs,
        throttled,
        cpu_secs_per_gb: (rested.cpu_secs - before.cpu_secs) / gigabytes,
        cpu_secs_per_gb_ingest: (sent.cpu_secs - before.cpu_secs) / gigabytes,
        resident_mb_peak: rested.resident_bytes_peak.max(last.resident_bytes_peak) as f64 / 1e6,
        disk_bytes,
        zstd_bytes: corpus.zstd_bytes,
        rare_word_cold_ms: cold.context("no word was looked for")?,
        rare_word_warm_ms: median(words),
        last_100_ms: median(tails),
        regex_gb_per_sec: gigabytes / regex_ms * 1e3,
    })
}

impl Corpus {
    fn new(args: &BenchArgs) -> anyhow::Result<Self> {
        let fleet = Fleet {
            groups: args.groups,
            streams_per_group: args.streams,
            start: SystemClock.now() - AGE,
            ..Fleet::default()
        };
        let mut generator = Generator::of(&fleet, args.seed);
        let groups = generator.groups().map(|(group, streams)| (group.clone(), streams.to_vec())).collect();
        let mut zstd = zstd::stream::write::Encoder::new(Counter(0), 3)?;
        let mut corpus = Self {
            groups,
            requests: Vec::new(),
            events: 0,
            text_bytes: 0,
            zstd_bytes: 0,
            rare_words: Vec::new(),
        };
        let mut waiting: BTreeMap<Stream, (Vec<Event>, usize)> = BTreeMap::new();
        while corpus.text_bytes < (args.corpus_mib as u64) << 20 {
            let event = generator.next().context("the corpus has no end")?;
            zstd.write_all(event.message.as_bytes())?;
            zstd.write_all(b"\n")?;
            corpus.events += 1;
            corpus.text_bytes += event.message.len() as u64;
            if corpus.events.is_multiple_of(50_021) {
                corpus.rare_words.extend(rare_word(&event.message));
            }
            let size = event.message.len() + EVENT_OVERHEAD_BYTES;
            let (events, bytes) = waiting.entry((event.group.clone(), event.stream.clone())).or_default();
            if *bytes + size > args.batch_bytes || events.len() == BATCH_EVENTS_MAX {
                corpus.requests.push(request(events));
                (*events, *bytes) = (Vec::new(), 0);
            }
            *bytes += size;
            events.push(event);
        }
        corpus.requests.extend(waiting.into_values().map(|(events, _)| request(&events)));
        corpus.zstd_bytes = zstd.finish()?.0;
        Ok(corpus)
    }
}

/// Counts what is written to it.
struct Counter(u64);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn request(events: &[Event]) -> (Bytes, Bytes) {
    let Some(newest) = events.last() else { return Default::default() };
    (head(&newest.group, &newest.stream), tail(events).stamped(newest.timestamp))
}

fn rare_word(message: &str) -> Option<String> {
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric());
    words.find(|word| word.len() == 32).map(str::to_owned)
}

fn logs_head(server: &OwnServer, args: &BenchArgs, operation: &'static str) -> anyhow::Result<RequestHead> {
    Ok(RequestHead::new(Service::Logs, operation, Protocol::Json, &server.endpoint(args)?.address))
}

async fn create(server: &OwnServer, args: &BenchArgs, corpus: &Corpus) -> anyhow::Result<()> {
    let (of_group, of_stream) =
        (logs_head(server, args, "CreateLogGroup")?, logs_head(server, args, "CreateLogStream")?);
    let mut connection = server.endpoint(args)?.connection();
    for (group, streams) in &corpus.groups {
        let _: Value = connection.call_json(&of_group, &json!({"logGroupName": **group})).await?;
        for stream in streams {
            let input = json!({"logGroupName": **group, "logStreamName": **stream});
            let _: Value = connection.call_json(&of_stream, &input).await?;
        }
    }
    Ok(())
}

/// Sends all requests over several connections; how many were throttled on the way.
async fn send(server: &OwnServer, args: &BenchArgs, requests: Vec<(Bytes, Bytes)>) -> anyhow::Result<usize> {
    let (next, throttled) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let put = logs_head(server, args, "PutLogEvents")?;
    let endpoint = server.endpoint(args)?;
    let worker = async || -> anyhow::Result<()> {
        let mut connection = endpoint.connection();
        while let Some((head, tail)) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
            loop {
                match connection.call(&put, head.clone(), tail.clone()).await {
                    Ok(answer) => {
                        let answer: Value = serde_json::from_slice(&answer)?;
                        anyhow::ensure!(
                            answer["rejectedLogEventsInfo"].is_null(),
                            "events were rejected: {answer}"
                        );
                        break;
                    }
                    Err(Failure::Throttled { .. }) => {
                        throttled.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    Err(failure) => return Err(failure.into()),
                }
            }
        }
        Ok(())
    };
    try_join_all((0..args.connections).map(|_| worker())).await?;
    Ok(throttled.into_inner())
}

/// Waits until the files in a directory have not changed for a while.
async fn rest(dir: &Path) -> anyhow::Result<()> {
    let (mut last, mut since) = (Vec::new(), Instant::now());
    while since.elapsed() < REST {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let Ok(files) = std::fs::read_dir(dir) else { continue };
        let mut names: Vec<_> = files.flatten().map(|file| file.file_name()).collect();
        names.sort();
        if names != last {
            (last, since) = (names, Instant::now());
        }
    }
    Ok(())
}

/// A connection that asks.
struct Asking {
    connection: Connection,
    filter: RequestHead,
    get: RequestHead,
}

impl Asking {
    fn new(server: &OwnServer, args: &BenchArgs) -> anyhow::Result<Self> {
        Ok(Self {
            connection: server.endpoint(args)?.connection(),
            filter: logs_head(server, args, "FilterLogEvents")?,
            get: logs_head(server, args, "GetLogEvents")?,
        })
    }

    /// Looks for a pattern in all groups: milliseconds, and how many events were found.
    async fn search(&mut self, corpus: &Corpus, pattern: &str) -> anyhow::Result<(f64, usize)> {
        let (begun, mut found) = (Instant::now(), 0);
        for (group, _) in &corpus.groups {
            let mut input = json!({"logGroupName": **group, "filterPattern": pattern});
            loop {
                let mut page: Value = self.connection.call_json(&self.filter, &input).await?;
                found += page["events"].as_array().map_or(0, Vec::len);
                match page["nextToken"].take() {
                    Value::Null => break,
                    token => input["nextToken"] = token,
                }
            }
        }
        Ok((begun.elapsed().as_secs_f64() * 1e3, found))
    }

    /// The last 100 events of a stream: milliseconds.
    async fn last_events(&mut self, group: &str, stream: &str) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let input = json!({"logGroupName": group, "logStreamName": stream, "limit": 100});
        let page: Value = self.connection.call_json(&self.get, &input).await?;
        anyhow::ensure!(
            page["events"].as_array().is_some_and(|events| events.len() == 100),
            "a stream is short"
        );
        Ok(begun.elapsed().as_secs_f64() * 1e3)
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

impl LogCorpus {
    /// The figures as a table.
    pub(crate) fn table(&self) -> String {
        let of_zstd = self.disk_bytes as f64 / self.zstd_bytes as f64;
        let rows = [
            ("ingested, acknowledged as durable".to_owned(), format!("{:.0} MB/s", self.ingest_mb_per_sec)),
            ("requests throttled and sent again".to_owned(), self.throttled.to_string()),
            (
                "server CPU for a GB, flush and merging included".to_owned(),
                format!("{:.2} s", self.cpu_secs_per_gb),
            ),
            ("  until the last acknowledgement".to_owned(), format!("{:.2} s", self.cpu_secs_per_gb_ingest)),
            ("resident memory, peak".to_owned(), format!("{:.0} MB", self.resident_mb_peak)),
            (
                format!("files, indexes included, for an event ({of_zstd:.2} of zstd -3)"),
                format!("{:.1} bytes", self.disk_bytes as f64 / self.events as f64),
            ),
            (
                "a rare word in all groups, after a restart".to_owned(),
                format!("{:.1} ms", self.rare_word_cold_ms),
            ),
            ("a rare word in all groups, again".to_owned(), format!("{:.1} ms", self.rare_word_warm_ms)),
            ("the last 100 events of a stream".to_owned(), format!("{:.2} ms", self.last_100_ms)),
            ("a regular expression over everything".to_owned(), format!("{:.2} GB/s", self.regex_gb_per_sec)),
        ];
        let mut table = format!("{} events, {} bytes of text\n\n", self.events, self.text_bytes);
        for (what, figure) in rows {
            writeln!(table, "{what:<72} {figure:>14}").expect("a String takes everything");
        }
        table
    }
}
