//! Metric alarms on the sample_watch: which metrics each watches, and whether these have got samples since it last
//! looked.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering as Memory};
use std::sync::{Arc, Weak};

use groundwatch_core::Timestamp;
use groundwatch_storage::Key;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::definition::MetricDefinition;
use crate::evaluation::cadence::Cadence;
use crate::reader::{MetricReader, WatchedMetric};

/// One alarm on the sample_watch.
pub(crate) struct SampleWatch {
    pub(crate) key: Key,
    number: u64,
    /// Samples have come since the alarm last looked.
    has_samples: AtomicBool,
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

/// Wakes an alarm that is on the sample_watch.
pub struct Waker {
    sample_watch: Weak<SampleWatch>,
    arrivals: Weak<Arrivals>,
}

impl Waker {
    /// Says that samples have come, at that moment. Quick, and takes no lock for long.
    pub fn arrived(&self, at: Timestamp) {
        let (Some(sample_watch), Some(arrivals)) = (self.sample_watch.upgrade(), self.arrivals.upgrade())
        else {
            return;
        };
        if !sample_watch.has_samples.swap(true, Memory::AcqRel) {
            arrivals.list.lock().push((sample_watch, at));
            arrivals.changed.notify_one();
        }
    }
}

/// The alarms whose metrics have got samples, each once until it looks.
#[derive(Default)]
pub(crate) struct Arrivals {
    list: Mutex<Vec<(Arc<SampleWatch>, Timestamp)>>,
    changed: Notify,
}

impl Arrivals {
    /// Takes what has come since the last time, with the moment of the first sample.
    pub(crate) fn take(&self) -> Vec<(Arc<SampleWatch>, Timestamp)> {
        std::mem::take(&mut *self.list.lock())
    }

    /// Notified when there is something to take.
    pub(crate) fn changed(&self) -> &Notify {
        &self.changed
    }
}

impl SampleWatch {
    /// Sees to it that the alarm is woken by samples of all metrics of `definition` that come from now on.
    /// `None` if that is not possible.
    pub(crate) fn watch(
        self: &Arc<Self>,
        definition: &Arc<MetricDefinition>,
        reader: &dyn MetricReader,
        arrivals: &Arc<Arrivals>,
    ) -> Option<Watches> {
        self.has_samples.store(false, Memory::Release);
        let mut watched = self.watched.lock();
        match &*watched {
            Some(watched) if Arc::ptr_eq(&watched.definition, definition) => watched.watches.clone(),
            _ => {
                let wake =
                    || Waker { sample_watch: Arc::downgrade(self), arrivals: Arc::downgrade(arrivals) };
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
    pub(crate) fn has_samples(&self) -> bool {
        self.has_samples.load(Memory::Acquire)
    }
}

impl PartialEq for SampleWatch {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for SampleWatch {}

impl PartialOrd for SampleWatch {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SampleWatch {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }
}

/// All alarms on the sample_watch, by key.
#[derive(Default)]
pub(crate) struct SampleWatches {
    by_key: HashMap<Key, Arc<SampleWatch>>,
    numbers: u64,
}

impl SampleWatches {
    /// The sample_watch of an alarm.
    pub(crate) fn of(&mut self, key: &Key) -> Arc<SampleWatch> {
        if let Some(sample_watch) = self.by_key.get(key) {
            return Arc::clone(sample_watch);
        }
        self.numbers += 1;
        let (has_samples, watched) = (AtomicBool::new(false), Mutex::new(None));
        let sample_watch =
            Arc::new(SampleWatch { key: key.clone(), number: self.numbers, has_samples, watched });
        self.by_key.insert(key.clone(), Arc::clone(&sample_watch));
        sample_watch
    }

    /// Ends the sample_watch of an alarm that is gone.
    pub(crate) fn end(&mut self, key: &Key) {
        self.by_key.remove(key);
    }
}
