//! What a block's footer says: where which series' rows lie. In memory 32 bytes an entry.

use std::borrow::Cow;

use crate::codec::{Damaged, Reader};
use crate::store::SeriesId;
use crate::{Second, Unit};

use super::page::Page;
use super::{FOOTER_BYTES_MAX, HEADER_LENGTH, MAGIC_END, VERSION, VERSION_COMPRESSED, VERSION_OLDEST};

/// Length of a block's trailer, in bytes.
pub(crate) const TRAILER_LENGTH: usize = 8 + 4 + 2 + 4;

/// The pages and entries of a block.
#[derive(Debug)]
pub(crate) struct BlockIndex {
    base: Second,
    pages: Vec<PageRef>,
    /// In the block's order: by key, then unit.
    entries: Vec<Entry>,
    /// Entries by series, then in the block's order.
    by_series: Vec<u32>,
}

/// Where a page lies, and which rows of it begin a series.
#[derive(Debug)]
pub(crate) struct PageRef {
    /// Bytes from the block's beginning.
    pub(crate) offset: u64,
    /// Length in bytes.
    pub(crate) length: u64,
    crc: u32,
    starts: Vec<u32>,
}

/// Some rows of one series and unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) series: SeriesId,
    pub(crate) unit: Unit,
    pub(crate) page: u32,
    row: u32,
    pub(crate) rows: u32,
    pub(crate) first: Second,
    pub(crate) last: Second,
}

/// The length of the footer that ends before `trailer`.
pub(crate) fn footer_length(trailer: &[u8]) -> Result<u64, Damaged> {
    parse_trailer(trailer).map(|(length, _)| length)
}

/// The length of the footer, and the version.
fn parse_trailer(trailer: &[u8]) -> Result<(u64, u16), Damaged> {
    let (length, rest) = trailer.split_first_chunk::<8>().ok_or(Damaged("the block is too short"))?;
    if rest.get(6..) != Some(MAGIC_END) {
        return Err(Damaged("the block does not end as a block does"));
    }
    let version = rest.get(4..6).and_then(|version| version.try_into().ok()).map(u16::from_le_bytes);
    let version = version.filter(|version| (VERSION_OLDEST..=VERSION).contains(version));
    let version = version.ok_or(Damaged("the block has a version that this release does not know"))?;
    Ok((u64::from_le_bytes(*length), version))
}

/// The index that is in a footer.
fn decompress(footer: &[u8], version: u16) -> Result<Cow<'_, [u8]>, Damaged> {
    if version < VERSION_COMPRESSED {
        return Ok(Cow::Borrowed(footer));
    }
    let mut reader = Reader::new(footer);
    let length = reader.index()?;
    if length > FOOTER_BYTES_MAX {
        return Err(Damaged("the footer is too long"));
    }
    let index = zstd::bulk::decompress(reader.rest(), length);
    let index = index.map_err(|_| Damaged("the footer does not decompress"))?;
    if index.len() == length { Ok(Cow::Owned(index)) } else { Err(Damaged("the footer is cut off")) }
}

