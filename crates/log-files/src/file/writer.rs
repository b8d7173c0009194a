//! Writes a file in one pass.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, Int32Array};
use arrow_schema::Schema;
use bytes::Bytes;
use groundwatch_core::Timestamp;
use hashbrown::{HashMap, HashSet};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::WriteError;
use super::columns::{self, Manner, TextColumn};
use super::index::{Index, Part, Summary};
use super::rows::Rows;
use crate::address::StreamAddress;
use crate::event_key::EventKey;
use crate::incarnation::LogStreamId;
use crate::shape::{Columns, Sorted, Sorter, Texts};
use crate::tokens::{ROW_GROUPS_MAX, TokenCollector, TokenIndex};

/// How a file keeps messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// As text, for files that are soon merged, and for groups that have little: quick to write. Many groups.
    Text,
    /// By shape, with filters of tokens: small, and a search skips what it does not need. One group.
    Shaped,
}

/// zstd levels by layout: text is merged before long; columns of slots gain little beyond this one.
const TEXT_LEVEL: i32 = 1;
const SHAPED_LEVEL: i32 = 1;
/// How much text, and what AWS counts with it, a file of that layout takes.
const TEXT_FILE_BYTES: u64 = 128 << 20;
/// How many row groups a shaped file has: its columns are known, and written, when the last one is.
const SHAPED_ROW_GROUPS: usize = 16;
/// How many values of a slot tell whether they repeat.
const SAMPLE: usize = 256;

/// A file in the making.
#[derive(Debug)]
pub struct FileWriter {
    layout: Layout,
    streams: Vec<Arc<StreamAddress>>,
    numbers: HashMap<LogStreamId, u32>,
    rows: Rows,
    parts: Vec<Part>,
    summary: Summary,
    row_groups: usize,
    /// Of text: what is written already.
    text: Option<ArrowWriter<Vec<u8>>>,
    /// Of shapes: what waits for the columns to be known.
    shaped: Vec<ShapedRowGroup>,
    columns: Columns,
    tokens: Vec<TokenCollector>,
}

/// A finished file.
#[derive(Debug)]
pub struct WrittenFile {
    /// The bytes.
    pub bytes: Bytes,
    /// How many of the last of them [`super::LogFile::open`] needs.
    pub tail_bytes: u64,
    /// What is in it.
    pub summary: Summary,
}

/// A row group that was sorted.
#[derive(Debug)]
struct ShapedRowGroup {
    fixed: Vec<ArrayRef>,
    sorted: Sorted,
    rows: usize,
}

