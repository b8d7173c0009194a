//! The data directory as a whole.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::disk::simulation::SegmentRoom;
use crate::disk::{Disk, RealDisk};
use crate::journal::{Journal, JournalOptions, Recovery};
use crate::segments::Segments;
use crate::{DirLock, StorageError};

/// The layout of the directory that this release reads and writes.
const LAYOUT_VERSION: u64 = 1;
/// What precedes the version in the file `VERSION`.
const LAYOUT_NAME: &str = "groundwatch data directory, layout ";

/// Where data is kept, and how much of it may wait.
#[derive(Clone)]
pub struct StorageOptions {
    /// The data directory; created if it is missing.
    pub dir: PathBuf,
    /// Holds the journal's files instead of `dir/journal`, for tests.
    pub disk: Option<Arc<dyn Disk>>,
    /// How many segments there is room for, for tests.
    pub segment_room: SegmentRoom,
    /// The journal's budget.
    pub journal: JournalOptions,
}

impl StorageOptions {
    /// Everything in `dir`, with the default budgets.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            disk: None,
            segment_room: SegmentRoom::default(),
            journal: JournalOptions::default(),
        }
    }
}

/// An open data directory. Cheap to clone; closed, and unlocked, when the last clone of it and of its parts
/// is dropped, which waits until all that was queued is written.
#[derive(Clone)]
pub struct Storage {
    /// The data plane's write-ahead log.
    pub journal: Journal,
    /// Documents and ledgers.
    pub catalog: Catalog,
    /// Immutable objects.
    pub segments: Segments,
}

impl Storage {
    /// Locks and opens a data directory, creates it, or brings it to this release's format.
    ///
    /// The recovery yields what has to be applied before anything is appended. Blocks; needs no runtime.
    ///
    /// Errors: [`StorageError::Locked`] if another server has it open; [`StorageError::TooNew`] if a newer
    /// release wrote it; [`StorageError::Corrupt`].
    pub fn open(options: StorageOptions) -> Result<(Self, Recovery), StorageError> {
        let StorageOptions { dir, disk, segment_room, journal } = options;
        create_private(&dir).map_err(|source| StorageError::io("create", &dir, source))?;
        let lock = Some(DirLock::acquire(&dir)?);
        let catalog_path = dir.join("catalog.db");
        let is_new = check_version(&dir)?;
        if !is_new && !catalog_path.exists() {
            // Going on without it would delete all segments, because none is registered.
            let reason = "it is missing, though the data directory is not new".to_owned();
            return Err(StorageError::Corrupt { place: "catalog.db".to_owned(), reason });
        }
        let catalog = Catalog::open_locked(&catalog_path, is_new, lock.clone())?;
        let disk = match disk {
            Some(disk) => disk,
            None => {
                let journal_dir = dir.join("journal");
                let disk = RealDisk::open(&journal_dir);
                Arc::new(disk.map_err(|source| StorageError::io("create", &journal_dir, source))?)
            }
        };
        let (journal, recovery) = Journal::open(disk, journal, &catalog, lock.clone())?;
        let is_whole = recovery.is_whole();
        let segments =
            Segments::open(&dir.join("segments"), segment_room, &catalog, &journal, is_whole, lock)?;
        if is_new {
            write_version(&dir).map_err(|source| StorageError::io("write", &dir.join("VERSION"), source))?;
        }
        Ok((Self { journal, catalog, segments }, recovery))
    }
}

/// Creates a directory that only its owner can look into: log events are not for everybody on the machine.
/// Who may look into one that is there already is the operator's decision.
fn create_private(dir: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Whether the directory is new; refuses a layout that this release does not know.
fn check_version(dir: &Path) -> Result<bool, StorageError> {
    let path = dir.join("VERSION");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(source) => return Err(StorageError::io("read", &path, source)),
    };
    match text.strip_prefix(LAYOUT_NAME).and_then(|version| version.trim_end().parse().ok()) {
        Some(LAYOUT_VERSION) => Ok(false),
        Some(found) if found > LAYOUT_VERSION => {
            Err(StorageError::TooNew { place: "VERSION".to_owned(), found, known: LAYOUT_VERSION })
        }
        _ => Err(StorageError::Corrupt {
            place: path.display().to_string(),
            reason: "it does not name a layout".to_owned(),
        }),
    }
}

/// Marks the directory as complete. Also makes the names of all that was created in it durable.
fn write_version(dir: &Path) -> std::io::Result<()> {
    let unfinished = dir.join("VERSION.new");
    fs::write(&unfinished, format!("{LAYOUT_NAME}{LAYOUT_VERSION}\n"))?;
    fs::File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, dir.join("VERSION"))?;
    fs::File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_new_data_directory_is_its_owners_and_an_old_one_keeps_its_permissions() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let mode = |dir: &Path| fs::metadata(dir).expect("is there").permissions().mode() & 0o777;
        let new = parent.path().join("a/b");
        create_private(&new).expect("creates");
        assert_eq!(mode(&new), 0o700);
        fs::set_permissions(&new, fs::Permissions::from_mode(0o750)).expect("sets");
        create_private(&new).expect("is there");
        assert_eq!(mode(&new), 0o750);
    }
}
