//! Columns of numbers, which every row has.

use parquet::basic::{Encoding, Type};

use super::MalformedFile;
use super::bits::{Run, delta, hybrid, unpack};
use super::pages::{Chunk, DAMAGED, DataPage, RawPage, RawPages, decompress};

/// The numbers of the rows that are asked for.
pub(super) fn read(chunk: &Chunk<'_>) -> Result<Vec<i64>, MalformedFile> {
    let mut pages = RawPages::open(chunk).map_err(|_| DAMAGED)?;
    let mut numbers = Vec::with_capacity(chunk.asked.len());
    let (mut dictionary, mut scratch, mut of_page) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(page) = pages.next().map_err(|_| DAMAGED)? {
        scratch.clear();
        match page {
            RawPage::Dictionary { bytes, count, is_compressed } => {
                decompress(&bytes, is_compressed, &mut scratch).ok_or(DAMAGED)?;
                dictionary = plain(&scratch, chunk.metadata.column_type()).ok_or(DAMAGED)?;
                if dictionary.len() != count {
                    return Err(DAMAGED);
                }
            }
            RawPage::Data(page) if page.level_bytes == 0 => {
                decompress(&page.bytes, page.is_compressed, &mut scratch).ok_or(DAMAGED)?;
                of_page.clear();
                add(&page, &scratch, &dictionary, &mut of_page).ok_or(DAMAGED)?;
                let offset = |row: usize| chunk.part.start + row - page.rows.start;
                for asked in chunk.asked_in(&page.rows) {
                    let asked = of_page.get(offset(asked.start)..offset(asked.end));
                    numbers.extend_from_slice(asked.ok_or(DAMAGED)?);
                }
            }
            RawPage::Data(_) => return Err(DAMAGED),
        }
    }
    if numbers.len() == chunk.asked.len() { Ok(numbers) } else { Err(DAMAGED) }
}

fn plain(bytes: &[u8], of: Type) -> Option<Vec<i64>> {
    match of {
        Type::INT64 => Some(bytes.as_chunks().0.iter().map(|number| i64::from_le_bytes(*number)).collect()),
        Type::INT32 => {
            Some(bytes.as_chunks().0.iter().map(|number| i32::from_le_bytes(*number).into()).collect())
        }
        _ => None,
    }
}

/// Adds all numbers of a page.
fn add(page: &DataPage, mut bytes: &[u8], dictionary: &[i64], numbers: &mut Vec<i64>) -> Option<()> {
    let count = page.rows.len();
    match page.encoding {
        Encoding::DELTA_BINARY_PACKED => delta(&mut bytes, count, |number| numbers.push(number)),
        Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
            let (width, keys) = bytes.split_first()?;
            let width = u32::from(*width);
            hybrid(keys, width, count, |run| match run {
                Run::Repeated { value, count } => {
                    let number = *dictionary.get(value as usize)?;
                    numbers.extend(std::iter::repeat_n(number, count));
                    Some(())
                }
                Run::Packed { bytes, count } => {
                    let mut known = true;
                    unpack(bytes, width, count, |key| match dictionary.get(key as usize) {
                        Some(number) => numbers.push(*number),
                        None => known = false,
                    })?;
                    known.then_some(())
                }
            })
        }
        _ => None,
    }
}
