//! Who wants to know when a metric gets samples.
//!
//! A watcher is called for every datum, also of a metric that did not exist when the watch began, right after
//! its samples became readable and while the shard is locked: it may note something, and must not read.

use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Weak};

use groundwatch_core::{Scope, Timestamp};
use hashbrown::HashMap;

use super::shard::shard_of;
use super::{Inner, MetricStore, Outlook};
use crate::series_key::MetricId;
use crate::statistics::Statistic;
use crate::{MetricError, Period, Unit};

/// What is called with the moment at which samples came.
type Watcher = Box<dyn Fn(Timestamp) + Send + Sync>;

/// The watchers of a shard's series, by key.
#[derive(Default)]
pub(super) struct Watchers {
    by_key: HashMap<Box<str>, Vec<(u64, Watcher)>, foldhash::fast::RandomState>,
    next: u64,
}

impl Watchers {
    /// Whether somebody watches that series.
    pub(super) fn watches(&self, key: &str) -> bool {
        !self.by_key.is_empty() && self.by_key.contains_key(key)
    }

    /// Calls the watchers of that series.
    pub(super) fn call(&self, key: &str, at: Timestamp) {
        for (_, watcher) in self.by_key.get(key).into_iter().flatten() {
            watcher(at);
        }
    }

    fn add(&mut self, key: &str, watcher: Watcher) -> u64 {
        self.next += 1;
        self.by_key.entry(key.into()).or_default().push((self.next, watcher));
        self.next
    }

    /// Removes a watcher; tells whether the series has others.
    fn remove(&mut self, key: &str, number: u64) -> bool {
        let Some(watchers) = self.by_key.get_mut(key) else { return false };
        watchers.retain(|(other, _)| *other != number);
        if watchers.is_empty() {
            self.by_key.remove(key);
            return false;
        }
        true
    }
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers").field("series", &self.by_key.len()).finish_non_exhaustive()
    }
}

/// A watch on a metric, which ends when this is dropped.
#[must_use = "a watch ends when it is dropped"]
pub struct MetricWatch {
    store: Weak<Inner>,
    key: Box<str>,
    hash: u64,
    number: u64,
}

impl MetricWatch {
    /// The periods of the metric that begin at `from` and after it every `period`, before `to`, as far as
    /// they have samples.
    ///
    /// `None` if no unit is asked for and the range has samples of several: which of them counts depends on
    /// the range.
    pub async fn outlook(
        &self,
        statistic: &Statistic,
        period: Period,
        unit: Option<Unit>,
        range: (Timestamp, Timestamp),
    ) -> Result<Option<Outlook>, MetricError> {
        let nothing = Some(Outlook { periods: Vec::new(), is_last: true });
        let Some(inner) = self.store.upgrade() else { return Ok(nothing) };
        // Insight rules have a part in expressions only.
        let store = MetricStore { inner, insight_rules: None };
        match store.find_hashed(self.hash, &self.key) {
            Some(id) => store.outlook(id, statistic, period, unit, range).await,
            None => Ok(nothing),
        }
    }
}

impl Drop for MetricWatch {
    fn drop(&mut self) {
        let Some(inner) = self.store.upgrade() else { return };
        let mut shard = inner.shards[shard_of(self.hash)].lock();
        let is_watched = shard.watchers_mut().remove(&self.key, self.number);
        shard.mark_watched(self.hash, &self.key, is_watched);
    }
}

impl MetricStore {
    /// Calls `watcher` whenever the metric gets samples, until the watch is dropped. `None` if no metric can
    /// have that name.
    pub fn watch(
        &self,
        scope: &Scope,
        metric: &MetricId,
        watcher: impl Fn(Timestamp) + Send + Sync + 'static,
    ) -> Option<MetricWatch> {
        let key = metric.key(scope)?.into_boxed_str();
        let hash = self.inner.hasher.hash_one(&*key);
        let mut shard = self.inner.shards[shard_of(hash)].lock();
        let number = shard.watchers_mut().add(&key, Box::new(watcher));
        shard.mark_watched(hash, &key, true);
        drop(shard);
        Some(MetricWatch { store: Arc::downgrade(&self.inner), key, hash, number })
    }
}
