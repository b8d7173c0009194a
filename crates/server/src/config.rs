//! The server's configuration: flags over environment over file over defaults.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use groundwatch_metrics::Retention;
use groundwatch_outbound::{Fence, Target, TargetConfig};
use serde::Deserialize;
use url::Url;

use crate::cli::{ClockKind, LogFormat, ServeFlags};
use crate::syslog::SyslogConfig;
use crate::tls::TlsSetting;

/// The port where the tools of the local-AWS world look.
const DEFAULT_PORT: u16 = 4566;

/// Every setting, resolved.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) clock: ClockKind,
    /// `None`: derived from the address that the listener got.
    pub(crate) advertise_url: Option<String>,
    /// `None`: plain HTTP only.
    pub(crate) tls: Option<TlsSetting>,
    pub(crate) syslog: SyslogConfig,
    /// `None`: there is no email.
    pub(crate) smtp_url: Option<String>,
    pub(crate) smtp_from: String,
    /// Whether webhooks of subscribers may lie in the server's own network.
    pub(crate) webhook_fence: Fence,
    /// Where things for other services go. In the file only: a list of tables is no flag.
    pub(crate) targets: Vec<Target>,
    pub(crate) metrics_memory_bytes: u64,
    /// How long metric samples wait in memory for others.
    pub(crate) metrics_flush_age: Duration,
    pub(crate) metrics_retention: Retention,
    pub(crate) logs_memory_bytes: u64,
    /// How long log events wait in memory for others.
    pub(crate) logs_flush_age: Duration,
    pub(crate) sqs_memory_bytes: u64,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
}

/// The configuration file: the same keys as the flags, and tables.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct FileConfig {
    listen: Option<SocketAddr>,
    data_dir: Option<PathBuf>,
    clock: Option<ClockKind>,
    advertise_url: Option<String>,
    tls: Option<String>,
    syslog_listen: Option<String>,
    syslog_log_group: Option<String>,
    syslog_log_stream: Option<String>,
    syslog_account: Option<String>,
    syslog_region: Option<String>,
    smtp_url: Option<String>,
    smtp_from: Option<String>,
    webhook_fence: Option<bool>,
    target: Vec<TargetConfig>,
    metrics_memory_mib: Option<u64>,
    metrics_flush_secs: Option<u32>,
    metrics_retention: Option<String>,
    logs_memory_mib: Option<u64>,
    logs_flush_secs: Option<u32>,
    sqs_memory_mib: Option<u64>,
    log: Option<String>,
    log_format: Option<LogFormat>,
}

impl Config {
    /// Resolves `flags` (which clap has filled from the environment too) over the file that they name.
    pub(crate) fn load(flags: ServeFlags) -> anyhow::Result<Self> {
        let file = flags.config.as_deref().map(read_file).transpose()?.unwrap_or_default();
        Self::resolve(flags, file)
    }

    fn resolve(flags: ServeFlags, file: FileConfig) -> anyhow::Result<Self> {
        let listen = flags
            .listen
            .or(file.listen)
            .unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT));
        ensure!(
            listen.ip().is_loopback(),
            "cannot listen on {listen}: requests are not authenticated yet, so only loopback addresses such as \
             127.0.0.1 are allowed"
        );
        let metrics_retention =
            flags.metrics_retention.or(file.metrics_retention).unwrap_or_else(|| "forever".to_owned());
        let metrics_memory_mib = flags.metrics_memory_mib.or(file.metrics_memory_mib).unwrap_or(512);
        let logs_memory_mib = flags.logs_memory_mib.or(file.logs_memory_mib).unwrap_or(96);
        let sqs_memory_mib = flags.sqs_memory_mib.or(file.sqs_memory_mib).unwrap_or(256);
        for (name, mib) in [
            ("metrics-memory-mib", metrics_memory_mib),
            ("logs-memory-mib", logs_memory_mib),
            ("sqs-memory-mib", sqs_memory_mib),
        ] {
            ensure!((8..=1 << 20).contains(&mib), "{name} must be from 8 to 1048576, not {mib}");
        }
        Ok(Self {
            listen,
            data_dir: flags.data_dir.or(file.data_dir).unwrap_or_else(|| "groundwatch-data".into()),
            clock: flags.clock.or(file.clock).unwrap_or_default(),
            advertise_url: flags.advertise_url.or(file.advertise_url).as_deref().map(base_url).transpose()?,
            tls: flags.tls.or(file.tls).map(|tls| tls.parse().context("tls is not valid")).transpose()?,
            syslog: SyslogConfig::new(
                flags.syslog_listen.or(file.syslog_listen).as_deref(),
                flags.syslog_log_group.or(file.syslog_log_group),
                flags.syslog_log_stream.or(file.syslog_log_stream),
                flags.syslog_account.or(file.syslog_account).as_deref(),
                flags.syslog_region.or(file.syslog_region).as_deref(),
            )?,
            smtp_url: flags.smtp_url.or(file.smtp_url),
            smtp_from: flags
                .smtp_from
                .or(file.smtp_from)
                .unwrap_or_else(|| "Groundwatch <groundwatch@localhost>".to_owned()),
            webhook_fence: match flags.webhook_fence.or(file.webhook_fence).unwrap_or(false) {
                true => Fence::PublicOnly,
                false => Fence::Open,
            },
            targets: file
                .target
                .into_iter()
                .map(|target| target.check(|variable| std::env::var(variable).ok()))
                .collect::<Result<_, _>>()?,
            metrics_memory_bytes: metrics_memory_mib << 20,
            metrics_flush_age: Duration::from_secs(
                flags.metrics_flush_secs.or(file.metrics_flush_secs).unwrap_or(7200).into(),
            ),
            metrics_retention: metrics_retention.parse().context("metrics-retention is not valid")?,
            logs_memory_bytes: logs_memory_mib << 20,
            logs_flush_age: Duration::from_secs(
                flags.logs_flush_secs.or(file.logs_flush_secs).unwrap_or(3600).into(),
            ),
            sqs_memory_bytes: sqs_memory_mib << 20,
            log: flags.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
            log_format: flags.log_format.or(file.log_format).unwrap_or_default(),
        })
    }
}

