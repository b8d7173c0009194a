//! Finds and reads what is in a file.

use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::{Buf as _, Bytes};
use hashbrown::HashMap;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::file::reader::{ChunkReader, Length};

use super::index::{Index, Part};
use super::pages::{BYTES_MAX, Chunk, DAMAGED};
use super::row_group::EncodedRowGroup;
use super::texts::TextColumn;
use super::{FIXED_COLUMNS, MalformedFile, numbers};
use crate::address::StreamAddress;
use crate::events::Events;
use crate::incarnation::GroupId;
use crate::messages::Messages;
use crate::requirement::Requirement;
use crate::row_ranges::RowRanges;
use crate::token_collector::KnownTokens;
use crate::token_index::Candidates;

/// A file whose index is known. It holds no events: whoever asks for some brings the bytes of their row
/// group.
#[derive(Debug)]
pub struct LogFile {
    index: Index,
    /// The last bytes of the file, without the index.
    footer: PartOfFile,
    /// What the footer says, read when something in the file is: most files that are opened are passed over.
    layout: OnceLock<Result<FileLayout, MalformedFile>>,
}

/// Where the columns of a file are.
#[derive(Debug)]
struct FileLayout {
    parquet: Arc<ParquetMetaData>,
    /// The columns of slots, by name.
    slots: HashMap<String, usize>,
}

impl FileLayout {
    fn read(footer: &PartOfFile, index: &Index) -> Result<Self, MalformedFile> {
        // The offsets of pages let a read of few rows pass over the others.
        let parquet = ParquetMetaDataReader::new()
            .with_column_index_policy(PageIndexPolicy::Skip)
            .with_offset_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(footer)
            .map_err(|_| MalformedFile("it is not a Parquet file"))?;
        let columns = parquet.file_metadata().schema_descr().columns();
        let mut names = columns.iter().map(|column| column.name());
        if !names.by_ref().take(FIXED_COLUMNS.len()).eq(FIXED_COLUMNS) {
            return Err(MalformedFile("its columns are not those of log events"));
        }
        let slots =
            names.zip(FIXED_COLUMNS.len()..).map(|(name, column)| (name.to_owned(), column)).collect();
        let row_groups = parquet.row_groups();
        if !row_groups.iter().flat_map(RowGroupMetaData::columns).all(is_somewhere) {
            return Err(MalformedFile("its columns are nowhere"));
        }
        let fits = |part: &Part| {
            row_groups.get(part.row_group).is_some_and(|row_group| {
                part.rows.start < part.rows.end && part.rows.end as i64 <= row_group.num_rows()
            })
        };
        if !index.parts.iter().all(fits) {
            return Err(MalformedFile("its index does not fit its row groups"));
        }
        Ok(Self { parquet: Arc::new(parquet), slots })
    }
}

impl LogFile {
    /// Opens a file of `length` bytes by its last ones: as many as [`super::WrittenFile::tail_bytes`] says.
    pub fn open(tail: &Bytes, length: u64) -> Result<Self, MalformedFile> {
        let (index, index_bytes) = Index::decode(tail)?;
        // A copy, which does not keep what else was read with it.
        let bytes = Bytes::copy_from_slice(&tail[index_bytes..]);
        let start = length.checked_sub(bytes.len() as u64).ok_or(MalformedFile("it is too short"))?;
        Ok(Self { index, footer: PartOfFile { start, bytes, length }, layout: OnceLock::new() })
    }

    fn layout(&self) -> Result<&FileLayout, MalformedFile> {
        let layout = self.layout.get_or_init(|| FileLayout::read(&self.footer, &self.index));
        layout.as_ref().map_err(Clone::clone)
    }

    /// Its streams, sorted by group and name.
    pub fn streams(&self) -> &[Arc<StreamAddress>] {
        &self.index.streams
    }

    /// Everything in it, sorted by group and row group.
    pub fn parts(&self) -> &[Part] {
        &self.index.parts
    }

    /// What it has of a group.
    pub fn parts_of(&self, group: GroupId) -> &[Part] {
        let start = self.index.parts.partition_point(|part| part.group < group);
        let len = self.index.parts[start..].partition_point(|part| part.group == group);
        &self.index.parts[start..start + len]
    }

