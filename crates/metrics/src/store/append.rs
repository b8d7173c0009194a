//! The way in: journal, then head.

use std::hash::BuildHasher;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use groundwatch_storage::{Position, StreamId};

use super::shard::{Shard, shard_of};
use super::{MetricStore, SeriesId};
use crate::MetricError;
use crate::codec::Damaged;
use crate::record::RecordReader;
use crate::series_key::{namespace_prefix, push_series};

impl MetricStore {
    /// Makes a record durable and visible. All of its data or nothing.
    ///
    /// Fails with [`MetricError::Overloaded`] while the head is over its budget, with [`MetricError::TooManySeries`], and
    /// with what the journal says.
    pub async fn append(&self, record: Bytes) -> Result<(), MetricError> {
        if self.unflushed_bytes() > self.inner.options.head_bytes_max {
            return Err(MetricError::Overloaded);
        }
        let position = {
            let _open = self.inner.gate.read().await;
            self.refuse_too_many_series(&record)?;
            let position = self.inner.storage.journal.append(StreamId::METRICS, record.clone()).await?;
            self.apply(&record).map_err(MetricError::damaged("a metrics record just written"))?;
            self.note_applied(position);
            position
        };
        tracing::trace!(position = position.0, bytes = record.len(), "metric data appended");
        self.wake_flush_if_full();
        Ok(())
    }

    /// Adds a record's data to the head.
    pub(super) fn apply(&self, record: &[u8]) -> Result<(), Damaged> {
        let mut reader = RecordReader::new(record)?;
        let mut key = namespace_prefix(&reader.scope, reader.namespace);
        let prefix_length = key.len();
        let mut grown = 0;
        while let Some(datum) = reader.next_datum()? {
            key.truncate(prefix_length);
            push_series(&mut key, datum.name, datum.dimensions);
            let pushed = self
                .with_series(&key, |shard, id| shard.push(id, datum.unit, datum.second, &datum.points))
                .ok_or(Damaged("there are more series than can be numbered"))?;
            grown += pushed;
        }
        self.inner.head_bytes.fetch_add(grown, Ordering::Relaxed);
        Ok(())
    }

    /// Does something to a series, which is created if it is new. `None` if there is no number left for it.
    pub(super) fn with_series<T>(&self, key: &str, act: impl FnOnce(&mut Shard, SeriesId) -> T) -> Option<T> {
        let hash = self.inner.hasher.hash_one(key);
        let number = shard_of(hash);
        let mut shard = self.inner.shards[number].lock();
        let (id, new) = shard.find_or_create(number, hash, key)?;
        if let Some(new) = new {
            self.inner.index.write().insert(new.key, new.id);
        }
        Some(act(&mut shard, id))
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

    /// Near the limit every series of the record must exist already. Requests that run at the same time may overshoot it
    /// by what they hold.
    fn refuse_too_many_series(&self, record: &[u8]) -> Result<(), MetricError> {
        /// No record holds more data: a request has at most 1,000.
        const RECORD_DATA_MAX: usize = 1000;
        let series_max = self.inner.options.series_max;
        if self.series_count() + RECORD_DATA_MAX <= series_max {
            return Ok(());
        }
        let damaged = || MetricError::damaged("a metrics record just written");
        let mut reader = RecordReader::new(record).map_err(damaged())?;
        let mut key = namespace_prefix(&reader.scope, reader.namespace);
        let prefix_length = key.len();
        while let Some(datum) = reader.next_datum().map_err(damaged())? {
            key.truncate(prefix_length);
            push_series(&mut key, datum.name, datum.dimensions);
            if self.series_count() >= series_max && self.find(&key).is_none() {
                return Err(MetricError::TooManySeries { series_max });
            }
        }
        Ok(())
    }
}
