//! The way in: journal, then head.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use groundwatch_storage::{Position, StreamId};

use super::batch::{Batch, Pending};
use super::index::series_bytes;
use super::shard::{SHARDS, Shard};
use super::{MetricStore, SeriesId};
use crate::MetricError;

impl MetricStore {
    /// Makes a record durable and visible. All of its data or nothing.
    ///
    /// Fails with [`MetricError::Overloaded`] while the head is over its budget, with
    /// [`MetricError::TooManySeries`], and with what the journal says.
    pub async fn append(&self, record: Bytes) -> Result<(), MetricError> {
        let admitted = self.admit(vec![record.clone()]).await?;
        let position = self.inner.storage.journal.append(StreamId::METRICS, record).await?;
        admitted.durable(&[position])
    }

    /// Makes records durable and visible, all of them or none, with one append of the journal.
    ///
    /// Errors as [`Self::append`].
    ///
    /// # Panics
    /// For more than 256 records.
    pub async fn append_whole(&self, records: Vec<Bytes>) -> Result<(), MetricError> {
        let admitted = self.admit(records.clone()).await?;
        let records = records.into_iter().map(|record| (StreamId::METRICS, record));
        let positions = self.inner.storage.journal.append_whole(records).await?;
        admitted.durable(&positions)
    }

    /// Makes room for records that the caller makes durable together with others, of [`StreamId::METRICS`]
    /// each.
    ///
    /// Errors as [`Self::append`]; nothing of it is visible before [`Admitted::durable`].
    pub async fn admit(&self, records: Vec<Bytes>) -> Result<Admitted<'_>, MetricError> {
        if self.unflushed_bytes() > self.inner.options.head_bytes_max {
            return Err(MetricError::Overloaded);
        }
        let decode = |record: &Bytes| Batch::decode(record, &self.inner.hasher);
        let batches = records.iter().map(decode).collect::<Result<Vec<_>, _>>();
        let batches = batches.map_err(MetricError::damaged("a metrics record"))?;
        let open = self.inner.gate.read().await;
        batches.iter().try_for_each(|batch| self.refuse_too_many_series(batch))?;
        Ok(Admitted { store: self, records, batches, _open: open })
    }

    /// Adds a batch to the head.
    pub(super) fn apply(&self, batch: &Batch) -> Result<(), MetricError> {
        for number in 0..SHARDS {
            if batch.of_shard(number).len() > 0 {
                self.apply_to_shard(batch, number)?;
            }
        }
        Ok(())
    }

    /// Each step is done for all data before the next, so that their cache misses overlap.
    fn apply_to_shard(&self, batch: &Batch, number: usize) -> Result<(), MetricError> {
        let mut shard = self.inner.shards[number].lock();
        let candidates: Vec<_> =
            batch.of_shard(number).map(|datum| shard.candidate(number, datum.hash)).collect();
        let mut ids = Vec::with_capacity(candidates.len());
        for (datum, candidate) in batch.of_shard(number).zip(candidates) {
            let key = batch.key(datum);
            let found = candidate.filter(|id| shard.key(*id).is_some_and(|found| **found == *key));
            let id = found.or_else(|| self.find_or_create(&mut shard, number, datum.hash, key));
            // Creation is refused by `series_max` long before numbers run out.
            ids.push(id.ok_or(MetricError::TooManySeries { series: self.series_count() })?);
        }
        let data = batch.of_shard(number).zip(&ids);
        let grown: usize =
            data.map(|(datum, id)| shard.push(*id, datum.unit, datum.second, &batch.points(datum))).sum();
        self.inner.head_bytes.fetch_add(grown, Ordering::Relaxed);
        let watched = ids.iter().filter_map(|id| shard.watchers(*id));
        let mut now = None;
        for (watchers, key) in watched {
            watchers.call(key, *now.get_or_insert_with(|| self.inner.clock.now()));
        }
        Ok(())
    }

    /// The series with that key, which is created if it is new. `None` if there is no number left for it.
    pub(super) fn find_or_create(
        &self,
        shard: &mut Shard,
        number: usize,
        hash: u64,
        key: &str,
    ) -> Option<SeriesId> {
        let (id, new) = shard.find_or_create(number, hash, key)?;
        if let Some(new) = new {
            self.inner.index.write().insert(new.key, new.id);
        }
        Some(id)
    }

    pub(super) fn note_applied(&self, position: Position) {
        let now = self.inner.clock.now();
        let mut tiers = self.inner.tiers.write();
        tiers.applied = tiers.applied.max(Some(position));
        if tiers.head_since.is_none() {
            tiers.head_since = Some(now);
            drop(tiers);
            self.inner.flush.changed.notify_one();
        }
    }

    /// Near the limits every series of the batch must exist already. Requests that run at the same time may
    /// overshoot them by what they hold.
    fn refuse_too_many_series(&self, batch: &Batch) -> Result<(), MetricError> {
        let (series, bytes) = {
            let index = self.inner.index.read();
            (index.len(), index.bytes())
        };
        let mut series_left = self.inner.options.series_max.saturating_sub(series);
        let mut bytes_left = self.inner.options.series_bytes_max.saturating_sub(bytes);
        let bytes_all: usize = batch.iter().map(|datum| series_bytes(batch.key(datum))).sum();
        if batch.len() <= series_left && bytes_all <= bytes_left {
            return Ok(());
        }
        let is_new = |datum: &&Pending| self.find_hashed(datum.hash, batch.key(datum)).is_none();
        for datum in batch.iter().filter(is_new) {
            let left = (series_left.checked_sub(1), bytes_left.checked_sub(series_bytes(batch.key(datum))));
            let (Some(fewer), Some(less)) = left else { return Err(MetricError::TooManySeries { series }) };
            (series_left, bytes_left) = (fewer, less);
        }
        Ok(())
    }
}

/// Records that there is room for. A flush waits until they are applied, or given up.
pub struct Admitted<'s> {
    store: &'s MetricStore,
    records: Vec<Bytes>,
    batches: Vec<Batch>,
    _open: tokio::sync::RwLockReadGuard<'s, ()>,
}

impl Admitted<'_> {
    /// The records.
    pub fn records(&self) -> &[Bytes] {
        &self.records
    }

    /// Makes the records visible, which are durable at `positions`.
    pub fn durable(self, positions: &[Position]) -> Result<(), MetricError> {
        for (batch, position) in self.batches.iter().zip(positions) {
            self.store.apply(batch)?;
            self.store.note_applied(*position);
        }
        let store = self.store;
        drop(self);
        store.wake_flush_if_full();
        Ok(())
    }
}
