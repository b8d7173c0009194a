//! The way out: samples of one series from all tiers, and statistics over them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use groundwatch_core::{Scope, Timestamp};

use super::block_file::BlockFile;
use super::{MetricStore, SeriesId};
use crate::query::{Window, periods};
use crate::sample::Samples;
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
    /// The points of one statistic, ascending, for the periods that begin at `from` and after it every `period`, before
    /// `to`, as far as they have data. `from` need not be a multiple of the period: the window of an alarm slides.
    ///
    /// Without a unit, the data of the alphabetically first unit that has any in that range, as GetMetricData does.
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

    /// What `evaluate` makes of each period that has data, by unit, ascending. A unit that has samples is there even
    /// if nothing is made of them.
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
        let mut results: BTreeMap<Unit, Vec<T>> = BTreeMap::new();
        let now = self.inner.clock.now();
        let retention = self.inner.options.retention;
        let parts = self.estimate_samples(id, window).await?.div_ceil(SAMPLES_AT_A_TIME).max(1);
        for part in window.split(u32::try_from(parts).unwrap_or(u32::MAX)) {
            for (unit, mut samples) in self.samples(id, part.from, part.until, unit).await? {
                samples.sort();
                let offered = |start: Second| retention.offers(window.period, start.timestamp(), now);
                let mut offered = periods(&samples, part).filter(|(start, _)| offered(*start)).peekable();
                if offered.peek().is_some() {
                    let points = offered.filter_map(|(start, samples)| evaluate(start, &samples));
                    results.entry(unit).or_default().extend(points);
                }
            }
        }
        Ok(results)
    }

    /// The units that have data in `window`, ascending.
    pub async fn units(
        &self,
        scope: &Scope,
        metric: &MetricId,
        window: Window,
    ) -> Result<Vec<Unit>, MetricError> {
        let Some(id) = self.series_of(scope, metric) else { return Ok(Vec::new()) };
        let candidates = self.unit_candidates(id, window).await?;
        if candidates.len() < 2 {
            return Ok(candidates.into_iter().collect());
        }
        let read = self.read_window(scope, metric, window, None, |_, _| None::<()>).await?;
        Ok(read.into_keys().collect())
    }

    /// The number of a metric's series, if there is one.
    pub(crate) fn series_of(&self, scope: &Scope, metric: &MetricId) -> Option<SeriesId> {
        self.find(&metric.key(scope)?)
    }

    /// The units that may have data in `window`, without decoding a sample.
    async fn unit_candidates(&self, id: SeriesId, window: Window) -> Result<BTreeSet<Unit>, MetricError> {
        let mut units = BTreeSet::new();
        let blocks = {
            let tiers = self.inner.tiers.read();
            let shard = self.inner.shards[id.shard()].lock();
            let frozen = tiers.frozen.as_ref().and_then(|frozen| frozen.chunks(id));
            let recent = shard.chunks(id).into_iter().chain(frozen).flat_map(|chunks| chunks.iter());
            units.extend(recent.map(|chunk| chunk.unit()));
            blocks_with(&tiers.blocks, shard.key(id), window.from, window.until)
        };
        for block in blocks {
            let index = self.index(&block).await?;
            units.extend(index.find(id, window.from, window.until).map(|entry| entry.unit));
        }
        Ok(units)
    }

    /// The samples of a series from `from` on and before `until`, by unit, in no order.
    async fn samples(
        &self,
        id: SeriesId,
        from: Second,
        until: Second,
        unit: Option<Unit>,
    ) -> Result<BTreeMap<Unit, Samples>, MetricError> {
        let mut by_unit: BTreeMap<Unit, Samples> = BTreeMap::new();
        let blocks = self.recent_samples(id, from, until, unit, &mut by_unit)?;
        for block in blocks {
            let index = self.index(&block).await?;
            for entry in index.find(id, from, until) {
                if unit.is_some_and(|unit| unit != entry.unit) {
                    continue;
                }
                let page = self.page(&block, &index, entry).await?;
                let samples = by_unit.entry(entry.unit).or_default();
                let read = page.read(entry.rows(), from, until, samples);
                read.map_err(|source| MetricError::Damaged { place: block.place(), source })?;
            }
        }
        by_unit.retain(|_, samples| !samples.is_empty());
        Ok(by_unit)
    }

    /// Adds what head and frozen head have to `by_unit`, and returns the blocks to look into, all as of one moment.
    fn recent_samples(
        &self,
        id: SeriesId,
        from: Second,
        until: Second,
        unit: Option<Unit>,
        by_unit: &mut BTreeMap<Unit, Samples>,
    ) -> Result<Vec<Arc<BlockFile>>, MetricError> {
        let tiers = self.inner.tiers.read();
        let shard = self.inner.shards[id.shard()].lock();
        let head = shard.chunks(id);
        let frozen = tiers.frozen.as_ref().and_then(|frozen| frozen.chunks(id));
        for chunk in head.into_iter().chain(frozen).flat_map(|chunks| chunks.iter()) {
            if unit.is_some_and(|unit| unit != chunk.unit()) {
                continue;
            }
            let samples = by_unit.entry(chunk.unit()).or_default();
            chunk.read(from, until, samples).map_err(MetricError::damaged("recent metric data in memory"))?;
        }
        Ok(blocks_with(&tiers.blocks, shard.key(id), from, until))
    }

    /// At least how many samples a read of `window` decodes.
    async fn estimate_samples(&self, id: SeriesId, window: Window) -> Result<u64, MetricError> {
        let blocks = {
            let tiers = self.inner.tiers.read();
            let shard = self.inner.shards[id.shard()].lock();
            blocks_with(&tiers.blocks, shard.key(id), window.from, window.until)
        };
        let mut rows = 0;
        for block in blocks {
            let index = self.index(&block).await?;
            rows += index.find(id, window.from, window.until).map(|entry| u64::from(entry.rows)).sum::<u64>();
        }
        Ok(rows)
    }
}

/// The blocks that can have samples of the series with that key from `from` on and before `until`.
fn blocks_with(
    blocks: &[Arc<BlockFile>],
    key: Option<&Arc<str>>,
    from: Second,
    until: Second,
) -> Vec<Arc<BlockFile>> {
    let Some(key) = key else { return Vec::new() };
    let wanted = |block: &&Arc<BlockFile>| block.touches(from, until) && block.may_have(key);
    blocks.iter().filter(wanted).cloned().collect()
}
