//! A day of metrics in a server of one's own: loaded, flushed and compacted as on any day, and then read.
//!
//! The server is this same program with a [manual clock](server), so that its background work is done when it
//! would be due, and is in the figures: the processor time of the load is all that the server used until the
//! day was compacted. The way through: [`load`] (a request for each thousand series, minute by minute) → the
//! clock goes on until the day is over → size on disk → [`questions`] → the server is ended and started
//! again.

mod load;
mod questions;
pub(crate) mod server;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use groundwatch_core::{Clock as _, SystemClock, Timestamp};
use serde::Serialize;

use self::load::Load;
use self::questions::Question;
use self::server::OwnServer;
use crate::args::BenchArgs;
use crate::corpus::metrics::Fleet;

const NAMESPACE: &str = "GroundwatchBench/Day";
const DAY_SECS: u32 = 24 * 60 * 60;
/// How long after its end a day is compacted for good.
const COMPACTED_AFTER: Duration = Duration::from_secs(3 * 60 * 60);
/// A question is asked so often, but no longer than so long.
const ASKED: usize = 300;
const ASKED_FOR: Duration = Duration::from_secs(6);

/// What the day came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricDay {
    /// Series.
    pub series: usize,
    /// Minutes, of each a value in every series.
    pub minutes: u32,
    /// All values.
    pub values: u64,
    /// Seconds that the load took, with all flushing and compaction that was due meanwhile and after it.
    pub load_secs: f64,
    /// Processor time that the server used for that, for a million values.
    pub cpu_secs_per_million: f64,
    /// The most memory that was resident, in millions of bytes.
    pub resident_mb_peak: f64,
    /// Memory that was resident in the end.
    pub resident_mb: f64,
    /// Blocks on disk, with their indexes.
    pub bytes_per_value: f64,
    /// Answers.
    pub questions: Vec<Asked>,
    /// From the start of the process to its first answer, after it was ended in order.
    pub restart_secs: f64,
}

/// How long a question took to be answered: from the start of sending to the whole answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Asked {
    /// What was asked.
    pub question: String,
    /// How often.
    pub times: usize,
    /// Half of the answers took no longer.
    pub p50_ms: f64,
    /// 99 in 100 took no longer.
    pub p99_ms: f64,
    /// The length of an answer, in bytes.
    pub answer_bytes: usize,
}

/// Runs the day in a directory of its own, which is deleted afterwards unless it was named.
pub(crate) async fn run(args: &BenchArgs) -> anyhow::Result<MetricDay> {
    let start = (SystemClock.now() + Duration::from_secs(DAY_SECS.into())).floor_to(DAY_SECS);
    let named = args.data_dir.clone();
    let dir = named.clone().unwrap_or_else(|| {
        PathBuf::from(format!("groundwatch-bench-{}", SystemClock.now().strftime("%Y%m%dT%H%M%S")))
    });
    anyhow::ensure!(!dir.exists(), "{} is there already: a day needs an empty directory", dir.display());
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let outcome = measure(args, &dir, start).await;
    if named.is_none() {
        std::fs::remove_dir_all(&dir).with_context(|| format!("cannot delete {}", dir.display()))?;
    }
    outcome
}

async fn measure(args: &BenchArgs, dir: &Path, start: Timestamp) -> anyhow::Result<MetricDay> {
    let server = OwnServer::start(dir, args)?;
    server.set_clock(start).await?;
    let before = server.process().usage()?;
    let begun = Instant::now();
    let mut load = Load::new(args, &server, Fleet::new(args.seed, args.series));
    let minutes = args.minutes;
    for minute in 0..minutes {
        let now = start + Duration::from_secs(60 * u64::from(minute));
        server.set_clock(now).await?;
        load.put(now).await?;
        if minute % 60 == 59 {
            eprintln!("put {} of {minutes} minutes in {:.0} s", minute + 1, begun.elapsed().as_secs_f64());
        }
    }
    let end = start + Duration::from_secs(60 * u64::from(minutes));
    let over = start + Duration::from_secs(DAY_SECS.into()) + COMPACTED_AFTER;
    server.set_clock(over).await?;
    let (load_secs, after) = (begun.elapsed().as_secs_f64(), server.process().usage()?);
    let values = args.series as u64 * u64::from(minutes);
    let bytes = size_of(&dir.join("segments").join("metrics"))?;

    let mut asked = Vec::new();
    for question in questions::all(load.fleet(), NAMESPACE, (start, end)) {
        eprintln!("ask: {}", question.text);
        asked.push(ask(&server, args, &question).await?);
    }
    let resident_bytes_peak = server.process().usage()?.resident_bytes_peak;
    let resident_mb = server.process().resident_bytes()? as f64 / 1e6;
    let restart_secs = restart(server, args, dir, &load, (start, end)).await?;
    Ok(MetricDay {
        series: args.series,
        minutes,
        values,
        load_secs,
        cpu_secs_per_million: (after.cpu_secs - before.cpu_secs) / values as f64 * 1e6,
        resident_mb_peak: resident_bytes_peak as f64 / 1e6,
        resident_mb,
        bytes_per_value: bytes as f64 / values as f64,
        questions: asked,
        restart_secs,
    })
}

