//! The file that the journal writes to.

use std::io::{self, IoSlice};

use super::format::{FileHeader, HEADER_BYTES, Seal, file_name};
use crate::disk::{Disk, DiskFile};

/// How much space is reserved ahead of the records.
const PREALLOCATED_BYTES: u64 = 16 << 20;

/// A file with a durable header, and records of which all up to `length` are durable.
pub(super) struct LogFile {
    file: Box<dyn DiskFile>,
    pub(super) number: u64,
    pub(super) salt: u64,
    /// How long the durable part is.
    pub(super) length: u64,
    reserved: u64,
    /// How much is reserved at most.
    reserved_max: u64,
}

impl LogFile {
    /// Creates a file; its header and name are durable afterwards. If that fails, the name may be taken.
    ///
    /// Space for records is reserved ahead of them, up to `reserved_max` bytes.
    pub(super) fn create(disk: &dyn Disk, header: &FileHeader, reserved_max: u64) -> io::Result<Self> {
        let mut file = disk.create(&file_name(header.number))?;
        file.write_at(&mut [IoSlice::new(&header.encode())], 0)?;
        file.sync_data()?;
        disk.sync_dir()?;
        let (number, salt) = (header.number, header.salt);
        Ok(Self { file, number, salt, length: HEADER_BYTES, reserved: HEADER_BYTES, reserved_max })
    }

    /// Appends `parts`, `bytes` long altogether; they are durable afterwards.
    ///
    /// After an error the file ends where it ended before, or must not be written again, as the error says.
    pub(super) fn append(&mut self, parts: &mut [IoSlice<'_>], bytes: u64) -> Result<(), AppendError> {
        let end = self.length + bytes;
        if end > self.reserved {
            self.reserved = (end + PREALLOCATED_BYTES).min(self.reserved_max).max(end);
            // Only a hint: the write itself will tell whether there is space.
            let _ = self.file.preallocate(self.reserved);
        }
        let written = self.file.write_at(parts, self.length);
        let synced = written.as_ref().map_or(Ok(()), |()| self.file.sync_data());
        // After a failed sync, what the file holds cannot be known. Cutting it off is then only a courtesy.
        let trusted = synced.is_ok();
        match written.and(synced) {
            Ok(()) => {
                self.length = end;
                Ok(())
            }
            Err(source) => {
                let cut = self.cut();
                if trusted && cut.is_ok() {
                    Err(AppendError::Undone(source))
                } else {
                    Err(AppendError::Broken(source))
                }
            }
        }
    }

    /// Durably removes what follows the durable part.
    fn cut(&mut self) -> io::Result<()> {
        self.reserved = self.length;
        self.file.truncate(self.length)?;
        self.file.sync_data()
    }

    /// Gives back the space that was reserved and is not needed, if the machine is willing.
    pub(super) fn finish(&mut self) {
        let _ = self.file.truncate(self.length);
    }

    /// The file as the next one must seal it.
    pub(super) fn seal(&self) -> Seal {
        Seal { number: self.number, length: self.length }
    }

    /// Whether any record was written.
    pub(super) fn has_records(&self) -> bool {
        self.length > HEADER_BYTES
    }
}

/// Why records could not be appended.
pub(super) enum AppendError {
    /// Nothing of them is left in the file, which can be used as before.
    Undone(io::Error),
    /// What the file holds behind its durable part is unknown: the next file must seal it.
    Broken(io::Error),
}

impl AppendError {
    /// What the machine said.
    pub(super) fn into_source(self) -> io::Error {
        match self {
            Self::Undone(source) | Self::Broken(source) => source,
        }
    }
}
