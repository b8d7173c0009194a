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

    /// Sends minutes of a stream until it is up to date or an attempt fails.
    async fn catch_up(&self, key: &Key, now: Timestamp) {
        if self.streams.streams.get(key).and_then(|stream| self.due(key, &stream)).is_none_or(|due| due > now)
        {
            return;
        }
        while let Some(stream) = self.streams.streams.get(key) {
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
                // After a long pause the minutes of the pause are not looked through one by one.
                Ok(Sent::Nothing { is_last: true }) => {
                    minute = (now - LATE).floor_to(MINUTE_SECS).max(minute + MINUTE);
                }
                Ok(Sent::Nothing { is_last: false }) => minute = day_ago(now).max(minute + MINUTE),
            }
        }
        (minute, Ok(()))
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
        let (mut body, mut number, mut after, mut is_last) = (Vec::new(), 0, None::<String>, true);
        loop {
            let (metrics, next) = source.metrics(&key.scope, minute, after.as_deref());
            is_last &= metrics.is_empty();
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
                None if body.is_empty() => return Ok(Sent::Nothing { is_last }),
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
    Nothing {
        /// No metric has had data since.
        is_last: bool,
    },
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
