//! The metric store, as metric streams read it.

use groundwatch_core::{BoxFuture, Scope, Timestamp};
use groundwatch_metric_streams::{Measure, MinuteSource, SourceError, StreamedMetric};
use groundwatch_metrics::query::Window;
use groundwatch_metrics::statistics::PeriodSamples;
use groundwatch_metrics::{ListFilter, MetricId, MetricStore, Period, Second, Statistic};

/// Metrics of a page.
const PAGE_METRICS: usize = 1000;

/// The metric store.
pub(crate) struct StreamedMetrics(pub(crate) MetricStore);

impl MinuteSource for StreamedMetrics {
    fn metrics(
        &self,
        scope: &Scope,
        since: Timestamp,
        after: Option<&str>,
    ) -> (Vec<StreamedMetric>, Option<String>) {
        let filter = ListFilter {
            namespace: None,
            name: None,
            dimensions: Vec::new(),
            active_since: Second::nearest(since),
        };
        let page = self.0.list(scope, &filter, after, PAGE_METRICS);
        let metric =
            |MetricId { namespace, name, dimensions }| StreamedMetric { namespace, name, dimensions };
        (page.metrics.into_iter().map(metric).collect(), page.next)
    }

    fn measures<'a>(
        &'a self,
        scope: &'a Scope,
        metric: &'a StreamedMetric,
        minute: Timestamp,
        statistics: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Measure>, SourceError>> {
        Box::pin(async move {
            let id = id_of(metric);
            let parsed: Vec<(&String, Statistic)> =
                statistics.iter().filter_map(|text| Some((text, text.parse().ok()?))).collect();
            let end = Timestamp::from_millis(minute.as_millis() + 60_000);
            let window = Window::sliding(minute, end, Period::MINUTE);
            let measure = |_: Second, samples: &PeriodSamples<'_>| {
                let summary = samples.summary()?;
                let statistic = |(text, parsed): &(&String, Statistic)| {
                    Some(((*text).clone(), samples.evaluate(parsed)?))
                };
                Some(Measure {
                    unit: String::new(),
                    count: summary.sample_count,
                    sum: summary.sum,
                    maximum: summary.maximum,
                    minimum: summary.minimum,
                    statistics: parsed.iter().filter_map(statistic).collect(),
                })
            };
            let by_unit = self.0.read_window(scope, &id, window, None, measure).await;
            let by_unit = by_unit.map_err(|error| SourceError(error.to_string()))?;
            let named = by_unit.into_iter().flat_map(|(unit, measures)| {
                measures.into_iter().map(move |measure| Measure { unit: unit.as_str().to_owned(), ..measure })
            });
            Ok(named.collect())
        })
    }

    fn first_minute<'a>(
        &'a self,
        scope: &'a Scope,
        metric: &'a StreamedMetric,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Timestamp>, SourceError>> {
        Box::pin(async move {
            let window = Window::sliding(from, to, Period::MINUTE);
            // As in `measures`, a minute whose samples make no summary does not count.
            let filled = |start: Second, samples: &PeriodSamples<'_>| samples.summary().map(|_| start);
            let by_unit = self.0.read_window(scope, &id_of(metric), window, None, filled).await;
            let by_unit = by_unit.map_err(|error| SourceError(error.to_string()))?;
            Ok(by_unit.values().filter_map(|minutes| minutes.first()).min().map(|first| first.timestamp()))
        })
    }

    fn supports(&self, statistic: &str) -> bool {
        statistic.parse::<Statistic>().is_ok()
    }
}

fn id_of(metric: &StreamedMetric) -> MetricId {
    let StreamedMetric { namespace, name, dimensions } = metric.clone();
    MetricId { namespace, name, dimensions }
}
