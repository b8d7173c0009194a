//! `PutLogEvents`: batches of realistic lines into many streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use futures_util::future::try_join_all;
use serde::Deserialize;
use serde_json::json;

use super::{Session, now, pool_size};
use crate::body::StampedBody;
use crate::body::log_events::{full_batch, head, tail};
use crate::client::{Connection, Failure};
use crate::corpus::logs::{Event, Fleet, Generator};
use crate::load::{Amount, Plan, Work};
use crate::protocol::{Protocol, RequestHead, Service};
use crate::report::{Checked, Report};

/// The log events that a load has written.
pub(crate) struct Written {
    pub groups: Arc<[Group]>,
    pub streams: BTreeMap<StreamId, StreamTally>,
    /// A group by its index, and a word that few of its events contain.
    pub rare_words: Vec<(usize, String)>,
}

/// A log group with its streams, by name.
#[derive(Debug)]
pub(crate) struct Group {
    pub name: String,
    pub streams: Vec<Arc<str>>,
}

/// Indices of a group and of one of its streams.
pub(crate) type StreamId = (usize, usize);

/// What was sent to one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamTally {
    pub acknowledged: Content,
    /// Events that were sent while nobody knows whether they were taken.
    pub events_unknown: u64,
}

/// Events without their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub events: u64,
    /// The sum of the messages' checksums: one that is lost, doubled or changed shows.
    pub checksum: u64,
}

/// One connection's batches, sent in turn.
struct Writer {
    head: RequestHead,
    groups: Arc<[Group]>,
    batches: Vec<Batch>,
    /// The number of this connection among all.
    number: usize,
    connections: usize,
    sent: usize,
    tallies: BTreeMap<StreamId, StreamTally>,
}

/// A batch that is sent again and again, to one stream of its group after the other.
struct Batch {
    tail: StampedBody,
    group: usize,
    content: Content,
    message_bytes: u64,
    rare_word: Option<String>,
    acknowledged: bool,
}

/// How many streams are read back.
const CHECKED_STREAMS: usize = 3;

/// Makes groups and streams, then writes as the plan says.
pub(crate) async fn run(session: &Session, plan: Plan) -> anyhow::Result<(Report, Written)> {
    const LOAD: &str = "put-log-events";
    let args = &session.args;
    let fleet = Fleet {
        groups: args.groups,
        streams_per_group: args.streams,
        start: session.started,
        ..Fleet::default()
    };
    let mut generator = Generator::of(&fleet, args.seed);
    let prefix = format!("/groundwatch-bench/{}", session.id());
    let groups: Arc<[Group]> = generator
        .groups()
        .map(|(name, streams)| Group { name: format!("{prefix}{name}"), streams: streams.to_vec() })
        .collect();
    session.progress(LOAD).say("creating log groups and streams");
    create(session, &groups).await.context("cannot create log groups and streams")?;
    session.progress(LOAD).say("encoding requests");
    let writers = writers(session, &groups, &mut generator);
    let (writers, measured) = session.measure(LOAD, plan, writers).await?;
    let written = Written::of(groups, writers);
    let setting = format!(
        "{} bytes a batch, {} groups of {} streams, {} connections",
        args.batch_bytes, args.groups, args.streams, args.connections
    );
    let pid = session.server.map(|server| server.pid);
    let mut report = Report::new(LOAD, setting, "events", &measured, pid);
    if !args.no_check {
        session.progress(LOAD).say("reading back");
        report.checked = Some(written.check(session).await.context("cannot read back")?);
        session.progress(LOAD).clear();
    }
    Ok((report, written))
}

async fn create(session: &Session, groups: &[Group]) -> Result<(), Failure> {
    let (group_head, stream_head) = (
        session.head(Service::Logs, "CreateLogGroup", Protocol::Json),
        session.head(Service::Logs, "CreateLogStream", Protocol::Json),
    );
    let share = groups.len().div_ceil(session.args.connections);
    try_join_all(groups.chunks(share).map(async |groups| {
        let mut connection = session.endpoint.connection();
        for group in groups {
            let input = json!({"logGroupName": group.name});
            let _: serde_json::Value = connection.call_json(&group_head, &input).await?;
            for stream in &group.streams {
                let input = json!({"logGroupName": group.name, "logStreamName": **stream});
                let _: serde_json::Value = connection.call_json(&stream_head, &input).await?;
            }
        }
        Ok(())
    }))
    .await
    .map(drop)
}

