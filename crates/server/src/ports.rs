//! Plugs services together: each declares what it needs in words of its own, and here the real thing is put
//! in.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_alarms as alarms;
use groundwatch_core::{Arn, BoxFuture, Call, Scope, Timestamp};
use groundwatch_dashboards as dashboards;
use groundwatch_logs as logs;
use groundwatch_metrics::{
    Alignment, DataQuery, DataSource, EvaluatedSeries, EvaluationRange, FilledPeriod, MetricId, MetricStat,
    MetricStore, MetricWatch, Period, Second, Statistic, Unit,
};
use groundwatch_notify::{self as notify, Notify, NotifyError};
use groundwatch_outbound::{AwsCall, Outbound, OutboundMessage, Outcome};
use groundwatch_sqs::{self as sqs, Sqs, SqsError};
use serde_json::json;

/// The metric store, as alarms read it.
pub(crate) struct AlarmReader(pub(crate) MetricStore);

impl alarms::MetricReader for AlarmReader {
    fn read<'a>(
        &'a self,
        scope: &'a Scope,
        query: &'a alarms::MetricQuery,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<alarms::Point>, alarms::ReadError>> {
        Box::pin(async move {
            // A period or unit that CloudWatch does not have has no data either.
            let Some(asked) = Asked::of(query)? else { return Ok(Vec::new()) };
            let Asked { metric, statistic, period, unit } = asked;
            let read = self.0.read_points(scope, &metric, &statistic, period, unit, (from, to)).await;
            let as_alarms_see_it = |point: groundwatch_metrics::Point| alarms::Point {
                timestamp: point.timestamp,
                value: point.value,
                sample_count: point.sample_count,
                band: None,
            };
            Ok(read.map_err(unreadable)?.into_iter().map(as_alarms_see_it).collect())
        })
    }

    fn supports(&self, statistic: &str) -> bool {
        statistic.parse::<Statistic>().is_ok()
    }

    fn watch(
        &self,
        scope: &Scope,
        query: &alarms::MetricQuery,
        wake: alarms::Waker,
    ) -> Option<Box<dyn alarms::WatchedMetric>> {
        let asked = Asked::of(query).ok()??;
        let watch = self.0.watch(scope, &asked.metric, move |at| wake.arrived(at))?;
        Some(Box::new(WatchedMetric { watch, asked }))
    }

    fn read_query<'a>(
        &'a self,
        scope: &'a Scope,
        query: &'a str,
        period_secs: u32,
        (from, to): (Timestamp, Timestamp),
    ) -> BoxFuture<'a, Result<Vec<alarms::QuerySeries>, alarms::ReadError>> {
        Box::pin(async move {
            let Some(period) = Period::from_secs(i64::from(period_secs)) else { return Ok(Vec::new()) };
            let range =
                EvaluationRange { alignment: Alignment::Start, ..EvaluationRange::of_request(from, to, to) };
            let groups = self.0.query_groups(scope, query, period, &range).await.map_err(unreadable)?;
            let point = |(start, value): (Second, f64)| alarms::Point {
                timestamp: start.timestamp(),
                value,
                sample_count: 0.0,
                band: None,
            };
            let series = groups.into_iter().map(|group| alarms::QuerySeries {
                attributes: group.labels.into_iter().collect(),
                points: group.points.into_iter().map(point).collect(),
            });
            Ok(series.collect())
        })
    }

    fn read_band<'a>(
        &'a self,
        scope: &'a Scope,
        query: &'a alarms::MathQuery,
        (from, to): (Timestamp, Timestamp),
    ) -> BoxFuture<'a, Result<BTreeMap<Timestamp, alarms::Band>, alarms::ReadError>> {
        Box::pin(async move {
            let queries = query.entries.iter().map(|entry| band_query(query, entry));
            let Some(queries) = queries.collect::<Result<Option<Vec<DataQuery>>, _>>()? else {
                return Ok(BTreeMap::new());
            };
            let range =
                EvaluationRange { alignment: Alignment::Start, ..EvaluationRange::of_request(from, to, to) };
            let evaluated = self.0.evaluate(scope, queries, &range).await.map_err(unreadable)?;
            let mut bands = BTreeMap::new();
            for series in evaluated.series {
                if series.is_unreadable {
                    return Err(alarms::ReadError(format!("`{}` cannot be read", series.label).into()));
                }
                for (start, bound) in series.points {
                    let known = alarms::Band { lower: bound, upper: bound };
                    let band = bands.entry(start.timestamp()).or_insert(known);
                    *band = alarms::Band { lower: band.lower.min(bound), upper: band.upper.max(bound) };
                }
            }
            Ok(bands)
        })
    }

    fn unaltered_for(&self) -> Option<Duration> {
        self.0.unaltered_for()
    }
}

/// A metric that an alarm watches.
struct WatchedMetric {
    watch: MetricWatch,
    asked: Asked,
}

