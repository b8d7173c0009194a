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
        let due = stream.next? + MINUTE + LATE;
        let again = self.failed.lock().get(key).map(|failed| failed.again);
        Some(again.map_or(due, |again| again.max(due)))
    }

    /// Sends minutes of a stream until it is up to date or an attempt fails.
    async fn catch_up(&self, key: &Key, now: Timestamp) {
        while let Some(stream) = self.streams.streams.get(key) {
            let Some(minute) = stream.next.filter(|_| self.due(key, &stream).is_some_and(|due| due <= now))
            else {
                return;
            };
            let advanced = match self.send(key, &stream, minute).await {
                Ok(()) => {
                    self.failed.lock().remove(key);
                    self.advance(key, minute, minute + MINUTE).await
                }
                Err(reason) => {
                    tracing::warn!(
                        stream = key.name,
                        reason,
                        "a minute of a metric stream could not be sent"
                    );
                    match self.wait(key, minute, now) {
                        Some(_) => return,
                        None => {
                            tracing::error!(
                                stream = key.name,
                                "a metric stream gives up what is older than a day"
                            );
                            let rest = (now - BACKOFF.give_up_after).ceil_to(MINUTE_SECS);
                            self.advance(key, minute, rest.max(minute + MINUTE)).await
                        }
                    }
                }
            };
            if let Err(error) = advanced {
                tracing::error!(%error, stream = key.name, "how far a metric stream is cannot be stored");
                self.wait(key, now, now);
                return;
            }
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
    async fn send(&self, key: &Key, stream: &Stream, minute: Timestamp) -> Result<(), String> {
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
                None if body.is_empty() => return Ok(()),
                None => return self.deliver(stream, origin, number, body).await,
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
