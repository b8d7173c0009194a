//! The one way to the journal's files, so that tests can put a failing disk in its place.
//!
//! A [`Disk`] is one flat directory. Everything the journal does to a file goes through it, and nothing else:
//! no call retries, caches or decides anything.

mod real;
pub mod simulation;

use std::io::{self, IoSlice};

pub use real::RealDisk;

/// One directory of files. Names are plain file names.
///
/// Nothing is durable before it is synced: a file's bytes and length by [`DiskFile::sync_data`], its
/// existence (and removal) by [`Disk::sync_dir`]. A full disk answers [`io::ErrorKind::StorageFull`].
pub trait Disk: Send + Sync + 'static {
    /// Creates a file for writing; it is an error if there is one of that name.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for reading.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// The names of all files, in no order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Removes a file. Who has it open can still read it.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes the creations and removals so far durable.
    fn sync_dir(&self) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: Send {
    /// Writes all `parts` one after the other, beginning at byte `offset`; after an error any of it may be
    /// there.
    fn write_at(&mut self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()>;

    /// Fills `buffer` from byte `offset` on; returns how many bytes there were, fewer only at the file's end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// The file's length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Cuts the file to `length` bytes.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Reserves space up to byte `length`, which may also lengthen the file with zeros. A hint: it may do
    /// nothing.
    fn preallocate(&mut self, length: u64) -> io::Result<()>;

    /// Makes all that was written durable. After an error nothing is known of what was written since the last
    /// success, and trying again proves nothing.
    fn sync_data(&mut self) -> io::Result<()>;
}
