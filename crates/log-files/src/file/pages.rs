//! The pages of a column, from the bytes of a row group. The library reads their headers; what they contain
//! is laid down in Parquet's specification, "Data Pages" and "Encodings".

use std::cell::RefCell;
use std::io::Cursor;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageReader as _};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::{OffsetIndexMetaData, PageLocation};
use parquet::file::serialized_reader::SerializedPageReader;
use zstd::bulk::Decompressor;
use zstd::zstd_safe;

use super::MalformedFile;
use super::reader::PartOfFile;
use crate::row_ranges::RowRanges;

/// More memory is not taken for what pages of a row group contain, whatever they say.
pub(super) const BYTES_MAX: usize = 512 << 20;

pub(super) const DAMAGED: MalformedFile = MalformedFile("a row group cannot be decoded");

/// Where a column is, and which rows of it are read.
pub(super) struct Chunk<'f> {
    pub(super) source: Arc<PartOfFile>,
    pub(super) metadata: &'f ColumnChunkMetaData,
    pub(super) pages: Option<&'f OffsetIndexMetaData>,
    /// How many rows the row group has.
    pub(super) row_count: usize,
    /// The rows of the part, among which those are that are asked for.
    pub(super) part: Range<usize>,
    /// Which are asked for, counted from the first one of the part.
    pub(super) asked: &'f RowRanges,
}

impl Chunk<'_> {
    /// Those of `rows` of the row group that are asked for.
    pub(super) fn asked_in(&self, rows: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let start = self.part.start;
        let of_part = rows.start.saturating_sub(start)..rows.end.saturating_sub(start);
        self.asked.within(of_part)
    }

    /// Whether there may be rows without a value.
    pub(super) fn is_nullable(&self) -> bool {
        self.metadata.column_descr().max_def_level() > 0
    }
}

/// The pages of a column that hold the rows that are asked for.
pub(super) struct RawPages<'c> {
    reader: SerializedPageReader<PartOfFile>,
    chunk: &'c Chunk<'c>,
    is_compressed: bool,
    /// The first row of the next page.
    row: usize,
}

/// A page as it is.
pub(super) enum RawPage {
    Dictionary { bytes: Bytes, count: usize, is_compressed: bool },
    Data(DataPage),
}

/// A page with values.
pub(super) struct DataPage {
    pub(super) bytes: Bytes,
    /// How many of the first of them are levels, which are never compressed.
    pub(super) level_bytes: usize,
    /// Its rows in the row group.
    pub(super) rows: Range<usize>,
    pub(super) encoding: Encoding,
    pub(super) is_compressed: bool,
}

impl<'c> RawPages<'c> {
    pub(super) fn open(chunk: &'c Chunk<'c>) -> Result<Self, ParquetError> {
        let is_compressed = match chunk.metadata.compression() {
            Compression::ZSTD(_) => true,
            Compression::UNCOMPRESSED => false,
            _ => return Err(ParquetError::General("compressed in another way".to_owned())),
        };
        // The library is told that nothing is compressed, and so leaves decompressing to us, who have a place
        // for it.
        let metadata = chunk.metadata.clone().into_builder().set_compression(Compression::UNCOMPRESSED);
        let pages = chunk.pages.map(|pages| pages.page_locations().clone());
        if pages.as_ref().is_some_and(|pages| !are_within(pages, chunk)) {
            return Err(ParquetError::General("pages that are elsewhere".to_owned()));
        }
        let source = chunk.source.clone();
        let reader = SerializedPageReader::new(source, &metadata.build()?, chunk.row_count, pages)?;
        Ok(Self { reader, chunk, is_compressed, row: 0 })
    }

    /// The next page.
    pub(super) fn next(&mut self) -> Result<Option<RawPage>, ParquetError> {
        let last = self.chunk.asked.ranges().last();
        let end = last.map_or(0, |last| self.chunk.part.start + last.end);
        while self.row < end {
            let missing = || ParquetError::General("rows are missing".to_owned());
            let rows = self.reader.peek_next_page()?.ok_or_else(missing)?.num_rows;
            if let Some(rows) = rows
                && self.chunk.asked_in(&(self.row..self.row + rows)).next().is_none()
            {
                self.reader.skip_next_page()?;
                self.row += rows;
                continue;
            }
            return Ok(Some(match self.reader.get_next_page()?.ok_or_else(missing)? {
                Page::DictionaryPage { buf: bytes, num_values, .. } => {
                    let (count, is_compressed) = (num_values as usize, self.is_compressed);
                    RawPage::Dictionary { bytes, count, is_compressed }
                }
                Page::DataPageV2 {
                    buf: bytes,
                    num_rows,
                    encoding,
                    def_levels_byte_len,
                    rep_levels_byte_len: 0,
                    is_compressed,
                    ..
                } if self.row + num_rows as usize <= self.chunk.row_count => {
                    let rows = self.row..self.row + num_rows as usize;
                    self.row = rows.end;
                    RawPage::Data(DataPage {
                        bytes,
                        level_bytes: def_levels_byte_len as usize,
                        rows,
                        encoding,
                        is_compressed: is_compressed && self.is_compressed,
                    })
                }
                _ => return Err(ParquetError::General("a page of another kind".to_owned())),
            }));
        }
        Ok(None)
    }
}

/// Whether pages lie in their column, one behind the other, and so do their rows: the library takes that for
/// granted.
fn are_within(pages: &[PageLocation], chunk: &Chunk<'_>) -> bool {
    let (start, len) = chunk.metadata.byte_range();
    let in_column = |page: &PageLocation| {
        let offset = u64::try_from(page.offset).ok().and_then(|offset| offset.checked_sub(start));
        let size = u64::try_from(page.compressed_page_size).ok();
        let end = offset.zip(size).and_then(|(offset, size)| offset.checked_add(size));
        end.is_some_and(|end| end <= len)
    };
    let rows = |page: &PageLocation| page.first_row_index;
    pages.iter().all(in_column)
        && pages.is_sorted_by_key(rows)
        && pages.first().is_none_or(|page| rows(page) == 0)
        && pages.last().is_none_or(|page| rows(page) <= chunk.row_count as i64)
}

thread_local! {
    /// Making one takes as long as using it for a page.
    static ZSTD: RefCell<Option<Decompressor<'static>>> = RefCell::new(Decompressor::new().ok());
}

/// Decompresses to the end of what is there.
pub(super) fn decompress(bytes: &[u8], is_compressed: bool, to: &mut Vec<u8>) -> Option<()> {
    let start = to.len();
    if !is_compressed || bytes.is_empty() {
        to.extend_from_slice(bytes);
        return Some(());
    }
    let length = zstd_safe::get_frame_content_size(bytes).ok().flatten()?;
    let end = start.checked_add(usize::try_from(length).ok()?).filter(|end| *end <= BYTES_MAX)?;
    to.try_reserve_exact(end - start).ok()?;
    // Behind what is there, in memory that is not cleared first.
    let mut behind = Cursor::new(std::mem::take(to));
    behind.set_position(start as u64);
    let written = ZSTD.with_borrow_mut(|zstd| Some(zstd.as_mut()?.decompress_to_buffer(bytes, &mut behind)));
    *to = behind.into_inner();
    written?.ok().map(|_| ())
}
