//! The courier: sends minute after minute of every running stream, and remembers how far it is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use groundwatch_api::cloudwatch::MetricStreamOutputFormat;
use groundwatch_core::{Activity, Arn, BoxFuture, Timestamp};
use groundwatch_outbound::{AwsCall, Backoff, Outbound, Outcome, Parcel};
use groundwatch_storage::Key;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::format::{self, Origin};
use crate::stream::{MINUTE_SECS, Stream};
use crate::{StreamError, Streams};

const MINUTE: Duration = Duration::from_secs(MINUTE_SECS as u64);

/// How long after a minute its samples may come in: later ones are not sent.
const LATE: Duration = Duration::from_secs(60);

/// How many minutes of a stream one activation sends: the others, and the end of the server, wait for no more.
const MINUTES_AT_ONCE: usize = 240;

/// How far ahead the first look for a minute with data goes; each further look goes twice as far.
const FIRST_LOOK: Duration = Duration::from_secs(60 * 60);

/// A parcel holds no more, but for one measure: what a record of Firehose can hold.
const PARCEL_BYTES_MAX: usize = 1_000_000;

const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(5),
    longest: Duration::from_secs(300),
    give_up_after: Duration::from_secs(24 * 60 * 60),
};

/// Sends what streams have.
pub struct StreamCourier {
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

impl StreamCourier {
    /// Sends what `streams` have by `outbound`.
    pub fn new(streams: Arc<Streams>, outbound: Outbound) -> Self {
        Self { streams, outbound, failed: Mutex::default() }
    }

    /// When a stream has something to send: its next minute is over, and late samples are there.
    fn due(&self, key: &Key, stream: &Stream) -> Option<Timestamp> {
        let due = due_after(stream.next?);
        let again = self.failed.lock().get(key).map(|failed| failed.again);
        Some(again.map_or(due, |again| again.max(due)))
    }

    /// Sends minutes of a stream until it is up to date, an attempt fails, or it had its share: then it stays due.
    async fn catch_up(&self, key: &Key, now: Timestamp) {
        if self.streams.streams.get(key).and_then(|stream| self.due(key, &stream)).is_none_or(|due| due > now)
        {
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
            if next > kept
                && let Err(error) = self.advance(key, kept, next).await
            {
                tracing::error!(%error, stream = key.name, "how far a metric stream is cannot be stored");
                self.wait(key, now, now);
                return;
            }
            if is_failed {
                return;
            }
        }
    }

    /// Sends the first minute from `minute` on that has something to send: the minute to go on with, and whether it was
    /// taken. Minutes without anything are not worth a write each.
    async fn send_next(
        &self,
        key: &Key,
        stream: &Stream,
        mut minute: Timestamp,
        now: Timestamp,
    ) -> (Timestamp, Result<(), String>) {
        while due_after(minute) <= now {
            match self.send(key, stream, minute).await {
                Err(reason) => return (minute, Err(reason)),
                Ok(Sent::Something) => return (minute + MINUTE, Ok(())),
                Ok(Sent::Nothing) => match self.next_filled(key, stream, minute + MINUTE, now).await {
                    Ok(next) => minute = next,
                    Err(reason) => return (minute + MINUTE, Err(reason)),
                },
            }
        }
        (minute, Ok(()))
    }

    /// The first minute from `from` on in which a metric of the stream has data, or the first that is not due yet.
    ///
    /// A pause may be as long as the clock leaps. It is not walked minute by minute: each look goes twice as far as the one
    /// before, so that there are few, and each reads no more than the data that lie there.
    async fn next_filled(
        &self,
        key: &Key,
        stream: &Stream,
        mut from: Timestamp,
        now: Timestamp,
    ) -> Result<Timestamp, String> {
        let end = (now - LATE).floor_to(MINUTE_SECS);
        let mut look = FIRST_LOOK;
        while from < end {
            let to = (from + look).min(end);
            match self.first_filled(key, stream, from, to).await? {
                Found::At(minute) => return Ok(minute),
                Found::Later => from = to,
                Found::Never => return Ok(end),
            }
            look = look.saturating_mul(2);
        }
        Ok(from)
    }

