//! Finds and reads what is in a file.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::{Buf as _, Bytes};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};

use super::index::{Index, Part};
use super::row_group::EncodedRowGroup;
use super::{FIXED_COLUMNS, MalformedFile, columns};
use crate::address::StreamAddress;
use crate::events::Events;
use crate::incarnation::GroupId;
use crate::tokens::{KnownTokens, ROW_GROUPS_MAX, Token};

/// A file whose index is known. It holds no events: whoever asks for some brings the bytes of their row group.
#[derive(Debug)]
pub struct LogFile {
    parquet: ArrowReaderMetadata,
    index: Index,
    tail_bytes: usize,
}

impl LogFile {
    /// Opens a file of `length` bytes by its last ones: as many as [`super::WrittenFile::tail_bytes`] says.
    pub fn open(tail: &Bytes, length: u64) -> Result<Self, MalformedFile> {
        let start = length.checked_sub(tail.len() as u64).ok_or(MalformedFile("it is too short"))?;
        let source = PartOfFile { start, bytes: tail.clone(), length };
        // The offsets of pages let a read of few rows pass over the others.
        let metadata = ParquetMetaDataReader::new()
            .with_column_index_policy(PageIndexPolicy::Skip)
            .with_offset_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(&source)
            .map_err(|_| MalformedFile("it is not a Parquet file"))?;
        let columns = metadata.file_metadata().schema_descr().columns();
        let names: Vec<String> = columns.iter().map(|column| column.path().string()).collect();
        let slots = match names.split_at_checked(FIXED_COLUMNS.len()) {
            Some((fixed, slots)) if fixed == FIXED_COLUMNS => slots,
            _ => return Err(MalformedFile("its columns are not those of log events")),
        };
        let options =
            ArrowReaderOptions::new().with_skip_arrow_metadata(true).with_schema(columns::schema(slots));
        let parquet = ArrowReaderMetadata::try_new(Arc::new(metadata), options)
            .map_err(|_| MalformedFile("its schema is not that of log events"))?;
        let index = Index::decode(tail)?;
        let row_groups = parquet.metadata().row_groups();
        let fits = |part: &Part| {
            row_groups.get(part.row_group).is_some_and(|row_group| {
                part.rows.start < part.rows.end && part.rows.end as i64 <= row_group.num_rows()
            })
        };
        if !index.parts.iter().all(fits) {
            return Err(MalformedFile("its index does not fit its row groups"));
        }
        Ok(Self { parquet, index, tail_bytes: tail.len() })
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

    /// Where the filters are that [`Self::candidates`] needs; `None` if it has none.
    pub fn filters(&self) -> Option<Range<u64>> {
        self.index.tokens.is_some().then(|| self.index.filters.clone())
    }

    /// In which row groups messages may be that have all of `tokens`: the bit of each. `filters` are the bytes of
    /// [`Self::filters`].
    pub fn candidates(&self, filters: &[u8], tokens: &[Token]) -> u64 {
        match &self.index.tokens {
            Some(index) if filters.len() as u64 == self.index.filters.end - self.index.filters.start => {
                index.candidates(filters, tokens)
            }
            _ => u64::MAX,
        }
    }

    /// Whether `candidates` tell that a row group need not be read.
    pub fn is_passed_over(candidates: u64, row_group: usize) -> bool {
        row_group < ROW_GROUPS_MAX && candidates & 1 << row_group == 0
    }

    /// Where the row group of a part is in the file.
    pub fn bytes_of(&self, part: &Part) -> Range<u64> {
        let columns = self.parquet.metadata().row_group(part.row_group).columns();
        let ranges = columns.iter().map(|column| column.byte_range());
        let (start, end) = ranges.fold((u64::MAX, 0), |(first, last), (start, len)| {
            (first.min(start), last.max(start.saturating_add(len)))
        });
        start..end
    }

    /// The events of a part; `bytes` are those of [`Self::bytes_of`].
    pub fn events(self: &Arc<Self>, part: &Part, bytes: Bytes) -> Result<Events, MalformedFile> {
        let keys = self.columns(part, &bytes, |column| matches!(column, 3..=7))?;
        Events::new(self.clone(), part.clone(), bytes, &keys)
    }

    /// How many bytes of the file each column takes.
    pub fn column_sizes(&self) -> Vec<(String, i64)> {
        let row_groups = self.parquet.metadata().row_groups().iter();
        let columns = row_groups.flat_map(|row_group| row_group.columns());
        columns.map(|column| (column.column_path().string(), column.compressed_size())).collect()
    }

    /// Bytes that it takes in memory, about.
    pub fn memory_bytes(&self) -> usize {
        // Parquet's metadata is several times larger in memory than in the file.
        self.index.memory_bytes() + 4 * self.tail_bytes
    }

    /// The number of the stream called `name` among those of `group`.
    pub(crate) fn stream_number(&self, group: &Range<usize>, name: &str) -> Option<u32> {
        let streams = &self.index.streams[group.clone()];
        let found = streams.binary_search_by_key(&name, |stream| stream.stream.as_str()).ok()?;
        Some((group.start + found) as u32)
    }

    /// The column called `name`.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.parquet.schema().index_of(name).ok()
    }

