//! A data directory as a whole: opened, locked, restarted, damaged, and brought from earlier releases.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::simulation::SimulatedDisk;
use groundwatch_storage::{
    Batch, Document, Documents, Entry, Expect, JournalOptions, Key, Ledger, LedgerQuery, Position, Record,
    Recovery, SegmentMeta, SegmentObject, Storage, StorageError, StorageOptions, StreamId,
};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

const KIND: &str = "sample";

fn open(dir: &Path) -> (Storage, Vec<Record>) {
    let (storage, recovery) = Storage::open(StorageOptions::new(dir)).expect("opened");
    (storage, records(recovery))
}

fn records(recovery: Recovery) -> Vec<Record> {
    recovery.collect::<Result<_, _>>().expect("nothing is damaged")
}

fn segment(object: SegmentObject) -> SegmentMeta {
    SegmentMeta {
        object,
        scope: Some(Scope::default()),
        from: Timestamp::from_secs(1),
        to: Timestamp::from_secs(2),
        rows: 3,
        bytes: 4,
        extra: serde_json::json!({"level": 0}),
    }
}

/// Writes and registers an object; returns where its file is.
async fn write_segment(storage: &Storage, dir: &TempDir, bytes: Vec<u8>) -> std::path::PathBuf {
    let object = storage.segments.write(KIND, bytes.into()).await.expect("written");
    let file = dir.path().join("segments").join(object.id.as_str());
    let mut batch = Batch::new();
    storage.segments.register(&mut batch, segment(object));
    storage.catalog.commit(batch).await.expect("committed");
    file
}

#[tokio::test]
async fn second_server_is_refused_until_the_first_has_closed() {
    let dir = tempfile::tempdir().expect("a directory");
    let (storage, _) = open(dir.path());
    let refused = Storage::open(StorageOptions::new(dir.path())).err();
    assert!(matches!(refused, Some(StorageError::Locked { .. })), "{refused:?}");
    // Any part that is still in use keeps the directory locked.
    let segments = storage.segments.clone();
    drop(storage);
    assert!(Storage::open(StorageOptions::new(dir.path())).is_err());
    drop(segments);
    open(dir.path());
}

#[tokio::test]
async fn newer_or_foreign_layout_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    open(dir.path());
    let check = |text: &str| {
        std::fs::write(dir.path().join("VERSION"), text).expect("written");
        Storage::open(StorageOptions::new(dir.path())).err().expect("refused")
    };
    assert!(matches!(check("groundwatch data directory, layout 2\n"), StorageError::TooNew { found: 2, .. }));
    assert!(matches!(check("something else\n"), StorageError::Corrupt { .. }));
}

#[tokio::test]
async fn lost_catalog_is_reported_before_anything_is_deleted() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = write_segment(&open(dir.path()).0, &dir, vec![1; 10]).await;
    std::fs::remove_file(dir.path().join("catalog.db")).expect("removed");
    let refused = Storage::open(StorageOptions::new(dir.path())).err();
    assert!(matches!(refused, Some(StorageError::Corrupt { .. })), "{refused:?}");
    assert!(file.exists());
}

#[tokio::test]
async fn acknowledged_records_come_back_until_they_are_released() {
    let dir = tempfile::tempdir().expect("a directory");
    let (storage, recovered) = open(dir.path());
    assert!(recovered.is_empty());
    let first = storage.journal.append(StreamId::LOGS, b"one".to_vec()).await.expect("written");
    let second = storage.journal.append(StreamId::LOGS, b"two".to_vec()).await.expect("written");
    storage.journal.append(StreamId::METRICS, b"three".to_vec()).await.expect("written");
    assert!(first < second);
    drop(storage);

    let (storage, recovered) = open(dir.path());
    let payloads: Vec<_> = recovered.iter().map(|record| &record.payload[..]).collect();
    assert_eq!(payloads, [&b"one"[..], b"two", b"three"]);
    storage.journal.release(StreamId::LOGS, first).await.expect("released");
    drop(storage);

    let (_, recovered) = open(dir.path());
    let positions: Vec<_> = recovered.iter().map(|record| record.position).collect();
    assert_eq!(positions, [second, Position(second.0 + 1)]);
}

#[tokio::test]
async fn segments_and_release_happen_together_or_not_at_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let (storage, _) = open(dir.path());
    let position = storage.journal.append(StreamId::LOGS, b"one".to_vec()).await.expect("written");
    let object = storage.segments.write(KIND, Bytes::from_static(b"one")).await.expect("written");
    let flush = |object: SegmentObject| {
        let mut batch = Batch::new();
        storage.segments.release_journal(&mut batch, StreamId::LOGS, position);
        storage.segments.register(&mut batch, segment(object));
        batch
    };
    let mut refused = flush(object.clone());
    let markers: Documents<Marker> = Documents::open(&storage.catalog).expect("loaded");
    markers.remove(&mut refused, Key::default(), Expect::Present);
    assert!(storage.catalog.commit(refused).await.is_err());
    assert!(storage.segments.list(KIND).is_empty());
    storage.catalog.commit(flush(object)).await.expect("committed");
    assert_eq!(storage.segments.list(KIND).len(), 1);
    drop((markers, storage));
    assert!(open(dir.path()).1.is_empty());
}

