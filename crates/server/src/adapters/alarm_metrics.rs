//! The metric store, as alarms read it.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_alarms as alarms;
use groundwatch_core::{BoxFuture, Scope, Timestamp};
use groundwatch_metrics::{
    Alignment, DataQuery, DataSource, EvaluationRange, FilledPeriod, MetricId, MetricStat, MetricStore,
    MetricWatch, Period, Second, Statistic, Unit,
};

/// The metric store, as alarms read it.
pub(crate) struct AlarmMetrics(pub(crate) MetricStore);

impl alarms::MetricReader for AlarmMetrics {
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
