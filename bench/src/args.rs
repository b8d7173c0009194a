//! The options of `groundwatch bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::body::log_events::BATCH_BYTES_MAX;
use crate::load::{Extent, Plan};
use crate::protocol::Protocol;

/// Put load on a CloudWatch endpoint and measure it.
///
/// Writes metrics and log events through the public AWS API as fast as the endpoint acknowledges them, reads
/// them back, and checks afterwards that what was acknowledged is there. Each run writes into a namespace and
/// log groups of its own, whose names contain the time of its start.
///
/// Requests name a credential scope but are not signed, which is what a server in development mode takes;
/// signing is to come.
#[derive(Args, Clone, Debug)]
pub struct BenchArgs {
    /// What to do
    #[arg(value_enum, default_value_t = Workload::All)]
    pub workload: Workload,

    /// Where the server is: plain HTTP, host and port
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4566")]
    pub endpoint: String,

    /// How long each load is measured, such as 30s or 5m
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub duration: Duration,

    /// Measure until so many requests are acknowledged, however long it takes
    #[arg(long, value_name = "N", conflicts_with = "duration", value_parser = clap::value_parser!(u64).range(1..))]
    pub requests: Option<u64>,

    /// How long to work before the measurement starts
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    pub warmup: Duration,

    /// Connections that work side by side
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = count::<1, 1_000>)]
    pub connections: usize,

    /// Chooses the data: the same seed, the same metrics and lines
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Form of the result
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,

    /// The server's process id, if it cannot be found by its port
    #[arg(long, value_name = "PID")]
    pub server_pid: Option<u32>,

    /// Do not read back what was written
    #[arg(long)]
    pub no_check: bool,

    /// Access key of the credential scope; twelve digits name an account
    #[arg(long, value_name = "KEY", default_value = "000000000000", value_parser = word)]
    pub access_key: String,

    /// Region of the credential scope
    #[arg(long, value_name = "REGION", default_value = "us-east-1", value_parser = word)]
    pub region: String,

    /// Protocol of PutMetricData
    #[arg(long, value_enum, default_value_t = Protocol::Cbor, help_heading = "Metrics")]
    pub protocol: Protocol,

    /// Different metrics, 40 on each imaginary host
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = count::<1, 10_000_000>, help_heading = "Metrics")]
    pub series: usize,

    /// Data in one request
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = count::<1, 1_000>, help_heading = "Metrics")]
    pub data_per_request: usize,

    /// Values in one datum; more than one go as a list
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = count::<1, 150>, help_heading = "Metrics")]
    pub values_per_datum: usize,

    /// Alarms: 5,000 in the simulated month and 50,000 by the real clock unless this says otherwise
    #[arg(long, value_name = "N", value_parser = count::<100, 1_000_000>, help_heading = "Alarms")]
    pub alarms: Option<usize>,

    /// Days that the simulated month has
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = count::<1, 365>, help_heading = "Alarms")]
    pub days: usize,

    /// Minutes of `metric-day`
    #[arg(long, value_name = "N", default_value_t = 1440, value_parser = clap::value_parser!(u32).range(1..=1440), help_heading = "A day of metrics")]
    pub minutes: u32,

    /// Where the server of `metric-day` or `log-corpus` keeps its data, which are kept; otherwise they are
    /// deleted. `log-corpus` only searches a corpus that is there already
    #[arg(long, value_name = "DIR", help_heading = "A day of metrics")]
    pub data_dir: Option<PathBuf>,

    /// A further argument of the server of `metric-day`, such as `--serve=--metrics-memory-mib=64`
    #[arg(long, value_name = "ARGUMENT", allow_hyphen_values = true, help_heading = "A day of metrics")]
    pub serve: Vec<String>,

    /// Log groups
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = count::<1, 1_000_000>, help_heading = "Logs")]
    pub groups: usize,

    /// Log streams in each group
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = count::<1, 1_000_000>, help_heading = "Logs")]
    pub streams: usize,

    /// Text that `log-corpus` sends, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = count::<1, 65_536>, help_heading = "Logs")]
    pub corpus_mib: usize,

    /// Size of one batch, counted as AWS does: message bytes and 26 for each event
    #[arg(long, value_name = "BYTES", default_value_t = BATCH_BYTES_MAX, value_parser = count::<1, BATCH_BYTES_MAX>, help_heading = "Logs")]
    pub batch_bytes: usize,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Write metrics: PutMetricData
    PutMetricData,
    /// Write log events: PutLogEvents in batches of realistic lines
    PutLogEvents,
    /// Write a little, then read: GetMetricStatistics, GetMetricData, GetLogEvents, FilterLogEvents
    Reads,
    /// Send, receive and delete messages of SQS, one at a time on each connection
    Sqs,
    /// Create `--groups` log groups with `--streams` streams each, put an event into every group, and read
    LogGroups,
    /// A month of alarms, simulated: the server must run with `--clock manual`
    AlarmMonth,
    /// One-minute alarms by the real clock, for as many whole minutes as --duration has
    Alarms,
    /// Start a server with a manual clock, give every series a value a minute for a day, and then measure
    /// size on disk, memory, processor time, queries and a restart. Takes no endpoint
    MetricDay,
    /// Start a server, send it `--corpus-mib` of realistic lines, wait until they are flushed and merged, and
    /// then measure size on disk, memory, processor time and searches. Takes no endpoint
    LogCorpus,
    /// All writes and reads one after the other; the reads read what the writes wrote
    All,
}

