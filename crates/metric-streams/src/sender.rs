//! The sender: sends minute after minute of every running stream, and remembers how far it is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, Timestamp};
use groundwatch_outbound::{Backoff, Outbound};
use groundwatch_storage::Key;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::outlook::next_filled;
use crate::records::{Sent, send};
use crate::stream::{MINUTE_SECS, Stream};
use crate::{StreamError, Streams};

const MINUTE: Duration = Duration::from_secs(MINUTE_SECS as u64);

/// How long after a minute its samples may come in: later ones are not sent.
const LATE: Duration = Duration::from_secs(60);

/// How many minutes of a stream one activation sends: the others, and the end of the server, wait for no
/// more.
const MINUTES_AT_ONCE: usize = 240;

const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(5),
    longest: Duration::from_secs(300),
    give_up_after: Duration::from_secs(24 * 60 * 60),
};

/// Sends what streams have.
pub struct StreamSender {
    streams: Arc<Streams>,
    outbound: Outbound,
    /// The streams whose last attempt failed. Lost with a restart, which is an attempt too.
    failed: Mutex<HashMap<Key, Failed>>,
}

#[derive(Clone, Copy)]
struct Failed {
    attempts: u32,
    again: Timestamp,
}

impl StreamSender {
    /// Sends what `streams` have by `outbound`.
    pub fn new(streams: Arc<Streams>, outbound: Outbound) -> Self {
        Self { streams, outbound, failed: Mutex::default() }
    }

    /// When a stream has something to do: its next minute is over, and late samples are there; at once, if
    /// the clock went back.
    fn due(&self, key: &Key, stream: &Stream, now: Timestamp) -> Option<Timestamp> {
        let next = stream.next?;
        if is_ahead(next, now) {
            return Some(now);
        }
        let due = due_after(next);
        let again = self.failed.lock().get(key).map(|failed| failed.again);
        Some(again.map_or(due, |again| again.max(due)))
    }

    /// Sends minutes of a stream until it is up to date, an attempt fails, or it had its share: then it stays
    /// due.
    async fn catch_up(&self, key: &Key, now: Timestamp) {
        let Some(stream) = self.streams.streams.get(key) else { return };
        if self.due(key, &stream, now).is_none_or(|due| due > now) {
            return;
        }
        if let Some(next) = stream.next.filter(|next| is_ahead(*next, now)) {
            tracing::warn!(stream = key.name, %next, "the clock went back: a metric stream goes on from the present");
            self.move_on(key, next, now.ceil_to(MINUTE_SECS), now).await;
            return;
        }
        for _ in 0..MINUTES_AT_ONCE {
            let Some(stream) = self.streams.streams.get(key) else { return };
            let Some(kept) = stream.next.filter(|next| due_after(*next) <= now) else { return };
            let (next, outcome) = self.send_next(key, &stream, kept, now).await;
            let next = match outcome {
                Ok(()) => {
                    self.failed.lock().remove(key);
                    next
                }
                Err(reason) => {
                    tracing::warn!(
                        stream = key.name,
                        reason,
                        "a minute of a metric stream could not be sent"
                    );
                    if self.wait(key, next, now).is_some() {
                        next
                    } else {
                        tracing::error!(
                            stream = key.name,
                            "a metric stream gives up what is older than a day"
                        );
                        day_ago(now).max(next + MINUTE)
                    }
                }
            };
            let is_failed = self.failed.lock().contains_key(key);
            if (next > kept && !self.move_on(key, kept, next, now).await) || is_failed {
                return;
            }
        }
    }

    /// Sends the first minute from `minute` on that has something to send: the minute to go on with, and
    /// whether it was taken. Minutes without anything are not worth a write each.
    async fn send_next(
        &self,
        key: &Key,
        stream: &Stream,
        mut minute: Timestamp,
        now: Timestamp,
    ) -> (Timestamp, Result<(), String>) {
        while due_after(minute) <= now {
            let source = &*self.streams.source;
            let end = (now - LATE).floor_to(MINUTE_SECS);
            match send(source, &self.outbound, key, stream, minute).await {
                Err(reason) => return (minute, Err(reason)),
                Ok(Sent::Something) => return (minute + MINUTE, Ok(())),
                Ok(Sent::Nothing) => match next_filled(source, key, stream, minute + MINUTE..end).await {
                    Ok(next) => minute = next,
                    Err(reason) => return (minute + MINUTE, Err(reason)),
                },
            }
        }
        (minute, Ok(()))
    }

