//! Compaction: what is in blocks is brought into fewer and longer ones, coarser with age, and deleted when it
//! is too old.
//!
//! Each step is a [job](plan), done in one transaction of the catalog: new blocks become visible and those
//! that they replace stop being so. A crash before it leaves objects that nobody registered, which the next
//! start deletes. Reads under way keep the blocks that they began with.

mod cursor;
mod merge;
mod plan;
mod roll_up;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, Timestamp};
use groundwatch_storage::{Batch, SegmentMeta};
use parking_lot::Mutex;
use tokio::sync::Notify;

use self::plan::{Job, RunOfBlocks};
use super::block_file::BlockFile;
use super::flush::DAY_SECS;
use super::{MetricStore, SeriesIndex};
use crate::{MetricError, Second};

/// The coarsest resolution that there is.
const HOUR_SECS: u32 = 60 * 60;
/// After a failure the next attempt waits so long.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Compacts a [`MetricStore`] and applies its retention.
#[derive(Clone)]
pub struct MetricCompaction {
    store: MetricStore,
}

#[derive(Default)]
pub(super) struct CompactionState {
    /// Held by the one compaction that is under way.
    running: tokio::sync::Mutex<()>,
    pub(super) changed: Notify,
    /// When it failed last, until it succeeds.
    failed_at: Mutex<Option<Timestamp>>,
}

impl MetricCompaction {
    /// The activity that compacts `store`.
    pub fn new(store: MetricStore) -> Self {
        Self { store }
    }
}

impl Activity for MetricCompaction {
    fn name(&self) -> &'static str {
        "metric-compaction"
    }

    fn next_due(&self) -> Option<Timestamp> {
        let now = self.store.inner.clock.now();
        let due = plan::next_due(&self.store.runs(), self.store.retention(), now)?;
        let failed_at = *self.store.inner.compaction.failed_at.lock();
        Some(failed_at.map_or(due, |failed| due.max(failed.due_after(RETRY_AFTER, now))))
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let failed_at = &self.store.inner.compaction.failed_at;
            if failed_at.lock().is_some_and(|failed| failed.due_after(RETRY_AFTER, now) > now) {
                return;
            }
            let outcome = self.store.compact(now).await;
            if let Err(error) = &outcome {
                let error = error as &dyn std::error::Error;
                tracing::error!(error, "compaction of metrics failed: will retry");
            }
            *failed_at.lock() = outcome.is_err().then_some(now);
        })
    }

    fn changed(&self) -> &Notify {
        &self.store.inner.compaction.changed
    }
}

impl MetricStore {
    /// Merges, rolls up and deletes blocks until nothing of that is to be done at `now`.
    ///
    /// After a failure everything is as before the step that failed. A block that turns out to be damaged is
    /// left alone.
    pub async fn compact(&self, now: Timestamp) -> Result<(), MetricError> {
        let _running = self.inner.compaction.running.lock().await;
        loop {
            let runs = self.runs();
            let Some(job) = plan::next_job(&runs, self.retention(), now) else { return Ok(()) };
            match self.run_job(job, now).await {
                // It was reported when it was found, and its block is not offered again.
                Err(error) if error.is_damage() && self.runs() != runs => {}
                outcome => outcome?,
            }
            self.inner.storage.segments.sweep().await;
        }
    }

    /// The runs of undamaged blocks.
    fn runs(&self) -> Vec<RunOfBlocks> {
        let tiers = self.inner.tiers.read();
        let mut runs: BTreeMap<(Timestamp, &str), Vec<&Arc<BlockFile>>> = BTreeMap::new();
        for block in &tiers.blocks {
            let name = match block.contents.run.as_str() {
                "" => block.meta.id().as_str(),
                run => run,
            };
            runs.entry((block.meta.to.floor_to(DAY_SECS), name)).or_default().push(block);
        }
        runs.retain(|_, blocks| !blocks.iter().any(|block| block.is_damaged()));
        let run = |mut blocks: Vec<&Arc<BlockFile>>| {
            blocks.sort_by(|a, b| a.contents.first_key.cmp(&b.contents.first_key));
            Some(RunOfBlocks {
                to: blocks.iter().map(|block| block.meta.to).max()?,
                resolution_secs: blocks.iter().map(|block| block.contents.resolution_secs.max(1)).min()?,
                bytes: blocks.iter().map(|block| block.meta.bytes).sum(),
                blocks: blocks.iter().map(|block| block.number).collect(),
            })
        };
        runs.into_values().filter_map(run).collect()
    }

