//! `groundwatch serve`: opens the data directory, brings the services up, serves until it is told to stop,
//! and leaves nothing unfinished.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use groundwatch_alarms::{AlarmTags, Alarms, Dependencies, Timing};
use groundwatch_contributor_insights::Rules;
use groundwatch_core::{Activity, Clock, ManualClock, SharedClock, SystemClock};
use groundwatch_dashboards::Dashboards;
use groundwatch_iam::Identities;
use groundwatch_logs::{Logs, LogsReplay, MessageSender, StoreOptions};
use groundwatch_metric_streams::{StreamSender, Streams};
use groundwatch_metrics::{MetricCompaction, MetricFlush, MetricOptions, MetricStore, Metrics};
use groundwatch_notify::{MailSender, Notify, NotifyConfig, SmtpSender, Transports};
use groundwatch_outbound::{Fence, Outbound, WebClient};
use groundwatch_sqs::{Sqs, SqsOptions};
use groundwatch_storage::{Record, Recovery, Storage, StorageOptions, StreamId};
use groundwatch_syslog::Receiver;
use groundwatch_wire::{DevelopmentAuthenticator, Listener, Router};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::activities::{ManualDriver, drive};
use crate::adapters::alarm_metrics::AlarmMetrics;
use crate::adapters::alarm_notifier::AlarmNotifier;
use crate::adapters::event_bus::EventBus;
use crate::adapters::log_metrics::LogMetrics;
use crate::adapters::log_receivers::LogReceivers;
use crate::adapters::rule_logs::RuleLogs;
use crate::adapters::sns_queues::SnsQueues;
use crate::adapters::streamed_metrics::StreamedMetrics;
use crate::adapters::tagged_resources;
use crate::adapters::widget_metrics::WidgetMetrics;
use crate::alarm_endpoints::AlarmEndpoints;
use crate::cli::{ClockKind, LogFormat};
use crate::config::Config;
use crate::otlp::OtlpEndpoint;
use crate::paths::OwnPaths;
use crate::routes::Services;
use crate::rule_metrics::RuleMetrics;
use crate::syslog::SyslogSink;
use crate::tls::{self, Tls};
use crate::vitals::Vitals;

/// How long requests that have begun may take to end once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// The exit code that shells know for an end by Ctrl-C.
const STOPPED_BY_SIGNAL: i32 = 130;

/// Serves until Ctrl-C or SIGTERM.
pub(crate) fn serve(config: &Config) -> anyhow::Result<()> {
    start_logging(config)?;
    let (storage, recovery) = Storage::open(StorageOptions::new(&config.data_dir))
        .with_context(|| format!("cannot open the data directory {}", config.data_dir.display()))?;
    crate::runtime()?.block_on(serve_on(config, storage, recovery))
}

