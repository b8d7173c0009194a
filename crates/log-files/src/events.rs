//! The events of one part of a file: who, where and when. What they say is decoded when it is asked for.

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::Timestamp;
use hashbrown::HashMap;

use crate::address::StreamAddress;
use crate::event_key::EventKey;
use crate::file::columns::place;
use crate::file::texts::{Span, Texts};
use crate::file::{LogFile, MalformedFile, Part, PartColumns};
use crate::messages::Messages;

/// The events of a part. Rows are in the order of the file, which is not that of keys.
#[derive(Clone, Debug)]
pub struct Events {
    file: Arc<LogFile>,
    part: Part,
    bytes: Bytes,
    timestamps: Vec<i64>,
    ingested: Vec<i64>,
    sequences: Vec<i64>,
    positions: Vec<i64>,
    /// By number among the file's.
    streams: Vec<u32>,
}

impl Events {
    pub(crate) fn new(file: Arc<LogFile>, part: Part, bytes: Bytes) -> Result<Self, MalformedFile> {
        let mut columns = PartColumns::open(&file, &part, bytes.clone())?;
        let mut texts = Texts::default();
        let names = columns.texts(place::LOG_STREAM, &mut texts)?;
        let all = 0..part.rows.len();
        let unnamed = MalformedFile("an event is of a stream that the index does not name");
        let first = names.spans_of(&all).ok_or(unnamed.clone())?;
        let group = file.streams_of(part.group);
        let mut streams: Vec<u32> = Vec::with_capacity(part.rows.len());
        let mut known: HashMap<Span, u32> = HashMap::new();
        for span in all.map(|row| texts.span(first + row)) {
            let stream = match known.get(&span) {
                Some(stream) => *stream,
                None => {
                    let name = std::str::from_utf8(texts.text(span)).ok();
                    let number = name.and_then(|name| file.stream_number(&group, name));
                    *known.entry(span).or_insert(number.ok_or(unnamed.clone())?)
                }
            };
            streams.push(stream);
        }
        Ok(Self {
            timestamps: columns.numbers(place::TIMESTAMP)?,
            ingested: columns.numbers(place::INGESTION_TIME)?,
            sequences: columns.numbers(place::SEQUENCE)?,
            positions: columns.numbers(place::POSITION)?,
            streams,
            file,
            part,
            bytes,
        })
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Whether there are none, which never is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the event in `row` stands.
    pub fn key(&self, row: usize) -> EventKey {
        EventKey {
            timestamp: Timestamp::from_millis(self.timestamps[row]),
            sequence: self.sequences[row] as u64,
            index: self.positions[row] as u32,
        }
    }

    /// When the event in `row` arrived.
    pub fn ingested(&self, row: usize) -> Timestamp {
        Timestamp::from_millis(self.ingested[row])
    }

    /// The stream of the event in `row`, as a number into [`LogFile::streams`].
    pub fn stream(&self, row: usize) -> u32 {
        self.streams[row]
    }

    /// The stream of the event in `row`.
    pub fn address(&self, row: usize) -> &Arc<StreamAddress> {
        &self.file.streams()[self.streams[row] as usize]
    }

    /// What the events say.
    pub fn messages(&self) -> Result<Messages, MalformedFile> {
        self.file.messages(&self.part, self.bytes.clone())
    }
}