impl BlockIndex {
    /// Reads a footer with its trailer. `series` numbers the series by key.
    pub(crate) fn parse(
        footer_and_trailer: &[u8],
        series: impl Fn(&str) -> Option<SeriesId>,
    ) -> Result<Self, Damaged> {
        let footer_end = footer_and_trailer.len().saturating_sub(TRAILER_LENGTH);
        let (footer, trailer) = footer_and_trailer.split_at(footer_end);
        let (length, version) = parse_trailer(trailer)?;
        if length != footer.len() as u64 {
            return Err(Damaged("the footer has another length"));
        }
        let crc = trailer.get(8..12).and_then(|crc| crc.try_into().ok()).map(u32::from_le_bytes);
        if crc != Some(crc32fast::hash(footer)) {
            return Err(Damaged("the footer's checksum is wrong"));
        }
        let index = decompress(footer, version)?;
        let mut reader = Reader::new(&index);
        let base = Second(u32::try_from(reader.varint()?).map_err(|_| Damaged("the base is out of range"))?);
        let mut pages = read_pages(&mut reader)?;
        let mut entries = Vec::new();
        let mut key = String::new();
        let (mut page, mut row) = (0_usize, 0_u32);
        while !reader.is_empty() {
            let shared = reader.index()?;
            if !key.is_char_boundary(shared) {
                return Err(Damaged("a key shares more than there is"));
            }
            key.truncate(shared);
            key.push_str(reader.text()?);
            let unit = Unit::from_code(reader.byte()?).ok_or(Damaged("a unit is unknown"))?;
            let pages_on = reader.index()?;
            if pages_on > 0 {
                (page, row) = (page.saturating_add(pages_on), 0);
            }
            let rows = u32::try_from(reader.varint()?).map_err(|_| Damaged("an entry has too many rows"))?;
            let first = Second(base.0.wrapping_add(reader.varint()? as u32));
            let last = Second(first.0.wrapping_add(reader.varint()? as u32));
            pages.get_mut(page).ok_or(Damaged("an entry has no page"))?.starts.push(row);
            let series = series(&key).ok_or(Damaged("there are more series than can be numbered"))?;
            entries.push(Entry { series, unit, page: page as u32, row, rows, first, last });
            row = row.checked_add(rows).ok_or(Damaged("a page has too many rows"))?;
        }
        entries.shrink_to_fit();
        let mut by_series: Vec<u32> = (0..entries.len() as u32).collect();
        by_series.sort_by_key(|entry| entries[*entry as usize].series);
        Ok(Self { base, pages, entries, by_series })
    }

    /// Memory that the index takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let starts: usize = self.pages.iter().map(|page| 4 * page.starts.capacity()).sum();
        size_of::<Self>()
            + starts
            + self.pages.len() * size_of::<PageRef>()
            + self.entries.len() * (size_of::<Entry>() + 4)
    }

    /// All entries, by key, then unit.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A series' entries with rows from `from` on and before `until`.
    pub(crate) fn find(&self, series: SeriesId, from: Second, until: Second) -> impl Iterator<Item = &Entry> {
        let entry = |number: &u32| &self.entries[*number as usize];
        let start = self.by_series.partition_point(|number| entry(number).series < series);
        self.by_series[start..]
            .iter()
            .map(entry)
            .take_while(move |entry| entry.series == series)
            .filter(move |entry| from <= entry.last && entry.first < until)
    }

    /// Where an entry's page lies.
    pub(crate) fn page(&self, entry: &Entry) -> &PageRef {
        &self.pages[entry.page as usize]
    }

    /// Decompresses a page that was read from where [`Self::page`] says.
    pub(crate) fn decode(&self, entry: &Entry, bytes: &[u8]) -> Result<Page, Damaged> {
        let page = self.page(entry);
        if crc32fast::hash(bytes) != page.crc {
            return Err(Damaged("a page's checksum is wrong"));
        }
        Page::decode(bytes, self.base, page.starts.iter().map(|row| *row as usize))
    }
}

impl Entry {
    /// The entry's rows within its page.
    pub(crate) fn rows(&self) -> std::ops::Range<usize> {
        self.row as usize..self.row as usize + self.rows as usize
    }
}

fn read_pages(reader: &mut Reader<'_>) -> Result<Vec<PageRef>, Damaged> {
    let mut pages = Vec::new();
    let mut offset = HEADER_LENGTH as u64;
    for _ in 0..reader.varint()? {
        let length = reader.varint()?;
        let crc = reader.bytes(4)?.try_into().map(u32::from_le_bytes);
        let crc = crc.map_err(|_| Damaged("a checksum is missing"))?;
        pages.push(PageRef { offset, length, crc, starts: Vec::new() });
        offset = offset.checked_add(length).ok_or(Damaged("a page lies beyond the end"))?;
    }
    Ok(pages)
}