impl alarms::WatchedMetric for WatchedMetric {
    fn look_ahead(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'_, Result<Option<alarms::KnownPeriods>, alarms::ReadError>> {
        Box::pin(async move {
            let Asked { statistic, period, unit, .. } = &self.asked;
            let outlook = self.watch.outlook(statistic, *period, *unit, (from, to)).await;
            let as_alarms_see_it = |filled: FilledPeriod| alarms::FilledPeriod {
                timestamp: filled.timestamp,
                value: filled.value,
                sample_count: filled.sample_count,
                oldest: filled.oldest,
                newest: filled.newest,
            };
            Ok(outlook.map_err(unreadable)?.map(|outlook| alarms::KnownPeriods {
                periods: outlook.periods.into_iter().map(as_alarms_see_it).collect(),
                is_last: outlook.is_last,
            }))
        })
    }
}

/// What an alarm asks for, in the words of the metric store.
struct Asked {
    metric: MetricId,
    statistic: Statistic,
    period: Period,
    unit: Option<Unit>,
}

impl Asked {
    /// `None` for a period or a unit that CloudWatch does not have.
    fn of(query: &alarms::MetricQuery) -> Result<Option<Self>, alarms::ReadError> {
        let statistic = query.statistic.as_str().parse().map_err(unreadable)?;
        let Some(period) = Period::from_secs(i64::from(query.period_secs)) else { return Ok(None) };
        let unit = match query.unit.as_deref().map(Unit::parse) {
            Some(None) => return Ok(None),
            unit => unit.flatten(),
        };
        Ok(Some(Self { metric: metric_of(query), statistic, period, unit }))
    }
}

/// An entry of an alarm on a band, as the metric store is asked for that band; `None` if its data cannot
/// exist.
fn band_query(
    query: &alarms::MathQuery,
    entry: &alarms::MathEntry,
) -> Result<Option<DataQuery>, alarms::ReadError> {
    let source = match &entry.term {
        alarms::Term::Expression(text) => DataSource::Expression { text: text.clone(), period: None },
        alarms::Term::Metric(metric) => {
            let Some(Asked { metric: id, statistic, period, unit }) = Asked::of(metric)? else {
                return Ok(None);
            };
            let statistic_text = metric.statistic.as_str().to_owned();
            DataSource::Metric(MetricStat { metric: id, statistic, statistic_text, period, unit })
        }
    };
    let is_returned = query.band.as_ref() == Some(&entry.id);
    Ok(Some(DataQuery { id: entry.id.clone(), source, label: None, is_returned }))
}

fn metric_of(query: &alarms::MetricQuery) -> MetricId {
    let dimensions = query.dimensions.iter();
    MetricId {
        namespace: query.namespace.clone(),
        name: query.metric_name.clone(),
        dimensions: dimensions.map(|dimension| (dimension.name.clone(), dimension.value.clone())).collect(),
    }
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> alarms::ReadError {
    alarms::ReadError(Box::new(error))
}

/// The metric store, as widgets read it.
pub(crate) struct WidgetMetrics(pub(crate) MetricStore);

impl dashboards::WidgetDataSource for WidgetMetrics {
    fn read<'a>(
        &'a self,
        call: &'a Call,
        queries: &'a [dashboards::WidgetQuery],
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<dashboards::WidgetSeries>, dashboards::WidgetDataError>> {
        Box::pin(async move {
            let queries = queries.iter().map(widget_query).collect::<Result<Vec<_>, _>>()?;
            let range = EvaluationRange::of_request(from, to, call.received);
            let evaluated = self.0.evaluate(call.scope(), queries, &range).await.map_err(|error| {
                let refused = error.is_refusal();
                let text = error.to_string();
                match refused {
                    true => dashboards::WidgetDataError::Refused(text),
                    false => dashboards::WidgetDataError::Unavailable(text),
                }
            })?;
            evaluated.series.into_iter().map(widget_series).collect()
        })
    }
}

fn widget_query(query: &dashboards::WidgetQuery) -> Result<DataQuery, dashboards::WidgetDataError> {
    let refuse = |what: String| dashboards::WidgetDataError::Refused(what);
    let period = Period::from_secs(i64::from(query.period_secs)).ok_or_else(|| {
        refuse(format!("period {} is not 1, 5, 10, 20, 30 or a multiple of 60", query.period_secs))
    })?;
    let source = match &query.source {
        dashboards::QuerySource::Expression(text) => {
            DataSource::Expression { text: text.clone(), period: Some(period) }
        }
        dashboards::QuerySource::Metric { namespace, name, dimensions, stat } => {
            let statistic = stat.parse().map_err(|_| refuse(format!("`{stat}` is not a statistic")))?;
            let (namespace, name, dimensions) = (namespace.clone(), name.clone(), dimensions.clone());
            let metric = MetricId { namespace, name, dimensions };
            DataSource::Metric(MetricStat {
                metric,
                statistic,
                statistic_text: stat.clone(),
                period,
                unit: None,
            })
        }
    };
    Ok(DataQuery { id: query.id.clone(), source, label: query.label.clone(), is_returned: query.is_shown })
}

fn widget_series(series: EvaluatedSeries) -> Result<dashboards::WidgetSeries, dashboards::WidgetDataError> {
    if series.is_unreadable {
        let text = format!("the data of `{}` cannot be read", series.label);
        return Err(dashboards::WidgetDataError::Unavailable(text));
    }
    let points = series.points.into_iter().map(|(start, value)| (start.timestamp(), value)).collect();
    Ok(dashboards::WidgetSeries { id: series.id, label: series.label, points })
}

/// SNS, as alarm actions publish to it.
pub(crate) struct AlarmNotifier(pub(crate) Notify);

impl alarms::Notifier for AlarmNotifier {
    fn notify<'a>(
        &'a self,
        scope: &'a Scope,
        target_arn: &'a str,
        subject: &'a str,
        message: &'a str,
    ) -> BoxFuture<'a, Result<(), alarms::NotifyError>> {
        Box::pin(async move {
            match self.0.publish(scope, target_arn, Some(subject), message).await {
                Ok(_) => Ok(()),
                // What storage or a full backlog refuses now may be taken later; a topic that is missing
                // stays missing.
                Err(error @ (NotifyError::Storage(_) | NotifyError::Backlog)) => {
                    Err(alarms::NotifyError::Temporary(error.to_string()))
                }
                Err(error) => Err(alarms::NotifyError::Permanent(error.to_string())),
            }
        })
    }
}

