//! Metric alarms on the lookout: which metrics each watches, and whether these have got samples since it last
//! looked.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering as Memory};
use std::sync::{Arc, Weak};

use groundwatch_core::Timestamp;
use groundwatch_storage::Key;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::cadence::Cadence;
use crate::definition::MetricDefinition;
use crate::reader::{MetricReader, WatchedMetric};

/// One alarm on the lookout.
pub(crate) struct Lookout {
    pub(crate) key: Key,
    number: u64,
    /// Samples have come since the alarm last looked.
    has_news: AtomicBool,
    watched: Mutex<Option<Watched>>,
}

/// The watches that one definition needs.
struct Watched {
    definition: Arc<MetricDefinition>,
    /// `None` if not all of them can be had.
    watches: Option<Watches>,
}

/// The metrics of a definition, in its order.
pub(crate) type Watches = Arc<[Box<dyn WatchedMetric>]>;

/// Wakes an alarm that is on the lookout.
pub struct Wake {
    lookout: Weak<Lookout>,
    news: Weak<News>,
}

impl Wake {
    /// Says that samples have come, at that moment. Quick, and takes no lock for long.
    pub fn arrived(&self, at: Timestamp) {
        let (Some(lookout), Some(news)) = (self.lookout.upgrade(), self.news.upgrade()) else { return };
        if !lookout.has_news.swap(true, Memory::AcqRel) {
            news.list.lock().push((lookout, at));
            news.changed.notify_one();
        }
    }
}

/// The alarms whose metrics have got samples, each once until it looks.
#[derive(Default)]
pub(crate) struct News {
    list: Mutex<Vec<(Arc<Lookout>, Timestamp)>>,
    changed: Notify,
}

impl News {
    /// Takes what has come since the last time, with the moment of the first sample.
    pub(crate) fn take(&self) -> Vec<(Arc<Lookout>, Timestamp)> {
        std::mem::take(&mut *self.list.lock())
    }

    /// Notified when there is something to take.
    pub(crate) fn changed(&self) -> &Notify {
        &self.changed
    }
}

impl Lookout {
    /// Sees to it that the alarm is woken by samples of all metrics of `definition` that come from now on.
    /// `None` if that is not possible.
    pub(crate) fn watch(
        self: &Arc<Self>,
        definition: &Arc<MetricDefinition>,
        reader: &dyn MetricReader,
        news: &Arc<News>,
    ) -> Option<Watches> {
        self.has_news.store(false, Memory::Release);
        let mut watched = self.watched.lock();
        match &*watched {
            Some(watched) if Arc::ptr_eq(&watched.definition, definition) => watched.watches.clone(),
            _ => {
                let wake = || Wake { lookout: Arc::downgrade(self), news: Arc::downgrade(news) };
                let metrics = definition.source.metrics();
                let watches: Option<Watches> =
                    metrics.map(|(_, metric)| reader.watch(&self.key.scope, metric, wake())).collect();
                *watched = Some(Watched { definition: Arc::clone(definition), watches: watches.clone() });
                watches
            }
        }
    }

    /// The cadence of the alarm, as it was when it last looked.
    pub(crate) fn cadence(&self) -> Option<Cadence> {
        self.watched.lock().as_ref().map(|watched| Cadence::of(&watched.definition))
    }

    /// Whether samples have come since the last [`Self::watch`].
    pub(crate) fn has_news(&self) -> bool {
        self.has_news.load(Memory::Acquire)
    }
}

impl PartialEq for Lookout {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Lookout {}

impl PartialOrd for Lookout {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Lookout {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }
}

/// All alarms on the lookout, by key.
#[derive(Default)]
pub(crate) struct Lookouts {
    by_key: HashMap<Key, Arc<Lookout>>,
    numbers: u64,
}

impl Lookouts {
    /// The lookout of an alarm.
    pub(crate) fn of(&mut self, key: &Key) -> Arc<Lookout> {
        if let Some(lookout) = self.by_key.get(key) {
            return Arc::clone(lookout);
        }
        self.numbers += 1;
        let (has_news, watched) = (AtomicBool::new(false), Mutex::new(None));
        let lookout = Arc::new(Lookout { key: key.clone(), number: self.numbers, has_news, watched });
        self.by_key.insert(key.clone(), Arc::clone(&lookout));
        lookout
    }

    /// Ends the lookout of an alarm that is gone.
    pub(crate) fn end(&mut self, key: &Key) {
        self.by_key.remove(key);
    }
}
