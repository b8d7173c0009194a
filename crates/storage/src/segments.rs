//! Immutable objects: written once, registered in the catalog, checked whenever they are read.
//!
//! An object becomes visible, and stops being so, in a transaction of the catalog. So a half-written object
//! is never seen: what is not registered when the server starts is deleted. Checksums of an object's blocks
//! are kept with its registration, apart from the object, and every read verifies the blocks that it touches.
//!
//! What it costs: a registration of about 300 bytes plus 10 a block of 256 KiB, in memory and in the catalog;
//! a write is two syncs; a read of a range reads whole blocks.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::{Scope, Timestamp};
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::catalog::{Batch, Catalog, Document, Documents, Expect};
use crate::disk::simulation::SegmentRoom;
use crate::journal::{Journal, Position, StreamId};
use crate::{DirLock, Key, StorageError};

/// How much of an object one checksum covers.
const BLOCK_BYTES: u64 = 256 << 10;

/// Names one object forever: `kind/uuid`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SegmentId(String);

impl SegmentId {
    /// The object's name in the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An object as it was written: durable, and visible once it is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentObject {
    /// Its name.
    pub id: SegmentId,
    /// Its length in bytes.
    pub length: u64,
    /// The CRC-32 of each of its blocks.
    checksums: Vec<u32>,
}

/// What is known of a segment without reading it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentMeta {
    /// The object that holds its data.
    pub object: SegmentObject,
    /// The account and region that its data belongs to, if it is only one.
    pub scope: Option<Scope>,
    /// The earliest moment in it.
    pub from: Timestamp,
    /// The latest moment in it, inclusive.
    pub to: Timestamp,
    /// How many items it holds, as its owner counts them.
    pub rows: u64,
    /// How many bytes of data it holds, as its owner counts them: not the object's length.
    pub bytes: u64,
    /// What else its owner wants to know. A format on disk.
    #[serde(default)]
    pub extra: serde_json::Value,
}

impl SegmentMeta {
    /// The segment's name, as [`Segments::unregister`] takes it.
    pub fn id(&self) -> &SegmentId {
        &self.object.id
    }
}

impl Document for SegmentMeta {
    const KIND: &'static str = "segment";
}

/// The segments of a data directory. Cheap to clone.
#[derive(Clone)]
pub struct Segments {
    store: Arc<dyn ObjectStore>,
    room: SegmentRoom,
    registry: Documents<SegmentMeta>,
    journal: Journal,
    /// No longer registered; deleted when nobody can be reading them.
    retired: Arc<Mutex<Vec<Arc<SegmentMeta>>>>,
    _lock: Option<DirLock>,
}

impl Segments {
    /// Opens the segments in the directory `dir`, and deletes every file in it that is not registered: unless
    /// the journal is not whole or registered ones are missing, because the catalog may be older than the
    /// files then.
    pub(crate) fn open(
        dir: &Path,
        room: SegmentRoom,
        catalog: &Catalog,
        journal: &Journal,
        journal_is_whole: bool,
        lock: Option<DirLock>,
    ) -> Result<Self, StorageError> {
        fs::create_dir_all(dir).map_err(|source| StorageError::io("create", dir, source))?;
        let registry = Documents::open(catalog)?;
        let clean_up = |source| StorageError::io("clean up", dir, source);
        let orphans = orphans(dir, &registry).map_err(clean_up)?;
        if journal_is_whole && all_are_there(dir, &registry) {
            delete(&orphans).map_err(clean_up)?;
        } else if !orphans.is_empty() {
            tracing::warn!(
                files = orphans.len(),
                "segments that are not registered stay, for some others are missing"
            );
        }
        let store =
            LocalFileSystem::new_with_prefix(dir).map_err(|source| failed("open", "segments", source))?;
        Ok(Self {
            store: Arc::new(store.with_fsync(true)),
            room,
            registry,
            journal: journal.clone(),
            retired: Arc::default(),
            _lock: lock,
        })
    }

    /// Writes an object. It is durable when this returns, and deleted at the next start unless it is
    /// registered.
    ///
    /// `kind` names its owner's format, such as `metrics`: lower-case letters, digits and `-`.
    pub async fn write(&self, kind: &'static str, bytes: Bytes) -> Result<SegmentObject, StorageError> {
        self.sweep().await;
        let id = SegmentId(format!("{kind}/{}", uuid::Uuid::new_v4().simple()));
        let length = bytes.len() as u64;
        let checksums = bytes.chunks(BLOCK_BYTES as usize).map(crc32fast::hash).collect();
        self.room
            .take()
            .map_err(|source| StorageError::io("write", &Path::new("segments").join(id.as_str()), source))?;
        let put = self.store.put(&path(&id), bytes.into()).await;
        put.map_err(|source| failed("write", id.as_str(), source))?;
        Ok(SegmentObject { id, length, checksums })
    }

    /// Deletes objects that were written and are not going to be registered.
    pub async fn discard(&self, written: Vec<SegmentObject>) {
        for SegmentObject { id, .. } in written {
            if let Err(error) = self.store.delete(&path(&id)).await {
                // The next start deletes it, for it is not registered.
                tracing::warn!(segment = id.as_str(), %error, "cannot delete a segment that is not needed");
            }
        }
    }

    /// Deletes objects that a batch was to register whose commit failed so. If it may have been done
    /// nevertheless, they stay until the next start, which knows.
    pub async fn discard_after(&self, error: &StorageError, written: Vec<SegmentObject>) {
        if error.is_certain() {
            self.discard(written).await;
        }
    }

    /// Adds to a batch: the segment becomes visible.
    pub fn register(&self, batch: &mut Batch, segment: SegmentMeta) {
        let key = key(segment.id());
        self.registry.put(batch, key, segment, Expect::Absent);
    }

