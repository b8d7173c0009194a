//! Segments: events that left memory, as immutable objects.
//!
//! An object of this format (version 1), integers little-endian:
//!
//! ```text
//! magic "GWLOGSEG" · version u32
//! blocks, each compressed with zstd: about 256 KiB of runs, one after the other
//! index, compressed with zstd (see [`index`])
//! compressed bytes of the index u32 · raw bytes of the index u32 · magic "GWLOGSEG"
//! ```
//!
//! A *run* holds the events of one stream in one block: event batches as in the journal, each after its length (u32), by
//! the time of their first event. Runs are sorted by group, stream and time; batches that overlap in time are merged by
//! the reader. The index has the bounds of every run, so that a read touches only the blocks that hold what it looks
//! for. Checksums are kept with the object's registration, by `groundwatch-storage`, which verifies what it reads: a
//! damaged block costs only itself.
//!
//! This is the format of early files: written in one pass straight from the head, at the cost of a copy and the
//! compression. Everything that knows it is in this directory; the rest of the store sees [`SegmentWriter`],
//! [`SegmentStore`] and [`StoredRun`].
//!
//! What it costs: an object's index takes about 60 bytes a run and 100 a stream; indexes that were used lately are kept
//! in memory up to a fixed size. A read of a block is one `pread` and one decompression.

mod block;
mod cache;
mod index;
mod reader;
mod writer;

pub(super) use block::BlockCache;
pub(super) use reader::{Segment, SegmentStore, StoredRun, StoredStream};
pub(super) use writer::{SegmentWriter, WrittenSegment};

/// What every object begins and ends with.
const MAGIC: &[u8; 8] = b"GWLOGSEG";
/// The format's version.
const VERSION: u32 = 1;
/// Magic and version.
const HEADER_BYTES: usize = 12;
/// Index sizes and the magic.
const TRAILER_BYTES: usize = 16;
/// How much text goes into a block before the next one begins.
const BLOCK_BYTES: usize = 256 * 1024;
/// The largest raw block: one event of 1 MiB and what describes it.
const BLOCK_BYTES_MAX: usize = 2 * 1024 * 1024;

/// An object that is not as the writer makes it: damaged, or made by a newer release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct MalformedSegment(&'static str);
