//! The command line, as `groundwatch --help` shows it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

/// CloudWatch that you run yourself: metrics, logs, alarms and notifications behind one AWS-compatible
/// endpoint.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  groundwatch serve                                   start on http://127.0.0.1:4566
  aws --endpoint-url http://127.0.0.1:4566 cloudwatch list-metrics
  groundwatch serve --clock manual                    time stands still until you move it:
  curl -X POST localhost:4566/_groundwatch/clock -d '{\"advance\":\"PT20M\"}'
  groundwatch backtest --alarm cpu.json --from 2026-01-01T00:00:00Z --to 2026-01-31T00:00:00Z
                                                      what would this alarm have done?
  groundwatch bench all                               what can this machine take?";

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server until Ctrl-C or SIGTERM.
    Serve(ServeFlags),
    /// Show what an alarm would have done over the history that a running server holds.
    Backtest(crate::backtest::BacktestArgs),
    /// Generate load against an endpoint and report throughput, latency and the server's CPU.
    Bench(groundwatch_bench::BenchArgs),
}

/// The flags of `serve`. Each is also an environment variable and a key of the configuration file; a flag
/// wins over the variable, the variable over the file.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServeFlags {
    /// Address to listen on; port 0 takes a free one. Only loopback for now: requests are not authenticated
    /// yet. [default: 127.0.0.1:4566]
    #[arg(long, env = "GROUNDWATCH_LISTEN", value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,

    /// Directory that holds all data. [default: ./groundwatch-data]
    #[arg(long, env = "GROUNDWATCH_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Where the time comes from. [default: real]
    #[arg(long, env = "GROUNDWATCH_CLOCK", value_enum)]
    pub(crate) clock: Option<ClockKind>,

    /// Base URL under which others reach this server; it stands in SubscribeURL and UnsubscribeURL.
    /// [default: http:// and the listening address]
    #[arg(long, env = "GROUNDWATCH_ADVERTISE_URL", value_name = "URL")]
    pub(crate) advertise_url: Option<String>,

    /// Take TLS on the same port, beside plain HTTP: `auto` makes a certificate once and keeps it in the data
    /// directory, `CERT,KEY` names two PEM files. [default: plain HTTP only]
    #[arg(long, env = "GROUNDWATCH_TLS", value_name = "auto|CERT,KEY")]
    pub(crate) tls: Option<String>,

    /// Where to listen for syslog (RFC 5424 and 3164), such as `tcp://127.0.0.1:1514,udp://127.0.0.1:1514`.
    /// [default: nowhere]
    #[arg(long, env = "GROUNDWATCH_SYSLOG_LISTEN", value_name = "LIST")]
    pub(crate) syslog_listen: Option<String>,

    /// Log group for syslog, created if it is missing. [default: syslog]
    #[arg(long, env = "GROUNDWATCH_SYSLOG_LOG_GROUP", value_name = "NAME")]
    pub(crate) syslog_log_group: Option<String>,

    /// Log stream for syslog, with `{host}` and `{program}` as messages name them. [default: {host}]
    #[arg(long, env = "GROUNDWATCH_SYSLOG_LOG_STREAM", value_name = "NAME")]
    pub(crate) syslog_log_stream: Option<String>,

    /// Account of the log group for syslog. [default: 000000000000, that of unsigned requests]
    #[arg(long, env = "GROUNDWATCH_SYSLOG_ACCOUNT", value_name = "ACCOUNT")]
    pub(crate) syslog_account: Option<String>,

    /// Region of the log group for syslog. [default: us-east-1]
    #[arg(long, env = "GROUNDWATCH_SYSLOG_REGION", value_name = "REGION")]
    pub(crate) syslog_region: Option<String>,

    /// Mail server for email subscriptions, such as `smtp://127.0.0.1:25` or
    /// `smtps://user:password@mail:465`. [default: none, and email subscriptions are rejected]
    #[arg(long, env = "GROUNDWATCH_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) smtp_url: Option<String>,

    /// Sender of emails. [default: Groundwatch <groundwatch@localhost>]
    #[arg(long, env = "GROUNDWATCH_SMTP_FROM", value_name = "MAILBOX")]
    pub(crate) smtp_from: Option<String>,

    /// Whether subscribers' webhooks must have public addresses, which keeps users of the API out of the
    /// network that this server stands in. [default: false]
    #[arg(long, env = "GROUNDWATCH_WEBHOOK_FENCE", value_name = "BOOL")]
    pub(crate) webhook_fence: Option<bool>,

    /// Memory for recent metric samples that are not in segments yet, in MiB. [default: 512]
    #[arg(long, env = "GROUNDWATCH_METRICS_MEMORY_MIB", value_name = "MIB")]
    pub(crate) metrics_memory_mib: Option<u64>,

    /// How long recent metric samples wait in memory for others before they are written to blocks, in
    /// seconds. [default: 7200]
    #[arg(long, env = "GROUNDWATCH_METRICS_FLUSH_SECS", value_name = "SECONDS")]
    pub(crate) metrics_flush_secs: Option<u32>,

    /// How long metrics are kept: `forever`; `aws` (points of seconds for 3 hours, of minutes for 15 days, of
    /// five minutes for 63 days, of hours for 455 days); or four such ages of your own, as in
    /// `3h,15d,63d,455d`. [default: forever]
    #[arg(long, env = "GROUNDWATCH_METRICS_RETENTION", value_name = "AGES")]
    pub(crate) metrics_retention: Option<String>,

    /// Memory for recent log events that are not in segments yet, in MiB. [default: 96]
    #[arg(long, env = "GROUNDWATCH_LOGS_MEMORY_MIB", value_name = "MIB")]
    pub(crate) logs_memory_mib: Option<u64>,

    /// How long recent log events wait in memory for others before they are written to files, in seconds.
    /// [default: 3600]
    #[arg(long, env = "GROUNDWATCH_LOGS_FLUSH_SECS", value_name = "SECONDS")]
    pub(crate) logs_flush_secs: Option<u32>,

    /// Memory for the messages of all SQS queues, in MiB; over it, sending is throttled. [default: 256]
    #[arg(long, env = "GROUNDWATCH_SQS_MEMORY_MIB", value_name = "MIB")]
    pub(crate) sqs_memory_mib: Option<u64>,

    /// Log filter, such as `info` or `groundwatch_alarms=debug,warn`. [default: info]
    #[arg(long, env = "GROUNDWATCH_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,

    /// Form of the log on standard error. [default: text]
    #[arg(long, env = "GROUNDWATCH_LOG_FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormat>,

    /// TOML file with any of these settings: `listen = "127.0.0.1:4566"`, `data-dir = "…"`, …
    #[arg(long, env = "GROUNDWATCH_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClockKind {
    /// The machine's clock.
    #[default]
    Real,
    /// Starts at the present moment and stands still until `POST /_groundwatch/clock` moves it.
    Manual,
}

/// Form of the server's own log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_flag_stands_in_the_user_guide() {
        let page = include_str!("../../../docs/configuration.md");
        let cli = Cli::command();
        let commands = cli.get_subcommands().filter(|command| command.get_name() != "bench");
        for flag in commands.flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long) {
            assert!(page.contains(&format!("`--{flag}`")), "docs/configuration.md does not have --{flag}");
        }
    }

    #[test]
    fn variables_are_named_after_their_flags() {
        let cli = Cli::command();
        let serve = cli.find_subcommand("serve").expect("there is one");
        for argument in serve.get_arguments() {
            let flag = argument.get_long().expect("no positional arguments");
            let variable = format!("GROUNDWATCH_{}", flag.to_uppercase().replace('-', "_"));
            assert_eq!(argument.get_env().and_then(|name| name.to_str()), Some(&*variable), "--{flag}");
        }
    }
}
