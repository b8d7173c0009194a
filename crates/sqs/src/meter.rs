//! What queues say about themselves: metrics in `AWS/SQS`, for queues that are active (source: SQS developer
//! guide, "Available CloudWatch metrics for Amazon SQS" and "Monitoring Amazon SQS queues").
//!
//! A queue counts what happens to it; at the end of each minute its counts are taken, and its messages are
//! counted. A server that ends takes the counts of its last minute with it, and looks at its queues anew when
//! it starts: a queue is active then as long as there are messages in it.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{SharedClock, Timestamp};
use groundwatch_own_metrics::{Meters, Sample, Statistics, last_read, reading_of};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::backlog::Census;
use crate::directory::{Directory, Found};

const NAMESPACE: &str = "AWS/SQS";

/// How long a queue is active after an action accessed it.
const ACTIVE: Duration = Duration::from_secs(6 * 3600);

/// What one queue did since it was read last.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    /// When an action accessed it last.
    accessed: Option<Timestamp>,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// The sizes of messages that were sent.
    sent_bytes: Option<Statistics>,
    deduplicated: usize,
    received: usize,
    empty_receives: usize,
    deleted: usize,
}

impl Meter {
    /// Notes messages that were sent, of these sizes, and how many more were told from them as repetitions.
    pub(crate) fn sent(&mut self, sizes_bytes: impl Iterator<Item = usize>, deduplicated: usize) {
        for size in sizes_bytes.map(|bytes| Statistics::of(bytes as f64)) {
            match &mut self.counts.sent_bytes {
                Some(sizes) => sizes.add(size),
                none => *none = Some(size),
            }
        }
        self.counts.deduplicated += deduplicated;
    }

    /// Notes what one call received.
    pub(crate) fn received(&mut self, messages: usize) {
        self.counts.received += messages;
        self.counts.empty_receives += usize::from(messages == 0);
    }

    /// Notes deletions with a valid receipt; AWS counts those that repeat another, too.
    pub(crate) fn deleted(&mut self, messages: usize) {
        self.counts.deleted += messages;
    }

    fn is_active(&self, census: &Census, now: Timestamp) -> bool {
        let accessed_lately = self.accessed.is_some_and(|accessed| now.since(accessed) <= ACTIVE);
        accessed_lately || census.counts.total() > 0
    }

    /// What is said of the minute that is read at `now`: nothing of a queue that is not active.
    fn read(&mut self, found: &Found, census: &Census, now: Timestamp) -> Vec<Sample> {
        if !self.is_active(census, now) {
            return Vec::new();
        }
        let key = &found.queue.key;
        let sample = |name, unit, statistics| Sample {
            scope: key.scope.clone(),
            namespace: NAMESPACE,
            name,
            dimensions: vec![("QueueName", key.name.clone())],
            minute: last_read(now),
            unit: Some(unit),
            statistics,
        };
        let Counts { sent_bytes, deduplicated, received, empty_receives, deleted } =
            std::mem::take(&mut self.counts);
        let sent = sent_bytes.map_or(0, |sizes| sizes.count as usize);
        let numbers = [
            ("ApproximateNumberOfMessagesDelayed", census.counts.delayed),
            ("ApproximateNumberOfMessagesNotVisible", census.counts.in_flight),
            ("ApproximateNumberOfMessagesVisible", census.counts.visible),
            ("NumberOfEmptyReceives", empty_receives),
            ("NumberOfMessagesDeleted", deleted),
            ("NumberOfMessagesReceived", received),
            ("NumberOfMessagesSent", sent),
        ];
        let fifo_numbers = [
            ("ApproximateNumberOfGroupsWithInflightMessages", census.groups_in_flight),
            ("NumberOfDeduplicatedSentMessages", deduplicated),
        ];
        let fifo_numbers = fifo_numbers.into_iter().filter(|_| found.queue.is_fifo);
        let numbers = numbers.into_iter().chain(fifo_numbers);
        let mut samples: Vec<Sample> =
            numbers.map(|(name, number)| sample(name, "Count", Statistics::of(number as f64))).collect();
        let age_secs = census.oldest.map_or(0.0, |sent| now.since(sent).as_secs_f64().round());
        samples.push(sample("ApproximateAgeOfOldestMessage", "Seconds", Statistics::of(age_secs)));
        samples.extend(sent_bytes.map(|sizes| sample("SentMessageSize", "Bytes", sizes)));
        samples
    }
}

/// When queues are read: each minute, as long as one of them is active.
pub(crate) struct Rounds {
    clock: SharedClock,
    next: Mutex<Option<Timestamp>>,
    changed: Notify,
}

impl Rounds {
    /// The first round finds out which queues are active.
    pub(crate) fn new(clock: SharedClock) -> Self {
        let next = Mutex::new(Some(reading_of(clock.now())));
        Self { clock, next, changed: Notify::new() }
    }

    /// Notes that an action accesses a queue.
    pub(crate) fn note_access(&self, meter: &Mutex<Meter>) {
        let now = self.clock.now();
        meter.lock().accessed = Some(now);
        let mut next = self.next.lock();
        if next.is_none() {
            *next = Some(reading_of(now));
            self.changed.notify_one();
        }
    }
}

/// The meters of all queues.
pub(crate) struct QueueMeters(pub(crate) Arc<Directory>);

impl Meters for QueueMeters {
    fn next_due(&self) -> Option<Timestamp> {
        let rounds = self.0.rounds();
        let now = rounds.clock.now();
        // What seems to be further away was decided before the clock was set back.
        rounds.next.lock().map(|next| if next > reading_of(now) { now } else { next })
    }

    fn read(&self, now: Timestamp) -> Vec<Sample> {
        // Whoever accesses a queue from here on asks for the next round.
        *self.0.rounds().next.lock() = None;
        let mut samples = Vec::new();
        for (key, definition) in self.0.definitions.all() {
            let Some(found) = self.0.by_key(&key) else { continue };
            let retention = definition.settings.retention();
            let census = found.queue.with(|backlog| backlog.census(retention, now));
            samples.extend(found.queue.meter.lock().read(&found, &census, now));
        }
        if !samples.is_empty() {
            *self.0.rounds().next.lock() = Some(reading_of(now));
        }
        samples
    }

    fn changed(&self) -> &Notify {
        &self.0.rounds().changed
    }
}