/// Form of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A few lines for each load
    Text,
    /// One JSON document
    Json,
}

impl BenchArgs {
    pub(crate) fn plan(&self) -> Plan {
        let extent = match self.requests {
            Some(requests) => Extent::Requests(requests),
            None => Extent::Duration(self.duration),
        };
        Plan { warmup: self.warmup, extent }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(duration).map_err(|_| "a duration cannot be negative".to_owned())
}

fn count<const LEAST: usize, const MOST: usize>(text: &str) -> Result<usize, String> {
    let number: usize = text.replace('_', "").parse().map_err(|_| "not a whole number".to_owned())?;
    match number {
        _ if (LEAST..=MOST).contains(&number) => Ok(number),
        _ => Err(format!("must be from {LEAST} to {MOST}")),
    }
}

/// A word that can stand in a header between slashes.
fn word(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !text.is_empty() && text.chars().all(legal) {
        true => Ok(text.to_owned()),
        false => Err("must be of letters, digits, - and _".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        bench: BenchArgs,
    }

    fn parse(arguments: &str) -> Result<BenchArgs, String> {
        let arguments = std::iter::once("bench").chain(arguments.split_whitespace());
        Command::try_parse_from(arguments).map(|command| command.bench).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_all_workloads_at_the_default_endpoint() {
        let args = parse("").expect("every argument has a default");
        assert_eq!((args.workload, &*args.endpoint), (Workload::All, "http://127.0.0.1:4566"));
        assert!(matches!(args.plan().extent, Extent::Duration(Duration { .. })));
    }

    #[test]
    fn words_and_durations_are_read() {
        let args = parse("put-metric-data --protocol query --duration 1m30s --warmup 500ms").expect("legal");
        assert_eq!((args.workload, args.protocol), (Workload::PutMetricData, Protocol::Query));
        assert_eq!((args.duration, args.warmup), (Duration::from_secs(90), Duration::from_millis(500)));
        assert!(matches!(parse("--requests 7").expect("legal").plan().extent, Extent::Requests(7)));
    }

    #[test]
    fn what_the_api_cannot_take_is_refused_at_once() {
        for arguments in [
            "--data-per-request 1001",
            "--values-per-datum 151",
            "--batch-bytes 1048577",
            "--groups 0",
            "--region us/east",
            "--duration -3s",
            "--requests 5 --duration 3s",
        ] {
            assert!(parse(arguments).is_err(), "{arguments}");
        }
    }
}