    /// The streams of a group, as numbers into [`Self::streams`].
    pub fn streams_of(&self, group: GroupId) -> Range<usize> {
        let start = self.index.streams.partition_point(|stream| stream.group_id < group);
        let len = self.index.streams[start..].partition_point(|stream| stream.group_id == group);
        start..start + len
    }

    /// Which groups the rows of `part` are of, in their order: for each the row behind its last one, counted
    /// from the first row of `part`, and its streams. It is one, unless `part` was made of several that lie
    /// together in a row group.
    pub(crate) fn groups_in(&self, part: &Part) -> impl Iterator<Item = (usize, Range<usize>)> {
        let (row_group, rows) = (part.row_group, part.rows.clone());
        let start = self
            .index
            .parts
            .partition_point(|other| (other.group, other.row_group) < (part.group, row_group));
        let parts = self.index.parts[start..].iter();
        parts
            .take_while(move |other| other.row_group == row_group && other.rows.start < rows.end)
            .map(move |other| (other.rows.end.saturating_sub(part.rows.start), self.streams_of(other.group)))
    }

    /// Where the filters are that [`Self::candidates`] needs; `None` if it has none.
    pub fn filters(&self) -> Option<Range<u64>> {
        self.index.tokens.is_some().then(|| self.index.filters.clone())
    }

    /// Where messages may be that meet all `requirements`. `filters` are the bytes of [`Self::filters`].
    pub fn candidates(&self, filters: &[u8], requirements: &[Requirement]) -> Candidates {
        match &self.index.tokens {
            Some(index) if filters.len() as u64 == self.index.filters.end - self.index.filters.start => {
                index.candidates(filters, requirements)
            }
            _ => Candidates::ANYWHERE,
        }
    }

    /// Where the row group of a part is in the file.
    pub fn bytes_of(&self, part: &Part) -> Result<Range<u64>, MalformedFile> {
        let columns = self.layout()?.parquet.row_group(part.row_group).columns();
        let ranges = columns.iter().map(|column| column.byte_range());
        let (start, end) = ranges.fold((u64::MAX, 0), |(first, last), (start, len)| {
            (first.min(start), last.max(start.saturating_add(len)))
        });
        Ok(start..end)
    }

    /// The events in these rows of a part: who, where and when. `bytes` are those of [`Self::bytes_of`].
    pub fn events(
        self: &Arc<Self>,
        part: &Part,
        bytes: &Bytes,
        rows: &RowRanges,
    ) -> Result<Events, MalformedFile> {
        Events::new(self.clone(), part, bytes, rows)
    }

    /// What the events in these rows of a part say, to be searched. `bytes` are those of [`Self::bytes_of`].
    pub fn messages(&self, part: &Part, bytes: &Bytes, rows: &RowRanges) -> Result<Messages, MalformedFile> {
        Messages::new(self, part, bytes, rows)
    }

    /// How many bytes of the file each column takes.
    pub fn column_sizes(&self) -> Result<Vec<(String, i64)>, MalformedFile> {
        let row_groups = self.layout()?.parquet.row_groups().iter();
        let columns = row_groups.flat_map(|row_group| row_group.columns());
        Ok(columns.map(|column| (column.column_path().string(), column.compressed_size())).collect())
    }

    /// Bytes that it takes in memory, about.
    pub fn memory_bytes(&self) -> usize {
        // Parquet's metadata is several times larger in memory than in the file.
        self.index.memory_bytes() + 5 * self.footer.bytes.len()
    }

    /// The number of the stream called `name` among those of `group`.
    pub(crate) fn stream_number(&self, group: &Range<usize>, name: &str) -> Option<u32> {
        let streams = &self.index.streams[group.clone()];
        let found = streams.binary_search_by_key(&name, |stream| stream.stream.as_str()).ok()?;
        Some((group.start + found) as u32)
    }

