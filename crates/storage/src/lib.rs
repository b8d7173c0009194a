//! Storage: keeps bytes and documents safe on one machine's disk, and knows nothing of AWS.
//!
//! Owns the data directory and the three things in it: the [`Journal`] (what was acknowledged and is not yet
//! kept elsewhere), the [`Catalog`] (typed [`Documents`] and [`Ledger`]s, with migrations), and the
//! [`Segments`] (immutable objects). Does not own what records, documents and segments mean, nor when
//! something is flushed, merged or expired: the services do.
//!
//! The way through: [`Storage::open`] → apply the [`Recovery`] → [`Journal::append`] for each write → some
//! time later [`Segments::write`], then one [`Batch`] with [`Segments::register`] and
//! [`Segments::release_journal`] → [`Catalog::commit`].
//!
//! ```text
//! data directory
//! ├── LOCK         held by the server that has it open
//! ├── VERSION      which layout this is; written last, so it marks a complete directory
//! ├── catalog.db   SQLite, with catalog.db-wal and catalog.db-shm while it is open
//! ├── journal/     0000000000000001.log, …
//! └── segments/    one directory a kind; files that the catalog does not list are deleted at the start
//! ```
//!
//! What always holds: `Ok` means durable. After an error nothing of the request is visible until the next
//! restart; if the disk failed in the middle of it, the request may be there once after that restart. What
//! was damaged on disk is reported with its place, never guessed over and never returned. A full disk is an
//! error until there is space again, nothing worse.

mod catalog;
mod disk;
mod error;
mod journal;
mod key;
mod lock;
mod segments;
mod storage;

pub use catalog::{
    Batch, Catalog, Document, Documents, Entry, Expect, InvalidCursor, Ledger, LedgerCursor, LedgerItem,
    LedgerQuery, MayConflict, despite_conflicts,
};
pub use disk::{Disk, DiskFile, RealDisk, simulation};
pub use error::StorageError;
pub use journal::{Journal, JournalOptions, Position, Record, Recovery, StreamId};
pub use key::Key;
pub(crate) use lock::DirLock;
pub use segments::{SegmentId, SegmentMeta, SegmentObject, Segments};
pub use storage::{Storage, StorageOptions};
