//! Blocks: immutable files of samples, written by a flush or merged from others by compaction.
//!
//! # Format, version 3
//!
//! ```text
//! block   = magic "GWMBLOCK" · page* · footer · trailer
//! trailer = footer length u64 · footer CRC-32 u32 · version u16 · "GWMB"
//! page    = flags u8 · rows varint · sets varint · steps · values · column*      (see below)
//! steps   = column of i32, or with flag 2: (step signed · how often varint)* until there is one for each row
//! values  = column of f64, or with flag 4: decimal places u8 · numbers in units of the last place
//!           or with flag 8: form u8 · unit varint · denominator count varint · denominator varint*
//!           · (column of u16, which denominator, if there are several) · numbers, the numerators in units
//! numbers = column of i64, or with flag 16: least signed · column of u32, what is added to it
//! column  = length varint · pco stream, or with flag 32: pco header · chunk · page
//! footer  = length varint · zstd stream of that length when decompressed, of index
//! index   = base second varint · page count varint · (page length varint · page CRC-32 u32)* · entry*
//! entry   = shared varint · rest of key text · unit u8 · pages on varint · rows varint
//!           · first second varint (from base) · last second varint (from first)
//! ```
//!
//! Fixed-width numbers are little-endian, the rest as [`crate::codec`] has them. Entries ascend by key, then
//! unit; a key shares its first `shared` bytes with the key before. An entry's rows follow those of the entry
//! before; `pages on` says how many pages further they lie.
//!
//! A page holds the columns of neighbouring series until there are [`PAGE_ROWS`] rows: most series bring a
//! few rows to a flush, and a column compresses well only from some thousands on. Neighbours share namespace
//! and name, so their values are alike. A series of [`OWN_PAGE_ROWS`] rows or more, as compaction makes them,
//! has pages for itself. Steps are seconds as differences, each series from base. Unless flag 1 says that all
//! rows are single values of weight 1, columns follow: kinds (0 plain, 1 shape, 2 set, 3 described set) and
//! weights (of sets: sample counts, their values being sums); then, for sets only, minima and maxima.
//!
//! Version 1 had flag 1 only, version 2 flags 1, 2 and 4, and both had the index as it is for a footer. All
//! are read.
//!
//! Each page and the footer have a checksum of their own, so damage is confined to the page that it is in.

mod column;
mod decimal;
mod index;
mod page;
mod ratio;
#[cfg(test)]
mod tests;
mod values;
mod writer;

pub(crate) use index::{BlockIndex, Entry, TRAILER_LENGTH, footer_length};
pub(crate) use page::Page;
pub(crate) use writer::{BlockWriter, WrittenBlock};

const MAGIC: &[u8; HEADER_LENGTH] = b"GWMBLOCK";
const MAGIC_END: &[u8; 4] = b"GWMB";
const VERSION: u16 = 3;
/// From this version on footers are compressed.
const VERSION_COMPRESSED: u16 = 3;
/// A decompressed footer is at most so long: entries of the longest keys there can be.
const FOOTER_BYTES_MAX: usize = 1 << 30;
const VERSION_OLDEST: u16 = 1;
const HEADER_LENGTH: usize = 8;
/// A page is closed at the first end of a series from this many rows on.
const PAGE_ROWS: usize = 4096;
/// A series with so many rows has a page for itself.
const OWN_PAGE_ROWS: usize = 1024;
/// A block is full with so many entries, or at this length in bytes.
const BLOCK_ENTRIES: usize = 1 << 16;
const BLOCK_BYTES: usize = 64 << 20;
/// One entry has at most this many rows, so that reading a short range of a long series does not decode all
/// of it.
const ENTRY_ROWS_MAX: usize = 4 * PAGE_ROWS;