/// Hands batches of all groups out to the connections in turn.
fn writers(session: &Session, groups: &Arc<[Group]>, generator: &mut Generator) -> Vec<Writer> {
    let args = &session.args;
    let put_log_events = session.head(Service::Logs, "PutLogEvents", Protocol::Json);
    let mut writers: Vec<Writer> = (0..args.connections)
        .map(|number| Writer {
            head: put_log_events.clone(),
            groups: groups.clone(),
            batches: Vec::new(),
            number,
            connections: args.connections,
            sent: 0,
            tallies: BTreeMap::new(),
        })
        .collect();
    for index in 0..pool_size(args.batch_bytes, args.connections) {
        let group = index % groups.len();
        let events = full_batch(args.batch_bytes, || generator.event_in(group));
        writers[index % args.connections].batches.push(Batch::new(group, &events));
    }
    writers
}

impl Batch {
    fn new(group: usize, events: &[Event]) -> Self {
        Self {
            tail: tail(events),
            group,
            content: events.iter().map(|event| Content::of(&event.message)).sum(),
            message_bytes: events.iter().map(|event| event.message.len() as u64).sum(),
            rare_word: events.iter().find_map(|event| rare_word(&event.message)),
            acknowledged: false,
        }
    }
}

/// A long identifier in a message, which hardly any other message contains.
fn rare_word(message: &str) -> Option<String> {
    let words = message.split(|c: char| !c.is_ascii_alphanumeric());
    let rare = |word: &&str| word.len() >= 32 && word.contains(|c: char| c.is_ascii_digit());
    words.filter(rare).map(str::to_owned).next()
}

impl Work for Writer {
    async fn step(&mut self, connection: &mut Connection) -> Result<Amount, Failure> {
        let turn = self.sent / self.batches.len();
        let index = self.sent % self.batches.len();
        let batch = &mut self.batches[index];
        let group = &self.groups[batch.group];
        let stream = (self.number + turn * self.connections) % group.streams.len();
        let body_head = head(&group.name, &group.streams[stream]);
        let tally = self.tallies.entry((batch.group, stream)).or_default();
        let answer = connection.call(&self.head, body_head, batch.tail.stamped(now())).await;
        match answer.and_then(|answer| all_taken(&answer)) {
            Ok(()) => tally.acknowledged += batch.content,
            Err(failure) => {
                if matches!(failure, Failure::Unknown { .. }) {
                    tally.events_unknown += batch.content.events;
                }
                return Err(failure);
            }
        }
        batch.acknowledged = true;
        self.sent += 1;
        Ok(Amount { bytes: batch.message_bytes, items: batch.content.events })
    }
}

/// Logs answers 200 also when it drops events because of their timestamps.
fn all_taken(answer: &[u8]) -> Result<(), Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        rejected_log_events_info: Option<serde_json::Value>,
    }
    let answer: Answer =
        serde_json::from_slice(answer).map_err(|error| Failure::unknown("UnreadableAnswer", &error))?;
    match answer.rejected_log_events_info {
        None => Ok(()),
        Some(info) => Err(Failure::unknown("RejectedLogEvents", &info)),
    }
}

impl Written {
    fn of(groups: Arc<[Group]>, writers: Vec<Writer>) -> Self {
        let mut streams: BTreeMap<StreamId, StreamTally> = BTreeMap::new();
        let mut rare_words = Vec::new();
        for writer in writers {
            for (stream, tally) in writer.tallies {
                let sum = streams.entry(stream).or_default();
                sum.acknowledged += tally.acknowledged;
                sum.events_unknown += tally.events_unknown;
            }
            let batches = writer.batches.into_iter().filter(|batch| batch.acknowledged);
            rare_words.extend(batches.filter_map(|batch| Some((batch.group, batch.rare_word?))));
        }
        Self { groups, streams, rare_words }
    }

