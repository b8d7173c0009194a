//! Reading many series at once, by a bounded number of tasks.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use groundwatch_metric_selection::insights::{Bucket, Fold};
use groundwatch_storage::StorageError;
use tokio::task::JoinSet;

use crate::query::Window;
use crate::statistics::PeriodSamples;
use crate::store::SeriesId;
use crate::{MetricError, MetricStore, Second, Statistic, Unit};

/// A task takes so many series at a time: neighbours lie in the same pages.
const SERIES_AT_A_TIME: usize = 16;
/// Tasks of one request, should there be more processors.
const TASKS_MAX: usize = 8;

/// One thing to read.
pub(super) trait Job: Send + Sync + 'static {
    /// What is read.
    type Output: Send + 'static;
    /// Reads it.
    fn run(&self, store: &MetricStore) -> impl Future<Output = Self::Output> + Send;
}

/// What all jobs read, in their order. Dropping the future ends the reading.
pub(super) async fn read_all<J: Job>(
    store: &MetricStore,
    jobs: Vec<J>,
) -> Result<Vec<J::Output>, MetricError> {
    let mut outputs = Vec::with_capacity(jobs.len());
    if jobs.len() <= SERIES_AT_A_TIME {
        for job in &jobs {
            outputs.push(job.run(store).await);
        }
        return Ok(outputs);
    }
    let (jobs, next) = (Arc::new(jobs), Arc::new(AtomicUsize::new(0)));
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut tasks = JoinSet::new();
    for _ in 0..processors.min(TASKS_MAX).min(jobs.len().div_ceil(SERIES_AT_A_TIME)) {
        tasks.spawn(take_jobs(store.clone(), Arc::clone(&jobs), Arc::clone(&next)));
    }
    let mut parts = Vec::with_capacity(jobs.len().div_ceil(SERIES_AT_A_TIME));
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(part) => parts.extend(part),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Tasks are only cancelled when the runtime stops.
            Err(_) => return Err(StorageError::Closed { reason: "the server is shutting down" }.into()),
        }
    }
    parts.sort_unstable_by_key(|(first, _)| *first);
    outputs.extend(parts.into_iter().flat_map(|(_, part)| part));
    Ok(outputs)
}

/// Takes the next jobs until there are none. Answers with what was read, by the number of the first of each
/// part.
async fn take_jobs<J: Job>(
    store: MetricStore,
    jobs: Arc<Vec<J>>,
    next: Arc<AtomicUsize>,
) -> Vec<(usize, Vec<J::Output>)> {
    let mut parts = Vec::new();
    loop {
        let first = next.fetch_add(SERIES_AT_A_TIME, Ordering::Relaxed);
        let Some(taken) = jobs.get(first..jobs.len().min(first + SERIES_AT_A_TIME)) else { return parts };
        if taken.is_empty() {
            return parts;
        }
        let mut outputs = Vec::with_capacity(taken.len());
        for job in taken {
            outputs.push(job.run(&store).await);
        }
        parts.push((first, outputs));
        tokio::task::yield_now().await;
    }
}

/// A statistic of one series.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatisticJob {
    /// `None` if there is no such metric.
    pub(super) series: Option<SeriesId>,
    pub(super) window: Window,
    pub(super) statistic: Statistic,
    pub(super) unit: Option<Unit>,
}

/// The points of a series.
#[derive(Clone, Debug, Default)]
pub(super) struct StatisticPoints {
    /// All units that have data in the window, ascending, if none was asked for.
    pub(super) units: Vec<Unit>,
    /// Of the first unit, ascending.
    pub(super) points: Vec<(Second, f64)>,
}

impl Job for StatisticJob {
    type Output = Result<StatisticPoints, MetricError>;

    async fn run(&self, store: &MetricStore) -> Self::Output {
        let Some(series) = self.series else { return Ok(StatisticPoints::default()) };
        let evaluate = |start: Second, samples: &PeriodSamples<'_>| {
            samples.evaluate(&self.statistic).map(|value| (start, value))
        };
        let by_unit = store.read_series(series, self.window, self.unit, evaluate).await?;
        let units = by_unit.keys().copied().collect();
        Ok(StatisticPoints { units, points: by_unit.into_values().next().unwrap_or_default() })
    }
}

/// Count, sum, minimum and maximum of each period over some series. As elsewhere, of a series that has data
/// in several units, those of the alphabetically first count.
#[derive(Clone, Debug)]
pub(super) struct FoldJob {
    series: Vec<SeriesId>,
    window: Window,
}

impl FoldJob {
    /// Over `series`.
    pub(super) fn new(series: impl Iterator<Item = SeriesId>, window: Window) -> Self {
        Self { series: series.collect(), window }
    }
}

impl Job for FoldJob {
    type Output = Result<Fold, MetricError>;

    async fn run(&self, store: &MetricStore) -> Self::Output {
        let mut fold = Fold::new();
        for series in &self.series {
            let by_unit = store.read_series(*series, self.window, None, bucket).await?;
            fold.add(by_unit.into_values().next().unwrap_or_default());
        }
        Ok(fold)
    }
}

fn bucket(start: Second, samples: &PeriodSamples<'_>) -> Option<(i64, Bucket)> {
    let summary = samples.summary()?;
    let (sum, count) = (summary.sum, summary.sample_count);
    Some((i64::from(start.0), Bucket { sum, count, min: summary.minimum, max: summary.maximum }))
}