    /// Looks through the minutes from `from` until before `to`.
    async fn first_filled(
        &self,
        key: &Key,
        stream: &Stream,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Found, String> {
        let source = &self.streams.source;
        let (mut first, mut is_active, mut after) = (to, false, None::<String>);
        loop {
            let (metrics, next) = source.metrics(&key.scope, from, after.as_deref());
            for metric in metrics.iter().filter(|metric| stream.takes(&metric.namespace, &metric.name)) {
                is_active = true;
                // What another metric has later than the first minute so far is of no interest.
                let found = source.first_minute(&key.scope, metric, from, first).await;
                first = found.map_err(|error| error.to_string())?.unwrap_or(first);
            }
            after = match next {
                Some(next) if first > from => Some(next),
                _ if first < to => return Ok(Found::At(first)),
                _ => return Ok(if is_active { Found::Later } else { Found::Never }),
            };
        }
    }

    /// Notes a failure: when to try again, if not too late.
    fn wait(&self, key: &Key, minute: Timestamp, now: Timestamp) -> Option<Duration> {
        let mut failed = self.failed.lock();
        let attempts = failed.get(key).map_or(1, |failed| failed.attempts.saturating_add(1));
        let seed =
            key.name.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let wait = BACKOFF.wait(attempts, now.since(minute), seed);
        // What is given up is followed by what is younger, after the longest wait.
        let again = now + wait.unwrap_or(BACKOFF.longest);
        failed.insert(key.clone(), Failed { attempts, again });
        wait
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

    /// Sends one minute, in parcels; an error says why not all of it was taken.
    async fn send(&self, key: &Key, stream: &Stream, minute: Timestamp) -> Result<Sent, String> {
        let source = &self.streams.source;
        let origin = Origin { scope: &key.scope, stream: &key.name, minute };
        let (mut body, mut number, mut after) = (Vec::new(), 0, None::<String>);
        loop {
            let (metrics, next) = source.metrics(&key.scope, minute, after.as_deref());
            for metric in metrics.iter().filter(|metric| stream.takes(&metric.namespace, &metric.name)) {
                let statistics = stream.statistics_of(metric);
                let measures = source.measures(&key.scope, metric, minute, &statistics).await;
                for measure in measures.map_err(|error| error.to_string())? {
                    let before = body.len();
                    format::append(&mut body, &stream.format, origin, metric, &measure);
                    if before > 0 && body.len() > PARCEL_BYTES_MAX {
                        let rest = body.split_off(before);
                        self.deliver(stream, origin, number, std::mem::replace(&mut body, rest)).await?;
                        number += 1;
                    }
                }
            }
            match next {
                Some(next) => after = Some(next),
                None if body.is_empty() => return Ok(Sent::Nothing),
                None => return self.deliver(stream, origin, number, body).await.map(|()| Sent::Something),
            }
        }
    }

    async fn deliver(
        &self,
        stream: &Stream,
        origin: Origin<'_>,
        number: u32,
        body: Vec<u8>,
    ) -> Result<(), String> {
        match self.outbound.deliver(&parcel(stream, origin, number, body)).await {
            Outcome::Accepted { .. } => Ok(()),
            // What is refused today may be configured tomorrow: no minute is left out before a day has passed.
            Outcome::Refused { reason } | Outcome::Unavailable { reason, .. } => Err(reason),
        }
    }
}

/// What became of a minute.
enum Sent {
    Something,
    Nothing,
}

/// What a look ahead finds.
enum Found {
    /// The first minute that has data.
    At(Timestamp),
    /// There are data, but after what was looked through.
    Later,
    /// No metric of the stream has had data since.
    Never,
}

/// When a minute can be sent: it is over, and late samples are there.
fn due_after(minute: Timestamp) -> Timestamp {
    minute + MINUTE + LATE
}

/// The first minute that is no older than a day.
fn day_ago(now: Timestamp) -> Timestamp {
    (now - BACKOFF.give_up_after).ceil_to(MINUTE_SECS)
}

/// A parcel of a minute: also the call of Firehose that AWS's streams make.
fn parcel(stream: &Stream, origin: Origin<'_>, number: u32, body: Vec<u8>) -> Parcel {
    let name = Arn::parse(&stream.firehose_arn).map(|arn| arn.resource).unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    let call = serde_json::json!({
        "DeliveryStreamName": name, "Record": { "Data": BASE64_STANDARD.encode(&body) },
    });
    let content_type = match stream.format {
        MetricStreamOutputFormat::Json => "application/x-ndjson",
        _ => "application/x-protobuf",
    };
    let id = format!("{}-{}-{number}", origin.stream, origin.minute.as_secs());
    Parcel {
        content_type,
        headers: vec![("x-groundwatch-metric-stream", origin.stream.to_owned())],
        ..Parcel::json(stream.firehose_arn.clone(), id, body)
    }
    .with_aws(AwsCall::json("firehose", "1.1", "Firehose_20150804.PutRecord", call.to_string()))
}

impl Activity for StreamCourier {
    fn name(&self) -> &'static str {
        "metric-streams"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.streams.streams.all().iter().filter_map(|(key, stream)| self.due(key, stream)).min()
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
        courier: StreamCourier,
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
            let courier = StreamCourier::new(Arc::new(streams), outbound);
            Self { courier, clock, source, taker, _directory: directory }
        }

        /// Runs once at `now`, and tells how many minutes were sent by then, and the minute to go on with.
        async fn run(&self, now: Timestamp) -> (usize, Option<Timestamp>) {
            self.clock.set(now);
            self.courier.run(self.clock.now()).await;
            let next = self.courier.streams.streams.get(&key()).and_then(|stream| stream.next);
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
            assert_eq!(world.courier.next_due(), Some(minute(YEAR_MINUTES + 2)));
        }
    }

    #[tokio::test]
    async fn an_activation_sends_its_share_and_the_next_one_goes_on() {
        let share = i64::try_from(MINUTES_AT_ONCE).expect("small");
        let world = World::new((0..share + 1).collect()).await;
        let now = minute(share + 10);
        assert_eq!(world.run(now).await, (MINUTES_AT_ONCE, Some(minute(share))));
        assert!(world.courier.next_due().is_some_and(|due| due <= now));
        assert_eq!(world.run(now).await.0, MINUTES_AT_ONCE + 1);
        world.run(now).await;
        assert!(world.courier.next_due().is_some_and(|due| due > now));
    }
}
