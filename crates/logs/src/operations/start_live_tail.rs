//! `StartLiveTail`.

use groundwatch_api::logs::{
    LiveTailSessionLogEvent, LiveTailSessionMetadata, LiveTailSessionStart, LiveTailSessionUpdate,
    StartLiveTail, StartLiveTailInput, StartLiveTailResponseStream,
};
use groundwatch_api::{EventStream, Fault, Handle};
use groundwatch_core::{AccountId, Call};
use uuid::Uuid;

use crate::error::{Combination, LogsError};
use crate::live_tail::{StreamChoice, TailedEvent, Updates, Wanted};
use crate::logs::Logs;
use crate::pattern::{Matcher, Pattern};

impl Handle<StartLiveTail> for Logs {
    /// Groups may be given by ARN, as AWS demands, or by name.
    async fn handle(
        &self,
        call: &Call,
        input: StartLiveTailInput,
    ) -> Result<EventStream<StartLiveTailResponseStream>, Fault> {
        let identifiers = input.log_group_identifiers.clone().expect("validated: required");
        let mut groups = Vec::new();
        for identifier in &identifiers {
            let (_, group) = self.named_group(call.scope(), None, Some(identifier))?;
            group.check_offers("StartLiveTail")?;
            groups.push(group.id);
        }
        groups.sort_unstable();
        groups.dedup();
        let streams = streams(&input, groups.len())?;
        let pattern = input.log_event_filter_pattern.as_deref().unwrap_or_default();
        let pattern = Pattern::parse(pattern).map_err(LogsError::from)?;
        let wanted = Wanted { groups, streams, matcher: Matcher::new(&pattern) };
        let following = self.live_tail.follow(call.scope(), wanted)?;

        let start = StartLiveTailResponseStream::SessionStart(LiveTailSessionStart {
            request_id: Some(call.request_id.0.clone()),
            session_id: Some(Uuid::new_v4().to_string()),
            log_group_identifiers: Some(identifiers),
            log_stream_names: input.log_stream_names,
            log_stream_name_prefixes: input.log_stream_name_prefixes,
            log_event_filter_pattern: input.log_event_filter_pattern,
        });
        let account = call.scope().account;
        Ok(EventStream::new(
            Tail { start: Some(start), account, updates: Updates::of(following) }.into_stream(),
        ))
    }
}

fn streams(input: &StartLiveTailInput, groups: usize) -> Result<StreamChoice, LogsError> {
    let choice = match (&input.log_stream_names, &input.log_stream_name_prefixes) {
        (Some(_), Some(_)) => return Err(Combination::StreamNamesAndPrefixes.into()),
        (None, None) => return Ok(StreamChoice::All),
        (Some(names), None) => StreamChoice::Names(names.iter().cloned().collect()),
        (None, Some(prefixes)) => StreamChoice::Prefixes(prefixes.clone()),
    };
    if groups == 1 { Ok(choice) } else { Err(Combination::StreamsOfSeveralGroups.into()) }
}

/// A session as its client sees it.
struct Tail {
    start: Option<StartLiveTailResponseStream>,
    account: AccountId,
    updates: Updates,
}

impl Tail {
    fn into_stream(self) -> impl futures_util::Stream<Item = Result<StartLiveTailResponseStream, Fault>> {
        futures_util::stream::unfold(Some(self), async |tail| {
            let mut tail = tail?;
            let event = tail.next().await;
            let goes_on = event.is_ok();
            Some((event.map_err(Fault::from), goes_on.then_some(tail)))
        })
    }

    async fn next(&mut self) -> Result<StartLiveTailResponseStream, LogsError> {
        if let Some(start) = self.start.take() {
            return Ok(start);
        }
        let (events, sampled) = self.updates.next().await.map_err(|_| LogsError::SessionTimedOut)?;
        let results = events.iter().map(|event| result(self.account, event)).collect();
        Ok(StartLiveTailResponseStream::SessionUpdate(LiveTailSessionUpdate {
            session_metadata: Some(LiveTailSessionMetadata { sampled: Some(sampled) }),
            session_results: Some(results),
        }))
    }
}

fn result(account: AccountId, event: &TailedEvent) -> LiveTailSessionLogEvent {
    LiveTailSessionLogEvent {
        log_stream_name: Some(event.stream.clone()),
        // Neither the name nor the ARN, whatever the reference says: tools show `account:name`.
        log_group_identifier: Some(format!("{account}:{}", event.group)),
        message: Some(event.message.clone()),
        timestamp: Some(event.timestamp.as_millis()),
        ingestion_time: Some(event.ingested.as_millis()),
    }
}
