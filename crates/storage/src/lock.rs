//! One server a data directory.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::StorageError;

/// How often the lock is tried. A command that a server was starting when it was killed holds a copy of the
/// lock until it is itself executed: a moment, but one in which the next server may ask.
const TRIES: u32 = 50;

/// How long to wait between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// Holds a data directory's lock until the last clone is dropped; the kernel lets go of it if the process
/// dies.
#[derive(Clone, Debug)]
pub(crate) struct DirLock {
    _file: Arc<File>,
}

impl DirLock {
    /// Locks the data directory, or says, after a second of trying, that another server has.
    pub(crate) fn acquire(dir: &Path) -> Result<Self, StorageError> {
        let path = dir.join("LOCK");
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(|source| StorageError::io("open", &path, source))?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < TRIES => pause(),
                Err(TryLockError::WouldBlock) => return Err(StorageError::Locked { dir: dir.to_owned() }),
                Err(TryLockError::Error(source)) => return Err(StorageError::io("lock", &path, source)),
            }
        }
        Ok(Self { _file: Arc::new(file) })
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing tells when the kernel lets go of a lock")]
fn pause() {
    std::thread::sleep(PAUSE);
}
