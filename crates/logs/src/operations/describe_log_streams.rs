//! `DescribeLogStreams`.

use std::sync::Arc;

use groundwatch_api::logs::{
    self as api, DescribeLogStreams, DescribeLogStreamsInput, DescribeLogStreamsOutput, OrderBy,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Timestamp, page_token};

use super::put_log_events::sequence_token;
use crate::error::{Combination, LogsError};
use crate::group::group_arn;
use crate::incarnation::GroupId;
use crate::logs::Logs;
use crate::recency::{ListedStreams, Page, Place};
use crate::stream::{LogStream, StreamStatistics};

/// Streams a page without a `limit`, and at most.
const PAGE_STREAMS_MAX: usize = 50;

const BY_NAME: &str = "DescribeLogStreams by name";
const BY_TIME: &str = "DescribeLogStreams by last event time";

type Named = (String, Arc<LogStream>);

impl Handle<DescribeLogStreams> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DescribeLogStreamsInput,
    ) -> Result<DescribeLogStreamsOutput, Fault> {
        let (group_name, group) = self.named_group(
            call.scope(),
            input.log_group_name.as_deref(),
            input.log_group_identifier.as_deref(),
        )?;
        let listing = Listing {
            logs: self,
            scope: call.scope(),
            group: group.id,
            prefix: input.log_stream_name_prefix.as_deref().unwrap_or_default(),
            descending: input.descending.unwrap_or(false),
            limit: input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_STREAMS_MAX),
        };
        let token = input.next_token.as_deref();
        let (streams, next_token) = match input.order_by {
            Some(OrderBy::LastEventTime) if input.log_stream_name_prefix.is_some() => {
                return Err(LogsError::from(Combination::PrefixAndLastEventTime).into());
            }
            Some(OrderBy::LastEventTime) => listing.by_last_event_time(token).await?,
            _ => listing.by_name(token)?,
        };
        let arn = group_arn(call.scope(), &group_name);
        let describe = |(name, stream): &Named| self.described_stream(&arn, group.id, name, stream);
        Ok(DescribeLogStreamsOutput { log_streams: Some(streams.iter().map(describe).collect()), next_token })
    }
}

/// A listing of one group's streams.
struct Listing<'a> {
    logs: &'a Logs,
    scope: &'a Scope,
    group: GroupId,
    prefix: &'a str,
    descending: bool,
    limit: usize,
}

impl Listing<'_> {
    fn by_name(&self, token: Option<&str>) -> Result<(Vec<Named>, Option<String>), LogsError> {
        let from = match token {
            Some(token) => Some(page_token::decode(BY_NAME, token).ok_or(LogsError::InvalidToken)?),
            None => None,
        };
        let directory = &self.logs.directory;
        let mut streams = if self.descending {
            directory.list_streams_descending(
                self.scope,
                self.group,
                self.prefix,
                from.as_deref(),
                self.limit + 1,
            )
        } else {
            directory.list_streams(self.scope, self.group, self.prefix, from.as_deref(), self.limit + 1)
        };
        let more = streams.len() > self.limit;
        streams.truncate(self.limit);
        let next_token = streams.last().filter(|_| more).map(|(name, _)| page_token::encode(BY_NAME, name));
        Ok((streams, next_token))
    }

    async fn by_last_event_time(
        &self,
        token: Option<&str>,
    ) -> Result<(Vec<Named>, Option<String>), LogsError> {
        let after = match token {
            Some(token) => Some(place_of(token).ok_or(LogsError::InvalidToken)?),
            None => None,
        };
        let page = Page { after: after.as_ref(), descending: self.descending, limit: self.limit + 1 };
        let mut places = self.logs.recency.page(self.group, &page, self).await;
        let more = places.len() > self.limit;
        places.truncate(self.limit);
        let next_token = places.last().filter(|_| more).map(token_of);
        let stream = |(_, name): Place| {
            let stream = self.logs.directory.stream(self.scope, self.group, &name).ok()?;
            Some((name.to_string(), stream))
        };
        Ok((places.into_iter().filter_map(stream).collect(), next_token))
    }
}

impl ListedStreams for Listing<'_> {
    fn after(&self, after: Option<&str>, limit: usize) -> Vec<Place> {
        let listed = self.logs.directory.list_streams(self.scope, self.group, "", after, limit).into_iter();
        listed.map(|(name, stream)| (self.time_of(&stream), name.into())).collect()
    }

    fn last_event(&self, name: &str) -> Option<Option<Timestamp>> {
        let stream = self.logs.directory.stream(self.scope, self.group, name).ok()?;
        Some(self.time_of(&stream))
    }
}

impl Listing<'_> {
    fn time_of(&self, stream: &LogStream) -> Option<Timestamp> {
        self.logs.statistics(self.group, stream).map(|known| known.last_event)
    }
}

fn token_of((last_event, name): &Place) -> String {
    let last_event = last_event.map_or_else(String::new, |moment| moment.as_millis().to_string());
    page_token::encode(BY_TIME, &format!("{last_event}/{name}"))
}

fn place_of(token: &str) -> Option<Place> {
    let cursor = page_token::decode(BY_TIME, token)?;
    let (last_event, name) = cursor.split_once('/')?;
    let last_event = match last_event {
        "" => None,
        millis => Some(Timestamp::from_millis(millis.parse().ok()?)),
    };
    Some((last_event, name.into()))
}

impl Logs {
    /// What is known of a stream's events, wherever they are.
    fn statistics(&self, group: GroupId, stream: &LogStream) -> Option<StreamStatistics> {
        StreamStatistics::merge(stream.flushed, self.store.unflushed_statistics(group, stream.id))
    }

    fn described_stream(
        &self,
        group_arn: &str,
        group: GroupId,
        name: &str,
        stream: &LogStream,
    ) -> api::LogStream {
        let known = self.statistics(group, stream);
        let millis = |moment: fn(StreamStatistics) -> Timestamp| known.map(|known| moment(known).as_millis());
        api::LogStream {
            log_stream_name: Some(name.to_owned()),
            creation_time: Some(stream.created.as_millis()),
            first_event_timestamp: millis(|known| known.first_event),
            last_event_timestamp: millis(|known| known.last_event),
            last_ingestion_time: millis(|known| known.last_ingestion),
            // Recorded: a stream that was never written has none.
            upload_sequence_token: known.map(|known| sequence_token(known.last_sequence)),
            arn: Some(format!("{group_arn}:log-stream:{name}")),
            // AWS says 0 for every stream since 2019.
            stored_bytes: Some(0),
        }
    }
}