    /// Those columns of a part that are `wanted`, in the file's order.
    pub(crate) fn columns(
        &self,
        part: &Part,
        bytes: &Bytes,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<RecordBatch, MalformedFile> {
        self.read(part, bytes, wanted).map_err(|_| MalformedFile("a row group cannot be decoded"))
    }

    /// Whether a part can go into another file as it is: it is a whole row group, and kept by shape.
    pub fn can_be_taken_over(&self, part: &Part) -> bool {
        let rows = self.parquet.metadata().row_group(part.row_group).num_rows();
        self.index.tokens.is_some() && part.rows == (0..rows as usize)
    }

    /// The row group of a part as it is, and what is known of its tokens; `bytes` are those of [`Self::bytes_of`],
    /// `filters` those of [`Self::filters`].
    pub(super) fn encoded(
        &self,
        part: &Part,
        bytes: Bytes,
        filters: &[u8],
    ) -> Result<(EncodedRowGroup, KnownTokens), MalformedFile> {
        let tokens = self.index.tokens.as_ref().and_then(|index| index.of_row_group(filters, part.row_group));
        let tokens = tokens.ok_or(MalformedFile("its token index has no such row group"))?;
        let (bytes, metadata) = (self.part_of_file(part, bytes), self.parquet.metadata().clone());
        Ok((EncodedRowGroup::of_file(bytes, metadata, part.row_group), tokens))
    }

    fn part_of_file(&self, part: &Part, bytes: Bytes) -> PartOfFile {
        let length = self.index.filters.end + self.tail_bytes as u64;
        PartOfFile { start: self.bytes_of(part).start, bytes, length }
    }

    fn read(
        &self,
        part: &Part,
        bytes: &Bytes,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<RecordBatch, ParquetError> {
        let source = self.part_of_file(part, bytes.clone());
        let columns = (0..self.parquet.schema().fields().len()).filter(|column| wanted(*column));
        let mask = ProjectionMask::roots(self.parquet.parquet_schema(), columns);
        let rows = self.parquet.metadata().row_group(part.row_group).num_rows() as usize;
        let mut reader = ParquetRecordBatchReaderBuilder::new_with_metadata(source, self.parquet.clone())
            .with_row_groups(vec![part.row_group])
            .with_projection(mask)
            .with_batch_size(part.rows.len());
        if part.rows.len() < rows {
            let selectors = vec![RowSelector::skip(part.rows.start), RowSelector::select(part.rows.len())];
            reader = reader.with_row_selection(RowSelection::from(selectors));
        }
        let missing = || ParquetError::General("rows are missing".to_owned());
        let batch = reader.build()?.next().ok_or_else(missing)??;
        if batch.num_rows() == part.rows.len() { Ok(batch) } else { Err(missing()) }
    }
}

/// Bytes of a file from `start` on, as if the rest was there too.
#[derive(Debug)]
pub(super) struct PartOfFile {
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
