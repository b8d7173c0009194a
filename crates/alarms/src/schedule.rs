//! When each metric alarm is evaluated next. Nothing of it is stored: it follows from the clock and the
//! alarm, so a restart or a jump of the clock costs nothing but the evaluations that fell into the gap, and
//! one at the present moment makes up for those.
//!
//! An alarm is due at each moment of its cadence, but for those at which it surely stays in its state: it
//! sleeps until the first at which its known samples may change it, and samples that come wake it for its
//! next moment. Which moments these are changes no history; a test compares it with looking every time.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::Timestamp;
use groundwatch_storage::Key;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::cadence::{Cadence, Timing};
use crate::definition::MetricDefinition;
use crate::due_queue::DueQueue;
use crate::lookout::{Lookout, Lookouts, News, Watches};
use crate::reader::MetricReader;
use crate::window::Range;

/// The metric alarms, and when each is due.
pub(crate) struct Schedule {
    timing: Timing,
    lookouts: Mutex<Lookouts>,
    queue: Mutex<DueQueue<Arc<Lookout>>>,
    news: Arc<News>,
}

impl Schedule {
    pub(crate) fn new(timing: Timing) -> Self {
        let (lookouts, queue) = (Mutex::default(), Mutex::new(DueQueue::new()));
        Self { timing, lookouts, queue, news: Arc::default() }
    }

    /// When alarms are evaluated.
    pub(crate) fn timing(&self) -> Timing {
        self.timing
    }

    /// Makes an alarm due at `at`, unless it is due earlier.
    pub(crate) fn due_at(&self, key: &Key, at: Timestamp) {
        let lookout = self.lookouts.lock().of(key);
        self.queue.lock().plan(lookout, at);
        self.news.changed().notify_one();
    }

    /// The same from within an evaluation, of which nobody needs to be told.
    pub(crate) fn plan(&self, lookout: &Arc<Lookout>, at: Timestamp) {
        self.queue.lock().plan(Arc::clone(lookout), at);
    }

    /// Lets an alarm that is due at `next` sleep until `until`, unless it was woken meanwhile: the samples
    /// that woke it may not have been read. Tells when it is due.
    pub(crate) fn sleep(&self, lookout: &Arc<Lookout>, next: Timestamp, until: Timestamp) -> Timestamp {
        let mut queue = self.queue.lock();
        if lookout.has_news() {
            return next;
        }
        queue.postpone(lookout, next, until);
        until
    }

    /// Has samples of what `definition` watches wake the alarm from now on. `None` if that is not possible.
    pub(crate) fn watch(
        &self,
        lookout: &Arc<Lookout>,
        definition: &Arc<MetricDefinition>,
        reader: &dyn MetricReader,
    ) -> Option<Watches> {
        lookout.watch(definition, reader, &self.news)
    }

    /// Ends the lookout of an alarm that is gone.
    pub(crate) fn end(&self, key: &Key) {
        self.lookouts.lock().end(key);
    }

    /// The first moment after `now` at which an alarm so defined is evaluated.
    pub(crate) fn next_moment(&self, key: &Key, definition: &MetricDefinition, now: Timestamp) -> Timestamp {
        self.timing.next_moment(Cadence::of(definition), &key.name, now)
    }

    /// The moment that lies `steps` of the cadence after the evaluation of `range`, `next` being the next one
    /// in any case.
    pub(crate) fn moment_after(
        &self,
        definition: &MetricDefinition,
        range: &Range,
        next: Timestamp,
        steps: Option<u32>,
    ) -> Timestamp {
        let Some(steps) = steps else { return Timestamp::MAX };
        let cadence = Cadence::of(definition);
        // Between two moments of its own an alarm sees the range of the next one already, or that of the
        // last.
        let ahead = u32::from(self.timing.window_end(cadence, next) > range.to);
        next + Duration::from_secs(u64::from(cadence.secs())).saturating_mul(steps - ahead.min(steps))
    }

    /// When the next alarm is due.
    pub(crate) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        self.take_news();
        self.queue.lock().next(now).filter(|due| *due < Timestamp::MAX)
    }

    /// Takes the alarms that are due at `now`, in the order of their names.
    pub(crate) fn take_due(&self, now: Timestamp) -> Vec<Arc<Lookout>> {
        self.take_news();
        let mut due = self.queue.lock().take_due(now);
        due.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        due
    }

    /// Notified when an alarm has become due earlier.
    pub(crate) fn changed(&self) -> &Notify {
        self.news.changed()
    }

    /// Makes alarms due whose metrics have got samples: at their next moment after that.
    fn take_news(&self) {
        for (lookout, at) in self.news.take() {
            let Some(cadence) = lookout.cadence() else { continue };
            let next = self.timing.next_moment(cadence, &lookout.key.name, at);
            self.queue.lock().plan(lookout, next);
        }
    }
}
