//! What can go wrong, told apart by what the caller can do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Key;

/// Why storage did not do what was asked. Nothing of a failed request is visible until the next restart.
///
/// Cloneable, because one failed write fails everybody who waited for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// No space is left. Retrying helps once there is space again; a restart is not needed.
    #[error("the disk is full: cannot {action}")]
    Full {
        /// What was attempted.
        action: String,
    },
    /// The machine refused to read or write. The next restart finds the request once, or not at all.
    #[error("cannot {action}")]
    Io {
        /// What was attempted, and on which file.
        action: String,
        /// What the machine said.
        #[source]
        source: Arc<io::Error>,
    },
    /// What was stored is not what was written: restore it, or remove it.
    #[error("`{place}` is damaged: {reason}")]
    Corrupt {
        /// The file with its offset, the document or the object.
        place: String,
        /// How it was noticed.
        reason: String,
    },
    /// A document is not as the batch expected it: read again, decide again.
    #[error("{kind} `{}` was changed, created or removed meanwhile", key.name)]
    Conflict {
        /// The document's kind.
        kind: &'static str,
        /// The document.
        key: Key,
    },
    /// More waits to be written than the budget allows: slow down, then retry.
    #[error("too much is waiting to be written: retry later")]
    Overloaded,
    /// One item alone exceeds what can be stored: send less at once.
    #[error("{bytes} bytes are more than the {bytes_max} that one record can hold")]
    TooLarge {
        /// The item's size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// A value has no JSON form: a mistake in the program.
    #[error("{kind} `{}` cannot be written as JSON", key.name)]
    Encode {
        /// The document's or entry's kind.
        kind: &'static str,
        /// Its key.
        key: Key,
        /// What the encoder said.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// Another server has this data directory open: stop it, or use another directory.
    #[error("the data directory `{}` is in use by another server", dir.display())]
    Locked {
        /// The data directory.
        dir: PathBuf,
    },
    /// A newer release wrote this: run that release, or a newer one.
    #[error(
        "`{place}` has format {found}, and this release reads formats up to {known}: use a newer release"
    )]
    TooNew {
        /// The file.
        place: String,
        /// The format that it says to have.
        found: u64,
        /// The newest format that this release reads.
        known: u64,
    },
    /// Storage was shut down, or the catalog refuses to write after a failed sync until the server is
    /// restarted.
    #[error("storage is closed: {reason}")]
    Closed {
        /// Why.
        reason: &'static str,
    },
}

impl StorageError {
    /// Whether nothing of the request can turn out to have been done after all.
    pub(crate) fn is_certain(&self) -> bool {
        !matches!(self, Self::Io { .. } | Self::Closed { .. })
    }

    /// Wraps what the machine said when it was asked to do `action` (such as `write`) to `path`.
    pub(crate) fn io(action: &str, path: &Path, source: io::Error) -> Self {
        let action = format!("{action} `{}`", path.display());
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { action },
            _ => Self::Io { action, source: Arc::new(source) },
        }
    }

    /// Wraps what SQLite said when it was asked to do `action` to the catalog.
    pub(crate) fn sqlite(action: &str, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let action = format!("{action} the catalog");
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { action },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { place: "catalog.db".to_owned(), reason: source.to_string() }
            }
            _ => Self::Io { action, source: Arc::new(io::Error::other(source)) },
        }
    }

    /// The answer after the thread that serves `self` has ended.
    pub(crate) const fn shut_down() -> Self {
        Self::Closed { reason: "it was shut down" }
    }
}