#[tokio::test]
async fn what_was_written_for_nothing_is_deleted_unless_it_may_be_registered() {
    let dir = tempfile::tempdir().expect("a directory");
    let (storage, _) = open(dir.path());
    let key = Key::new(&Scope::default(), "a");
    let io = StorageError::Io { action: String::new(), source: Arc::new(std::io::Error::other("gone")) };
    let conflict = StorageError::Conflict { kind: "note", key };
    for (error, stays) in [(io, true), (conflict, false)] {
        let object = storage.segments.write(KIND, Bytes::from_static(b"one")).await.expect("written");
        let file = dir.path().join("segments").join(object.id.as_str());
        storage.segments.discard_after(&error, vec![object]).await;
        assert_eq!(file.exists(), stays, "{error}");
    }
}

#[tokio::test]
async fn segments_are_read_in_whole_and_in_part() {
    let dir = tempfile::tempdir().expect("a directory");
    let (storage, _) = open(dir.path());
    let bytes: Vec<u8> = (0..600_000_u32).map(|index| (index / 7) as u8).collect();
    write_segment(&storage, &dir, bytes.clone()).await;
    let segment = storage.segments.list(KIND).remove(0);
    assert_eq!(storage.segments.read(&segment).await.expect("read"), bytes);
    for range in [0..0, 0..1, 262_143..262_145, 599_999..600_000, 100..600_000, 600_000..600_000] {
        let part = storage.segments.read_range(&segment, range.clone()).await.expect("read");
        assert_eq!(part, bytes[range.start as usize..range.end as usize], "{range:?}");
    }
    assert!(storage.segments.read_range(&segment, 0..600_001).await.is_err());
}

#[tokio::test]
async fn damaged_segment_is_named_and_its_other_blocks_are_readable() {
    let dir = tempfile::tempdir().expect("a directory");
    let (storage, _) = open(dir.path());
    let file = write_segment(&storage, &dir, vec![1; 600_000]).await;
    let segment = storage.segments.list(KIND).remove(0);
    let check = |error: Option<StorageError>| {
        let Some(StorageError::Corrupt { place, .. }) = error else { panic!("{error:?}") };
        assert_eq!(place, format!("segments/{}", segment.id().as_str()));
    };
    let mut bytes = std::fs::read(&file).expect("read");
    bytes[300_000] ^= 1;
    std::fs::write(&file, &bytes).expect("written");
    check(storage.segments.read(&segment).await.err());
    assert!(storage.segments.read_range(&segment, 0..1000).await.is_ok());
    std::fs::write(&file, &bytes[..280_000]).expect("written");
    check(storage.segments.read(&segment).await.err());
    check(storage.segments.read_range(&segment, 599_000..600_000).await.err());
    std::fs::remove_file(&file).expect("removed");
    check(storage.segments.read(&segment).await.err());
}

#[tokio::test]
async fn orphans_are_deleted_at_the_start_and_registered_segments_stay() {
    let dir = tempfile::tempdir().expect("a directory");
    let (storage, _) = open(dir.path());
    let kept = write_segment(&storage, &dir, vec![1; 10]).await;
    let orphan = storage.segments.write(KIND, Bytes::from_static(b"orphan")).await.expect("written");
    let orphan = dir.path().join("segments").join(orphan.id.as_str());
    let unfinished = kept.with_extension("#1");
    std::fs::write(&unfinished, "half").expect("written");
    drop(storage);
    open(dir.path());
    assert!(kept.exists() && !orphan.exists() && !unfinished.exists());
}

#[tokio::test]
async fn orphans_stay_where_the_catalog_may_be_too_old() {
    let dir = tempfile::tempdir().expect("a directory");
    let (storage, _) = open(dir.path());
    let registered = write_segment(&storage, &dir, vec![1; 10]).await;
    let newer = storage.segments.write(KIND, Bytes::from_static(b"newer")).await.expect("written");
    let newer = dir.path().join("segments").join(newer.id.as_str());
    drop(storage);
    std::fs::remove_file(&registered).expect("replaced by the newer one");
    open(dir.path());
    assert!(newer.exists());
}

#[tokio::test]
async fn an_empty_catalog_is_refused_and_no_segment_deleted() {
    let dir = tempfile::tempdir().expect("a directory");
    let (storage, _) = open(dir.path());
    let segment = write_segment(&storage, &dir, vec![1; 10]).await;
    drop(storage);
    std::fs::write(dir.path().join("catalog.db"), b"").expect("cut off");
    let refused = Storage::open(StorageOptions::new(dir.path())).err();
    assert!(matches!(refused, Some(StorageError::Corrupt { .. })), "{refused:?}");
    assert!(segment.exists());
}

