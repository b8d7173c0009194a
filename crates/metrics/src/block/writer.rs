//! Writes a block: series in the order of their keys, one page after the other, the footer last.

use crate::codec::{put_text, put_varint};
use crate::sample::Samples;
use crate::{Second, Unit};

use super::page::Page;
use super::{
    BLOCK_BYTES, BLOCK_ENTRIES, ENTRY_ROWS_MAX, MAGIC, MAGIC_END, OWN_PAGE_ROWS, PAGE_ROWS, VERSION,
};

/// Of zstd.
const FOOTER_LEVEL: i32 = 3;

/// A block in the making.
#[derive(Debug)]
pub(crate) struct BlockWriter {
    out: Vec<u8>,
    base: Second,
    page: Page,
    page_starts: Vec<usize>,
    pages: Vec<u8>,
    page_count: u64,
    entries: Vec<u8>,
    entry_count: usize,
    first_key: String,
    key_before: String,
    entry_page_before: u64,
    rows: u64,
    first: Second,
    last: Second,
}

/// A finished block.
#[derive(Debug)]
pub(crate) struct WrittenBlock {
    pub(crate) bytes: Vec<u8>,
    pub(crate) rows: u64,
    /// The earliest second.
    pub(crate) first: Second,
    /// The latest second.
    pub(crate) last: Second,
    /// The first series' key.
    pub(crate) first_key: String,
    /// The last series' key.
    pub(crate) last_key: String,
}

impl BlockWriter {
    /// An empty block. Seconds near `base` are the cheapest.
    pub(crate) fn new(base: Second) -> Self {
        Self {
            out: MAGIC.to_vec(),
            base,
            page: Page::default(),
            page_starts: Vec::new(),
            pages: Vec::new(),
            page_count: 0,
            entries: Vec::new(),
            entry_count: 0,
            first_key: String::new(),
            key_before: String::new(),
            entry_page_before: 0,
            rows: 0,
            first: Second::MAX,
            last: Second::MIN,
        }
    }

    /// Appends a series' samples of one unit, sorted. Keys ascend from call to call.
    pub(crate) fn push(&mut self, key: &str, unit: Unit, samples: &Samples) {
        debug_assert!(key >= self.key_before.as_str(), "series are written in the order of their keys");
        if samples.len() <= ENTRY_ROWS_MAX {
            self.push_entry(key, unit, samples);
            return;
        }
        for plain in samples.plain.chunks(ENTRY_ROWS_MAX) {
            self.push_entry(key, unit, &Samples { plain: plain.to_vec(), ..Samples::default() });
        }
        for shapes in samples.shapes.chunks(ENTRY_ROWS_MAX) {
            self.push_entry(key, unit, &Samples { shapes: shapes.to_vec(), ..Samples::default() });
        }
        for sets in samples.sets.chunks(ENTRY_ROWS_MAX) {
            self.push_entry(key, unit, &Samples { sets: sets.to_vec(), ..Samples::default() });
        }
    }

    fn push_entry(&mut self, key: &str, unit: Unit, samples: &Samples) {
        let Some((first, last)) = samples.span() else { return };
        let own_page = samples.len() >= OWN_PAGE_ROWS;
        if self.page.rows() >= if own_page { 1 } else { PAGE_ROWS } {
            self.close_page();
        }
        let shared = shared_prefix(&self.key_before, key);
        put_varint(&mut self.entries, shared as u64);
        put_text(&mut self.entries, &key[shared..]);
        self.entries.push(unit.code());
        put_varint(&mut self.entries, self.page_count - self.entry_page_before);
        put_varint(&mut self.entries, samples.len() as u64);
        put_varint(&mut self.entries, u64::from(first.0.wrapping_sub(self.base.0)));
        put_varint(&mut self.entries, u64::from(last.0 - first.0));
        self.entry_page_before = self.page_count;
        key.clone_into(&mut self.key_before);
        if self.entry_count == 0 {
            key.clone_into(&mut self.first_key);
        }
        self.entry_count += 1;
        self.page_starts.push(self.page.rows());
        self.page.push(samples);
        self.rows += samples.len() as u64;
        self.first = self.first.min(first);
        self.last = self.last.max(last);
        if own_page {
            self.close_page();
        }
    }

    /// Whether the next series had better go to another block: bounds what is held in memory, of a block that
    /// is written and of the index of one that is read.
    pub(crate) fn is_full(&self) -> bool {
        self.entry_count >= BLOCK_ENTRIES || self.out.len() >= BLOCK_BYTES
    }

    fn close_page(&mut self) {
        let page = std::mem::take(&mut self.page).encode(self.base, &self.page_starts);
        self.page_starts.clear();
        put_varint(&mut self.pages, page.len() as u64);
        self.pages.extend_from_slice(&crc32fast::hash(&page).to_le_bytes());
        self.page_count += 1;
        self.out.extend_from_slice(&page);
    }

    /// The finished block; `None` if it has no rows.
    pub(crate) fn finish(mut self) -> Option<WrittenBlock> {
        if self.rows == 0 {
            return None;
        }
        if self.page.rows() > 0 {
            self.close_page();
        }
        let mut index = Vec::with_capacity(self.pages.len() + self.entries.len() + 20);
        put_varint(&mut index, u64::from(self.base.0));
        put_varint(&mut index, self.page_count);
        index.extend_from_slice(&self.pages);
        index.extend_from_slice(&self.entries);
        let mut footer = Vec::new();
        put_varint(&mut footer, index.len() as u64);
        // Keys of neighbours are shortened already; but hosts come again with each metric's name.
        let compressed = zstd::bulk::compress(&index, FOOTER_LEVEL);
        footer.extend_from_slice(&compressed.expect("memory takes whatever is compressed into it"));
        self.out.extend_from_slice(&footer);
        self.out.extend_from_slice(&(footer.len() as u64).to_le_bytes());
        self.out.extend_from_slice(&crc32fast::hash(&footer).to_le_bytes());
        self.out.extend_from_slice(&VERSION.to_le_bytes());
        self.out.extend_from_slice(MAGIC_END);
        Some(WrittenBlock {
            bytes: self.out,
            rows: self.rows,
            first: self.first,
            last: self.last,
            first_key: self.first_key,
            last_key: self.key_before,
        })
    }
}

/// How many bytes two keys share at their beginnings, cut to a whole character.
fn shared_prefix(a: &str, b: &str) -> usize {
    let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    b.floor_char_boundary(shared)
}
