//! Writes a file, row group by row group.

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::Timestamp;
use hashbrown::HashMap;
use parquet::file::metadata::KeyValue;

use super::columns::{self, Column, TextColumn};
use super::index::{Index, Part, PartStream, Summary};
use super::reader::LogFile;
use super::row_group::{self, EncodedRowGroup};
use super::rows::{ROWS_MAX, Rows, TEXT_BYTES_MAX};
use super::{MalformedFile, WriteError, shaped};
use crate::address::StreamAddress;
use crate::event_key::EventKey;
use crate::incarnation::LogStreamId;
use crate::shape::{Columns, Kind, Manner};
use crate::token_collector::KnownTokens;
use crate::token_index::{ROW_GROUPS_MAX, TokenIndex};

/// How a file keeps messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// As text, for groups that have little. Many groups.
    Text,
    /// By shape, which makes it small. One group.
    Shaped,
}

/// The zstd level of text, which is merged before long.
const TEXT_LEVEL: i32 = 1;
/// How much text, and what AWS counts with it, a file of that layout takes.
const TEXT_FILE_BYTES: u64 = 128 << 20;
/// How many row groups a file has.
const ROW_GROUPS: usize = 32;
const _: () = assert!(ROW_GROUPS < ROW_GROUPS_MAX);

/// A file in the making.
#[derive(Debug)]
pub struct FileWriter {
    layout: Layout,
    streams: Vec<Arc<StreamAddress>>,
    numbers: HashMap<LogStreamId, u32>,
    rows: Rows,
    rows_max: usize,
    /// How much text a row group is going to have, if that is known.
    text_bytes: usize,
    row_groups: Vec<EncodedRowGroup>,
    parts: Vec<Part>,
    summary: Summary,
    columns: Columns,
    tokens: Vec<KnownTokens>,
}

/// A finished file.
#[derive(Debug)]
pub struct WrittenFile {
    /// The bytes.
    pub bytes: Bytes,
    /// How many of the last of them [`super::LogFile::open`] needs.
    pub tail_bytes: u64,
    /// How many of those before them are what [`LogFile::filters`] says.
    pub filter_bytes: u64,
    /// What is in it.
    pub summary: Summary,
}