impl FileWriter {
    /// A file without events.
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            streams: Vec::new(),
            numbers: HashMap::new(),
            rows: Rows::default(),
            parts: Vec::new(),
            summary: Summary {
                from: Timestamp::MAX,
                to: Timestamp::MIN,
                rows: 0,
                bytes: 0,
                groups: Vec::new(),
            },
            row_groups: 0,
            text: None,
            shaped: Vec::new(),
            columns: Columns::default(),
            tokens: Vec::new(),
        }
    }

    /// Whether it holds no events.
    pub fn is_empty(&self) -> bool {
        self.summary.rows == 0 && self.rows.len() == 0
    }

    /// Whether it is time for another file.
    pub fn is_full(&self) -> bool {
        match self.layout {
            Layout::Text => self.summary.bytes >= TEXT_FILE_BYTES,
            Layout::Shaped => self.row_groups >= SHAPED_ROW_GROUPS.min(ROW_GROUPS_MAX),
        }
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
        self.rows.push(group, stream, key, ingested.as_millis(), message);
        if self.rows.is_full() { self.finish_row_group() } else { Ok(()) }
    }

    /// Writes what is left and the index, and the file is done.
    pub fn finish(mut self) -> Result<WrittenFile, WriteError> {
        self.finish_row_group()?;
        let mut writer = match self.layout {
            Layout::Text => self.text_writer()?,
            Layout::Shaped => self.write_shaped()?,
        };
        let (tokens, filters) = match self.layout {
            Layout::Text => (None, Vec::new()),
            Layout::Shaped => {
                let (tokens, filters) = TokenIndex::new(std::mem::take(&mut self.tokens));
                (Some(tokens), filters)
            }
        };
        writer.flush()?;
        let start = writer.bytes_written() as u64;
        writer.write_all(&filters)?;
        let index_start = start + filters.len() as u64;
        self.number_streams();
        self.summary.groups.dedup();
        let (streams, parts) = (self.streams, self.parts);
        let index = Index { streams, parts, filters: start..index_start, tokens }.encode()?;
        writer.write_all(&index)?;
        let place = |range: std::ops::Range<u64>| format!("{}-{}", range.start, range.end);
        let index_end = index_start + index.len() as u64;
        for (name, range) in [("filters", start..index_start), ("index", index_start..index_end)] {
            writer.append_key_value_metadata(KeyValue::new(format!("groundwatch.{name}"), place(range)));
        }
        let bytes = Bytes::from(writer.into_inner()?);
        Ok(WrittenFile { tail_bytes: bytes.len() as u64 - index_start, bytes, summary: self.summary })
    }

    fn finish_row_group(&mut self) -> Result<(), WriteError> {
        let rows = std::mem::take(&mut self.rows);
        if rows.len() == 0 {
            return Ok(());
        }
        for key in &rows.keys {
            self.summary.from = self.summary.from.min(key.timestamp);
            self.summary.to = self.summary.to.max(key.timestamp);
        }
        self.summary.rows += rows.len() as u64;
        self.summary.bytes += rows.billed_bytes();
        self.summary.groups.extend(rows.groups.iter().map(|(group, _)| *group));
        self.parts.extend(rows.parts(self.row_groups));
        self.row_groups += 1;
        match self.layout {
            Layout::Text => self.write_text(rows),
            Layout::Shaped => self.sort(&rows),
        }
    }

    fn write_text(&mut self, rows: Rows) -> Result<(), WriteError> {
        let order: Vec<u32> = (0..rows.len() as u32).collect();
        let mut columns = columns::fixed(&rows, &order, &self.streams)?;
        let count = rows.len();
        let ends: Vec<u32> = rows.ends.iter().map(|end| *end as u32).collect();
        let mut messages = TextColumn::default();
        messages.extend(&ends, &rows.text);
        drop(rows);
        columns.push(messages.finish(count)?);
        columns.push(columns::no_shapes(count)?);
        let mut writer = self.text_writer()?;
        writer.write(&columns::batch(&columns::schema(&[]), columns)?)?;
        writer.flush()?;
        self.text = Some(writer);
        Ok(())
    }

    fn text_writer(&mut self) -> Result<ArrowWriter<Vec<u8>>, WriteError> {
        if let Some(writer) = self.text.take() {
            return Ok(writer);
        }
        let properties = columns::properties(TEXT_LEVEL, &[], &[])?;
        parquet_writer(columns::schema(&[]), properties)
    }

    fn sort(&mut self, rows: &Rows) -> Result<(), WriteError> {
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.sort_by_key(|row| rows.streams[*row as usize]);
        std::str::from_utf8(&rows.text)?;
        let mut tokens = TokenCollector::default();
        let mut sorter = Sorter::new((0..rows.len()).map(|row| rows.message(row)));
        for row in &order {
            sorter.push(*row, rows.message(*row as usize), &mut tokens);
        }
        let sorted = sorter.finish(&mut self.columns);
        let shaped = sorted.shaped.iter().flat_map(|shaped| &shaped.rows);
        order.clear();
        order.extend(shaped.chain(&sorted.plain.rows));
        let fixed = columns::fixed(rows, &order, &self.streams)?;
        self.tokens.push(tokens);
        self.shaped.push(ShapedRowGroup { fixed, sorted, rows: rows.len() });
        Ok(())
    }

    fn write_shaped(&mut self) -> Result<ArrowWriter<Vec<u8>>, WriteError> {
        let slots = self.columns.names();
        let schema = columns::schema(slots);
        let properties = columns::properties(SHAPED_LEVEL, slots, &self.manners())?;
        let mut writer = parquet_writer(schema.clone(), properties)?;
        for row_group in std::mem::take(&mut self.shaped) {
            let columns = shaped_columns(row_group, &self.columns)?;
            writer.write(&columns::batch(&schema, columns)?)?;
            writer.flush()?;
        }
        Ok(writer)
    }

    /// What the values of each column of slots are like, by what they start with in the first row groups.
    fn manners(&self) -> Vec<Manner> {
        let mut samples = vec![Sample::default(); self.columns.names().len()];
        for shaped in self.shaped.iter().take(2).flat_map(|row_group| &row_group.sorted.shaped) {
            for (name, texts) in shaped.shape.slots().zip(&shaped.slots) {
                let Some(column) = self.columns.find(name) else { continue };
                samples[column].add(texts);
            }
        }
        samples.into_iter().map(Sample::manner).collect()
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

/// Arrow's schema is left out: readers know theirs.
fn parquet_writer(
    schema: Arc<Schema>,
    properties: WriterProperties,
) -> Result<ArrowWriter<Vec<u8>>, WriteError> {
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    Ok(ArrowWriter::try_new_with_options(Vec::new(), schema, options)?)
}

/// Values of a column, counted.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    values: usize,
    distinct: usize,
    bytes: usize,
    /// Bytes that a value begins with as the one before it did.
    same_bytes: usize,
}

