//! Encodes a column of a row group: a dictionary, if it has one, and a page for each unit of rows.
//!
//! The library's own writer takes columns row by row: it looks up anew what the key of each row is in a
//! dictionary, copies texts one at a time, and makes contexts of zstd for every column. Here keys that are
//! known are taken, texts are copied as they lie, and contexts serve a whole row group. What pages contain is
//! laid down in Parquet's specification, "Data Pages" and "Encodings"; their headers are the library's.

use std::io::{self, Cursor};
use std::ops::Range;

use bytes::Bytes;
use hashbrown::HashMap;
use parquet::basic::{Compression, Encoding, Type, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;
use zstd::zstd_safe;

use super::WriteError;
use super::columns::{Column, TextColumn};
use super::packing::{delta, hybrid, run, width};
use super::units::unit_rows;
use crate::shape::Kind;

/// A context of zstd for each level, made when it is first needed.
#[derive(Default)]
pub(super) struct Contexts(Vec<(i32, Compressor<'static>)>);

impl Contexts {
    fn of(&mut self, level: i32) -> io::Result<&mut Compressor<'static>> {
        let known = self.0.iter().position(|(of, _)| *of == level);
        let place = match known {
            Some(place) => place,
            None => {
                self.0.push((level, Compressor::new(level)?));
                self.0.len() - 1
            }
        };
        Ok(&mut self.0[place].1)
    }
}

/// Encodes what `rows` rows have in the column `descr`: the bytes, and where in them what is. `level` is that
/// of zstd, unless the column knows better. Of those that ask for it the least and the greatest value are
/// noted.
pub(super) fn encode(
    column: &Column,
    descr: ColumnDescPtr,
    rows: usize,
    level: i32,
    has_bounds: bool,
    contexts: &mut Contexts,
) -> Result<(Bytes, ColumnCloseResult), WriteError> {
    let level = if let Column::Texts(_, manner) = column { manner.level } else { level };
    let mut chunk = Chunk::new(descr, rows, level, contexts)?;
    match column {
        Column::Named { texts, keys } => {
            chunk.dictionary(texts.iter().map(String::as_bytes))?;
            chunk.keys(keys)?;
        }
        Column::Recurring(numbers) => {
            let (different, keys) = numbered(numbers.iter().copied());
            chunk.number_dictionary(&different)?;
            chunk.keys(&keys)?;
        }
        Column::Running(numbers) => chunk.pages(Encoding::DELTA_BINARY_PACKED, |unit, _, values| {
            delta(&numbers[unit.clone()], values);
        })?,
        Column::Texts(texts, manner) => match manner.kind {
            Kind::Repeating => chunk.repeating(texts)?,
            Kind::Varying => chunk.varying(texts)?,
            Kind::Continuing => chunk.continuing(texts)?,
        },
    }
    let bounds = has_bounds.then(|| bounds(column)).flatten();
    chunk.close(bounds)
}

/// The numbers of different values in the order of their first appearance, and these.
fn numbered<T: Copy + Eq + std::hash::Hash>(values: impl Iterator<Item = T>) -> (Vec<T>, Vec<u32>) {
    let (mut different, mut known) = (Vec::new(), HashMap::new());
    let mut last = None;
    let number = |value| match last {
        Some((last, number)) if last == value => number,
        _ => {
            let number = *known.entry(value).or_insert_with(|| {
                different.push(value);
                different.len() as u32 - 1
            });
            last = Some((value, number));
            number
        }
    };
    let numbers = values.map(number).collect();
    (different, numbers)
}

fn bounds(column: &Column) -> Option<Statistics> {
    match column {
        Column::Running(numbers) | Column::Recurring(numbers) => {
            let (least, greatest) = (numbers.iter().min().copied(), numbers.iter().max().copied());
            Some(Statistics::int64(least, greatest, None, Some(0), false))
        }
        Column::Named { texts, .. } => {
            let value = |text: Option<&String>| text.map(|text| ByteArray::from(text.as_str()));
            let (least, greatest) = (value(texts.iter().min()), value(texts.iter().max()));
            Some(Statistics::byte_array(least, greatest, None, Some(0), false))
        }
        Column::Texts(..) => None,
    }
}

/// A column in the making.
struct Chunk<'z> {
    descr: ColumnDescPtr,
    rows: usize,
    compression: Compression,
    zstd: &'z mut Compressor<'static>,
    sink: TrackedWrite<Vec<u8>>,
    uncompressed_bytes: usize,
    encodings: Vec<Encoding>,
    dictionary_offset: Option<u64>,
    data_offset: u64,
    index: OffsetIndexBuilder,
}

impl<'z> Chunk<'z> {
    fn new(
        descr: ColumnDescPtr,
        rows: usize,
        level: i32,
        contexts: &'z mut Contexts,
    ) -> Result<Self, WriteError> {
        Ok(Self {
            descr,
            rows,
            compression: Compression::ZSTD(ZstdLevel::try_new(level)?),
            zstd: contexts.of(level)?,
            sink: TrackedWrite::new(Vec::new()),
            uncompressed_bytes: 0,
            encodings: Vec::new(),
            dictionary_offset: None,
            data_offset: 0,
            index: OffsetIndexBuilder::new(),
        })
    }

    /// Texts that recur, by their numbers.
    fn repeating(&mut self, texts: &TextColumn) -> Result<(), WriteError> {
        let (different, keys) =
            numbered(texts.present_in(&(0..self.rows)).flatten().map(|row| texts.text(row)));
        self.dictionary(different.into_iter())?;
        let mut done = 0;
        self.pages_of(texts, Encoding::RLE_DICTIONARY, |present, values| {
            let count: usize = present.iter().map(Range::len).sum();
            put_keys(&keys[done..done + count], values);
            done += count;
        })
    }

    /// Texts with their lengths before them.
    fn varying(&mut self, texts: &TextColumn) -> Result<(), WriteError> {
        self.pages_of(texts, Encoding::DELTA_LENGTH_BYTE_ARRAY, |present, values| {
            let rows = present.iter().cloned().flatten();
            delta(&rows.map(|row| texts.text(row).len() as i64).collect::<Vec<_>>(), values);
            present.iter().for_each(|run| values.extend_from_slice(texts.texts(run.clone())));
        })
    }

    /// Of each text what the one before it does not begin with.
    fn continuing(&mut self, texts: &TextColumn) -> Result<(), WriteError> {
        let (mut same, mut lengths, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        self.pages_of(texts, Encoding::DELTA_BYTE_ARRAY, |present, values| {
            same.clear();
            lengths.clear();
            rest.clear();
            let mut last = &[][..];
            for text in present.iter().cloned().flatten().map(|row| texts.text(row)) {
                let shared = last.iter().zip(text).take_while(|(a, b)| a == b).count();
                same.push(shared as i64);
                lengths.push((text.len() - shared) as i64);
                rest.extend_from_slice(&text[shared..]);
                last = text;
            }
            delta(&same, values);
            delta(&lengths, values);
            values.extend_from_slice(&rest);
        })
    }

    /// A dictionary of texts, each with its length before it.
    fn dictionary<'t>(&mut self, texts: impl ExactSizeIterator<Item = &'t [u8]>) -> Result<(), WriteError> {
        let (count, mut values) = (texts.len(), Vec::new());
        for text in texts {
            values.extend_from_slice(&(text.len() as u32).to_le_bytes());
            values.extend_from_slice(text);
        }
        self.dictionary_page(&values, count)
    }

    fn number_dictionary(&mut self, numbers: &[i64]) -> Result<(), WriteError> {
        debug_assert_eq!(self.descr.physical_type(), Type::INT64, "the only ones that recur");
        let values: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.dictionary_page(&values, numbers.len())
    }

    fn dictionary_page(&mut self, values: &[u8], count: usize) -> Result<(), WriteError> {
        let page = Page::DictionaryPage {
            buf: self.compressed(&[], values)?.into(),
            num_values: count as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        self.dictionary_offset = Some(0);
        self.encodings.push(Encoding::PLAIN);
        let written = self.write(page, values.len())?;
        self.data_offset = written.end;
        Ok(())
    }

    /// Pages of the keys of the first rows; those behind have nothing.
    fn keys(&mut self, keys: &[u32]) -> Result<(), WriteError> {
        self.pages(Encoding::RLE_DICTIONARY, |unit, present, values| {
            let there = unit.start.min(keys.len())..unit.end.min(keys.len());
            put_keys(&keys[there.clone()], values);
            present.extend(Some(there).filter(|there| !there.is_empty()));
        })
    }

    /// Pages of what `put` makes of the rows of each that are there.
    fn pages_of(
        &mut self,
        texts: &TextColumn,
        encoding: Encoding,
        mut put: impl FnMut(&[Range<usize>], &mut Vec<u8>),
    ) -> Result<(), WriteError> {
        self.pages(encoding, |unit, present, values| {
            present.extend(texts.present_in(unit));
            put(present, values);
        })
    }

    /// A page for each unit. `put` is given its rows, and appends those of them that have a value, in runs, and
    /// the values; of a column that every row has a value in, only the values.
    fn pages(
        &mut self,
        encoding: Encoding,
        mut put: impl FnMut(&Range<usize>, &mut Vec<Range<usize>>, &mut Vec<u8>),
    ) -> Result<(), WriteError> {
        self.encodings.extend([encoding, Encoding::RLE]);
        let (mut present, mut levels, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let unit = unit_rows(self.rows);
        for start in (0..self.rows).step_by(unit) {
            let rows = start..self.rows.min(start + unit);
            present.clear();
            levels.clear();
            values.clear();
            put(&rows, &mut present, &mut values);
            let mut nulls = 0;
            if self.descr.max_def_level() > 0 {
                put_levels(&rows, &present, &mut levels);
                nulls = rows.len() - present.iter().map(Range::len).sum::<usize>();
            }
            self.data_page(encoding, rows.len(), nulls, &levels, &values)?;
        }
        Ok(())
    }

    fn data_page(
        &mut self,
        encoding: Encoding,
        rows: usize,
        nulls: usize,
        levels: &[u8],
        values: &[u8],
    ) -> Result<(), WriteError> {
        let mut page = self.compressed(levels, values)?;
        let is_compressed = page.len() < levels.len() + values.len();
        if !is_compressed {
            page.truncate(levels.len());
            page.extend_from_slice(values);
        }
        let page = Page::DataPageV2 {
            buf: page.into(),
            num_values: rows as u32,
            encoding,
            num_nulls: nulls as u32,
            num_rows: rows as u32,
            def_levels_byte_len: levels.len() as u32,
            rep_levels_byte_len: 0,
            is_compressed,
            statistics: None,
        };
        let written = self.write(page, levels.len() + values.len())?;
        self.index.append_row_count(rows as i64);
        self.index.append_offset_and_size(written.start as i64, (written.end - written.start) as i32);
        Ok(())
    }

    /// `levels`, which are never compressed, and behind them `values`, which are.
    fn compressed(&mut self, levels: &[u8], values: &[u8]) -> Result<Vec<u8>, WriteError> {
        let mut page = Vec::with_capacity(levels.len() + zstd_safe::compress_bound(values.len()));
        page.extend_from_slice(levels);
        let mut behind = Cursor::new(page);
        behind.set_position(levels.len() as u64);
        self.zstd.compress_to_buffer(values, &mut behind)?;
        Ok(behind.into_inner())
    }

    /// Writes a page: where it is.
    fn write(&mut self, page: Page, uncompressed_len: usize) -> Result<Range<u64>, ParquetError> {
        let mut writer = SerializedPageWriter::new(&mut self.sink);
        let written = writer.write_page(CompressedPage::new(page, uncompressed_len))?;
        self.uncompressed_bytes += written.uncompressed_size;
        Ok(written.offset..written.offset + written.bytes_written)
    }

    fn close(self, bounds: Option<Statistics>) -> Result<(Bytes, ColumnCloseResult), WriteError> {
        let bytes = Bytes::from(self.sink.into_inner()?);
        let mut metadata = ColumnChunkMetaData::builder(self.descr)
            .set_compression(self.compression)
            .set_encodings(self.encodings)
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(self.uncompressed_bytes as i64)
            .set_dictionary_page_offset(self.dictionary_offset.map(|offset| offset as i64))
            .set_data_page_offset(self.data_offset as i64);
        if let Some(bounds) = bounds {
            metadata = metadata.set_statistics(bounds);
        }
        let encoded = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(self.index.build()),
        };
        Ok((bytes, encoded))
    }
}

/// The width of keys, and these.
fn put_keys(keys: &[u32], values: &mut Vec<u8>) {
    let width = width(keys.iter().max().copied().unwrap_or(0).into());
    values.push(width as u8);
    hybrid(keys, width, values);
}

/// Which of `rows` have a value: those of `present`.
fn put_levels(rows: &Range<usize>, present: &[Range<usize>], levels: &mut Vec<u8>) {
    let mut done = rows.start;
    for there in present {
        if done < there.start {
            run(0, there.start - done, 1, levels);
        }
        run(1, there.len(), 1, levels);
        done = there.end;
    }
    if done < rows.end {
        run(0, rows.end - done, 1, levels);
    }
}
