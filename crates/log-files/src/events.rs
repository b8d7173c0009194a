//! The events of one part of a file: who, where and when. What they say is decoded when it is asked for.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::Timestamp;
use hashbrown::HashMap;

use crate::address::StreamAddress;
use crate::event_key::EventKey;
use crate::file::columns::place;
use crate::file::texts::{Span, Texts};
use crate::file::{LogFile, MalformedFile, Part, PartColumns};
use crate::row_ranges::RowRanges;

/// Events of a part. Rows are in the order of the file, which is not that of keys.
#[derive(Clone, Debug)]
pub struct Events {
    file: Arc<LogFile>,
    rows: RowRanges,
    timestamps: Vec<i64>,
    ingested: Vec<i64>,
    sequences: Vec<i64>,
    positions: Vec<i64>,
    /// By number among the file's.
    streams: Vec<u32>,
}

impl Events {
    pub(crate) fn new(
        file: Arc<LogFile>,
        part: &Part,
        bytes: &Bytes,
        rows: &RowRanges,
    ) -> Result<Self, MalformedFile> {
        let mut columns = PartColumns::open(&file, part, bytes, rows)?;
        let mut texts = Texts::default();
        let names = columns.texts(place::LOG_STREAM, &mut texts)?;
        let unnamed = MalformedFile("an event is of a stream that the index does not name");
        let groups: Vec<(usize, Range<usize>)> = file.groups_in(part).collect();
        let mut groups = groups.into_iter();
        let (mut group_end, mut group) = (0, 0..0);
        let mut streams: Vec<u32> = Vec::with_capacity(rows.len());
        let mut known: HashMap<Span, u32> = HashMap::new();
        for range in rows.ranges() {
            let first = names.spans_of(range).ok_or(unnamed.clone())?;
            for (row, span) in range.clone().zip((first..).map(|span| texts.span(span))) {
                while row >= group_end {
                    (group_end, group) = groups.next().ok_or(unnamed.clone())?;
                    known.clear();
                }
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
        }
        Ok(Self {
            timestamps: columns.numbers(place::TIMESTAMP)?,
            ingested: columns.numbers(place::INGESTION_TIME)?,
            sequences: columns.numbers(place::SEQUENCE)?,
            positions: columns.numbers(place::POSITION)?,
            streams,
            rows: rows.clone(),
            file,
        })
    }

    /// The rows that were read.
    pub fn rows(&self) -> &RowRanges {
        &self.rows
    }

    /// Where the event in `row` stands.
    pub fn key(&self, row: usize) -> EventKey {
        let place = self.rows.place(row);
        EventKey {
            timestamp: Timestamp::from_millis(self.timestamps[place]),
            sequence: self.sequences[place] as u64,
            index: self.positions[place] as u32,
        }
    }

    /// When the event in `row` arrived.
    pub fn ingested(&self, row: usize) -> Timestamp {
        Timestamp::from_millis(self.ingested[self.rows.place(row)])
    }

    /// The stream of the event in `row`, as a number into [`LogFile::streams`].
    pub fn stream(&self, row: usize) -> u32 {
        self.streams[self.rows.place(row)]
    }

    /// The stream of the event in `row`.
    pub fn address(&self, row: usize) -> &Arc<StreamAddress> {
        &self.file.streams()[self.stream(row) as usize]
    }
}
