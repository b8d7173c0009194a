//! Plugs services together: each declares what it needs in words of its own, and here the real thing is put in.

use groundwatch_alarms as alarms;
use groundwatch_core::{BoxFuture, Scope, Timestamp};
use groundwatch_metrics::{MetricId, MetricStore, Period, Statistic, Unit};
use groundwatch_notify::{Notify, NotifyError};

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