    /// Notes a failure: when to try again, if not too late.
    fn wait(&self, key: &Key, minute: Timestamp, now: Timestamp) -> Option<Duration> {
        let mut failed = self.failed.lock();
        let attempts = failed.get(key).map_or(1, |failed| failed.attempts.saturating_add(1));
        let wait = BACKOFF.wait(attempts, now.since(minute), &key.name);
        // What is given up is followed by what is younger, after the longest wait.
        let again = now + wait.unwrap_or(BACKOFF.longest);
        failed.insert(key.clone(), Failed { attempts, again });
        wait
    }

    /// [Moves](Self::advance) a stream from `minute` to `next`. If that cannot be stored, it is tried again
    /// later, and this is false.
    async fn move_on(&self, key: &Key, minute: Timestamp, next: Timestamp, now: Timestamp) -> bool {
        let moved = self.advance(key, minute, next).await;
        if let Err(error) = &moved {
            tracing::error!(%error, stream = key.name, "how far a metric stream is cannot be stored");
            self.wait(key, now, now);
        }
        moved.is_ok()
    }

    /// Moves a stream on from `minute`, unless it was stopped or started anew meanwhile.
    async fn advance(&self, key: &Key, minute: Timestamp, next: Timestamp) -> Result<(), StreamError> {
        let advanced = |stream: &Stream| {
            let is_same = stream.next == Some(minute);
            let next = if is_same { Some(next) } else { stream.next };
            Ok(Stream { next, ..stream.clone() })
        };
        self.streams.change(key, advanced).await.map(drop)
    }
}

/// When a minute can be sent: it is over, and late samples are there.
fn due_after(minute: Timestamp) -> Timestamp {
    minute + MINUTE + LATE
}

/// Whether the clock was set back since a stream came as far as `next`: that is at most the minute after the
/// present one.
fn is_ahead(next: Timestamp, now: Timestamp) -> bool {
    next > now.ceil_to(MINUTE_SECS)
}

/// The first minute that is no older than a day.
fn day_ago(now: Timestamp) -> Timestamp {
    (now - BACKOFF.give_up_after).ceil_to(MINUTE_SECS)
}

