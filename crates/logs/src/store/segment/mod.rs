//! Segments: events that left memory, as Parquet files.
//!
//! What is in a file is told, and known, in `groundwatch-log-files`; here files are registered, found, read
//! and kept in memory as far as that pays: their indexes, and the filters that tell which row groups a search
//! need not read. Checksums are kept with the object's registration, by `groundwatch-storage`, which verifies
//! what it reads: a damaged block costs the row group that it is in.
//!
//! Files have a [`Level`]: 0 are flushed heads, of all groups that had little in them; shared files that were
//! merged are above; files of one group are kept by shape, and their row groups go from file to file as they
//! are.
//!
//! What it costs: an index takes some hundred kB in memory, filters take 4 to 5 bytes an event; of both, what
//! was used lately is kept, up to fixed sizes. A read of a row group is one `pread` of about 600 KB; those that
//! are read page by page are kept decoded for the next page.

mod decoded;
mod files;
mod stored;
mod whole;

pub(super) use files::{Level, Segment, SegmentStore};
pub(super) use stored::{OpenedPart, Selection, StoredPart};
pub(super) use whole::WholePart;
