//! The store: journal → head → blocks.
//!
//! A write is encoded as one journal [record](crate::record), made durable, and then applied to the *head*:
//! the memory of the [shards](shard), where the next read finds it. A [flush](MetricFlush) freezes the head,
//! writes it as an immutable [block](crate::block), and registers the block and releases the journal in one
//! transaction. A read sees head, frozen head and blocks as of one moment.
//!
//! What always holds:
//! - A sample is in exactly one of head, frozen head and blocks, and what is acknowledged is in the journal
//!   or a block.
//! - Locks are taken in the order gate, tiers, shard, index; none but the gate is held across an await.
//! - Live writes and recovery go through the same [`MetricStore::apply`].

mod append;
mod batch;
mod block_file;
mod cache;
mod chunk;
mod compaction;
mod flush;
mod index;
mod list;
mod options;
mod outlook;
mod read;
mod reading;
mod run;
mod select;
mod shard;
mod tiers;
mod watch;

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

use groundwatch_core::SharedClock;
use groundwatch_storage::{Catalog, Documents, Position, Storage};
use parking_lot::{Mutex, RwLock};

pub use append::Admitted;
pub use compaction::MetricCompaction;
pub use flush::MetricFlush;
pub use list::{ListFilter, ListPage};
pub use options::MetricOptions;
pub use outlook::{FilledPeriod, Outlook};
pub use read::Point;
pub(crate) use select::ScopeCatalog;
pub(crate) use shard::SeriesId;
pub use watch::MetricWatch;

use self::batch::Batch;
use self::cache::BlockCache;
use self::index::SeriesIndex;
use self::shard::{SHARDS, Shard, shard_of};
use self::tiers::Tiers;
use crate::anomaly::{Detector, Models};
use crate::{InsightRules, MetricError, Retention};

/// All metrics of all accounts and regions. Cheap to clone.
#[derive(Clone)]
pub struct MetricStore {
    inner: Arc<Inner>,
    insight_rules: Option<Arc<dyn InsightRules>>,
}

struct Inner {
    storage: Storage,
    clock: SharedClock,
    options: MetricOptions,
    hasher: foldhash::fast::RandomState,
    shards: Vec<Mutex<Shard>>,
    index: RwLock<SeriesIndex>,
    tiers: RwLock<Tiers>,
    /// Held (shared) from before a record enters the journal until it is applied; a flush that holds it
    /// (exclusively) knows that the head has every record up to the last position.
    gate: tokio::sync::RwLock<()>,
    /// Samples in the head, in bytes.
    head_bytes: AtomicUsize,
    cache: BlockCache,
    next_block: AtomicU64,
    flush: flush::FlushState,
    compaction: compaction::CompactionState,
    anomaly: (Documents<Detector>, Models),
}

impl MetricStore {
    /// Opens the store: reads which series the blocks hold, from their footers. The journal's records are to
    /// follow through [`Self::recover`], before any other call.
    pub async fn open(
        storage: Storage,
        clock: SharedClock,
        options: MetricOptions,
    ) -> Result<Self, MetricError> {
        let anomaly = (Documents::open(&storage.catalog)?, Models::new());
        let inner = Inner {
            storage,
            clock,
            options,
            hasher: foldhash::fast::RandomState::default(),
            shards: (0..SHARDS).map(|_| Mutex::new(Shard::default())).collect(),
            index: RwLock::new(SeriesIndex::default()),
            tiers: RwLock::new(Tiers::default()),
            gate: tokio::sync::RwLock::new(()),
            head_bytes: AtomicUsize::new(0),
            cache: BlockCache::new(options.block_cache_bytes),
            next_block: AtomicU64::new(0),
            flush: flush::FlushState::default(),
            compaction: compaction::CompactionState::default(),
            anomaly,
        };
        let store = Self { inner: Arc::new(inner), insight_rules: None };
        store.open_blocks().await?;
        Ok(store)
    }

    /// The same store, whose expressions can ask `rules` for INSIGHT_RULE_METRIC.
    pub fn with_insight_rules(&self, rules: Arc<dyn InsightRules>) -> Self {
        Self { inner: Arc::clone(&self.inner), insight_rules: Some(rules) }
    }

    /// What INSIGHT_RULE_METRIC asks, if there is anything.
    pub(crate) fn insight_rules(&self) -> Option<&dyn InsightRules> {
        self.insight_rules.as_deref()
    }

    /// Applies a record that the journal holds, at start.
    pub fn recover(&self, position: Position, record: &[u8]) -> Result<(), MetricError> {
        let place = || format!("the metrics record at journal position {}", position.0);
        let batch = Batch::decode(record, &self.inner.hasher).map_err(MetricError::damaged(place()))?;
        self.apply(&batch)?;
        self.note_applied(position);
        Ok(())
    }

    /// How many series there are.
    pub fn series_count(&self) -> usize {
        self.inner.index.read().len()
    }

    /// For how long samples are kept as they came; `None`: forever.
    pub fn unaltered_for(&self) -> Option<Duration> {
        self.retention().roll_ups().map(|(age, _)| age).min()
    }

    /// Anomaly detectors, and the models that were trained lately.
    pub(crate) fn anomaly(&self) -> &(Documents<Detector>, Models) {
        &self.inner.anomaly
    }

    /// Where documents are written.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.inner.storage.catalog
    }

    fn retention(&self) -> Retention {
        self.inner.options.retention
    }

    fn key(&self, id: SeriesId) -> Option<Arc<str>> {
        self.inner.shards[id.shard()].lock().key(id).cloned()
    }

    /// The series with that key, if it exists.
    fn find(&self, key: &str) -> Option<SeriesId> {
        self.find_hashed(self.inner.hasher.hash_one(key), key)
    }

    fn find_hashed(&self, hash: u64, key: &str) -> Option<SeriesId> {
        let shard = shard_of(hash);
        self.inner.shards[shard].lock().find(shard, hash, key)
    }
}
