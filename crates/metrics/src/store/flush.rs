//! The flush: head → frozen head → blocks, one for each day that has samples.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, Timestamp};
use groundwatch_storage::{Batch, Position, SegmentMeta, StreamId};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::block_file::BlockFile;
use super::run::Run;
use super::tiers::FrozenHead;
use super::{MetricStore, SeriesId};
use crate::MetricError;
use crate::block::{BlockWriter, WrittenBlock};
use crate::sample::Samples;

/// A block holds samples of one day, so that whole blocks grow old.
pub(super) const DAY_SECS: u32 = 24 * 60 * 60;
/// After a failed flush the next attempt waits so long.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Flushes a [`MetricStore`] when its head is old or large enough.
#[derive(Clone)]
pub struct MetricFlush {
    store: MetricStore,
}

#[derive(Default)]
pub(super) struct FlushState {
    /// Held by the one flush that is under way.
    running: tokio::sync::Mutex<()>,
    pub(super) changed: Notify,
    /// When it failed last, until it succeeds.
    failed_at: Mutex<Option<Timestamp>>,
}

impl MetricFlush {
    /// The activity that flushes `store`.
    pub fn new(store: MetricStore) -> Self {
        Self { store }
    }
}

impl Activity for MetricFlush {
    fn name(&self) -> &'static str {
        "metric-flush"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.store.flush_due()
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if self.store.flush_due().is_none_or(|due| due > now) {
                return;
            }
            if let Err(error) = self.store.flush().await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "flush of metrics failed: will retry"
                );
                *self.store.inner.flush.failed_at.lock() = Some(now);
            }
        })
    }

    fn changed(&self) -> &Notify {
        &self.store.inner.flush.changed
    }
}

impl MetricStore {
    /// Writes all that is in memory into blocks. What is written meanwhile stays in memory.
    ///
    /// After a failure everything is as before, and the same samples are tried again by the next flush.
    pub async fn flush(&self) -> Result<(), MetricError> {
        let _running = self.inner.flush.running.lock().await;
        let Some(frozen) = self.freeze().await else { return Ok(()) };
        let written = frozen.written.lock().clone();
        let written = match written {
            Some(written) => written,
            None => self.write_frozen(&frozen).await?,
        };
        let blocks = self.register(written, frozen.through).await?;
        let mut tiers = self.inner.tiers.write();
        tiers.blocks.extend(blocks);
        tiers.frozen = None;
        drop(tiers);
        *self.inner.flush.failed_at.lock() = None;
        self.inner.compaction.changed.notify_one();
        Ok(())
    }

    /// When the next flush is due.
    fn flush_due(&self) -> Option<Timestamp> {
        let now = self.inner.clock.now();
        let tiers = self.inner.tiers.read();
        if let Some(frozen) = &tiers.frozen {
            let failed_at = *self.inner.flush.failed_at.lock();
            return Some(
                failed_at.map_or(frozen.since.min(now), |failed| failed.due_after(RETRY_AFTER, now)),
            );
        }
        let since = tiers.head_since?;
        let options = &self.inner.options;
        let is_full = self.inner.head_bytes.load(Ordering::Relaxed) >= options.head_bytes_flush
            || self.inner.storage.journal.is_overdue(StreamId::METRICS);
        Some(if is_full { since.min(now) } else { since.due_after(options.head_age_max, now) })
    }

    /// Samples that only the journal keeps, in bytes of memory.
    pub(super) fn unflushed_bytes(&self) -> usize {
        let frozen_bytes = self.inner.tiers.read().frozen.as_ref().map_or(0, |frozen| frozen.bytes);
        self.inner.head_bytes.load(Ordering::Relaxed) + frozen_bytes
    }

    pub(super) fn wake_flush_if_full(&self) {
        if self.inner.head_bytes.load(Ordering::Relaxed) >= self.inner.options.head_bytes_flush {
            self.inner.flush.changed.notify_one();
        }
    }

