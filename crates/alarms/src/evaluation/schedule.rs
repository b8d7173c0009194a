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

use crate::definition::MetricDefinition;
use crate::due_queue::DueQueue;
use crate::evaluation::cadence::{Cadence, Timing};
use crate::evaluation::sample_watch::{Arrivals, SampleWatch, SampleWatches, Watches};
use crate::evaluation::window::Range;
use crate::reader::MetricReader;

/// The metric alarms, and when each is due.
pub(crate) struct Schedule {
    timing: Timing,
    sample_watches: Mutex<SampleWatches>,
    queue: Mutex<DueQueue<Arc<SampleWatch>>>,
    arrivals: Arc<Arrivals>,
}

impl Schedule {
    pub(crate) fn new(timing: Timing) -> Self {
        let (sample_watches, queue) = (Mutex::default(), Mutex::new(DueQueue::new()));
        Self { timing, sample_watches, queue, arrivals: Arc::default() }
    }

    /// When alarms are evaluated.
    pub(crate) fn timing(&self) -> Timing {
        self.timing
    }

    /// Makes an alarm due at `at`, unless it is due earlier.
    pub(crate) fn due_at(&self, key: &Key, at: Timestamp) {
        let sample_watch = self.sample_watches.lock().of(key);
        self.queue.lock().plan(sample_watch, at);
        self.arrivals.changed().notify_one();
    }

    /// The same from within an evaluation, of which nobody needs to be told.
    pub(crate) fn plan(&self, sample_watch: &Arc<SampleWatch>, at: Timestamp) {
        self.queue.lock().plan(Arc::clone(sample_watch), at);
    }

    /// Lets an alarm that is due at `next` sleep until `until`, unless it was woken meanwhile: the samples
    /// that woke it may not have been read. Tells when it is due.
    pub(crate) fn sleep(
        &self,
        sample_watch: &Arc<SampleWatch>,
        next: Timestamp,
        until: Timestamp,
    ) -> Timestamp {
        let mut queue = self.queue.lock();
        if sample_watch.has_samples() {
            return next;
        }
        queue.postpone(sample_watch, next, until);
        until
    }

    /// Has samples of what `definition` watches wake the alarm from now on. `None` if that is not possible.
    pub(crate) fn watch(
        &self,
        sample_watch: &Arc<SampleWatch>,
        definition: &Arc<MetricDefinition>,
        reader: &dyn MetricReader,
    ) -> Option<Watches> {
        sample_watch.watch(definition, reader, &self.arrivals)
    }

    /// Ends the sample_watch of an alarm that is gone.
    pub(crate) fn end(&self, key: &Key) {
        self.sample_watches.lock().end(key);
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
    pub(crate) fn take_due(&self, now: Timestamp) -> Vec<Arc<SampleWatch>> {
        self.take_news();
        let mut due = self.queue.lock().take_due(now);
        due.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        due
    }

    /// Notified when an alarm has become due earlier.
    pub(crate) fn changed(&self) -> &Notify {
        self.arrivals.changed()
    }

    /// Makes alarms due whose metrics have got samples: at their next moment after that.
    fn take_news(&self) {
        for (sample_watch, at) in self.arrivals.take() {
            let Some(cadence) = sample_watch.cadence() else { continue };
            let next = self.timing.next_moment(cadence, &sample_watch.key.name, at);
            self.queue.lock().plan(sample_watch, next);
        }
    }
}
