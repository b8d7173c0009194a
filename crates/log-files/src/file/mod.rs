//! The format: one Parquet file.
//!
//! ```text
//! row groups · filters of tokens · index, compressed with zstd · Parquet's footer
//! ```
//!
//! Every row is an event. Its columns: `account`, `region`, `log_group`, `log_stream`, `timestamp`,
//! `ingestion_time`, `sequence` and `position` (which order events of one moment), `message`, `shape`, and
//! the columns of slots. Either `message` is there, or `shape` is: a text with the names of slots' columns
//! between marks (U+0011), which are replaced by what these columns hold. Two [`Layout`]s: files of many
//! small groups keep text, sorted by group and key; files of one group are sorted by shape, stream and key
//! within a row group.
//!
//! Rows come in [`units`] of some thousand, each with a page of its own in every column and a filter of its
//! own: what is looked for is found, and read, unit by unit.
//!
//! The [`index`] says which streams a file has, and where: row ranges with the bounds of their keys, so that
//! a read touches only row groups that hold what it looks for. Other readers of Parquet pass over it and over
//! the filters, as nothing in the footer points to them but two entries of metadata for people.
//!
//! What it costs: a row group takes about 5 MB of text, 600 KB on disk when it is compacted. An index takes
//! about 10 bytes a stream and row group; filters take 3 to 5 bytes an event.

mod bits;
mod chunk;
pub(crate) mod columns;
mod index;
mod numbers;
mod packing;
mod pages;
mod reader;
mod row_group;
mod rows;
mod shaped;
pub(crate) mod text_page;
pub(crate) mod texts;
mod units;
mod writer;

pub(crate) use columns::FIXED_COLUMNS;
pub use index::{Part, PartStream, Summary};
pub use reader::LogFile;
pub(crate) use reader::PartColumns;
pub(crate) use units::{Units, unit_rows};
pub use writer::{FileWriter, Layout, WrittenFile};

/// Bytes that are not a file of log events: damaged, or made by a newer release.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MalformedFile(pub(crate) &'static str);

/// Why a file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// What it was to take over is damaged.
    #[error(transparent)]
    Source(#[from] MalformedFile),
    /// A message is not UTF-8.
    #[error("a message is not UTF-8")]
    Utf8(#[from] std::str::Utf8Error),
    /// The library's reason.
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
    /// What could not be put into bytes.
    #[error(transparent)]
    Index(#[from] postcard::Error),
    /// The compressor's reason.
    #[error(transparent)]
    Compression(#[from] std::io::Error),
}