    /// The column of slots called `name`.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.layout().ok()?.slots.get(name).copied()
    }

    /// Whether a part of a shaped file can go into another one as it is: it is a whole row group.
    pub fn can_be_taken_over(&self, part: &Part) -> bool {
        let is_whole = |layout: &FileLayout| {
            part.rows == (0..layout.parquet.row_group(part.row_group).num_rows() as usize)
        };
        self.index.tokens.is_some() && self.layout().is_ok_and(is_whole)
    }

    /// The row group of a part as it is, and what is known of its tokens; `bytes` are those of
    /// [`Self::bytes_of`], `filters` those of [`Self::filters`].
    pub(super) fn encoded(
        &self,
        part: &Part,
        bytes: Bytes,
        filters: &[u8],
    ) -> Result<(EncodedRowGroup, KnownTokens), MalformedFile> {
        let tokens = self.index.tokens.as_ref().and_then(|index| index.of_row_group(filters, part.row_group));
        let tokens = tokens.ok_or(MalformedFile("its token index has no such row group"))?;
        let (bytes, metadata) = (self.part_of_file(part, bytes)?, self.layout()?.parquet.clone());
        Ok((EncodedRowGroup::of_file(bytes, metadata, part.row_group), tokens))
    }

    fn part_of_file(&self, part: &Part, bytes: Bytes) -> Result<PartOfFile, MalformedFile> {
        Ok(PartOfFile { start: self.bytes_of(part)?.start, bytes, length: self.footer.length })
    }
}

/// Whether a column chunk claims a place that a file can have: Parquet's own reader panics at others.
fn is_somewhere(column: &ColumnChunkMetaData) -> bool {
    let starts = [Some(column.data_page_offset()), column.dictionary_page_offset()];
    column.compressed_size() >= 0 && starts.into_iter().flatten().all(|start| start >= 0)
}

/// The columns of a part, to be decoded one by one.
pub(crate) struct PartColumns<'f> {
    layout: &'f FileLayout,
    part: &'f Part,
    rows: &'f RowRanges,
    source: Arc<PartOfFile>,
    bytes_left: usize,
}

impl<'f> PartColumns<'f> {
    /// Those of these rows. `bytes` are those of [`LogFile::bytes_of`].
    pub(crate) fn open(
        file: &'f LogFile,
        part: &'f Part,
        bytes: &Bytes,
        rows: &'f RowRanges,
    ) -> Result<Self, MalformedFile> {
        let source = Arc::new(file.part_of_file(part, bytes.clone())?);
        Ok(Self { layout: file.layout()?, part, rows, source, bytes_left: BYTES_MAX })
    }

    /// A column of texts.
    pub(crate) fn texts(&mut self, column: usize) -> Result<TextColumn, MalformedFile> {
        let texts = TextColumn::read(&self.chunk(column)?)?;
        self.bytes_left = self.bytes_left.checked_sub(texts.bytes_len()).ok_or(DAMAGED)?;
        Ok(texts)
    }

    /// The numbers of a column that has one in every row.
    pub(crate) fn numbers(&mut self, column: usize) -> Result<Vec<i64>, MalformedFile> {
        numbers::read(&self.chunk(column)?)
    }

    fn chunk(&self, column: usize) -> Result<Chunk<'f>, MalformedFile> {
        let (metadata, row_group) = (&self.layout.parquet, self.part.row_group);
        let of_row_group = metadata.row_group(row_group);
        Ok(Chunk {
            source: self.source.clone(),
            metadata: of_row_group.columns().get(column).ok_or(MalformedFile("a column is missing"))?,
            pages: metadata.offset_index().and_then(|pages| pages.get(row_group)?.get(column)),
            row_count: of_row_group.num_rows() as usize,
            part: self.part.rows.clone(),
            asked: self.rows,
        })
    }
}

/// Bytes of a file from `start` on, as if the rest was there too.
#[derive(Debug)]
pub(crate) struct PartOfFile {
    start: u64,
    bytes: Bytes,
    length: u64,
}

impl PartOfFile {
    /// All of a file.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self { start: 0, length: bytes.len() as u64, bytes }
    }

    /// How many bytes are there.
    pub(super) fn bytes_len(&self) -> usize {
        self.bytes.len()
    }

    fn from(&self, start: u64) -> Result<Bytes, ParquetError> {
        let missing = || ParquetError::EOF("bytes that were not read".to_owned());
        let offset = start.checked_sub(self.start).and_then(|offset| usize::try_from(offset).ok());
        let offset = offset.filter(|offset| *offset <= self.bytes.len()).ok_or_else(missing)?;
        Ok(self.bytes.slice(offset..))
    }
}

impl Length for PartOfFile {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for PartOfFile {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = self.from(start)?;
        if bytes.len() < length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}
