//! The way out: samples of one series from all tiers, and statistics over them.

use std::collections::BTreeMap;

use groundwatch_core::{Scope, Timestamp};

use super::{MetricStore, SeriesId};
use crate::query::Window;
use crate::series_key::MetricId;
use crate::statistics::{PeriodSamples, Statistic};
use crate::{MetricError, Period, Second, Unit};

/// A read holds about this many samples in memory at a time, or one period's if that is more.
const SAMPLES_AT_A_TIME: u64 = 1_000_000;

/// One statistic of one period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The beginning of the period.
    pub timestamp: Timestamp,
    /// The statistic.
    pub value: f64,
    /// How many samples the period has.
    pub sample_count: f64,
}

impl MetricStore {
    /// The points of one statistic, ascending, for the periods that begin at `from` and after it every
    /// `period`, before `to`, as far as they have data. `from` need not be a multiple of the period: the
    /// window of an alarm slides.
    ///
    /// Without a unit, the data of the alphabetically first unit that has any in that range, as GetMetricData
    /// does.
    pub async fn read_points(
        &self,
        scope: &Scope,
        metric: &MetricId,
        statistic: &Statistic,
        period: Period,
        unit: Option<Unit>,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<Point>, MetricError> {
        let window = Window::sliding(from, to, period);
        let evaluate = |start: Second, samples: &PeriodSamples<'_>| {
            let value = samples.evaluate(statistic)?;
            let sample_count = samples.summary()?.sample_count;
            Some(Point { timestamp: start.timestamp(), value, sample_count })
        };
        let mut by_unit = self.read_window(scope, metric, window, unit, evaluate).await?;
        Ok(by_unit.pop_first().map(|(_, points)| points).unwrap_or_default())
    }

    /// What `evaluate` makes of each period that has data, by unit, ascending. A unit that has samples is
    /// there even if nothing is made of them.
    pub async fn read_window<T>(
        &self,
        scope: &Scope,
        metric: &MetricId,
        window: Window,
        unit: Option<Unit>,
        evaluate: impl Fn(Second, &PeriodSamples<'_>) -> Option<T>,
    ) -> Result<BTreeMap<Unit, Vec<T>>, MetricError> {
        match self.series_of(scope, metric) {
            Some(id) => self.read_series(id, window, unit, evaluate).await,
            None => Ok(BTreeMap::new()),
        }
    }

    /// [`Self::read_window`] of a series that was found before.
    pub(crate) async fn read_series<T>(
        &self,
        id: SeriesId,
        window: Window,
        unit: Option<Unit>,
        evaluate: impl Fn(Second, &PeriodSamples<'_>) -> Option<T>,
    ) -> Result<BTreeMap<Unit, Vec<T>>, MetricError> {
        let reading = self.locate(id, window, unit).await?;
        let parts = reading.parts(SAMPLES_AT_A_TIME);
        if let &[part] = parts.as_slice() {
            return reading.read(part, unit, evaluate).await;
        }
        let mut results: BTreeMap<Unit, Vec<T>> = BTreeMap::new();
        for part in parts {
            for (unit, mut points) in reading.read(part, unit, &evaluate).await? {
                results.entry(unit).or_default().append(&mut points);
            }
        }
        Ok(results)
    }

    /// Whether the point of `period` that begins at `start` can still be read.
    pub(crate) fn offers(&self, period: Period, start: Timestamp) -> bool {
        self.retention().offers(period, start, self.inner.clock.now())
    }

    /// The metric of a series.
    pub(crate) fn metric(&self, id: SeriesId) -> Option<MetricId> {
        MetricId::of_key(&self.key(id)?)
    }

    /// The number of a metric's series, if there is one.
    pub(crate) fn series_of(&self, scope: &Scope, metric: &MetricId) -> Option<SeriesId> {
        self.find(&metric.key(scope)?)
    }
}