/// What stands in for the event bus: the target of the default bus's ARN, where there is one.
pub(crate) struct EventBus(pub(crate) Outbound);

impl EventBus {
    fn arn(scope: &Scope) -> String {
        scope.arn("events", "event-bus/default")
    }
}

impl alarms::EventSink for EventBus {
    fn listens(&self, scope: &Scope) -> bool {
        self.0.target(&Self::arn(scope)).is_some()
    }

    fn publish<'a>(
        &'a self,
        scope: &'a Scope,
        event: &'a alarms::AlarmEvent,
    ) -> BoxFuture<'a, Result<(), alarms::EventSinkError>> {
        Box::pin(async move {
            let entry = json!({
                "Time": event.time.as_secs(),
                "Source": alarms::EVENT_SOURCE,
                "DetailType": event.detail_type,
                "Resources": [event.resource],
                "Detail": event.detail,
            });
            let call = AwsCall::json(
                "events",
                "1.1",
                "AWSEvents.PutEvents",
                json!({ "Entries": [entry] }).to_string(),
            );
            let message =
                OutboundMessage::json(Self::arn(scope), event.id(), event.envelope(scope)).with_aws(call);
            match self.0.deliver(&message).await {
                Outcome::Accepted { .. } => Ok(()),
                Outcome::Refused { reason } => Err(alarms::EventSinkError::Refused(reason)),
                Outcome::Unavailable { reason, .. } => Err(alarms::EventSinkError::Unavailable(reason)),
            }
        })
    }
}

/// SQS, as SNS puts messages into queues.
pub(crate) struct Queues(pub(crate) Sqs);

impl notify::QueueSender for Queues {
    fn send(&self, message: notify::QueueMessage) -> BoxFuture<'_, Result<(), notify::QueueError>> {
        Box::pin(async move {
            let notify::QueueMessage { queue_arn, body, attributes, group_id, deduplication_id } = message;
            let delivery = sqs::Delivery { body, attributes, group_id, deduplication_id };
            self.0.deliver(&queue_arn, delivery).await.map_err(|error| {
                let reason = error.to_string();
                match error {
                    // What storage or a full memory refuses now may be taken later; the rest stays refused.
                    SqsError::Storage(_) | SqsError::OutOfMemory => {
                        notify::QueueError::Unavailable { reason }
                    }
                    _ => notify::QueueError::Refused { reason },
                }
            })
        })
    }
}

/// The queues and topics of this server, as log events are sent on to them.
pub(crate) struct LogReceivers {
    pub(crate) sqs: Sqs,
    pub(crate) notify: Notify,
}

impl logs::LocalServices for LogReceivers {
    fn deliver<'a>(&'a self, scope: &'a Scope, arn: &'a str, body: String) -> BoxFuture<'a, Outcome> {
        let refused = |error: &dyn std::error::Error| Outcome::Refused { reason: error.to_string() };
        let later = |error: &dyn std::error::Error| Outcome::Unavailable {
            reason: error.to_string(),
            is_throttled: false,
        };
        Box::pin(async move {
            let accepted = Outcome::Accepted { answer: bytes::Bytes::new() };
            if Arn::parse(arn).is_ok_and(|arn| arn.service == "sns") {
                return match self.notify.publish(scope, arn, None, &body).await {
                    Ok(_) => accepted,
                    Err(error @ (NotifyError::Storage(_) | NotifyError::Backlog)) => later(&error),
                    Err(error) => refused(&error),
                };
            }
            // FIFO queues would need a group: the stream's name is in the message, and AWS sends logs to no
            // queue.
            let delivery = sqs::Delivery {
                body,
                attributes: std::collections::BTreeMap::new(),
                group_id: None,
                deduplication_id: None,
            };
            match self.sqs.deliver(arn, delivery).await {
                Ok(()) => accepted,
                Err(error @ (SqsError::Storage(_) | SqsError::OutOfMemory)) => later(&error),
                Err(error) => refused(&error),
            }
        })
    }
}