async fn serve_on(config: &Config, storage: Storage, recovery: Recovery) -> anyhow::Result<()> {
    // Before anything else, so that a stop during the start is orderly too.
    let stop_signal = stop_signal()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;

    let (clock, manual_clock) = clock_of(config.clock);
    let advertised_base_url = config.advertise_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let tls = load_tls(config, address, &advertised_base_url)?;
    let (services, activities) =
        bring_up(config, &storage, recovery, clock.clone(), advertised_base_url).await?;
    let vitals = Arc::new(Vitals::new());
    let activities: Vec<_> = activities.into_iter().map(|activity| vitals.watch(activity)).collect();

    let (stopper, stop) = watch::channel(false);
    let manual = manual_clock.map(|clock| Arc::new(ManualDriver::new(clock, activities.clone())));
    let background: Vec<_> = match &manual {
        Some(driver) => vec![tokio::spawn(driver.clone().settle(stop))],
        None => {
            let drive = |activity| tokio::spawn(drive(activity, clock.clone(), stop.clone()));
            activities.into_iter().map(drive).collect()
        }
    };

    let (metrics, notify, logs) = (services.metrics.clone(), services.notify.clone(), services.logs.clone());
    let sqs = services.sqs.clone();
    let alarms = AlarmEndpoints(services.alarms.clone());
    let router = Router::new(clock.clone(), Arc::new(DevelopmentAuthenticator)).observed_by(vitals.clone());
    let router = services.route(router);
    let authority = tls.as_ref().and_then(|tls| tls.authority.clone());
    let syslog = receive_syslog(config, logs.clone(), clock.clone()).await?;
    let otlp = OtlpEndpoint::new(logs, clock.clone());
    let paths = Arc::new(OwnPaths { clock, manual, alarms, notify, otlp, metrics, vitals });
    let mut server = Listener::new(listener, router, paths);
    let encrypted = tls.is_some();
    if let Some(tls) = tls {
        server = server.with_tls(tls.config);
    }
    announce(address, &config.data_dir, encrypted, authority.as_deref())?;
    let stopping = async move {
        stop_signal.await;
        sqs.end_long_polls();
    };
    let cut = server.serve(stopping, GRACE).await;
    if cut > 0 {
        tracing::warn!(connections = cut, "closed connections whose requests took too long to end");
    }
    syslog.stop().await;
    // Each activity ends what it is doing; what is left undone is durable and goes on at the next start.
    stopper.send_replace(true);
    for task in background {
        if let Err(error) = task.await {
            tracing::error!(%error, "a background task ended badly");
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// Opens every service on what `storage` holds.
async fn bring_up(
    config: &Config,
    storage: &Storage,
    recovery: Recovery,
    clock: SharedClock,
    advertised_base_url: String,
) -> anyhow::Result<(Services, Vec<Arc<dyn Activity>>)> {
    let metric_store = MetricStore::open(storage.clone(), clock.clone(), metric_options(config)).await?;
    let mut logs_replay = Logs::replay(storage, log_options(config))?;
    let sqs = Sqs::open(storage, clock.clone(), &sqs_options(config, &advertised_base_url)).await?;
    // Reading the journal blocks; nothing else runs yet that it could hold up.
    tokio::task::block_in_place(|| replay(recovery, &metric_store, &mut logs_replay, &sqs))?;
    // Signatures are checked by others, whose clocks are real ones.
    let operators_client = Arc::new(WebClient::new(Fence::Open)?);
    let outbound = Outbound::new(config.targets.clone(), operators_client, Arc::new(SystemClock));
    let transports = Transports {
        web: Arc::new(WebClient::new(config.webhook_fence)?),
        outbound: outbound.clone(),
        queues: Some(Arc::new(SnsQueues(sqs.clone()))),
        mail: mail_sender(config)?,
    };
    let notify = Arc::new(Notify::open(
        &storage.catalog,
        clock.clone(),
        transports,
        &NotifyConfig::new(advertised_base_url),
    )?);
    let log_receivers = Arc::new(LogReceivers { sqs: sqs.clone(), notify: (*notify).clone() });
    let sender = MessageSender::new(outbound.clone(), log_receivers);
    let logs = Arc::new(logs_replay.finish(Arc::new(LogMetrics(metric_store.clone())), sender).await?);
    let insights = Arc::new(Rules::open(&storage.catalog, Arc::new(RuleLogs(logs.clone())))?);
    let metric_store = metric_store.with_insight_rules(Arc::new(RuleMetrics(insights.clone())));
    let dependencies = Dependencies {
        reader: Arc::new(AlarmMetrics(metric_store.clone())),
        notifier: Arc::new(AlarmNotifier((*notify).clone())),
        outbound: outbound.clone(),
        events: Some(Arc::new(EventBus(outbound.clone()))),
    };
    let timing = if config.clock == ClockKind::Manual { Timing::EXACT } else { Timing::LIVE };
    let alarms = Arc::new(Alarms::open(&storage.catalog, clock.clone(), timing, dependencies)?);

    // In this order a manual clock runs what is due at the same moment: transitions before their deliveries.
    let mut activities = alarms.activities();
    activities.extend(notify.activities());
    activities.extend(sqs.activities());
    activities.push(Arc::new(MetricFlush::new(metric_store.clone())));
    activities.push(Arc::new(MetricCompaction::new(metric_store.clone())));
    activities.push(Arc::new(logs.flush_activity(clock.clone())));
    activities.push(Arc::new(logs.compaction_activity(clock.clone())));
    activities.push(Arc::new(logs.reclaim_activity(clock.clone())));
    activities.push(Arc::new(logs.forwarding_activity(clock.clone())));
    activities.push(Arc::new(logs.export_activity(clock.clone())));
    activities.push(Arc::new(logs.anomaly_activity(clock.clone())));
    activities.push(Arc::new(logs.metrics_activity()));

    let widget_data = Arc::new(WidgetMetrics(metric_store.clone()));
    let metrics = Arc::new(Metrics::new(metric_store.clone()));
    let dashboards = Arc::new(Dashboards::open(&storage.catalog, clock.clone(), widget_data)?);
    let streamed_metrics = Arc::new(StreamedMetrics(metric_store));
    let streams = Arc::new(Streams::open(&storage.catalog, clock, streamed_metrics)?);
    activities.push(Arc::new(StreamSender::new(streams.clone(), outbound)));
    let tagging =
        Arc::new(tagged_resources::all(AlarmTags::open(&storage.catalog)?, &dashboards, &insights, &streams));
    let (identities, sqs) = (Arc::new(Identities), Arc::new(sqs));
    Ok((
        Services { metrics, alarms, dashboards, insights, streams, tagging, logs, notify, sqs, identities },
        activities,
    ))
}

/// Gives every service its records of the journal. A damaged record ends the start: what to do about lost
/// data is the operator's decision, not ours.
fn replay(recovery: Recovery, metrics: &MetricStore, logs: &mut LogsReplay, sqs: &Sqs) -> anyhow::Result<()> {
    for record in recovery {
        let record: Record = record.context(
            "the journal is damaged: restore the data directory from a backup, or start on a new one",
        )?;
        match record.stream {
            StreamId::METRICS => metrics.recover(record.position, &record.payload)?,
            StreamId::LOGS => logs.record(record)?,
            StreamId::SQS => sqs.recover(record.position, &record.payload)?,
            StreamId(unknown) => {
                bail!("the journal has records of stream {unknown}, which a newer release wrote")
            }
        }
    }
    Ok(())
}

fn metric_options(config: &Config) -> MetricOptions {
    let bytes = usize::try_from(config.metrics_memory_bytes).unwrap_or(usize::MAX);
    // While one head is being flushed, the next fills.
    MetricOptions {
        head_bytes_flush: bytes / 3,
        head_bytes_max: bytes,
        head_age_max: config.metrics_flush_age,
        retention: config.metrics_retention,
        ..MetricOptions::default()
    }
}

fn log_options(config: &Config) -> StoreOptions {
    let bytes = usize::try_from(config.logs_memory_bytes).unwrap_or(usize::MAX);
    let defaults = StoreOptions::default();
    let flush_bytes = bytes * 2 / 5;
    StoreOptions {
        flush_bytes,
        flush_age: config.logs_flush_age,
        // What a small head holds of a group is little, too.
        own_file_bytes: defaults.own_file_bytes.min(flush_bytes as u64 / 16),
        head_bytes_max: bytes,
        ..defaults
    }
}

fn sqs_options(config: &Config, advertised_base_url: &str) -> SqsOptions {
    let memory_bytes_max = usize::try_from(config.sqs_memory_bytes).unwrap_or(usize::MAX);
    SqsOptions { advertised_base_url: advertised_base_url.to_owned(), memory_bytes_max }
}

/// The certificate for TLS, if there is to be any.
fn load_tls(config: &Config, address: SocketAddr, advertised_base_url: &str) -> anyhow::Result<Option<Tls>> {
    let Some(setting) = &config.tls else { return Ok(None) };
    let hosts = tls::hosts(address.ip(), advertised_base_url);
    tls::load(setting, &config.data_dir, &hosts).map(Some)
}

/// Receives syslog where it is configured.
async fn receive_syslog(config: &Config, logs: Arc<Logs>, clock: SharedClock) -> anyhow::Result<Receiving> {
    let stop = CancellationToken::new();
    if config.syslog.listen.is_empty() {
        return Ok(Receiving { task: None, stop });
    }
    let receiver =
        Receiver::bind(&config.syslog.listen, clock.clone()).await.context("cannot listen for syslog")?;
    let addresses: Vec<String> = receiver.addresses()?.iter().map(ToString::to_string).collect();
    tracing::info!(addresses = addresses.join(", "), "receiving syslog");
    let sink = Arc::new(SyslogSink::new(config.syslog.clone(), logs, clock));
    Ok(Receiving { task: Some(tokio::spawn(receiver.serve(sink, stop.clone()))), stop })
}

/// The receiving of syslog, if there is any.
struct Receiving {
    task: Option<tokio::task::JoinHandle<()>>,
    stop: CancellationToken,
}

impl Receiving {
    /// Receives no more, and waits until what came is stored, for [`GRACE`] at most.
    async fn stop(self) {
        self.stop.cancel();
        if let Some(task) = self.task
            && tokio::time::timeout(GRACE, task).await.is_err()
        {
            tracing::warn!("syslog messages are lost: they could not be stored before the end");
        }
    }
}

/// Who sends e-mails, if there is a mail server.
fn mail_sender(config: &Config) -> anyhow::Result<Option<Arc<dyn MailSender>>> {
    let Some(url) = &config.smtp_url else { return Ok(None) };
    let sender = SmtpSender::new(url, &config.smtp_from).context("cannot use smtp-url and smtp-from")?;
    Ok(Some(Arc::new(sender)))
}

fn clock_of(kind: ClockKind) -> (SharedClock, Option<Arc<ManualClock>>) {
    match kind {
        ClockKind::Real => (Arc::new(SystemClock), None),
        ClockKind::Manual => {
            let clock = Arc::new(ManualClock::new(SystemClock.now().floor_to(1)));
            (clock.clone(), Some(clock))
        }
    }
}

/// Resolves at the first Ctrl-C or SIGTERM. The second ends the process at once, as a crash would: nothing
/// that was acknowledged is lost by it.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut next = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(async move {
        next().await;
        tracing::info!("stopping: ending what has begun; a second signal ends at once");
        // Once a signal has been listened to, the system's default is gone for as long as the process lives.
        tokio::spawn(async move {
            next().await;
            std::process::exit(STOPPED_BY_SIGNAL);
        });
    })
}

/// The one line on standard output, for people and for scripts that wait for it.
fn announce(
    address: SocketAddr,
    data_dir: &Path,
    encrypted: bool,
    authority: Option<&Path>,
) -> std::io::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "groundwatch {version} listening on http://{address} ")?;
    if encrypted {
        write!(stdout, "and https://{address} ")?;
    }
    if let Some(authority) = authority {
        write!(stdout, "(trust {}) ", authority.display())?;
    }
    writeln!(stdout, "with data in {}", data_dir.display())?;
    stdout.flush()
}

fn start_logging(config: &Config) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log)
        .with_context(|| format!("`{}` is not a log filter", config.log))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