    /// Adds to a batch: the segment is visible no more. Its object is deleted later, when all who listed it
    /// have dropped what they got.
    pub fn unregister(&self, batch: &mut Batch, id: &SegmentId) {
        let key = key(id);
        let retired = self.registry.get(&key);
        self.registry.remove(batch, key, Expect::Present);
        if let Some(segment) = retired {
            let retired = Arc::clone(&self.retired);
            batch.after(move || retired.lock().push(segment));
        }
    }

    /// Adds to a batch: the journal's records through this position are needed no more, because segments that
    /// the same batch registers hold them.
    pub fn release_journal(&self, batch: &mut Batch, stream: StreamId, through: Position) {
        self.journal.release_with(batch, stream, through);
    }

    /// All visible segments of a kind, in no particular order.
    pub fn list(&self, kind: &str) -> Vec<Arc<SegmentMeta>> {
        let segments = self.registry.list(&Scope::default(), &format!("{kind}/"), None, usize::MAX);
        segments.into_iter().map(|(_, segment)| segment).collect()
    }

    /// The whole object, verified.
    ///
    /// Errors: [`StorageError::Corrupt`] names an object that is missing or not what was written.
    pub async fn read(&self, segment: &SegmentMeta) -> Result<Bytes, StorageError> {
        self.read_range(segment, 0..segment.object.length).await
    }

    /// A part of the object, verified. Reads whole blocks of 256 KiB.
    ///
    /// Errors: as [`Segments::read`]; also for a range that goes beyond the object's end.
    pub async fn read_range(&self, segment: &SegmentMeta, range: Range<u64>) -> Result<Bytes, StorageError> {
        let SegmentObject { id, length, checksums } = &segment.object;
        let corrupt = |reason: &str| StorageError::Corrupt {
            place: format!("segments/{}", id.as_str()),
            reason: reason.to_owned(),
        };
        if range.start > range.end || range.end > *length {
            return Err(corrupt("it is shorter than its registration or its contents say"));
        }
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let first = range.start / BLOCK_BYTES;
        let begin = first * BLOCK_BYTES;
        let end = range.end.next_multiple_of(BLOCK_BYTES).min(*length);
        // Asked for several ranges, the store opens and reads the file in one go.
        let blocks = match self.store.get_ranges(&path(id), std::slice::from_ref(&(begin..end))).await {
            Ok(blocks) => blocks.into_iter().next().unwrap_or_default(),
            Err(object_store::Error::NotFound { .. }) => return Err(corrupt("it is missing")),
            Err(source @ object_store::Error::Generic { .. }) if root_cause(&source).is_none() => {
                // The machine read what there is, and it was not enough.
                return Err(corrupt("it is cut short"));
            }
            Err(source) => return Err(failed("read", id.as_str(), source)),
        };
        if blocks.len() as u64 != end - begin {
            return Err(corrupt("it is cut short"));
        }
        for (block, number) in blocks.chunks(BLOCK_BYTES as usize).zip(first..) {
            if checksums.get(number as usize) != Some(&crc32fast::hash(block)) {
                let reason = format!("the checksum of the block at byte {} is wrong", number * BLOCK_BYTES);
                return Err(corrupt(&reason));
            }
        }
        Ok(blocks.slice((range.start - begin) as usize..(range.end - begin) as usize))
    }

    /// Deletes the objects of unregistered segments that nobody holds any more. Also done before every write.
    pub async fn sweep(&self) {
        let (unused, used): (Vec<_>, Vec<_>) = std::mem::take(&mut *self.retired.lock())
            .into_iter()
            .partition(|segment| Arc::strong_count(segment) == 1);
        self.retired.lock().extend(used);
        for segment in unused {
            let id = segment.id();
            if let Err(error) = self.store.delete(&path(id)).await {
                // The next start deletes it, for it is not registered.
                tracing::warn!(segment = id.as_str(), %error, "cannot delete an old segment");
            }
        }
    }
}

fn path(id: &SegmentId) -> object_store::path::Path {
    object_store::path::Path::from(id.as_str())
}

/// Segments are registered under the scope that nobody's data is filed under by name: they may span scopes.
fn key(id: &SegmentId) -> Key {
    Key::new(&Scope::default(), id.as_str())
}

fn failed(action: &str, name: &str, source: object_store::Error) -> StorageError {
    let kind = root_cause(&source).map_or(io::ErrorKind::Other, io::Error::kind);
    StorageError::io(action, &Path::new("segments").join(name), io::Error::new(kind, source))
}

/// What the machine said, which the store wraps.
fn root_cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

/// What a crash left: objects that were never registered, and files that were never finished.
fn orphans(dir: &Path, registry: &Documents<SegmentMeta>) -> io::Result<Vec<PathBuf>> {
    let mut orphans = Vec::new();
    for kind in fs::read_dir(dir)? {
        let kind = kind?;
        if !kind.file_type()?.is_dir() {
            // Not ours: a file manager's notes, say.
            continue;
        }
        for file in fs::read_dir(kind.path())? {
            let file = file?.path();
            let name = file.strip_prefix(dir).ok().and_then(Path::to_str);
            let registered =
                name.is_some_and(|name| registry.get(&Key::new(&Scope::default(), name)).is_some());
            if !registered {
                orphans.push(file);
            }
        }
    }
    Ok(orphans)
}

/// Whether every registered segment has its file.
fn all_are_there(dir: &Path, registry: &Documents<SegmentMeta>) -> bool {
    registry.all().iter().all(|(key, _)| dir.join(&key.name).exists())
}

fn delete(orphans: &[PathBuf]) -> io::Result<()> {
    for file in orphans {
        tracing::info!(file = %file.display(), "delete a segment that was never registered");
        fs::remove_file(file)?;
    }
    Ok(())
}