impl Sample {
    fn add(&mut self, texts: &Texts) {
        let values = || (0..texts.ends.len().min(SAMPLE)).map(|index| texts.get(index));
        self.values += values().len();
        self.distinct += values().collect::<HashSet<&[u8]>>().len();
        for (last, value) in values().zip(values().skip(1)) {
            self.bytes += value.len();
            self.same_bytes += last.iter().zip(value).take_while(|(a, b)| a == b).count();
        }
    }

    fn manner(self) -> Manner {
        if self.distinct * 3 <= self.values {
            Manner::Repeating
        } else if self.same_bytes * 2 >= self.bytes {
            Manner::Continuing
        } else {
            Manner::Varying
        }
    }
}

/// The columns of a row group that was sorted.
fn shaped_columns(row_group: ShapedRowGroup, columns: &Columns) -> Result<Vec<ArrayRef>, WriteError> {
    let ShapedRowGroup { fixed: mut all, sorted, rows } = row_group;
    let mut slots: Vec<TextColumn> = columns.names().iter().map(|_| TextColumn::default()).collect();
    let mut keys: Vec<Option<i32>> = Vec::with_capacity(rows);
    for (number, shaped) in sorted.shaped.iter().enumerate() {
        for (name, texts) in shaped.shape.slots().zip(&shaped.slots) {
            let Some(column) = columns.find(name) else { continue };
            slots[column].skip_to(keys.len());
            slots[column].extend(&texts.ends, &texts.bytes);
        }
        keys.resize(keys.len() + shaped.rows.len(), Some(number as i32));
    }
    let mut messages = TextColumn::default();
    messages.skip_to(keys.len());
    messages.extend(&sorted.plain.texts.ends, &sorted.plain.texts.bytes);
    keys.resize(rows, None);
    let shapes: Vec<&str> = sorted.shaped.iter().map(|shaped| shaped.shape.as_str()).collect();
    all.push(messages.finish(rows)?);
    all.push(columns::shapes(&shapes, Int32Array::from(keys))?);
    debug_assert!(all.iter().all(|column| column.len() == rows), "every column has every row");
    for slot in slots {
        all.push(slot.finish(rows)?);
    }
    Ok(all)
}