/// Asks once to warm up, and then again and again on one connection.
async fn ask(server: &OwnServer, args: &BenchArgs, question: &Question) -> anyhow::Result<Asked> {
    let mut connection = server.endpoint(args)?.connection();
    let head = server.head(args, question.operation)?;
    let mut times = Vec::new();
    let mut answer_bytes = 0;
    let begun = Instant::now();
    for number in 0..=ASKED {
        if number > 2 && begun.elapsed() > ASKED_FOR {
            break;
        }
        let sent = Instant::now();
        let mut taken = Duration::ZERO;
        for body in &question.bodies {
            let answer = connection.call(&head, bytes::Bytes::new(), body.clone()).await;
            let answer = answer.with_context(|| question.text.clone())?;
            taken = sent.elapsed();
            question.check(&answer).with_context(|| question.text.clone())?;
            answer_bytes = answer.len();
        }
        if number > 0 {
            times.push(taken.as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    Ok(Asked {
        question: question.text.clone(),
        times: times.len(),
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        answer_bytes,
    })
}

async fn restart(
    server: OwnServer,
    args: &BenchArgs,
    dir: &Path,
    load: &Load,
    range: (Timestamp, Timestamp),
) -> anyhow::Result<f64> {
    server.end()?;
    let begun = Instant::now();
    let server = OwnServer::start(dir, args)?;
    let first = questions::all(load.fleet(), NAMESPACE, range).into_iter().next();
    let first = first.context("there are questions")?;
    let head = server.head(args, first.operation)?;
    let mut connection = server.endpoint(args)?.connection();
    for body in &first.bodies {
        let answer = connection.call(&head, bytes::Bytes::new(), body.clone()).await?;
        first.check(&answer)?;
    }
    let restart_secs = begun.elapsed().as_secs_f64();
    server.end()?;
    Ok(restart_secs)
}

/// The sizes of all files in a directory.
pub(crate) fn size_of(dir: &Path) -> anyhow::Result<u64> {
    let files =
        std::fs::read_dir(dir).with_context(|| format!("nothing was flushed to {}", dir.display()))?;
    files.into_iter().try_fold(0, |sum, file| Ok(sum + file?.metadata()?.len()))
}

impl MetricDay {
    /// The figures as a table.
    pub(crate) fn table(&self) -> String {
        let mut table = format!(
            "{} series × {} minutes = {} values, loaded, flushed and compacted in {:.0} s\n\n",
            self.series, self.minutes, self.values, self.load_secs
        );
        let mut row = |what: &str, figure: String| writeln!(table, "{what:<72} {figure:>14}");
        let rows = [
            row(
                "server CPU for a million values, flush and compaction included",
                format!("{:.2} s", self.cpu_secs_per_million),
            ),
            row("resident memory, peak", format!("{:.0} MB", self.resident_mb_peak)),
            row("resident memory after the questions", format!("{:.0} MB", self.resident_mb)),
            row(
                "blocks on disk, indexes included, for a value",
                format!("{:.3} bytes", self.bytes_per_value),
            ),
            row("restart, to the first answer", format!("{:.2} s", self.restart_secs)),
        ];
        let asked = self.questions.iter().map(|asked| {
            let what = format!("{} ({} times)", asked.question, asked.times);
            row(&what, format!("{:.2} / {:.2} ms", asked.p50_ms, asked.p99_ms))
        });
        rows.into_iter()
            .chain(asked.collect::<Vec<_>>())
            .collect::<Result<(), _>>()
            .expect("a String takes everything");
        table
    }
}
