//! A minute of a stream, as records for the Firehose that is its target.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use groundwatch_api::cloudwatch::MetricStreamOutputFormat;
use groundwatch_core::{Arn, Timestamp};
use groundwatch_outbound::{AwsCall, Outbound, OutboundMessage, Outcome};
use groundwatch_storage::Key;

use crate::MinuteSource;
use crate::format::{self, Origin};
use crate::stream::Stream;

/// A record holds no more, but for one measure: what a record of Firehose can hold.
const RECORD_BYTES_MAX: usize = 1_000_000;

/// What became of a minute.
pub(crate) enum Sent {
    Something,
    Nothing,
}

/// Sends one minute, in records; an error says why not all of it was taken.
pub(crate) async fn send(
    source: &dyn MinuteSource,
    outbound: &Outbound,
    key: &Key,
    stream: &Stream,
    minute: Timestamp,
) -> Result<Sent, String> {
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
                if before > 0 && body.len() > RECORD_BYTES_MAX {
                    let rest = body.split_off(before);
                    deliver(outbound, stream, origin, number, std::mem::replace(&mut body, rest)).await?;
                    number += 1;
                }
            }
        }
        match next {
            Some(next) => after = Some(next),
            None if body.is_empty() => return Ok(Sent::Nothing),
            None => return deliver(outbound, stream, origin, number, body).await.map(|()| Sent::Something),
        }
    }
}

async fn deliver(
    outbound: &Outbound,
    stream: &Stream,
    origin: Origin<'_>,
    number: u32,
    body: Vec<u8>,
) -> Result<(), String> {
    match outbound.deliver(&record(stream, origin, number, body)).await {
        Outcome::Accepted { .. } => Ok(()),
        // What is refused today may be configured tomorrow: no minute is left out before a day has passed.
        Outcome::Refused { reason } | Outcome::Unavailable { reason, .. } => Err(reason),
    }
}

/// A record of a minute: also the call of Firehose that AWS's streams make.
fn record(stream: &Stream, origin: Origin<'_>, number: u32, body: Vec<u8>) -> OutboundMessage {
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
    OutboundMessage {
        content_type,
        headers: vec![("x-groundwatch-metric-stream", origin.stream.to_owned())],
        ..OutboundMessage::json(stream.firehose_arn.clone(), id, body)
    }
    .with_aws(AwsCall::json("firehose", "1.1", "Firehose_20150804.PutRecord", call.to_string()))
}
