//! `GetLogEvents`: one stream, page by page, in either direction.

use groundwatch_api::logs::{GetLogEvents, GetLogEventsInput, GetLogEventsOutput, OutputLogEvent};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp};

use super::page::{Page, text};
use crate::error::LogsError;
use crate::event_key::{EventKey, KeyRange};
use crate::incarnation::{GroupId, LogStreamId};
use crate::logs::Logs;
use crate::paging::{Continuation, PAGE_EVENTS_MAX};
use crate::store::{Direction, Found, Query, Streams};
use crate::treatment::Treatment;

impl Handle<GetLogEvents> for Logs {
    /// `unmask` is for everybody: permissions are not evaluated.
    async fn handle(&self, call: &Call, input: GetLogEventsInput) -> Result<GetLogEventsOutput, Fault> {
        let (name, group) = self.named_group(
            call.scope(),
            input.log_group_name.as_deref(),
            input.log_group_identifier.as_deref(),
        )?;
        group.check_offers("GetLogEvents")?;
        let stream_name = input.log_stream_name.as_deref().expect("validated: required");
        let stream = self.directory.stream(call.scope(), group.id, stream_name)?;
        let treatment = self.directory.treatment(call.scope(), &name, &group);
        let mut range = asked_range(input.start_time, input.end_time);
        range.from = range.from.max(EventKey::before(treatment.expired_before(call.received)));
        let start = match input.next_token.as_deref() {
            Some(token) => Start::Token(Continuation::from_stream_token(token)?),
            None if input.start_from_head == Some(true) => Start::Head,
            None => Start::Tail,
        };
        let limit = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_EVENTS_MAX);
        let masked_by = Some(&treatment).filter(|_| input.unmask != Some(true));
        Ok(self.page(group.id, stream.id, range, start, limit, masked_by).await?)
    }
}

/// Where a page begins.
#[derive(Clone, Copy)]
enum Start {
    Head,
    Tail,
    Token(Continuation),
}

/// The events from `start_time` on and before `end_time`: unlike in `FilterLogEvents`, one *at* the end is
/// out.
fn asked_range(start_time: Option<i64>, end_time: Option<i64>) -> KeyRange {
    let boundary = |millis| EventKey::before(Timestamp::from_millis(millis));
    KeyRange {
        from: start_time.map_or(EventKey::MIN, boundary),
        to: end_time.map_or(EventKey::MAX, boundary),
    }
}

impl Logs {
    async fn page(
        &self,
        group: GroupId,
        stream: LogStreamId,
        asked: KeyRange,
        start: Start,
        limit: usize,
        masked_by: Option<&Treatment>,
    ) -> Result<GetLogEventsOutput, LogsError> {
        let (direction, range) = match start {
            Start::Head => (Direction::Forward, asked),
            Start::Tail => (Direction::Backward, asked),
            Start::Token(token) => (token.direction, beyond(token, asked)),
        };
        let query = Query {
            group,
            streams: Streams::One(stream),
            range,
            direction,
            matcher: None,
            events_max: limit,
            bytes_max: usize::MAX,
        };
        let mut events = Page::take(self.store.read(query).await?, limit).await?.events;
        if direction == Direction::Backward {
            events.reverse();
        }
        if let Some(treatment) = masked_by {
            events.iter_mut().for_each(|event| treatment.mask(event));
        }
        let (backward, forward) = edges(&events, start, asked);
        let token = |direction, boundary| Some(Continuation { direction, boundary }.to_stream_token());
        Ok(GetLogEventsOutput {
            events: Some(events.iter().map(output_event).collect()),
            next_backward_token: token(Direction::Backward, backward),
            next_forward_token: token(Direction::Forward, forward),
        })
    }
}

/// What of `asked` lies beyond a token.
fn beyond(token: Continuation, asked: KeyRange) -> KeyRange {
    match token.direction {
        Direction::Forward => KeyRange { from: asked.from.max(token.boundary), ..asked },
        Direction::Backward => KeyRange { to: asked.to.min(token.boundary), ..asked },
    }
}

/// The boundaries on both sides of a page, from which its neighbours are read. An empty page has both in one
/// place: where its token pointed, which makes that token come back; or at the start of what was asked for,
/// so that whatever is written later is found by going forward.
fn edges(events: &[Found], start: Start, asked: KeyRange) -> (EventKey, EventKey) {
    match (events.first(), events.last(), start) {
        (Some(first), Some(last), _) => (first.key, last.key.successor()),
        (_, _, Start::Token(token)) => (token.boundary, token.boundary),
        (_, _, Start::Head | Start::Tail) => (asked.from, asked.from),
    }
}

fn output_event(event: &Found) -> OutputLogEvent {
    OutputLogEvent {
        timestamp: Some(event.key.timestamp.as_millis()),
        message: Some(text(event)),
        ingestion_time: Some(event.ingested.as_millis()),
    }
}