    /// Reads the streams with the fewest events back as a whole.
    async fn check(&self, session: &Session) -> Result<Checked, Failure> {
        let mut streams: Vec<_> =
            self.streams.iter().filter(|(_, tally)| tally.acknowledged.events > 0).collect();
        streams.sort_by_key(|(_, tally)| tally.acknowledged.events);
        streams.truncate(CHECKED_STREAMS);
        let mut connection = session.endpoint.connection();
        let mut checked = Checked::default();
        let mut events = 0;
        for &(&(group, stream), tally) in &streams {
            let (group, stream) = (&self.groups[group].name, &self.groups[group].streams[stream]);
            let stored = stored(session, &mut connection, group, stream).await?;
            events += stored.events;
            if let Err(mismatch) = tally.compare(stored) {
                checked.mismatches.push(format!("stream {stream} of {group}: {mismatch}"));
            }
        }
        let total = self.streams.len();
        checked.what = format!("{} of {total} streams, {events} events by GetLogEvents", streams.len());
        Ok(checked)
    }
}

/// Everything that a stream holds, page by page.
async fn stored(
    session: &Session,
    connection: &mut Connection,
    group: &str,
    stream: &str,
) -> Result<Content, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        events: Vec<Message>,
        next_forward_token: String,
    }
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    let get_log_events = session.head(Service::Logs, "GetLogEvents", Protocol::Json);
    let mut input = json!({"logGroupName": group, "logStreamName": stream, "startFromHead": true});
    let mut content = Content::default();
    loop {
        let page: Page = connection.call_json(&get_log_events, &input).await?;
        content += page.events.iter().map(|event| Content::of(&event.message)).sum();
        // The end is where the token that was passed comes back.
        if input["nextToken"] == page.next_forward_token {
            return Ok(content);
        }
        input["nextToken"] = page.next_forward_token.into();
    }
}

impl StreamTally {
    fn compare(&self, stored: Content) -> Result<(), String> {
        let (least, most) = (self.acknowledged.events, self.acknowledged.events + self.events_unknown);
        if !(least..=most).contains(&stored.events) {
            let unknown = self.events_unknown;
            return Err(format!("{least} events acknowledged, {unknown} unknown, {} stored", stored.events));
        }
        if self.events_unknown == 0 && stored.checksum != self.acknowledged.checksum {
            return Err(format!("{least} events are there, but their messages are not those that were sent"));
        }
        Ok(())
    }
}

impl Content {
    fn of(message: &str) -> Self {
        Self { events: 1, checksum: crc32fast::hash(message.as_bytes()).into() }
    }
}

impl std::ops::AddAssign for Content {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.checksum = self.checksum.wrapping_add(other.checksum);
    }
}

impl std::iter::Sum for Content {
    fn sum<I: Iterator<Item = Self>>(contents: I) -> Self {
        contents.fold(Self::default(), |mut sum, content| {
            sum += content;
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(messages: &[&str]) -> Content {
        messages.iter().map(|message| Content::of(message)).sum()
    }

    #[test]
    fn loss_doubling_and_change_are_mismatches_and_order_is_not() {
        let tally = StreamTally { acknowledged: content(&["a", "b", "c"]), events_unknown: 0 };
        assert_eq!(tally.compare(content(&["c", "a", "b"])), Ok(()));
        for stored in [&["a", "b"][..], &["a", "b", "c", "c"], &["a", "b", "d"]] {
            assert!(tally.compare(content(stored)).is_err(), "{stored:?}");
        }
    }

    #[test]
    fn batches_of_unknown_fate_may_be_there_or_not() {
        let tally = StreamTally { acknowledged: content(&["a"]), events_unknown: 1 };
        for (stored, fits) in
            [(&[][..], false), (&["a"], true), (&["a", "x"], true), (&["a", "x", "y"], false)]
        {
            assert_eq!(tally.compare(content(stored)).is_ok(), fits, "{stored:?}");
        }
    }

    #[test]
    fn answer_with_rejections_is_not_an_acknowledgement() {
        assert!(all_taken(br#"{"nextSequenceToken":"1"}"#).is_ok());
        let rejected = br#"{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":3}}"#;
        assert_eq!(all_taken(rejected).expect_err("rejected").code(), "RejectedLogEvents");
    }

    #[test]
    fn rare_words_are_long_identifiers() {
        let trace = "4d183e132f2ff29c2ed5465972a87599";
        assert_eq!(rare_word(&format!("ts=2026 trace={trace} msg=x")).as_deref(), Some(trace));
        assert_eq!(rare_word("nothing but plain words"), None);
    }
}
