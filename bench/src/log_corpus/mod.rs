//! A corpus of log events in a server of one's own: sent as fast as it is taken, flushed and merged, and then
//! searched.
//!
//! The server is this same program by the machine's clock. Events carry the times that their lines say. The
//! processor time of the load is all that the server used until everything was flushed and merged. What is
//! [searched](searches) is chosen from the [corpus]: identifiers that few lines have, in all groups one after
//! the other, as `FilterLogEvents` takes one group. A named directory is kept, and is only searched when the
//! command is given again.

mod corpus;
mod searches;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::future::try_join_all;
use groundwatch_core::{Clock as _, SystemClock};
use serde::Serialize;
use serde_json::{Value, json};

use self::corpus::{Contents, Request};
pub use self::searches::Searches;
use crate::args::BenchArgs;
use crate::client::Failure;
use crate::metric_day::server::OwnServer;
use crate::metric_day::size_of;
use crate::protocol::{Protocol, RequestHead, Service};

/// The server's arguments: what is left in memory is flushed soon.
const SERVE: [&str; 2] = ["--logs-flush-secs", "10"];
/// The server has come to rest when its files stayed the same for so long: longer than anything waits to be
/// merged.
const REST: Duration = Duration::from_secs(80);

/// What it came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogCorpus {
    /// Events.
    pub events: u64,
    /// Bytes of their text.
    pub text_bytes: u64,
    /// Files with their indexes, in bytes.
    pub disk_bytes: u64,
    /// What `zstd -3` makes of the text, a line an event.
    pub zstd_bytes: u64,
    /// What it took to put the corpus there; `None` if it was there already.
    pub load: Option<Load>,
    /// What was asked then.
    pub searches: Searches,
}

/// What it took to put the corpus into a server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Load {
    /// Text that was acknowledged in a second, in millions of bytes, until the last one was.
    pub ingest_mb_per_sec: f64,
    /// Requests that were throttled, and sent again.
    pub throttled: usize,
    /// Processor time of the server for a GB of text, with all flushing and merging.
    pub cpu_secs_per_gb: f64,
    /// Processor time of the server until the last acknowledgement, for a GB of text.
    pub cpu_secs_per_gb_ingest: f64,
    /// The most memory that was resident until then, in millions of bytes.
    pub resident_mb_peak: f64,
}

/// Runs it in a directory of its own, which is deleted afterwards unless it was named.
pub(crate) async fn run(args: &BenchArgs) -> anyhow::Result<LogCorpus> {
    let named = args.data_dir.clone();
    let dir = named.clone().unwrap_or_else(|| {
        PathBuf::from(format!("groundwatch-bench-{}", SystemClock.now().strftime("%Y%m%dT%H%M%S")))
    });
    if let Some(contents) = Contents::load(&dir)? {
        eprintln!("{} holds a corpus, which is searched", dir.display());
        return search(args, &dir, &contents, None).await;
    }
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
    let (contents, requests) = corpus::make(args)?;
    let load = load(args, dir, &contents, requests).await?;
    contents.save(dir)?;
    search(args, dir, &contents, Some(load)).await
}

async fn search(
    args: &BenchArgs,
    dir: &Path,
    contents: &Contents,
    load: Option<Load>,
) -> anyhow::Result<LogCorpus> {
    Ok(LogCorpus {
        events: contents.events,
        text_bytes: contents.text_bytes,
        disk_bytes: size_of(&files_in(dir))?,
        zstd_bytes: contents.zstd_bytes,
        load,
        searches: searches::ask(args, dir, contents).await?,
    })
}

/// Puts the corpus into a server, and waits until everything is flushed and merged.
async fn load(
    args: &BenchArgs,
    dir: &Path,
    contents: &Contents,
    requests: Vec<Request>,
) -> anyhow::Result<Load> {
    let server = OwnServer::start_with(dir, args, &SERVE)?;
    create(&server, args, contents).await?;
    let before = server.process().usage()?;
    let begun = Instant::now();
    eprintln!("sending {} requests", requests.len());
    let throttled = send(&server, args, requests).await?;
    let (load_secs, sent) = (begun.elapsed().as_secs_f64(), server.process().usage()?);
    eprintln!("sent in {load_secs:.0} s; waiting for the server to come to rest");
    rest(&files_in(dir)).await?;
    let rested = server.process().usage()?;
    server.end()?;
    let gigabytes = contents.text_bytes as f64 / 1e9;
    Ok(Load {
        ingest_mb_per_sec: contents.text_bytes as f64 / 1e6 / load_secs,
        throttled,
        cpu_secs_per_gb: (rested.cpu_secs - before.cpu_secs) / gigabytes,
        cpu_secs_per_gb_ingest: (sent.cpu_secs - before.cpu_secs) / gigabytes,
        resident_mb_peak: rested.resident_bytes_peak as f64 / 1e6,
    })
}

fn files_in(dir: &Path) -> PathBuf {
    dir.join("segments").join("log-events")
}

fn logs_head(server: &OwnServer, args: &BenchArgs, operation: &'static str) -> anyhow::Result<RequestHead> {
    Ok(RequestHead::new(Service::Logs, operation, Protocol::Json, &server.endpoint(args)?.address))
}

async fn create(server: &OwnServer, args: &BenchArgs, contents: &Contents) -> anyhow::Result<()> {
    let (of_group, of_stream) =
        (logs_head(server, args, "CreateLogGroup")?, logs_head(server, args, "CreateLogStream")?);
    let mut connection = server.endpoint(args)?.connection();
    for (group, streams) in &contents.groups {
        let _: Value = connection.call_json(&of_group, &json!({"logGroupName": group})).await?;
        for stream in streams {
            let input = json!({"logGroupName": group, "logStreamName": stream});
            let _: Value = connection.call_json(&of_stream, &input).await?;
        }
    }
    Ok(())
}

/// Sends all requests over several connections; how many were throttled on the way.
async fn send(server: &OwnServer, args: &BenchArgs, requests: Vec<Request>) -> anyhow::Result<usize> {
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

impl LogCorpus {
    /// The figures as a table.
    pub(crate) fn table(&self) -> String {
        let of_zstd = self.disk_bytes as f64 / self.zstd_bytes as f64;
        let mut rows = self.load.as_ref().map_or_else(Vec::new, Load::rows);
        rows.push((
            format!("files, indexes included, for an event ({of_zstd:.2} of zstd -3)"),
            format!("{:.1} bytes", self.disk_bytes as f64 / self.events as f64),
        ));
        rows.extend(self.searches.rows());
        let mut table = format!("{} events, {} bytes of text\n\n", self.events, self.text_bytes);
        for (what, figure) in rows {
            writeln!(table, "{what:<72} {figure:>14}").expect("a String takes everything");
        }
        table
    }
}

impl Load {
    fn rows(&self) -> Vec<(String, String)> {
        let rows = [
            ("ingested, acknowledged as durable", format!("{:.0} MB/s", self.ingest_mb_per_sec)),
            ("requests throttled and sent again", self.throttled.to_string()),
            ("server CPU for a GB, flush and merging included", format!("{:.2} s", self.cpu_secs_per_gb)),
            ("  until the last acknowledgement", format!("{:.2} s", self.cpu_secs_per_gb_ingest)),
            ("resident memory, peak", format!("{:.0} MB", self.resident_mb_peak)),
        ];
        rows.into_iter().map(|(what, figure)| (what.to_owned(), figure)).collect()
    }
}
