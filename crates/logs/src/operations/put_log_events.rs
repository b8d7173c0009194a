//! `PutLogEvents`.

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
            if group.class.readable() {
                self.live_tail.publish(&address, call.received, accepted.clone());
                self.emit_metrics(call, &group, &address, accepted).await;
            }
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
    /// Sends on what stored events give rise to: metrics of filters, and embedded ones. The events are stored whatever
    /// becomes of these.
    async fn emit_metrics<'e>(
        &self,
        call: &Call,
        group: &LogGroup,
        address: &StreamAddress,
        events: impl Iterator<Item = (i64, &'e [u8])>,
    ) {
        let mut samples = Samples::default();
        let mut filters = self.metric_filters.run(call.scope(), address.group_id);
        let mut views = Views::new(group, address, call.received);
        for (millis, message) in events {
            let view = views.of(message);
            let seen =
                SeenEvent { millis, message: &view.message, transformed: view.transformed() };
            filters.see(&seen, &mut samples);
            embedded_metrics::collect(&view.message, &address.group, call.received, &mut samples);
        }
        filters.finish(&mut samples);
        views.finish(&mut samples);
        let data = samples.into_data();
        if !data.is_empty()
            && let Err(error) = self.sink.put(call.scope(), data).await
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, group = address.group, "metrics of log events are lost");
        }
    }
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