impl FileWriter {
    /// A file without events.
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            streams: Vec::new(),
            numbers: HashMap::new(),
            rows: Rows::default(),
            rows_max: ROWS_MAX,
            text_bytes: 0,
            row_groups: Vec::new(),
            parts: Vec::new(),
            summary: Summary {
                from: Timestamp::MAX,
                to: Timestamp::MIN,
                rows: 0,
                bytes: 0,
                groups: Vec::new(),
            },
            columns: Columns::default(),
            tokens: Vec::new(),
        }
    }

    /// The same, which about `rows` events with so much text are going to be pushed to: row groups are of one
    /// size, and no small one is left at the end.
    pub fn expecting(self, rows: usize, text_bytes: usize) -> Self {
        let row_groups = rows.div_ceil(ROWS_MAX).max(1);
        let rows_max = rows.div_ceil(row_groups).max(1);
        Self { rows_max, text_bytes: text_bytes / row_groups, ..self }
    }

    /// Another one of the kind.
    pub fn next(&self) -> Self {
        Self { rows_max: self.rows_max, text_bytes: self.text_bytes, ..Self::new(self.layout) }
    }

    /// Whether it holds no events.
    pub fn is_empty(&self) -> bool {
        self.summary.rows == 0 && self.rows.len() == 0
    }

    /// Whether so many events with so much text, if they are the first ones, may be pushed in any order: they
    /// fit into one row group, which is sorted anyway, and those of a stream are best pushed together.
    pub fn sorts(&self, rows: usize, text_bytes: usize) -> bool {
        let fits = rows <= self.rows_max && text_bytes < TEXT_BYTES_MAX;
        fits && self.layout == Layout::Shaped && self.is_empty()
    }

    /// Whether it is time for another file.
    pub fn is_full(&self) -> bool {
        let takes_text = self.layout == Layout::Shaped || self.summary.bytes < TEXT_FILE_BYTES;
        !takes_text || self.row_groups.len() >= ROW_GROUPS
    }

    /// The number of a stream, for [`Self::push`].
    pub fn stream(&mut self, address: &Arc<StreamAddress>) -> u32 {
        *self.numbers.entry(address.stream_id).or_insert_with(|| {
            self.streams.push(address.clone());
            self.streams.len() as u32 - 1
        })
    }

    /// Adds an event. Groups come in the order of their ids, events of a group in the order of keys.
    pub fn push(
        &mut self,
        stream: u32,
        key: EventKey,
        ingested: Timestamp,
        message: &[u8],
    ) -> Result<(), WriteError> {
        let group = self.streams[stream as usize].group_id;
        if self.rows.len() == 0 {
            self.rows.make_room(self.rows_max, self.text_bytes);
        }
        self.rows.push(group, stream, key, ingested.as_millis(), message);
        if self.rows.is_full(self.rows_max) { self.finish_row_group() } else { Ok(()) }
    }

    /// Adds what a part of another file holds, as it is: both files are shaped, and the part is one that
    /// [`LogFile::can_be_taken_over`]. `bytes` are those of [`LogFile::bytes_of`], `filters` those of
    /// [`LogFile::filters`]. `false`, and nothing was added, if there is no place for its columns beside
    /// those of this file; there always is in a new one.
    pub fn take_over(
        &mut self,
        file: &LogFile,
        part: &Part,
        bytes: Bytes,
        filters: &[u8],
    ) -> Result<bool, WriteError> {
        if self.layout != Layout::Shaped || !file.can_be_taken_over(part) {
            return Err(MalformedFile("a part of it is not a row group").into());
        }
        self.finish_row_group()?;
        let (row_group, tokens) = file.encoded(part, bytes, filters)?;
        if !self.columns.take_in(row_group.slots()) {
            return Ok(false);
        }
        let streams: Vec<PartStream> = part
            .streams
            .iter()
            .map(|entry| PartStream { stream: self.stream(&file.streams()[entry.stream as usize]), ..*entry })
            .collect();
        self.count(part.first.timestamp, part.last.timestamp);
        self.summary.rows += part.rows.len() as u64;
        self.summary.bytes += streams.iter().map(|stream| stream.bytes).sum::<u64>();
        self.summary.groups.push(part.group);
        self.parts.push(Part { row_group: self.row_groups.len(), streams, ..part.clone() });
        self.row_groups.push(row_group);
        self.tokens.push(tokens);
        Ok(true)
    }

    /// Writes what is left and the index, and the file is done.
    pub fn finish(mut self) -> Result<WrittenFile, WriteError> {
        self.finish_row_group()?;
        let mut writer = row_group::assembled(std::mem::take(&mut self.row_groups), self.columns.names())?;
        let (tokens, filters) = TokenIndex::new(std::mem::take(&mut self.tokens));
        let start = writer.bytes_written() as u64;
        writer.write_all(&filters)?;
        let index_start = start + filters.len() as u64;
        self.number_streams();
        self.summary.groups.dedup();
        let (streams, parts) = (self.streams, self.parts);
        let index = Index { streams, parts, filters: start..index_start, tokens: Some(tokens) }.encode()?;
        writer.write_all(&index)?;
        let place = |range: std::ops::Range<u64>| format!("{}-{}", range.start, range.end);
        let index_end = index_start + index.len() as u64;
        for (name, range) in [("filters", start..index_start), ("index", index_start..index_end)] {
            writer.append_key_value_metadata(KeyValue::new(format!("groundwatch.{name}"), place(range)));
        }
        let bytes = Bytes::from(writer.into_inner()?);
        let (tail_bytes, filter_bytes) = (bytes.len() as u64 - index_start, filters.len() as u64);
        Ok(WrittenFile { bytes, tail_bytes, filter_bytes, summary: self.summary })
    }

    fn finish_row_group(&mut self) -> Result<(), WriteError> {
        let rows = std::mem::take(&mut self.rows);
        if rows.len() == 0 {
            return Ok(());
        }
        rows.check_utf8()?;
        rows.keys.iter().for_each(|key| self.count(key.timestamp, key.timestamp));
        self.summary.rows += rows.len() as u64;
        self.summary.bytes += rows.billed_bytes();
        self.summary.groups.extend(rows.groups.iter().map(|(group, _)| *group));
        self.parts.extend(rows.parts(self.row_groups.len()));
        let (row_group, tokens) = match self.layout {
            Layout::Text => encode_text(rows, &self.streams)?,
            Layout::Shaped => shaped::encode(rows, &self.streams, &mut self.columns)?,
        };
        self.tokens.push(tokens);
        self.row_groups.push(row_group);
        Ok(())
    }

    fn count(&mut self, from: Timestamp, to: Timestamp) {
        self.summary.from = self.summary.from.min(from);
        self.summary.to = self.summary.to.max(to);
    }

    /// Sorts the streams by group and name, and the parts by group.
    fn number_streams(&mut self) {
        let mut order: Vec<u32> = (0..self.streams.len() as u32).collect();
        order.sort_unstable_by_key(|number| {
            let address = &self.streams[*number as usize];
            (address.group_id, address.stream.as_str())
        });
        let mut renumbered = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            renumbered[*old as usize] = new as u32;
        }
        self.streams = order.iter().map(|old| self.streams[*old as usize].clone()).collect();
        for part in &mut self.parts {
            for entry in &mut part.streams {
                entry.stream = renumbered[entry.stream as usize];
            }
            part.streams.sort_unstable_by_key(|entry| entry.stream);
        }
        self.parts.sort_by_key(|part| (part.group, part.row_group));
    }
}

/// A row group whose messages are kept as they are.
fn encode_text(
    mut rows: Rows,
    streams: &[Arc<StreamAddress>],
) -> Result<(EncodedRowGroup, KnownTokens), WriteError> {
    let order: Vec<u32> = (0..rows.len() as u32).collect();
    let tokens = KnownTokens::of_plain((0..rows.len()).map(|row| rows.message(row)));
    let mut columns = columns::fixed(&rows, &order, streams);
    let count = rows.len();
    let ends: Vec<u32> = rows.ends.iter().map(|end| *end as u32).collect();
    let mut messages = TextColumn::default();
    messages.extend(&ends, std::mem::take(&mut rows.text));
    drop(rows);
    columns.push(Column::Texts(messages, Manner { kind: Kind::Varying, level: TEXT_LEVEL }));
    columns.push(Column::Named { texts: Vec::new(), keys: Vec::new() });
    Ok((EncodedRowGroup::encode(columns, &[], count, TEXT_LEVEL)?, tokens))
}
