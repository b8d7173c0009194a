//! Plugs services together: each declares what it needs in words of its own, and here the real thing is put in.

use std::sync::Arc;

use groundwatch_alarms as alarms;
use groundwatch_api::{Handle, cloudwatch};
use groundwatch_core::{BoxFuture, Call, Scope, Timestamp};
use groundwatch_dashboards as dashboards;
use groundwatch_metrics::{MetricId, MetricStore, Metrics, Period, Statistic, Unit};
use groundwatch_notify::{self as notify, Notify, NotifyError};
use groundwatch_sqs::{self as sqs, Sqs, SqsError};

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
            let metric = MetricId {
                namespace: query.namespace.clone(),
                name: query.metric_name.clone(),
                dimensions: query
                    .dimensions
                    .iter()
                    .map(|dimension| (dimension.name.clone(), dimension.value.clone()))
                    .collect(),
            };
            let statistic: Statistic = query.statistic.as_str().parse().map_err(unreadable)?;
            // A period or unit that CloudWatch does not have has no data either.
            let Some(period) = Period::from_secs(i64::from(query.period_secs)) else { return Ok(Vec::new()) };
            let unit = match query.unit.as_deref().map(Unit::parse) {
                Some(None) => return Ok(Vec::new()),
                unit => unit.flatten(),
            };
            let points = self
                .0
                .read_points(scope, &metric, &statistic, period, unit, (from, to))
                .await
                .map_err(unreadable)?;
            let as_alarms_see_it = |point: groundwatch_metrics::Point| alarms::Point {
                timestamp: point.timestamp,
                value: point.value,
                sample_count: point.sample_count,
            };
            Ok(points.into_iter().map(as_alarms_see_it).collect())
        })
    }

    fn supports(&self, statistic: &str) -> bool {
        statistic.parse::<Statistic>().is_ok()
    }
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> alarms::ReadError {
    alarms::ReadError(Box::new(error))
}

/// GetMetricData, as widgets read it: what that operation answers or refuses, a picture shows or refuses.
pub(crate) struct WidgetMetrics(pub(crate) Arc<Metrics>);

/// Pages of one picture; the widget's own bounds end it long before.
const WIDGET_PAGES_MAX: usize = 64;

impl dashboards::WidgetDataSource for WidgetMetrics {
    fn read<'a>(
        &'a self,
        call: &'a Call,
        queries: &'a [dashboards::WidgetQuery],
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<dashboards::WidgetSeries>, dashboards::WidgetDataError>> {
        Box::pin(async move {
            let mut all: Vec<dashboards::WidgetSeries> = Vec::new();
            let mut next_token = None;
            for _ in 0..WIDGET_PAGES_MAX {
                let input = cloudwatch::GetMetricDataInput {
                    metric_data_queries: Some(queries.iter().map(widget_query).collect()),
                    start_time: Some(from.into()),
                    end_time: Some(to.into()),
                    scan_by: Some(cloudwatch::ScanBy::TimestampAscending),
                    next_token,
                    ..cloudwatch::GetMetricDataInput::default()
                };
                let answer = Handle::<cloudwatch::GetMetricData>::handle(&*self.0, call, input);
                let page = answer.await.map_err(widget_refusal)?;
                for result in page.metric_data_results.unwrap_or_default() {
                    let series = widget_series(result);
                    // A series goes on where the page before it ended.
                    match all.iter_mut().find(|known| (&known.id, &known.label) == (&series.id, &series.label)) {
                        Some(known) => known.points.extend(series.points),
                        None => all.push(series),
                    }
                }
                next_token = page.next_token;
                if next_token.is_none() {
                    break;
                }
            }
            Ok(all)
        })
    }
}

fn widget_query(query: &dashboards::WidgetQuery) -> cloudwatch::MetricDataQuery {
    let period = i32::try_from(query.period_secs).ok();
    let base = cloudwatch::MetricDataQuery {
        id: Some(query.id.clone()),
        label: query.label.clone(),
        return_data: Some(query.is_shown),
        ..cloudwatch::MetricDataQuery::default()
    };
    match &query.source {
        dashboards::QuerySource::Expression(expression) => {
            cloudwatch::MetricDataQuery { expression: Some(expression.clone()), period, ..base }
        }
        dashboards::QuerySource::Metric { namespace, name, dimensions, stat } => {
            let dimension = |(name, value): &(String, String)| cloudwatch::Dimension {
                name: Some(name.clone()),
                value: Some(value.clone()),
            };
            let metric = cloudwatch::Metric {
                namespace: Some(namespace.clone()),
                metric_name: Some(name.clone()),
                dimensions: Some(dimensions.iter().map(dimension).collect()),
            };
            let stat = cloudwatch::MetricStat {
                metric: Some(metric),
                period,
                stat: Some(stat.clone()),
                ..cloudwatch::MetricStat::default()
            };
            cloudwatch::MetricDataQuery { metric_stat: Some(stat), ..base }
        }
    }
}

fn widget_series(result: cloudwatch::MetricDataResult) -> dashboards::WidgetSeries {
    let moments = result.timestamps.unwrap_or_default().into_iter().map(|moment| moment.0);
    dashboards::WidgetSeries {
        id: result.id.unwrap_or_default(),
        label: result.label.unwrap_or_default(),
        points: moments.zip(result.values.unwrap_or_default()).collect(),
    }
}

fn widget_refusal(fault: groundwatch_api::Fault) -> dashboards::WidgetDataError {
    let text = fault.message.unwrap_or_else(|| fault.shape.code.to_owned());
    if fault.shape.status < 500 {
        dashboards::WidgetDataError::Refused(text)
    } else {
        dashboards::WidgetDataError::Unavailable(text)
    }
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
                // What storage or a full backlog refuses now may be taken later; a topic that is missing stays missing.
                Err(error @ (NotifyError::Storage(_) | NotifyError::Backlog)) => {
                    Err(alarms::NotifyError::Temporary(error.to_string()))
                }
                Err(error) => Err(alarms::NotifyError::Permanent(error.to_string())),
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
            let attributes =
                attributes.into_iter().map(|(name, attribute)| (name, queue_attribute(attribute)));
            let delivery =
                sqs::Delivery { body, attributes: attributes.collect(), group_id, deduplication_id };
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

fn queue_attribute(attribute: notify::MessageAttribute) -> sqs::MessageAttribute {
    let value = match attribute.value {
        notify::AttributeValue::Text(text) => sqs::AttributeValue::Text(text),
        notify::AttributeValue::Binary(bytes) => sqs::AttributeValue::Binary(bytes),
    };
    sqs::MessageAttribute { data_type: attribute.data_type, value }
}
