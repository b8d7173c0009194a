//! One series in one window: where its samples are, found as of one moment, and the way to them part by part.
//!
//! Nothing is decoded to find them: chunks and entries say from when to when they reach, so a window of
//! decades costs what it holds and not what it spans.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::block_file::BlockFile;
use super::chunk::Chunk;
use super::{MetricStore, SeriesId};
use crate::block::{BlockIndex, Entry};
use crate::query::{Window, periods};
use crate::sample::Samples;
use crate::statistics::PeriodSamples;
use crate::{MetricError, Second, Unit};

/// What a series has in a window.
pub(crate) struct Reading {
    store: MetricStore,
    window: Window,
    recent: Vec<Chunk>,
    stored: Vec<StoredEntry>,
}

/// Rows of a block.
struct StoredEntry {
    block: Arc<BlockFile>,
    index: Arc<BlockIndex>,
    entry: Entry,
}

/// Samples of one unit that lie in one place.
#[derive(Clone, Copy, Debug)]
struct Extent {
    unit: Unit,
    first: Second,
    last: Second,
    /// About how many.
    samples: u64,
}

/// Where samples were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// About how many are in memory.
    pub(crate) recent_samples: u64,
    /// Names of blocks.
    pub(crate) blocks: BTreeSet<String>,
    /// How many rows of these are looked at.
    pub(crate) rows: u64,
}

impl MetricStore {
    /// Finds what a series has in `window`: of `unit` only, if that is given.
    pub(crate) async fn locate(
        &self,
        id: SeriesId,
        window: Window,
        unit: Option<Unit>,
    ) -> Result<Reading, MetricError> {
        let (from, until) = (window.from, window.until);
        let is_wanted = |found: Unit| unit.is_none_or(|unit| unit == found);
        let touches = |(first, last): (Second, Second)| from <= last && first < until;
        let (recent, blocks) = {
            let tiers = self.inner.tiers.read();
            let shard = self.inner.shards[id.shard()].lock();
            let frozen = tiers.frozen.as_ref().and_then(|frozen| frozen.chunks(id));
            let chunks = shard.chunks(id).into_iter().chain(frozen).flat_map(|chunks| chunks.iter());
            let wanted = chunks.filter(|chunk| is_wanted(chunk.unit()) && touches(chunk.span()));
            (wanted.cloned().collect(), blocks_with(&tiers.blocks, shard.key(id), from, until))
        };
        let mut stored = Vec::new();
        for block in blocks {
            let index = self.index(&block).await?;
            for entry in index.find(id, from, until).filter(|entry| is_wanted(entry.unit)) {
                stored.push(StoredEntry {
                    block: Arc::clone(&block),
                    index: Arc::clone(&index),
                    entry: *entry,
                });
            }
        }
        Ok(Reading { store: self.clone(), window, recent, stored })
    }
}

impl Reading {
    /// The units that have samples in the window, ascending.
    pub(crate) async fn units(&self) -> Result<Vec<Unit>, MetricError> {
        let (from, until) = (self.window.from, self.window.until);
        let inside = |second: Second| from <= second && second < until;
        // A sample lies at either end of an extent; only one that reaches beyond both ends of the window may
        // have none in it.
        let (certain, straddling): (Vec<Extent>, Vec<Extent>) =
            self.extents().partition(|extent| inside(extent.first) || inside(extent.last));
        let mut units: BTreeSet<Unit> = certain.iter().map(|extent| extent.unit).collect();
        for unit in straddling.iter().map(|extent| extent.unit) {
            if !units.contains(&unit) && !self.samples(self.window, Some(unit)).await?.is_empty() {
                units.insert(unit);
            }
        }
        Ok(units.into_iter().collect())
    }

    /// The window without what surely has no samples, in parts of about `samples_max` samples or one period,
    /// ascending.
    pub(crate) fn parts(&self, samples_max: u64) -> Vec<Window> {
        parts(self.window, self.extents().collect(), samples_max)
    }

