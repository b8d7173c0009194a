//! The way out: samples of one series from all tiers, and statistics over them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use groundwatch_core::{Scope, Timestamp};

use super::tiers::BlockFile;
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
        let mut results: BTreeMap<Unit, Vec<T>> = BTreeMap::new();
        let Some(id) = self.series_of(scope, metric) else { return Ok(results) };
        let now = self.inner.clock.now();
        let retention = self.inner.options.retention;
        let parts = self.estimate_samples(id, window).div_ceil(SAMPLES_AT_A_TIME).max(1);
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
        let candidates = self.unit_candidates(id, window);
        if candidates.len() < 2 {
            return Ok(candidates.into_iter().collect());
        }
        let read = self.read_window(scope, metric, window, None, |_, _| None::<()>).await?;
        Ok(read.into_keys().collect())
    }

    fn series_of(&self, scope: &Scope, metric: &MetricId) -> Option<SeriesId> {
        self.find(&metric.key(scope)?)
    }

    /// The units that may have data in `window`, without decoding anything.
    fn unit_candidates(&self, id: SeriesId, window: Window) -> BTreeSet<Unit> {
        let tiers = self.inner.tiers.read();
        let shard = self.inner.shards[id.shard()].lock();
        let frozen = tiers.frozen.as_ref().and_then(|frozen| frozen.chunks(id));
        let recent = shard.chunks(id).into_iter().chain(frozen).flat_map(|chunks| chunks.iter());
        let blocks = tiers.blocks.iter().filter(|block| block.touches(window.from, window.until));
        let entries = blocks.flat_map(|block| block.index.find(id, window.from, window.until));
        recent.map(|chunk| chunk.unit()).chain(entries.map(|entry| entry.unit)).collect()
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
            for entry in block.index.find(id, from, until) {
                if unit.is_some_and(|unit| unit != entry.unit) {
                    continue;
                }
                let page = self.read_page(&block, entry).await?;
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
        Ok(tiers.blocks.iter().filter(|block| block.touches(from, until)).cloned().collect())
    }

    /// At least how many samples a read of `window` decodes.
    fn estimate_samples(&self, id: SeriesId, window: Window) -> u64 {
        let tiers = self.inner.tiers.read();
        let in_blocks = |block: &Arc<BlockFile>| -> u64 {
            block.index.find(id, window.from, window.until).map(|entry| u64::from(entry.rows)).sum()
        };
        tiers.blocks.iter().filter(|block| block.touches(window.from, window.until)).map(in_blocks).sum()
    }

    async fn read_page(
        &self,
        block: &BlockFile,
        entry: &crate::block::Entry,
    ) -> Result<crate::block::Page, MetricError> {
        let page = block.index.page(entry);
        let range = page.offset..page.offset + page.length;
        let bytes = self.inner.storage.segments.read_range(&block.meta, range).await?;
        let place = || format!("page at byte {} of {}", page.offset, block.place());
        block.index.decode(entry, &bytes).map_err(|source| MetricError::Damaged { place: place(), source })
    }
}
