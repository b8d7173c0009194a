//! One server a data directory.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use crate::StorageError;

/// Holds a data directory's lock until the last clone is dropped; the kernel lets go of it if the process
/// dies.
#[derive(Clone, Debug)]
pub(crate) struct DirLock {
    _file: Arc<File>,
}

impl DirLock {
    /// Locks the data directory, or says that another server has.
    pub(crate) fn acquire(dir: &Path) -> Result<Self, StorageError> {
        let path = dir.join("LOCK");
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(|source| StorageError::io("open", &path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: Arc::new(file) }),
            Err(TryLockError::WouldBlock) => Err(StorageError::Locked { dir: dir.to_owned() }),
            Err(TryLockError::Error(source)) => Err(StorageError::io("lock", &path, source)),
        }
    }
}
