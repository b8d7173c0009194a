//! Opens the services and plugs them together.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use groundwatch_alarms::{AlarmTags, Alarms, Dependencies, Timing};
use groundwatch_contributor_insights::Rules;
use groundwatch_core::{Activity, SharedClock, SystemClock};
use groundwatch_dashboards::Dashboards;
use groundwatch_iam::Identities;
use groundwatch_logs::{Logs, LogsReplay, MessageSender, StoreOptions};
use groundwatch_metric_streams::{StreamSender, Streams};
use groundwatch_metrics::{MetricCompaction, MetricFlush, MetricOptions, MetricStore, Metrics};
use groundwatch_notify::{MailSender, Notify, NotifyConfig, SmtpSender, Transports};
use groundwatch_outbound::{Fence, Outbound, WebClient};
use groundwatch_own_metrics::Publisher;
use groundwatch_sqs::{Sqs, SqsOptions};
use groundwatch_storage::{Record, Recovery, Storage, StreamId};

use crate::adapters::alarm_metrics::AlarmMetrics;
use crate::adapters::alarm_notifier::AlarmNotifier;
use crate::adapters::event_bus::EventBus;
use crate::adapters::log_metrics::LogMetrics;
use crate::adapters::log_receivers::LogReceivers;
use crate::adapters::own_metrics::OwnMetrics;
use crate::adapters::rule_logs::RuleLogs;
use crate::adapters::rule_metrics::RuleMetrics;
use crate::adapters::sns_queues::SnsQueues;
use crate::adapters::streamed_metrics::StreamedMetrics;
use crate::adapters::tagged_resources;
use crate::adapters::widget_metrics::WidgetMetrics;
use crate::cli::ClockKind;
use crate::config::Config;
use crate::routes::Services;

/// Opens every service on what `storage` holds.
pub(crate) async fn open_services(
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

    // In this order a manual clock runs what is due at the same moment: what a minute came to before alarms
    // look at it, and transitions before their deliveries.
    let own_metrics = Arc::new(OwnMetrics(metric_store.clone()));
    let publisher =
        |name, meters| -> Arc<dyn Activity> { Arc::new(Publisher::new(name, meters, own_metrics.clone())) };
    let mut activities = vec![
        publisher("log-metrics", logs.meters()),
        publisher("sns-metrics", notify.meters()),
        publisher("sqs-metrics", sqs.meters()),
    ];
    activities.extend(alarms.activities());
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

/// Who sends e-mails, if there is a mail server.
fn mail_sender(config: &Config) -> anyhow::Result<Option<Arc<dyn MailSender>>> {
    let Some(url) = &config.smtp_url else { return Ok(None) };
    let sender = SmtpSender::new(url, &config.smtp_from).context("cannot use smtp-url and smtp-from")?;
    Ok(Some(Arc::new(sender)))
}