    /// The frozen head: the one that an earlier flush could not write, or else the present head. `None` if it
    /// is empty.
    async fn freeze(&self) -> Option<Arc<FrozenHead>> {
        let _closed = self.inner.gate.write().await;
        let mut tiers = self.inner.tiers.write();
        if let Some(frozen) = &tiers.frozen {
            return Some(Arc::clone(frozen));
        }
        let (since, through) = (tiers.head_since.take()?, tiers.applied?);
        let shards = self.inner.shards.iter().map(|shard| shard.lock().take_head()).collect();
        let bytes = self.inner.head_bytes.swap(0, Ordering::Relaxed);
        let frozen = Arc::new(FrozenHead { shards, bytes, through, since, written: Mutex::default() });
        tiers.frozen = Some(Arc::clone(&frozen));
        Some(frozen)
    }

    /// Writes the frozen head as objects.
    async fn write_frozen(&self, frozen: &Arc<FrozenHead>) -> Result<Vec<SegmentMeta>, MetricError> {
        let (store, source) = (self.clone(), Arc::clone(frozen));
        let encoded = tokio::task::spawn_blocking(move || store.encode_frozen(&source)).await;
        let encoded =
            encoded.expect("building a block does not panic, and the runtime outlives its tasks")?;
        let mut run = Run::new(1);
        for block in encoded {
            tracing::info!(rows = block.rows, bytes = block.bytes.len(), "metrics written into a block");
            if let Err(error) = run.write(&self.inner.storage.segments, block).await {
                run.discard(&self.inner.storage.segments).await;
                return Err(error);
            }
        }
        let written = run.into_written();
        *frozen.written.lock() = Some(written.clone());
        Ok(written)
    }

    /// Makes blocks visible and lets the journal forget what they hold, in one transaction.
    async fn register(
        &self,
        written: Vec<SegmentMeta>,
        through: Position,
    ) -> Result<Vec<Arc<BlockFile>>, MetricError> {
        let segments = &self.inner.storage.segments;
        let mut batch = Batch::new();
        written.iter().for_each(|meta| segments.register(&mut batch, meta.clone()));
        segments.release_journal(&mut batch, StreamId::METRICS, through);
        self.inner.storage.catalog.commit(batch).await?;
        Ok(self.registered(written))
    }

    fn encode_frozen(&self, frozen: &FrozenHead) -> Result<Vec<WrittenBlock>, MetricError> {
        let series = self.frozen_series(frozen);
        let mut days: BTreeMap<u32, BlockWriter> = BTreeMap::new();
        let mut full = Vec::new();
        for (key, id) in series {
            let mut units: Vec<_> = frozen.chunks(id).into_iter().flat_map(|chunks| chunks.iter()).collect();
            units.sort_by_key(|chunk| chunk.unit().code());
            for chunk in units {
                let mut samples = Samples::default();
                chunk
                    .read(crate::Second::MIN, crate::Second::MAX, &mut samples)
                    .map_err(MetricError::damaged("recent metric data in memory"))?;
                samples.sort();
                for samples in samples.split(DAY_SECS) {
                    let Some((first, _)) = samples.span() else { continue };
                    let day = first.0 / DAY_SECS;
                    if days.get(&day).is_some_and(BlockWriter::is_full) {
                        full.extend(days.remove(&day).and_then(BlockWriter::finish));
                    }
                    let writer = days.entry(day).or_insert_with(|| BlockWriter::new(first));
                    writer.push(&key, chunk.unit(), &samples);
                }
            }
        }
        full.extend(days.into_values().filter_map(BlockWriter::finish));
        Ok(full)
    }

    /// The series that have samples in `frozen`, by key.
    fn frozen_series(&self, frozen: &FrozenHead) -> Vec<(Arc<str>, SeriesId)> {
        let mut series = Vec::new();
        for (number, slots) in frozen.shards.iter().enumerate() {
            let shard = self.inner.shards[number].lock();
            let ids = (0..slots.len()).filter(|slot| !slots[*slot].is_empty());
            let ids = ids.filter_map(|slot| SeriesId::new(number, slot));
            series.extend(ids.filter_map(|id| Some((Arc::clone(shard.key(id)?), id))));
        }
        series.sort_unstable();
        series
    }
}
