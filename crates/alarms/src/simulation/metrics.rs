//! Metrics that are made up: samples by metric name, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use groundwatch_core::{BoxFuture, Clock as _, ManualClock, Scope, Timestamp};
use parking_lot::Mutex;

use crate::definition::math_query::MathQuery;
use crate::evaluation::sample_watch::Waker;
use crate::reader::{
    Band, FilledPeriod, KnownPeriods, MetricQuery, MetricReader, Point, QuerySeries, ReadError, Statistic,
    WatchedMetric,
};

/// Samples by metric name.
pub(crate) struct Metrics {
    me: Weak<Metrics>,
    clock: Arc<ManualClock>,
    samples: Mutex<BTreeMap<String, BTreeMap<Timestamp, f64>>>,
    /// By metric name. Those of alarms that are gone wake nobody.
    wakes: Mutex<BTreeMap<String, Vec<Waker>>>,
    pub(crate) reads: Mutex<usize>,
    pub(crate) broken: Mutex<bool>,
    /// What is expected of every period of every metric.
    pub(crate) band: Mutex<Option<Band>>,
    /// Whether it neither wakes anybody nor looks ahead.
    pub(crate) short_sighted: Mutex<bool>,
}

impl Metrics {
    pub(crate) fn new(clock: Arc<ManualClock>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            clock,
            samples: Mutex::default(),
            wakes: Mutex::default(),
            reads: Mutex::default(),
            broken: Mutex::default(),
            band: Mutex::default(),
            short_sighted: Mutex::default(),
        })
    }

    pub(crate) fn add(&self, metric: &str, at: Timestamp, value: f64) {
        self.samples.lock().entry(metric.to_owned()).or_default().insert(at, value);
        for wake in self.wakes.lock().get(metric).into_iter().flatten() {
            wake.arrived(self.clock.now());
        }
    }

    fn periods(&self, query: &MetricQuery, from: Timestamp, to: Timestamp) -> Vec<FilledPeriod> {
        let samples = self.samples.lock();
        let Some(samples) = samples.get(&query.metric_name) else { return Vec::new() };
        let period = Duration::from_secs(u64::from(query.period_secs));
        let starts =
            std::iter::successors(Some(from), |start| Some(*start + period)).take_while(|start| *start < to);
        starts
            .filter_map(|timestamp| {
                let mut inside = samples.range(timestamp..timestamp + period);
                let values: Vec<f64> = inside.clone().map(|(_, value)| *value).collect();
                let oldest = *inside.next()?.0;
                Some(FilledPeriod {
                    timestamp,
                    value: statistic(query.statistic.as_str(), &values),
                    sample_count: values.len() as f64,
                    oldest,
                    newest: inside.next_back().map_or(oldest, |(at, _)| *at),
                })
            })
            .collect()
    }

    fn count_read(&self) -> Result<(), ReadError> {
        *self.reads.lock() += 1;
        if *self.broken.lock() { Err(ReadError("broken on purpose".into())) } else { Ok(()) }
    }
}

/// `None` as the real ones: percentiles of negative values.
fn statistic(name: &str, values: &[f64]) -> Option<f64> {
    let (count, sum) = (values.len() as f64, values.iter().sum::<f64>());
    let maximum = values.iter().copied().fold(f64::MIN, f64::max);
    match name {
        "Sum" => Some(sum),
        "Maximum" => Some(maximum),
        "SampleCount" => Some(count),
        _ if name.starts_with('p') => values.iter().all(|value| *value >= 0.0).then_some(maximum),
        _ => Some(sum / count),
    }
}

impl MetricReader for Metrics {
    fn read<'a>(
        &'a self,
        _: &'a Scope,
        query: &'a MetricQuery,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Point>, ReadError>> {
        Box::pin(async move {
            assert_ne!(query.metric_name, "mistake", "a mistake");
            self.count_read()?;
            let periods = self.periods(query, from, to);
            Ok(periods.iter().filter_map(|period| period.point_at(period.timestamp)).collect())
        })
    }

    fn read_band<'a>(
        &'a self,
        _: &'a Scope,
        query: &'a MathQuery,
        (from, to): (Timestamp, Timestamp),
    ) -> BoxFuture<'a, Result<BTreeMap<Timestamp, Band>, ReadError>> {
        Box::pin(async move {
            self.count_read()?;
            let Some(band) = *self.band.lock() else { return Ok(BTreeMap::new()) };
            let period = Duration::from_secs(u64::from(query.period_secs));
            let starts = std::iter::successors(Some(from), |start| Some(*start + period));
            Ok(starts.take_while(|start| *start < to).map(|start| (start, band)).collect())
        })
    }

    fn supports(&self, statistic: &str) -> bool {
        statistic.starts_with('p') || statistic == "Sum"
    }

    fn watch(&self, _: &Scope, query: &MetricQuery, wake: Waker) -> Option<Box<dyn WatchedMetric>> {
        if *self.short_sighted.lock() {
            return None;
        }
        self.wakes.lock().entry(query.metric_name.clone()).or_default().push(wake);
        Some(Box::new(Watched { metrics: self.me.upgrade()?, query: query.clone() }))
    }

    /// Whatever the query says: the average of each metric that has samples, told apart by its name as
    /// `Host`.
    fn read_query<'a>(
        &'a self,
        _: &'a Scope,
        query: &'a str,
        period_secs: u32,
        (from, to): (Timestamp, Timestamp),
    ) -> BoxFuture<'a, Result<Vec<QuerySeries>, ReadError>> {
        Box::pin(async move {
            self.count_read()?;
            let names: Vec<String> = self.samples.lock().keys().cloned().collect();
            let series = names.into_iter().map(|metric_name| {
                let asked = MetricQuery {
                    namespace: "Shop".to_owned(),
                    metric_name,
                    dimensions: Vec::new(),
                    statistic: Statistic::Simple("Average".to_owned()),
                    period_secs,
                    unit: None,
                };
                let periods = self.periods(&asked, from, to);
                let points = periods.iter().filter_map(|period| period.point_at(period.timestamp)).collect();
                let grouped = query.contains("GROUP BY");
                let attributes = grouped.then(|| ("Host".to_owned(), asked.metric_name));
                QuerySeries { attributes: attributes.into_iter().collect(), points }
            });
            Ok(series.filter(|series| !series.points.is_empty()).collect())
        })
    }
}

/// One of them, with what an alarm asks of it.
struct Watched {
    metrics: Arc<Metrics>,
    query: MetricQuery,
}

impl WatchedMetric for Watched {
    fn look_ahead(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'_, Result<Option<KnownPeriods>, ReadError>> {
        Box::pin(async move {
            let Self { metrics, query } = self;
            metrics.count_read()?;
            let periods = metrics.periods(query, from, to);
            let samples = metrics.samples.lock();
            let latest = samples.get(&query.metric_name).and_then(|samples| samples.keys().next_back());
            Ok(Some(KnownPeriods { periods, is_last: latest.is_none_or(|latest| *latest < to) }))
        })
    }
}