    async fn run_job(&self, job: Job, now: Timestamp) -> Result<(), MetricError> {
        match job {
            Job::Expire(numbers) => {
                let expired = self.blocks(&numbers);
                tracing::info!(blocks = expired.len(), "delete metrics that are too old");
                self.replace(&expired, Vec::new()).await?;
                self.forget_series(now);
                Ok(())
            }
            Job::Merge { runs, resolution_secs } => {
                let runs: Vec<_> = runs.iter().map(|numbers| self.blocks(numbers)).collect();
                let merged: Vec<_> = runs.iter().flatten().cloned().collect();
                let (store, runtime) = (self.clone(), tokio::runtime::Handle::current());
                let merge = move || runtime.block_on(merge::merge(&store, runs, resolution_secs));
                let run = tokio::task::spawn_blocking(merge).await;
                let run = run.expect("merging does not panic, and the runtime outlives its tasks")?;
                tracing::info!(blocks = merged.len(), resolution_secs, "blocks of metrics merged");
                self.replace(&merged, run.into_written()).await
            }
        }
    }

    fn blocks(&self, numbers: &[u64]) -> Vec<Arc<BlockFile>> {
        let tiers = self.inner.tiers.read();
        let find = |number: &u64| tiers.blocks.iter().find(|block| block.number == *number).cloned();
        numbers.iter().filter_map(find).collect()
    }

    /// Makes `written` visible in the place of `replaced`, in one transaction.
    async fn replace(
        &self,
        replaced: &[Arc<BlockFile>],
        written: Vec<SegmentMeta>,
    ) -> Result<(), MetricError> {
        let segments = &self.inner.storage.segments;
        let mut batch = Batch::new();
        written.iter().for_each(|meta| segments.register(&mut batch, meta.clone()));
        replaced.iter().for_each(|block| segments.unregister(&mut batch, block.meta.id()));
        if let Err(error) = self.inner.storage.catalog.commit(batch).await {
            segments.discard_after(&error, written.into_iter().map(|meta| meta.object).collect()).await;
            return Err(error.into());
        }
        let blocks = self.registered(written);
        let numbers: HashSet<u64> = replaced.iter().map(|block| block.number).collect();
        let mut tiers = self.inner.tiers.write();
        tiers.blocks.retain(|block| !numbers.contains(&block.number));
        tiers.blocks.extend(blocks);
        Ok(())
    }

    /// Forgets series whose samples have all expired.
    fn forget_series(&self, now: Timestamp) {
        let Some(age_max) = self.retention().keeps() else { return };
        // Samples that old were rolled up: they lie at the beginning of their hour.
        let blocks_from = self.inner.tiers.read().blocks.iter().map(|block| block.meta.from).min();
        let expired_before = now - age_max;
        let before = blocks_from.map_or(expired_before, |from| from.floor_to(HOUR_SECS).min(expired_before));
        let before = Second::nearest(before.ceil_to(1));
        let mut forgotten = HashSet::new();
        for (number, shard) in self.inner.shards.iter().enumerate() {
            forgotten.extend(shard.lock().forget(number, |latest| latest.floor_to(HOUR_SECS) < before));
        }
        if !forgotten.is_empty() {
            tracing::info!(series = forgotten.len(), "forget metrics without data");
            let mut index = self.inner.index.write();
            let mut left = SeriesIndex::default();
            for (key, id) in index.after("", None).filter(|(_, id)| !forgotten.contains(id)) {
                left.insert(Arc::clone(key), id);
            }
            *index = left;
        }
    }
}
