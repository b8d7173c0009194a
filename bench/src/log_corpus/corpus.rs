//! The corpus: the requests that bring it to a server, and what is known of it afterwards.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use groundwatch_core::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};

use crate::args::BenchArgs;
use crate::body::log_events::{BATCH_EVENTS_MAX, EVENT_OVERHEAD_BYTES, head, tail};
use crate::corpus::logs::{Event, Fleet, Generator};

/// How long before now the corpus begins.
const AGE: Duration = Duration::from_secs(60 * 60);
/// Where a corpus is described, in the data directory that holds it.
const FILE: &str = "corpus.json";

/// What is known of a corpus: enough to search where it was put.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Contents {
    /// The groups with their streams.
    pub(super) groups: Vec<(String, Vec<String>)>,
    pub(super) events: u64,
    pub(super) text_bytes: u64,
    /// What `zstd -3` makes of the text, a line an event.
    pub(super) zstd_bytes: u64,
    /// Identifiers that few lines have.
    pub(super) rare_words: Vec<String>,
}

/// The names of a group and of a stream.
type Stream = (Arc<str>, Arc<str>);

/// The body of a request, before and from its events on.
pub(super) type Request = (Bytes, Bytes);

impl Contents {
    /// Those of the corpus that `dir` holds, if it does.
    pub(super) fn load(dir: &Path) -> anyhow::Result<Option<Self>> {
        let file = dir.join(FILE);
        if !file.exists() {
            return Ok(None);
        }
        let read = || anyhow::Ok(serde_json::from_slice(&std::fs::read(&file)?)?);
        read().with_context(|| format!("{} cannot be read", file.display())).map(Some)
    }

    /// Says that `dir` holds it.
    pub(super) fn save(&self, dir: &Path) -> anyhow::Result<()> {
        Ok(std::fs::write(dir.join(FILE), serde_json::to_vec(self)?)?)
    }
}

/// Makes a corpus: what it contains, and all of its requests.
pub(super) fn make(args: &BenchArgs) -> anyhow::Result<(Contents, Vec<Request>)> {
    let fleet = Fleet {
        groups: args.groups,
        streams_per_group: args.streams,
        start: SystemClock.now() - AGE,
        ..Fleet::default()
    };
    let mut generator = Generator::of(&fleet, args.seed);
    let groups = generator.groups().map(|(group, streams)| {
        (group.to_string(), streams.iter().map(|stream| stream.to_string()).collect())
    });
    let groups = groups.collect();
    let mut contents = Contents { groups, events: 0, text_bytes: 0, zstd_bytes: 0, rare_words: Vec::new() };
    let mut zstd = zstd::stream::write::Encoder::new(Counter(0), 3)?;
    let mut requests = Vec::new();
    let mut waiting: BTreeMap<Stream, (Vec<Event>, usize)> = BTreeMap::new();
    while contents.text_bytes < (args.corpus_mib as u64) << 20 {
        let event = generator.next().context("the corpus has no end")?;
        zstd.write_all(event.message.as_bytes())?;
        zstd.write_all(b"\n")?;
        contents.events += 1;
        contents.text_bytes += event.message.len() as u64;
        if contents.events.is_multiple_of(50_021) {
            contents.rare_words.extend(rare_word(&event.message));
        }
        let size = event.message.len() + EVENT_OVERHEAD_BYTES;
        let (events, bytes) = waiting.entry((event.group.clone(), event.stream.clone())).or_default();
        if *bytes + size > args.batch_bytes || events.len() == BATCH_EVENTS_MAX {
            requests.push(request(events));
            (*events, *bytes) = (Vec::new(), 0);
        }
        *bytes += size;
        events.push(event);
    }
    requests.extend(waiting.into_values().map(|(events, _)| request(&events)));
    contents.zstd_bytes = zstd.finish()?.0;
    Ok((contents, requests))
}

/// Counts what is written to it.
struct Counter(u64);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn request(events: &[Event]) -> Request {
    let Some(newest) = events.last() else { return Default::default() };
    (head(&newest.group, &newest.stream), tail(events).stamped(newest.timestamp))
}

fn rare_word(message: &str) -> Option<String> {
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric());
    words.find(|word| word.len() == 32).map(str::to_owned)
}