#[tokio::test]
async fn files_of_others_beside_the_segments_are_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(dir.path()));
    let stray = dir.path().join("segments/.DS_Store");
    std::fs::write(&stray, "not ours").expect("written");
    open(dir.path());
    assert!(stray.exists());
}

#[tokio::test]
async fn unregistered_segment_stays_readable_for_those_who_hold_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let (storage, _) = open(dir.path());
    let file = write_segment(&storage, &dir, vec![1; 10]).await;
    let held = storage.segments.list(KIND).remove(0);
    let mut batch = Batch::new();
    storage.segments.unregister(&mut batch, held.id());
    storage.catalog.commit(batch).await.expect("committed");
    assert!(storage.segments.list(KIND).is_empty());
    storage.segments.sweep().await;
    assert!(storage.segments.read(&held).await.is_ok());
    drop(held);
    storage.segments.sweep().await;
    assert!(!file.exists());
}

#[tokio::test]
async fn full_disk_refuses_appends_until_there_is_space() {
    let dir = tempfile::tempdir().expect("a directory");
    let disk = SimulatedDisk::new(1);
    let options = || StorageOptions {
        disk: Some(std::sync::Arc::new(disk.clone())),
        journal: JournalOptions { file_bytes: 100_000, ..JournalOptions::default() },
        ..StorageOptions::new(dir.path())
    };
    let (storage, _) = Storage::open(options()).expect("opened");
    storage.journal.append(StreamId::LOGS, b"before".to_vec()).await.expect("written");
    disk.set_capacity(0);
    let refused = storage.journal.append(StreamId::LOGS, vec![0; 200_000]).await;
    assert!(matches!(refused, Err(StorageError::Full { .. })), "{refused:?}");
    disk.set_capacity(u64::MAX);
    storage.journal.append(StreamId::LOGS, b"after".to_vec()).await.expect("there is space again");
    drop(storage);
    let (_storage, recovery) = Storage::open(options()).expect("opened");
    let payloads: Vec<_> = records(recovery).into_iter().map(|record| record.payload).collect();
    assert_eq!(payloads, [&b"before"[..], b"after"]);
}

#[tokio::test]
async fn more_than_the_budget_is_refused_at_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = JournalOptions { queue_bytes: 1000, ..JournalOptions::default() };
    let (storage, _) =
        Storage::open(StorageOptions { journal, ..StorageOptions::new(dir.path()) }).expect("opened");
    // The second is asked before the first can be answered: both are polled once, in this order.
    let append = || storage.journal.append(StreamId::LOGS, vec![0; 900]);
    let (first, second) = tokio::join!(append(), append());
    assert!(first.is_ok());
    assert!(second.is_ok() || matches!(second, Err(StorageError::Overloaded)), "{second:?}");
    let too_large = storage.journal.append(StreamId::LOGS, vec![0; (64 << 20) + 1]).await;
    assert!(matches!(too_large, Err(StorageError::TooLarge { .. })), "{too_large:?}");
}

/// What the samples hold; `examples/sample_data_dir.rs` writes them.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Marker {
    text: String,
}

impl Document for Marker {
    const KIND: &'static str = "marker";
}

impl Entry for Marker {
    const KIND: &'static str = "marker";
}

/// One sample a layout that was ever released: `tests/data/v1`, …
#[tokio::test]
async fn data_of_every_earlier_release_is_read() {
    for version in ["v1"] {
        let dir = tempfile::tempdir().expect("a directory");
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(version);
        copy_dir(&sample, dir.path());
        let (storage, recovered) = open(dir.path());

        let expected: Vec<(u8, Bytes)> = vec![(2, "log record".into()), (1, vec![7; 300].into())];
        let found: Vec<_> = recovered.into_iter().map(|record| (record.stream.0, record.payload)).collect();
        assert_eq!(found, expected, "{version}: the first record was released");

        let key = Key::new(&Scope::default(), "a\0name");
        let markers: Documents<Marker> = Documents::open(&storage.catalog).expect("loaded");
        assert_eq!(markers.get(&key).map(|marker| marker.text.clone()).as_deref(), Some("document"));
        let ledger: Ledger<Marker> = Ledger::open(&storage.catalog);
        let query = LedgerQuery {
            scope: Scope::default(),
            name: Some("a\0name".to_owned()),
            from: Timestamp::from_secs(7),
            to: Timestamp::from_secs(8),
            after: None,
            limit: 10,
            newest_first: true,
        };
        let entries = ledger.read(query).await.expect("read");
        assert_eq!(entries.iter().map(|item| item.entry.text.as_str()).collect::<Vec<_>>(), ["entry"]);

        let segment = storage.segments.list(KIND).remove(0);
        assert_eq!(segment.rows, 3);
        assert_eq!(storage.segments.read(&segment).await.expect("read"), "segment".repeat(50));
    }
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("created");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry").path();
        let target = to.join(entry.file_name().expect("a name"));
        if entry.is_dir() {
            copy_dir(&entry, &target);
        } else {
            std::fs::copy(&entry, &target).expect("copied");
        }
    }
}
