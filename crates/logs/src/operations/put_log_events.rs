//! `PutLogEvents`.

use std::borrow::Cow;
use std::ops::Range;

use groundwatch_api::logs::borrowed::{InputLogEvent, PutLogEventsInput};
use groundwatch_api::logs::{PutLogEvents, PutLogEventsOutput, RejectedLogEventsInfo};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::embedded_metrics;
use crate::error::LogsError;
use crate::group::LogGroup;
use crate::ingestion::{self, Verdict};
use crate::logs::Logs;
use crate::metric_filter::SeenEvent;
use crate::metric_sink::Samples;
use crate::store::StreamAddress;
use crate::view::Views;

impl Handle<PutLogEvents> for Logs {
    /// `sequenceToken` is ignored, as AWS does since 2023. `entity` has no effect: nothing relates telemetry here.
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: PutLogEventsInput<'a>,
    ) -> Result<PutLogEventsOutput, Fault> {
        let group_name = input.log_group_name.expect("validated: required");
        let stream_name = input.log_stream_name.expect("validated: required");
        let events = input.log_events.expect("validated: required");
        let group = self.directory.group(call.scope(), &group_name)?;
        let stream = self.directory.stream(call.scope(), group.id, &stream_name)?;

        let timestamps: Vec<i64> = events.iter().map(timestamp).collect();
        let size_bytes = ingestion::batch_size_bytes(message_bytes(&events, 0..events.len()), events.len());
        let verdict = ingestion::judge(&timestamps, size_bytes, call.received, group.retention())
            .map_err(LogsError::from)?;

        let accepted = verdict.accepted.clone();
        let sequence = if accepted.is_empty() {
            0
        } else {
            let address = StreamAddress {
                scope: call.scope().clone(),
                group: group_name.into_owned(),
                group_id: group.id,
                stream: stream_name.into_owned(),
                stream_id: stream.id,
            };
            let message_bytes = message_bytes(&events, accepted.clone());
            let accepted = events[accepted].iter().map(|event| (timestamp(event), message(event)));
            let sequence = self
                .store
                .append(&address, call.received, accepted.clone(), message_bytes)
                .await
                .map_err(LogsError::from)?;
            self.show(call, &group, &address, accepted).await;
            sequence
        };
        Ok(PutLogEventsOutput {
            next_sequence_token: Some(sequence_token(sequence)),
            rejected_log_events_info: rejected(&verdict),
            ..PutLogEventsOutput::default()
        })
    }
}

impl Logs {
    /// Shows stored events, as they may be seen, to those who follow them, and sends on what they give rise to: metrics of
    /// filters, embedded ones, findings of sensitive data. The events are stored whatever becomes of these.
    async fn show<'e>(
        &self,
        call: &Call,
        group: &LogGroup,
        address: &StreamAddress,
        events: impl Iterator<Item = (i64, &'e [u8])>,
    ) {
        let mut samples = Samples::default();
        let mut views = Views::new(group, address, call.received);
        let events: Vec<ShownEvent<'e>> = events
            .map(|(millis, message)| ShownEvent { millis, message, shown: views.masked(message) })
            .collect();
        if group.class.readable() {
            let shown = events.iter().map(|event| (event.millis, event.shown.as_ref()));
            self.live_tail.publish(address, call.received, &shown);
            let mut filters = self.metric_filters.run(call.scope(), address.group_id);
            for ShownEvent { millis, message, shown } in &events {
                let transformed = views.transformed(message, shown);
                let seen = SeenEvent { millis: *millis, message: shown, transformed: &transformed };
                filters.see(&seen, &mut samples);
                embedded_metrics::collect(shown, &address.group, call.received, &mut samples);
            }
            filters.finish(&mut samples);
        }
        let reports = views.finish(&mut samples);
        let protection = group.protection.at(call.received);
        if let Some(told) = protection.and_then(|protection| protection.findings_group())
            && !reports.is_empty()
        {
            self.tell_findings(call.scope(), told, &address.group, call.received, &reports).await;
        }
        let data = samples.into_data();
        if !data.is_empty()
            && let Err(error) = self.sink.put(call.scope(), data).await
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, group = address.group, "metrics of log events are lost");
        }
    }
}

/// A stored event, and its text as it may be seen.
struct ShownEvent<'e> {
    millis: i64,
    message: &'e [u8],
    shown: Cow<'e, [u8]>,
}

/// A token that nobody has to send back. Old agents insist on getting one.
pub(super) fn sequence_token(sequence: u64) -> String {
    format!("{sequence:056}")
}

fn rejected(verdict: &Verdict) -> Option<RejectedLogEventsInfo> {
    // At most 10,000 events, so every index fits.
    let index = |index: Option<usize>| index.and_then(|index| i32::try_from(index).ok());
    (!verdict.takes_all()).then(|| RejectedLogEventsInfo {
        too_new_log_event_start_index: index(verdict.too_new_start),
        too_old_log_event_end_index: index(verdict.too_old_end),
        expired_log_event_end_index: index(verdict.expired_end),
    })
}

fn timestamp(event: &InputLogEvent<'_>) -> i64 {
    event.timestamp.expect("validated: required")
}

fn message<'a>(event: &'a InputLogEvent<'_>) -> &'a [u8] {
    event.message.as_deref().expect("validated: required").as_bytes()
}

fn message_bytes(events: &[InputLogEvent<'_>], range: Range<usize>) -> usize {
    events[range].iter().map(|event| message(event).len()).sum()
}
