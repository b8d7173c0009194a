//! Blocks: immutable files of samples, written by a flush.
//!
//! # Format, version 1
//!
//! ```text
//! block   = magic "GWMBLOCK" · page* · footer · trailer
//! trailer = footer length u64 · footer CRC-32 u32 · version u16 · "GWMB"
//! page    = flags u8 · rows varint · sets varint · column*      (columns of neighbouring series, see below)
//! column  = length varint · pco stream
//! footer  = base second varint · page count varint · (page length varint · page CRC-32 u32)* · entry*
//! entry   = shared varint · rest of key text · unit u8 · pages on varint · rows varint
//!           · first second varint (from base) · last second varint (from first)
//! ```
//!
//! Fixed-width numbers are little-endian, the rest as [`crate::codec`] has them. Entries ascend by key, then unit; a key
//! shares its first `shared` bytes with the key before. An entry's rows follow those of the entry before; `pages on` says how
//! many pages further they lie.
//!
//! A page holds the columns of neighbouring series until there are [`PAGE_ROWS`] rows: most series bring a few rows to a
//! flush, and a column compresses well only from some thousands on. Neighbours share namespace and name, so their values
//! are alike. Columns are: seconds (as differences, each series from base), values, and unless flag 1 says that all rows
//! are single values of weight 1: kinds (0 plain, 1 shape, 2 set, 3 described set) and weights (of sets: sample counts,
//! their values being sums); then, for sets only, minima and maxima.
//!
//! Each page and the footer have a checksum of their own, so damage is confined to the page that it is in.

mod index;
mod page;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use index::{BlockIndex, Entry, TRAILER_LENGTH, footer_length};
pub(crate) use page::Page;
pub(crate) use writer::{BlockWriter, WrittenBlock};

const MAGIC: &[u8; HEADER_LENGTH] = b"GWMBLOCK";
const MAGIC_END: &[u8; 4] = b"GWMB";
const VERSION: u16 = 1;
const HEADER_LENGTH: usize = 8;
/// A page is closed at the first end of a series from this many rows on.
const PAGE_ROWS: usize = 4096;
/// One entry has at most this many rows, so that reading a short range of a long series does not decode all of it.
const ENTRY_ROWS_MAX: usize = 4 * PAGE_ROWS;
