//! The background activity `log-anomalies`: has each detector look at the windows that are over.

use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use groundwatch_storage::Key;
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::HISTORY;
use super::detector::{Detectors, LogAnomalyDetector};
use crate::directory::Directory;
use crate::error::LogsError;
use crate::event_key::{EventKey, KeyRange};
use crate::group::group_key;
use crate::pattern::{Matcher, Pattern};
use crate::store::{Direction, LogStore, Query, Step, Streams};
use crate::treatment::Treatment;

/// How many events one evaluation looks at. Of more, the later ones are passed over.
const EVENTS_MAX: usize = 200_000;
/// How much text it looks at.
const BYTES_MAX: usize = 128 << 20;
/// After a failure it is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// Looks for anomalies when windows are over.
pub struct LogAnomalyWatch {
    detectors: Detectors,
    directory: Directory,
    store: LogStore,
    clock: SharedClock,
    retry_at: Mutex<Option<Timestamp>>,
    /// Up to where detectors have found nothing to look at since they were last written, by their ids: what
    /// they have not seen costs no write.
    idle_until: Mutex<HashMap<String, Timestamp>>,
}

impl LogAnomalyWatch {
    pub(crate) fn new(
        detectors: Detectors,
        directory: Directory,
        store: LogStore,
        clock: SharedClock,
    ) -> Self {
        let (retry_at, idle_until) = Default::default();
        Self { detectors, directory, store, clock, retry_at, idle_until }
    }

    /// When a detector looks next; never while it is off.
    fn due(&self, key: &Key, detector: &LogAnomalyDetector) -> Option<Timestamp> {
        let due = detector.next_due()?;
        let idle_until = self.idle_until.lock().get(&key.name).copied();
        Some(idle_until.map_or(due, |idle_until| due.max(idle_until + detector.window())))
    }

    async fn look(&self, key: &Key, now: Timestamp) -> Result<(), LogsError> {
        let Some((version, known)) = self.detectors.versioned(key) else { return Ok(()) };
        let group = self.directory.groups.get(&group_key(&key.scope, &known.group));
        let Some(group) = group.filter(|group| group.id == known.group_id) else {
            // It goes with its group.
            self.idle_until.lock().remove(&key.name);
            return match self.detectors.delete(key.clone()).await {
                Err(LogsError::Anomaly(_)) => Ok(()),
                outcome => outcome,
            };
        };
        let mut detector = (*known).clone();
        let end = detector.last_end(now);
        let begin = detector.seen_until.unwrap_or(end - HISTORY).max(end - HISTORY);
        let was_active = detector.anomalies.iter().any(|anomaly| anomaly.active);
        let treatment = self.directory.treatment(&key.scope, &known.group, &group);
        let events = self.feed(key, &treatment, &mut detector, begin, end).await?;
        if events == 0 && !was_active && detector.seen_until.is_some() {
            self.idle_until.lock().insert(key.name.clone(), end);
            return Ok(());
        }
        self.idle_until.lock().remove(&key.name);
        detector.seen_until = Some(end);
        // If somebody changed it meanwhile, it is still due, and looks again.
        self.detectors.replaced(key, version, detector).await?;
        Ok(())
    }

    /// Shows the detector the events from `begin` to `end`, window by window, and tells how many there were.
    async fn feed(
        &self,
        key: &Key,
        treatment: &Treatment,
        detector: &mut LogAnomalyDetector,
        begin: Timestamp,
        end: Timestamp,
    ) -> Result<usize, LogsError> {
        let matcher = Matcher::new(&Pattern::parse(&detector.filter_pattern)?);
        let query = Query {
            group: treatment.group().id,
            streams: Streams::Those(&|_| true),
            range: KeyRange { from: EventKey::before(begin), to: EventKey::before(end) },
            direction: Direction::Forward,
            matcher: None,
            events_max: usize::MAX,
            bytes_max: usize::MAX,
        };
        let mut merge = self.store.read(query).await?;
        let (length, learns_until, is_first) =
            (detector.window(), detector.learns_until(), detector.seen_until.is_none());
        let learns = |window: Timestamp| is_first || window < learns_until;
        let mut window = begin;
        let (mut events, mut bytes) = (0, 0);
        while events < EVENTS_MAX
            && bytes < BYTES_MAX
            && let Step::Event(event) = merge.next().await?
        {
            (events, bytes) = (events + 1, bytes + event.message.len());
            let at = event.key.timestamp;
            if is_first && events == 1 {
                // Before the first event there was nothing to be usual.
                window = detector.last_end(at);
            }
            while at >= window + length {
                detector.end_window(&key.name, window, window + length, learns(window));
                window = window + length;
            }
            let shown = treatment.masked(event.ingested, &event.message);
            if matcher.matches(&shown) {
                detector.see(at, &String::from_utf8_lossy(&shown));
            }
        }
        while window < end && (events > 0 || !is_first) {
            detector.end_window(&key.name, window, window + length, learns(window));
            window = window + length;
        }
        Ok(events)
    }
}

impl Activity for LogAnomalyWatch {
    fn name(&self) -> &'static str {
        "log-anomalies"
    }

    fn next_due(&self) -> Option<Timestamp> {
        let due =
            self.detectors.all().into_iter().filter_map(|(key, detector)| self.due(&key, &detector)).min()?;
        Some(self.retry_at.lock().map_or(due, |retry_at| due.max(retry_at)))
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut retry_at = None;
            let all = self.detectors.all();
            self.idle_until.lock().retain(|id, _| all.iter().any(|(key, _)| key.name == *id));
            for (key, detector) in all {
                if self.due(&key, &detector).is_some_and(|due| due <= now)
                    && let Err(error) = self.look(&key, now).await
                {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, group = detector.group, "an anomaly detector cannot look");
                    retry_at = Some(self.clock.now().max(now) + RETRY);
                }
            }
            *self.retry_at.lock() = retry_at;
        })
    }

    fn changed(&self) -> &Notify {
        self.detectors.changed()
    }
}