impl Activity for StreamSender {
    fn name(&self) -> &'static str {
        "metric-streams"
    }

    fn next_due(&self) -> Option<Timestamp> {
        let now = self.streams.clock.now();
        self.streams.streams.all().iter().filter_map(|(key, stream)| self.due(key, stream, now)).min()
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let all = self.streams.streams.all();
            self.failed.lock().retain(|key, _| all.iter().any(|(known, _)| known == key));
            for (key, _) in all {
                self.catch_up(&key, now).await;
            }
        })
    }

    fn changed(&self) -> &Notify {
        &self.streams.changed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use groundwatch_core::{Clock, ManualClock, Scope};
    use groundwatch_outbound::{ArnPattern, HttpAnswer, HttpClient, HttpError, HttpRequest, Route, Target};
    use groundwatch_storage::{Batch, Expect, Storage, StorageOptions};

    use super::*;
    use crate::stream::stream;
    use crate::{Measure, MinuteSource, SourceError, StreamedMetric};

    const START: Timestamp = Timestamp::from_secs(1_767_225_600);

    const YEAR_MINUTES: i64 = 365 * 24 * 60;

    fn minute(number: i64) -> Timestamp {
        Timestamp::from_secs(START.as_secs() + number * 60)
    }

    /// One metric that has data in some minutes, by their numbers.
    struct Filled {
        minutes: Vec<i64>,
        /// How often it was read.
        reads: AtomicUsize,
    }

    impl Filled {
        fn first(&self, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
            self.minutes.iter().map(|number| minute(*number)).find(|at| (from..to).contains(at))
        }
    }

    impl MinuteSource for Filled {
        fn metrics(
            &self,
            _: &Scope,
            since: Timestamp,
            _: Option<&str>,
        ) -> (Vec<StreamedMetric>, Option<String>) {
            self.reads.fetch_add(1, Ordering::Relaxed);
            let is_active = self.minutes.last().is_some_and(|last| minute(*last) >= since);
            (is_active.then(StreamedMetric::default).into_iter().collect(), None)
        }

        fn measures<'a>(
            &'a self,
            _: &'a Scope,
            _: &'a StreamedMetric,
            minute: Timestamp,
            _: &'a [String],
        ) -> BoxFuture<'a, Result<Vec<Measure>, SourceError>> {
            let found = self.first(minute, minute + MINUTE).map(|_| Measure::default());
            Box::pin(async move { Ok(found.into_iter().collect()) })
        }

        fn first_minute<'a>(
            &'a self,
            _: &'a Scope,
            _: &'a StreamedMetric,
            from: Timestamp,
            to: Timestamp,
        ) -> BoxFuture<'a, Result<Option<Timestamp>, SourceError>> {
            let found = self.first(from, to);
            Box::pin(async move { Ok(found) })
        }

        fn supports(&self, _: &str) -> bool {
            true
        }
    }

    /// Takes everything, and counts it.
    #[derive(Default)]
    struct Taker(AtomicUsize);

    impl HttpClient for Taker {
        fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, HttpError>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Ok(HttpAnswer { status: 200, body: Bytes::new() }) })
        }
    }

    /// A stream that is to go on with minute 0 of a metric with data in `minutes`.
    struct World {
        sender: StreamSender,
        clock: Arc<ManualClock>,
        source: Arc<Filled>,
        taker: Arc<Taker>,
        _directory: tempfile::TempDir,
    }

    impl World {
        async fn new(minutes: Vec<i64>) -> Self {
            let directory = tempfile::tempdir().expect("a directory");
            let (storage, _) = Storage::open(StorageOptions::new(directory.path())).expect("opens");
            let clock = Arc::new(ManualClock::new(START));
            let source = Arc::new(Filled { minutes, reads: AtomicUsize::new(0) });
            let streams =
                Streams::open(&storage.catalog, clock.clone(), source.clone()).expect("nothing kept yet");
            let mut batch = Batch::new();
            let running = Stream { next: Some(START), ..stream() };
            streams.streams.put(&mut batch, key(), running, Expect::Absent);
            storage.catalog.commit(batch).await.expect("committed");
            let target = Target {
                pattern: ArnPattern::new("*"),
                route: Route::Webhook("http://a.test/".parse().expect("a URL")),
                timeout: Duration::from_secs(1),
            };
            let taker = Arc::new(Taker::default());
            let outbound = Outbound::new(vec![target], taker.clone(), clock.clone());
            let sender = StreamSender::new(Arc::new(streams), outbound);
            Self { sender, clock, source, taker, _directory: directory }
        }

        /// Runs once at `now`, and tells how many minutes were sent by then, and the minute to go on with.
        async fn run(&self, now: Timestamp) -> (usize, Option<Timestamp>) {
            self.clock.set(now);
            self.sender.run(self.clock.now()).await;
            let next = self.sender.streams.streams.get(&key()).and_then(|stream| stream.next);
            (self.taker.0.load(Ordering::Relaxed), next)
        }
    }

    fn key() -> Key {
        Key::new(&Scope::default(), "s")
    }

    #[tokio::test]
    async fn a_pause_costs_what_it_holds_however_long_it_is() {
        for (filled, sent, reads_max) in [
            (vec![], 0, 3),
            (vec![0, 1, 2], 3, 6),
            // Data before, amid and at the end of a year, all of them in one go.
            (vec![0, 1, 100_000, 100_001, 400_000, YEAR_MINUTES - 1], 6, 60),
        ] {
            let world = World::new(filled.clone()).await;
            assert_eq!(
                world.run(minute(YEAR_MINUTES + 1)).await,
                (sent, Some(minute(YEAR_MINUTES))),
                "{filled:?}"
            );
            let reads = world.source.reads.load(Ordering::Relaxed);
            assert!(reads <= reads_max, "{reads} reads of {filled:?}");
            assert_eq!(world.sender.next_due(), Some(minute(YEAR_MINUTES + 2)));
        }
    }

    #[tokio::test]
    async fn a_clock_that_went_back_is_followed() {
        let world = World::new(vec![-30, 0, 1]).await;
        assert_eq!(world.run(minute(4)).await, (2, Some(minute(3))));
        // A second, or an hour: what is ahead of the present is not waited for.
        assert_eq!(world.run(minute(3) - Duration::from_secs(1)).await, (2, Some(minute(3))));
        assert_eq!(world.sender.next_due(), Some(minute(5)));
        world.clock.set(minute(-60));
        assert_eq!(world.sender.next_due(), Some(minute(-60)));
        assert_eq!(world.run(minute(-60)).await, (2, Some(minute(-60))));
        assert_eq!(world.sender.next_due(), Some(minute(-58)));
        assert_eq!(world.run(minute(-20)).await, (3, Some(minute(-21))));
    }

    #[tokio::test]
    async fn an_activation_sends_its_share_and_the_next_one_goes_on() {
        let share = i64::try_from(MINUTES_AT_ONCE).expect("small");
        let world = World::new((0..share + 1).collect()).await;
        let now = minute(share + 10);
        assert_eq!(world.run(now).await, (MINUTES_AT_ONCE, Some(minute(share))));
        assert!(world.sender.next_due().is_some_and(|due| due <= now));
        assert_eq!(world.run(now).await.0, MINUTES_AT_ONCE + 1);
        world.run(now).await;
        assert!(world.sender.next_due().is_some_and(|due| due > now));
    }
}