    /// What `evaluate` makes of each period of a part of the window that has data, by unit, ascending. A unit
    /// that has samples is there even if nothing is made of them.
    pub(crate) async fn read<T>(
        &self,
        part: Window,
        unit: Option<Unit>,
        evaluate: impl Fn(Second, &PeriodSamples<'_>) -> Option<T>,
    ) -> Result<BTreeMap<Unit, Vec<T>>, MetricError> {
        let (now, retention) = (self.store.inner.clock.now(), self.store.retention());
        let offered = |start: Second| retention.offers(part.period, start.timestamp(), now);
        let mut results = BTreeMap::new();
        for (unit, mut samples) in self.samples(part, unit).await? {
            samples.sort();
            let mut offered = periods(&samples, part).filter(|(start, _)| offered(*start)).peekable();
            if offered.peek().is_some() {
                let mut points = Vec::with_capacity(samples.len().min(part.periods() as usize));
                points.extend(offered.filter_map(|(start, samples)| evaluate(start, &samples)));
                results.insert(unit, points);
            }
        }
        Ok(results)
    }

    /// Where the samples are.
    pub(crate) fn places(&self) -> Places {
        Places {
            recent_samples: self.recent.iter().map(Chunk::estimated_samples).sum(),
            blocks: self.stored.iter().map(|stored| stored.block.meta.id().as_str().to_owned()).collect(),
            rows: self.stored.iter().map(|stored| u64::from(stored.entry.rows)).sum(),
        }
    }

    fn extents(&self) -> impl Iterator<Item = Extent> {
        let recent = self.recent.iter().map(|chunk| {
            let (first, last) = chunk.span();
            Extent { unit: chunk.unit(), first, last, samples: chunk.estimated_samples() }
        });
        let stored = self.stored.iter().map(|StoredEntry { entry, .. }| Extent {
            unit: entry.unit,
            first: entry.first,
            last: entry.last,
            samples: u64::from(entry.rows),
        });
        recent.chain(stored)
    }

    /// The samples in a part of the window, by unit, in no order.
    async fn samples(
        &self,
        part: Window,
        unit: Option<Unit>,
    ) -> Result<BTreeMap<Unit, Samples>, MetricError> {
        let (from, until) = (part.from, part.until);
        let is_wanted = |found: Unit| unit.is_none_or(|unit| unit == found);
        let mut by_unit: BTreeMap<Unit, Samples> = BTreeMap::new();
        for chunk in self.recent.iter().filter(|chunk| is_wanted(chunk.unit())) {
            let samples = by_unit.entry(chunk.unit()).or_default();
            chunk.read(from, until, samples).map_err(MetricError::damaged("recent metric data in memory"))?;
        }
        for StoredEntry { block, index, entry } in &self.stored {
            if !is_wanted(entry.unit) || until <= entry.first || entry.last < from {
                continue;
            }
            let page = self.store.page(block, index, entry).await?;
            let read = page.read(entry.rows(), from, until, by_unit.entry(entry.unit).or_default());
            read.map_err(|source| MetricError::Damaged { place: block.place(), source })?;
        }
        by_unit.retain(|_, samples| !samples.is_empty());
        Ok(by_unit)
    }
}

/// The periods of `window` that `extents` touch, in parts of about `samples_max` samples or one period,
/// ascending.
fn parts(window: Window, mut extents: Vec<Extent>, samples_max: u64) -> Vec<Window> {
    extents.sort_unstable_by_key(|extent| extent.first);
    let mut parts: Vec<(Window, u64)> = Vec::new();
    for extent in extents {
        let touched = window.cut_to(extent.first, extent.last);
        match parts.last_mut() {
            // What lies between costs nothing if the samples together are few; what overlaps must not be
            // parted.
            Some((part, samples))
                if touched.from < part.until || *samples + extent.samples <= samples_max =>
            {
                part.until = part.until.max(touched.until);
                *samples += extent.samples;
            }
            _ => parts.push((touched, extent.samples)),
        }
    }
    let split = |(part, samples): (Window, u64)| {
        part.split(u32::try_from(samples.div_ceil(samples_max)).unwrap_or(u32::MAX))
    };
    parts.into_iter().flat_map(split).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Period;

    const YEAR: u32 = 365 * 24 * 60 * 60;

    /// Extents as (first, last, samples), parts as (from, until).
    #[track_caller]
    fn check(period_secs: i64, window: (u32, u32), extents: &[(u32, u32, u64)], expected: &[(u32, u32)]) {
        let period = Period::from_secs(period_secs).expect("a period");
        let window = Window { from: Second(window.0), until: Second(window.1), period };
        let extent = |&(first, last, samples): &(u32, u32, u64)| Extent {
            unit: Unit::Count,
            first: Second(first),
            last: Second(last),
            samples,
        };
        let found = parts(window, extents.iter().map(extent).collect(), 1000);
        let found: Vec<_> = found.iter().map(|part| (part.from.0, part.until.0)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_window_of_decades_has_as_many_parts_as_its_samples_need() {
        check(1, (0, 60 * YEAR), &[], &[]);
        check(1, (0, 60 * YEAR), &[(50 * YEAR, 50 * YEAR + 9, 10)], &[(50 * YEAR, 50 * YEAR + 10)]);
        // Few samples far apart are read at once; many are not.
        check(1, (0, 60 * YEAR), &[(YEAR, YEAR, 1), (9 * YEAR, 9 * YEAR, 1)], &[(YEAR, 9 * YEAR + 1)]);
        let many = [(YEAR, YEAR + 99, 900), (9 * YEAR, 9 * YEAR + 99, 900)];
        check(1, (0, 60 * YEAR), &many, &[(YEAR, YEAR + 100), (9 * YEAR, 9 * YEAR + 100)]);
    }

    #[test]
    fn parts_begin_where_periods_do_and_share_none() {
        check(300, (600, 6000), &[(1000, 1400, 5)], &[(900, 1500)]);
        check(300, (650, 6050), &[(1000, 1400, 5)], &[(950, 1550)]);
        let touching = [(1000, 1400, 999), (1450, 1900, 999)];
        check(300, (600, 6000), &touching, &[(900, 1500), (1500, 2100)]);
        let sharing = [(1000, 1510, 999), (1550, 1900, 999)];
        check(300, (600, 6000), &sharing, &[(900, 1500), (1500, 2100)]);
        check(300, (600, 1200), &[(0, 5000, 3000)], &[(600, 900), (900, 1200)]);
    }
}
