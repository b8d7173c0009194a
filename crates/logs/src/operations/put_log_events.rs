//! `PutLogEvents`.

use std::borrow::Cow;
use std::ops::Range;

use groundwatch_api::logs::borrowed::{InputLogEvent, PutLogEventsInput};
use groundwatch_api::logs::{PutLogEvents, PutLogEventsOutput, RejectedEntityInfo, RejectedLogEventsInfo};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope};

use crate::embedded_metrics;
use crate::entity;
use crate::error::LogsError;
use crate::group::LogGroup;
use crate::ingestion::{self, Verdict};
use crate::logs::Logs;
use crate::metric_filter::{SeenEvent, SeenMinutes};
use crate::metric_sink::{AdmittedMetrics, Samples, SinkError};
use crate::store::{StoreError, StreamAddress};
use crate::treatment::Treatment;
use crate::view::{Report, Views};

impl Handle<PutLogEvents> for Logs {
    /// `sequenceToken` is ignored, as AWS does since 2023. `entity` is checked, and has no other effect.
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
        let treatment = self.directory.treatment(call.scope(), &group_name, &group);
        let (retention, _) = treatment.retention(call.received);
        let verdict = ingestion::judge(&timestamps, size_bytes, call.received, retention.duration())
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
            let seen = self.look_at(call, &treatment, &address, accepted.clone());
            let metrics = self.metrics_of(call.scope(), &address, seen.samples).await;
            let stored = match metrics {
                Ok(metrics) => {
                    self.store.append(&address, call.received, accepted, message_bytes, metrics).await
                }
                Err(error) => Err(error),
            };
            if stored.is_err() {
                seen.minutes.forget();
            }
            let sequence = stored.map_err(LogsError::from)?;
            self.show(call, &group, &address, &seen.events, seen.reports).await;
            sequence
        };
        Ok(PutLogEventsOutput {
            next_sequence_token: Some(sequence_token(sequence)),
            rejected_log_events_info: rejected(&verdict),
            rejected_entity_info: input
                .entity
                .as_ref()
                .and_then(entity::rejection)
                .map(|error| RejectedEntityInfo { error_type: Some(error) }),
        })
    }
}

impl Logs {
    /// What events that are about to be stored look like to others, and give rise to: metrics of filters,
    /// embedded ones, findings of sensitive data.
    fn look_at<'e>(
        &self,
        call: &Call,
        treatment: &Treatment,
        address: &StreamAddress,
        events: impl Iterator<Item = (i64, &'e [u8])>,
    ) -> Seen<'e> {
        let mut samples = Samples::default();
        let mut minutes = SeenMinutes::default();
        let mut views = Views::new(treatment, address, call.received);
        let events: Vec<ShownEvent<'e>> = events
            .map(|(millis, message)| ShownEvent { millis, message, shown: views.masked(message) })
            .collect();
        if treatment.group().class.readable() {
            let mut filters = self.metric_filters.run(call.scope(), address.group_id);
            for ShownEvent { millis, message, shown } in &events {
                let transformed = views.transformed(message, shown);
                let seen = SeenEvent { millis: *millis, message: shown, transformed: &transformed };
                filters.see(&seen, &mut samples);
                embedded_metrics::collect(
                    shown,
                    call.announces_metrics,
                    &address.group,
                    call.received,
                    &mut samples,
                );
            }
            minutes = filters.finish(&mut samples);
        }
        let reports = views.finish(&mut samples);
        Seen { events, samples, minutes, reports }
    }

    /// Makes room for the metrics of events. Without room for them the events have to wait too. Metrics that
    /// will never be taken, because there are too many of them for example, do not hold up events.
    async fn metrics_of<'a>(
        &'a self,
        scope: &'a Scope,
        address: &StreamAddress,
        samples: Samples,
    ) -> Result<Option<Box<dyn AdmittedMetrics + 'a>>, StoreError> {
        let data = samples.into_data();
        if data.is_empty() {
            return Ok(None);
        }
        match self.sink.admit(scope, data).await {
            Ok(metrics) => Ok(Some(metrics)),
            Err(SinkError::Overloaded) => Err(StoreError::Overloaded),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, group = address.group, "metrics of log events are lost");
                Ok(None)
            }
        }
    }

    /// Shows stored events, as they may be seen, to those who follow them, and reports what is sensitive in
    /// them.
    async fn show(
        &self,
        call: &Call,
        group: &LogGroup,
        address: &StreamAddress,
        events: &[ShownEvent<'_>],
        reports: Vec<Report>,
    ) {
        if group.class.readable() {
            let shown = events.iter().map(|event| (event.millis, event.shown.as_ref()));
            self.live_tail.publish(address, call.received, &shown);
        }
        if !reports.is_empty() {
            self.tell_findings(call.scope(), &address.group, call.received, reports).await;
        }
    }
}

/// Events that were looked at.
struct Seen<'e> {
    events: Vec<ShownEvent<'e>>,
    /// The metrics that they give rise to.
    samples: Samples,
    /// What metric filters remember of them.
    minutes: SeenMinutes,
    /// Reports of what is sensitive in them.
    reports: Vec<Report>,
}

/// An event, and its text as it may be seen.
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
