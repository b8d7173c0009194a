//! `FilterLogEvents`: the streams of a group together, with a pattern.

use std::sync::Arc;

use groundwatch_api::logs::{FilterLogEvents, FilterLogEventsInput, FilterLogEventsOutput, FilteredLogEvent};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Timestamp};
use hashbrown::HashSet;

use super::page::{Page, PageEnd, text};
use crate::error::{Combination, LogsError};
use crate::event_key::{EventKey, KeyRange};
use crate::incarnation::{GroupId, LogStreamId};
use crate::logs::Logs;
use crate::paging::{Continuation, PAGE_EVENTS_MAX};
use crate::pattern::{Matcher, Pattern};
use crate::store::{Direction, Found, Query, StreamAddress, Streams};

/// How much text one request looks at. What is left is for the next page: a page may be empty and have a
/// token.
const SCAN_BYTES_MAX: usize = 256 << 20;
/// 2024-01-01T00:00:00Z: reading from the tail is offered from here on.
const TAIL_START_MIN: i64 = 1_704_067_200_000;

impl Handle<FilterLogEvents> for Logs {
    /// `interleaved` has no effect, as AWS does. Of a protected group the pattern sees what the caller may
    /// see, so that nobody finds out by searching what is masked. `unmask` is for everybody: permissions are
    /// not evaluated.
    async fn handle(&self, call: &Call, input: FilterLogEventsInput) -> Result<FilterLogEventsOutput, Fault> {
        let (name, group) = self.named_group(
            call.scope(),
            input.log_group_name.as_deref(),
            input.log_group_identifier.as_deref(),
        )?;
        group.check_offers("FilterLogEvents")?;
        let pattern = input.filter_pattern.as_deref().unwrap_or_default();
        let pattern = Pattern::parse(pattern).map_err(LogsError::from)?;
        let direction = direction(input.start_from_head, input.start_time)?;
        let treatment = self.directory.treatment(call.scope(), &name, &group);
        let mut range = asked_range(input.start_time, input.end_time);
        range.from = range.from.max(EventKey::before(treatment.expired_before(call.received)));
        if let Some(token) = input.next_token.as_deref() {
            let token = Continuation::from_group_token(token, group.id, direction)?;
            match direction {
                Direction::Forward => range.from = range.from.max(token.boundary),
                Direction::Backward => range.to = range.to.min(token.boundary),
            }
        }
        let wanted = WantedStreams::new(
            self,
            call.scope(),
            group.id,
            input.log_stream_names,
            input.log_stream_name_prefix,
        )?;
        let limit = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_EVENTS_MAX);
        let wants = |address: &StreamAddress| wanted.wants(self, address);
        let matcher = Arc::new(Matcher::new(&pattern));
        let masks = treatment.protects() && input.unmask != Some(true);
        let query = Query {
            group: group.id,
            streams: wanted.only().map_or(Streams::Those(&wants), Streams::One),
            range,
            direction,
            matcher: (!masks).then(|| Arc::clone(&matcher)),
            // Any number may be passed over once they are masked.
            events_max: if masks { usize::MAX } else { limit },
            bytes_max: SCAN_BYTES_MAX,
        };
        let merge = self.store.read(query).await.map_err(LogsError::from)?;
        let see = |event: &mut Found| {
            if masks {
                treatment.mask(event);
            }
            !masks || matcher.matches(&event.message)
        };
        let page = Page::take_seen(merge, limit, direction, see).await?;
        let boundary = next_boundary(&page, direction);
        Ok(FilterLogEventsOutput {
            events: Some(page.events.iter().map(filtered_event).collect()),
            // AWS answers an empty list since 2019.
            searched_log_streams: Some(Vec::new()),
            next_token: boundary
                .map(|boundary| Continuation { direction, boundary }.to_group_token(group.id)),
        })
    }
}

fn direction(start_from_head: Option<bool>, start_time: Option<i64>) -> Result<Direction, LogsError> {
    match start_from_head {
        None | Some(true) => Ok(Direction::Forward),
        Some(false) if start_time.is_some_and(|start| start >= TAIL_START_MIN) => Ok(Direction::Backward),
        Some(false) => Err(Combination::TailNeedsStart.into()),
    }
}

/// The events from `start_time` to `end_time`, both inclusive.
fn asked_range(start_time: Option<i64>, end_time: Option<i64>) -> KeyRange {
    let moment = Timestamp::from_millis;
    KeyRange {
        from: start_time.map_or(EventKey::MIN, |start| EventKey::before(moment(start))),
        to: end_time.map_or(EventKey::MAX, |end| EventKey::after(moment(end))),
    }
}

/// Where the next page begins; `None` if this is the last.
fn next_boundary(page: &Page, direction: Direction) -> Option<EventKey> {
    match (page.end, page.events.last()) {
        (PageEnd::Paused(boundary), _) => Some(boundary),
        (PageEnd::Full, Some(last)) => Some(match direction {
            Direction::Forward => last.key.successor(),
            Direction::Backward => last.key,
        }),
        (PageEnd::Full, None) | (PageEnd::Exhausted, _) => None,
    }
}

/// The streams that a request names.
enum WantedStreams {
    Named(HashSet<LogStreamId>),
    WithPrefix(String),
}

impl WantedStreams {
    fn new(
        logs: &Logs,
        scope: &Scope,
        group: GroupId,
        names: Option<Vec<String>>,
        prefix: Option<String>,
    ) -> Result<Self, LogsError> {
        match (names, prefix) {
            (Some(_), Some(_)) => Err(Combination::StreamNamesAndPrefix.into()),
            (None, prefix) => Ok(Self::WithPrefix(prefix.unwrap_or_default())),
            (Some(names), None) => {
                let streams = names.iter().map(|name| logs.directory.stream(scope, group, name));
                streams.map(|stream| Ok(stream?.id)).collect::<Result<_, _>>().map(Self::Named)
            }
        }
    }

    /// The stream, if it is only one.
    fn only(&self) -> Option<LogStreamId> {
        match self {
            Self::Named(streams) if streams.len() == 1 => streams.iter().next().copied(),
            _ => None,
        }
    }

    fn wants(&self, logs: &Logs, address: &StreamAddress) -> bool {
        match self {
            Self::Named(streams) => streams.contains(&address.stream_id),
            Self::WithPrefix(prefix) => {
                address.stream.starts_with(prefix.as_str()) && logs.directory.holds_stream(address)
            }
        }
    }
}

fn filtered_event(event: &Found) -> FilteredLogEvent {
    FilteredLogEvent {
        log_stream_name: Some(event.address.stream.clone()),
        timestamp: Some(event.key.timestamp.as_millis()),
        message: Some(text(event)),
        ingestion_time: Some(event.ingested.as_millis()),
        event_id: Some(event.key.to_digits()),
    }
}
