//! What is asked of a server that holds a corpus, each time after a restart.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::{Value, json};

use super::corpus::Contents;
use super::{SERVE, logs_head};
use crate::args::BenchArgs;
use crate::client::Connection;
use crate::metric_day::server::OwnServer;
use crate::protocol::RequestHead;

/// How often words are looked for, and of how many streams tails are read.
const ASKED: usize = 20;
/// No line has it. What must occur in those that do tells which files need not be looked at.
const EXPRESSION: &str = "%status=9[0-9][0-9] |took [0-9]+ years%";
/// No line has it, and nothing tells so but looking at every line.
const EXPRESSION_WITHOUT_WORDS: &str = "%[A-Z]{14}[0-9]%";

/// How long searches took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Searches {
    /// A rare word in all groups, right after a restart, in milliseconds.
    pub rare_word_cold_ms: f64,
    /// The same, when others were looked for before: the median.
    pub rare_word_warm_ms: f64,
    /// Processor time of the server for one of those, in milliseconds.
    pub rare_word_warm_cpu_ms: f64,
    /// The last 100 events of a stream, in milliseconds: the median over streams, after a restart.
    pub last_100_ms: f64,
    /// The same once more.
    pub last_100_again_ms: f64,
    /// Text that a regular expression passes over in a second, in billions of bytes.
    pub regex_gb_per_sec: f64,
    /// The same for an expression that may be anywhere.
    pub plain_regex_gb_per_sec: f64,
    /// Processor time of the server for a GB of that.
    pub plain_regex_cpu_secs_per_gb: f64,
    /// The most memory that was resident at any time, in bytes.
    #[serde(skip)]
    pub(super) resident_bytes_peak: u64,
}

/// Asks everything.
pub(super) async fn ask(args: &BenchArgs, dir: &Path, contents: &Contents) -> anyhow::Result<Searches> {
    let words = words(args, dir, contents).await?;
    let server = OwnServer::start_with(dir, args, &SERVE)?;
    let mut asking = Asking::new(&server, args)?;
    let (first, again) = (asking.tails(contents).await?, asking.tails(contents).await?);
    let gigabytes = contents.text_bytes as f64 / 1e9;
    let regex_ms = asking.in_vain(contents, EXPRESSION).await?;
    let before = server.process().usage()?;
    let plain_regex_ms = asking.in_vain(contents, EXPRESSION_WITHOUT_WORDS).await?;
    let after = server.process().usage()?;
    server.end()?;
    Ok(Searches {
        rare_word_cold_ms: words.cold_ms,
        rare_word_warm_ms: words.warm_ms,
        rare_word_warm_cpu_ms: words.warm_cpu_secs * 1e3,
        last_100_ms: first,
        last_100_again_ms: again,
        regex_gb_per_sec: gigabytes / regex_ms * 1e3,
        plain_regex_gb_per_sec: gigabytes / plain_regex_ms * 1e3,
        plain_regex_cpu_secs_per_gb: (after.cpu_secs - before.cpu_secs) / gigabytes,
        resident_bytes_peak: words.resident_bytes_peak.max(after.resident_bytes_peak),
    })
}

/// What looking for rare words took.
struct Words {
    cold_ms: f64,
    warm_ms: f64,
    warm_cpu_secs: f64,
    resident_bytes_peak: u64,
}

async fn words(args: &BenchArgs, dir: &Path, contents: &Contents) -> anyhow::Result<Words> {
    let server = OwnServer::start_with(dir, args, &SERVE)?;
    let mut asking = Asking::new(&server, args)?;
    let mut words = contents.rare_words.iter().take(ASKED);
    let cold_ms = asking.word(contents, words.next().context("no word is rare")?).await?;
    let (before, mut warm) = (server.process().usage()?, Vec::new());
    for word in words {
        warm.push(asking.word(contents, word).await?);
    }
    let after = server.process().usage()?;
    server.end()?;
    let warm_cpu_secs = (after.cpu_secs - before.cpu_secs) / warm.len() as f64;
    let resident_bytes_peak = after.resident_bytes_peak;
    Ok(Words { cold_ms, warm_ms: median(warm), warm_cpu_secs, resident_bytes_peak })
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

    /// Looks for a word that is there: milliseconds.
    async fn word(&mut self, contents: &Contents, word: &str) -> anyhow::Result<f64> {
        let (ms, found) = self.search(contents, &format!("\"{word}\"")).await?;
        anyhow::ensure!(found > 0, "`{word}` was sent and is not found");
        Ok(ms)
    }

    /// Looks for a pattern that is nowhere: milliseconds.
    async fn in_vain(&mut self, contents: &Contents, pattern: &str) -> anyhow::Result<f64> {
        let (ms, found) = self.search(contents, pattern).await?;
        anyhow::ensure!(found == 0, "`{pattern}` was found, which no line has");
        Ok(ms)
    }

    /// Looks for a pattern in all groups: milliseconds, and how many events were found.
    async fn search(&mut self, contents: &Contents, pattern: &str) -> anyhow::Result<(f64, usize)> {
        let (begun, mut found) = (Instant::now(), 0);
        for (group, _) in &contents.groups {
            let mut input = json!({"logGroupName": group, "filterPattern": pattern});
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

    /// The last 100 events of some streams of each group: the median in milliseconds.
    async fn tails(&mut self, contents: &Contents) -> anyhow::Result<f64> {
        let mut tails = Vec::new();
        for (group, streams) in &contents.groups {
            for stream in streams.iter().take(ASKED.div_ceil(10)) {
                let begun = Instant::now();
                let input = json!({"logGroupName": group, "logStreamName": stream, "limit": 100});
                let page: Value = self.connection.call_json(&self.get, &input).await?;
                let events = page["events"].as_array().map_or(0, Vec::len);
                anyhow::ensure!(events == 100, "a stream is short");
                tails.push(begun.elapsed().as_secs_f64() * 1e3);
            }
        }
        Ok(median(tails))
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Searches {
    /// The figures as rows of a table.
    pub(super) fn rows(&self) -> Vec<(String, String)> {
        let ms = |ms: f64| format!("{ms:.2} ms");
        let rows = [
            ("a rare word in all groups, after a restart", ms(self.rare_word_cold_ms)),
            ("a rare word in all groups, again", ms(self.rare_word_warm_ms)),
            ("  server CPU for one", ms(self.rare_word_warm_cpu_ms)),
            ("the last 100 events of a stream", ms(self.last_100_ms)),
            ("the last 100 events of a stream, again", ms(self.last_100_again_ms)),
            ("a regular expression over everything", format!("{:.2} GB/s", self.regex_gb_per_sec)),
            ("the same without words", format!("{:.2} GB/s", self.plain_regex_gb_per_sec)),
            ("  server CPU for a GB", format!("{:.2} s", self.plain_regex_cpu_secs_per_gb)),
            ("resident memory, peak in searches", format!("{:.0} MB", self.resident_bytes_peak as f64 / 1e6)),
        ];
        rows.into_iter().map(|(what, figure)| (what.to_owned(), figure)).collect()
    }
}
