//! Files of log events: Parquet that anybody can open, and that a search need not read.
//!
//! Owns the [format](file): how events are laid out in row groups and columns, how the [`shape`]s of messages
//! make them small, and what is known of row groups without reading them ([`Token`]s, times, streams). Does
//! not own where files are, who writes them when, or what a query is: it turns events into bytes
//! ([`FileWriter`]) and bytes into events ([`LogFile`]), and does no input or output of its own.
//!
//! The way through, writing: [`FileWriter::push`] in the order of groups and keys → row groups →
//! [`WrittenFile`]. Reading: the last bytes of a file → [`LogFile::open`] → [`LogFile::parts`] → the bytes of
//! a row group → [`Events`] and [`Messages`] → [`MessageTexts`].
//!
//! What always holds: what is read is what was written, event by event and byte for byte, or an error.

pub mod address;
pub mod event_key;
mod events;
mod file;
pub mod incarnation;
mod messages;
mod requirement;
mod row_ranges;
mod shape;
mod token_collector;
mod token_index;
mod token_texts;
mod tokens;

pub use address::StreamAddress;
pub use event_key::{EventKey, KeyRange};
pub use events::Events;
pub use file::{
    FileWriter, Layout, LogFile, MalformedFile, Part, PartStream, Summary, WriteError, WrittenFile,
};
pub use incarnation::{GroupId, LogStreamId};
pub use messages::{Automaton, MessageTexts, Messages};
pub use requirement::Requirement;
pub use row_ranges::RowRanges;
pub use token_index::Candidates;
pub use tokens::Token;