/// A URL that paths can be appended to.
fn base_url(text: &str) -> anyhow::Result<String> {
    let url = Url::parse(text).ok();
    ensure!(
        url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none()),
        "advertise-url must be an http or https URL such as http://logs.example:4566, not `{text}`"
    );
    Ok(text.trim_end_matches('/').to_owned())
}

fn read_file(path: &Path) -> anyhow::Result<FileConfig> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not a valid configuration", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let file: FileConfig = toml::from_str("listen = '127.0.0.1:1'\nclock = 'manual'\n").expect("valid");
        let flags = ServeFlags { listen: Some(([127, 0, 0, 1], 2).into()), ..ServeFlags::default() };
        let config = Config::resolve(flags, file).expect("valid");
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.clock, ClockKind::Manual);
        assert_eq!(config.data_dir, PathBuf::from("groundwatch-data"));
    }

    #[test]
    fn targets_are_tables_of_the_file_and_checked_at_the_start() {
        let load = |way: &str| {
            let text = format!("[[target]]\narn = 'arn:aws:lambda:*:function:page'\n{way}");
            Config::resolve(ServeFlags::default(), toml::from_str(&text).expect("valid TOML"))
        };
        let config = load("webhook = 'http://127.0.0.1:9/page'").expect("valid");
        assert_eq!(config.targets[0].route.kind(), "webhook");
        let refused = load("webhook = 'page'").expect_err("no URL").to_string();
        assert!(refused.contains("webhook is not an absolute http or https URL"), "{refused}");
    }

    #[test]
    fn metrics_are_kept_forever_unless_told_otherwise() {
        let retention = |text: Option<&str>| {
            let metrics_retention = text.map(str::to_owned);
            let flags = ServeFlags { metrics_retention, ..ServeFlags::default() };
            Config::resolve(flags, FileConfig::default()).ok().map(|config| config.metrics_retention)
        };
        assert_eq!(retention(None), Some(Retention::Forever));
        assert_eq!(retention(Some("aws")), Some(Retention::Aws));
        assert_eq!(retention(Some("a while")), None);
    }

    #[test]
    fn links_begin_with_a_url_that_others_can_follow() {
        let advertised = |text: &str| base_url(text).ok();
        assert_eq!(advertised("https://logs.example/aws/").as_deref(), Some("https://logs.example/aws"));
        for wrong in ["logs.example:4566", "logs", "ftp://logs.example", "http://", "http://a/?b"] {
            assert_eq!(advertised(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn misspelt_keys_and_open_addresses_are_refused() {
        assert!(toml::from_str::<FileConfig>("listn = '127.0.0.1:1'").is_err());
        let flags = ServeFlags { listen: Some(([0, 0, 0, 0], 4566).into()), ..ServeFlags::default() };
        let refused = Config::resolve(flags, FileConfig::default()).expect_err("not loopback");
        assert!(refused.to_string().contains("only loopback"), "{refused}");
    }
}
