//! The events of one part of a file: who, where and when. What they say is decoded when it is asked for.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::Timestamp;
use hashbrown::HashMap;

use crate::address::StreamAddress;
use crate::event_key::EventKey;
use crate::file::columns::place;
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
        let names = columns.texts(place::LOG_STREAM)?;
        let unnamed = MalformedFile("an event is of a stream that the index does not name");
        let groups: Vec<(usize, Range<usize>)> = file.groups_in(part).collect();
        let mut groups = groups.into_iter();
        let (mut group_end, mut group) = (0, 0..0);
        let mut streams: Vec<u32> = Vec::with_capacity(rows.len());
        let mut known: HashMap<&[u8], u32> = HashMap::new();
        let mut last: Option<(&[u8], u32)> = None;
        for (named, first) in names.runs() {
            let texts = names.page(first.page).texts()?.part(first.index..first.index + named.len());
            for (index, row) in named.enumerate() {
                while row >= group_end {
                    (group_end, group) = groups.next().ok_or(unnamed.clone())?;
                    known.clear();
                    last = None;
                }
                let name = texts.get(index);
                let stream = match last {
                    Some((of_last, stream)) if of_last == name => stream,
                    _ => match known.get(name) {
                        Some(stream) => *stream,
                        None => {
                            let text = std::str::from_utf8(name).ok();
                            let number = text.and_then(|text| file.stream_number(&group, text));
                            *known.entry(name).or_insert(number.ok_or(unnamed.clone())?)
                        }
                    },
                };
                last = Some((name, stream));
                streams.push(stream);
            }
        }
        if streams.len() != rows.len() {
            return Err(unnamed);
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

    /// Bytes that they take in memory, about.
    pub fn memory_bytes(&self) -> usize {
        let numbers = [&self.timestamps, &self.ingested, &self.sequences, &self.positions];
        let numbers: usize = numbers.iter().map(|numbers| size_of_val(numbers.as_slice())).sum();
        numbers + size_of_val(self.streams.as_slice())
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
