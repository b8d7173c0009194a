//! A column of numbers of one type, compressed with pco.

use pco::data_types::Number;
use pco::errors::PcoError;
use pco::standalone::simple_decompress;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec};

use crate::codec::{Damaged, Reader, put_varint};

/// The page's columns have no headers of their own.
pub(super) const FLAG_BARE: u8 = 32;

/// How hard to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// For what compaction will write again soon: a quarter of the time, some hundredths more bytes.
    Quick,
    /// For what stays: several ways, of which the best is kept.
    Thorough,
}

/// The library's level for what is written again soon.
const LEVEL_QUICK: usize = 5;

/// Appends a column, which is [`FLAG_BARE`].
pub(super) fn put_column<T: Number>(out: &mut Vec<u8>, numbers: &[T], effort: Effort) {
    let compress = |delta| {
        let config = ChunkConfig::default().with_delta_spec(delta);
        let config = match effort {
            Effort::Quick => config.with_compression_level(LEVEL_QUICK),
            Effort::Thorough => config,
        };
        compress(numbers, &config)
            .expect("configurations here are valid for every type, and memory takes all")
    };
    let mut compressed = compress(DeltaSpec::Auto);
    if effort == Effort::Thorough {
        // The library looks at a part of the column to decide, and often errs with as few rows as these.
        for delta in [DeltaSpec::NoOp, DeltaSpec::TryConsecutive(1)] {
            let other = compress(delta);
            if other.len() < compressed.len() {
                compressed = other;
            }
        }
    }
    put_varint(out, compressed.len() as u64);
    out.extend_from_slice(&compressed);
}

/// Reads a column of `rows` numbers.
pub(super) fn column<T: Number>(reader: &mut Reader<'_>, flags: u8, rows: usize) -> Result<Vec<T>, Damaged> {
    let length = reader.index()?;
    let bytes = reader.bytes(length)?;
    let numbers = if flags & FLAG_BARE == 0 { simple_decompress(bytes) } else { decompress(bytes, rows) };
    let numbers = numbers.map_err(|_| Damaged("a column does not decompress"))?;
    if numbers.len() == rows { Ok(numbers) } else { Err(Damaged("a column has another number of rows")) }
}

fn compress<T: Number>(numbers: &[T], config: &ChunkConfig) -> Result<Vec<u8>, PcoError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let file = FileCompressor::default();
    let mut chunk = file.chunk_compressor(numbers, config)?;
    let out = chunk.write_meta(file.write_header(Vec::new())?)?;
    chunk.write_page(0, out)
}

fn decompress<T: Number>(bytes: &[u8], rows: usize) -> Result<Vec<T>, PcoError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let (file, rest) = FileDecompressor::new(bytes)?;
    let (mut chunk, rest) = file.chunk_decompressor::<T, _>(rest)?;
    let mut numbers = vec![T::default(); rows];
    let read = chunk.page_decompressor(rest, rows)?.read(&mut numbers)?;
    numbers.truncate(read.n_processed);
    Ok(numbers)
}
