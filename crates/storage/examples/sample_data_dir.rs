//! Writes the data directory that `tests/data_dir.rs` reads, in this release's format.
//!
//! `cargo run -p groundwatch-storage --example sample_data_dir crates/storage/tests/data/v2`, once a new
//! format is released; samples of earlier releases are never written again.

use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::{
    Batch, Document, Documents, Entry, Expect, Key, Ledger, SegmentMeta, Storage, StorageOptions, StreamId,
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Marker {
    text: String,
}

impl Document for Marker {
    const KIND: &'static str = "marker";
}

impl Entry for Marker {
    const KIND: &'static str = "marker";
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).ok_or("name the directory to write")?;
    let (storage, _) = Storage::open(StorageOptions::new(dir))?;
    let released = storage.journal.append(StreamId::LOGS, b"released record".to_vec()).await?;
    storage.journal.append(StreamId::LOGS, b"log record".to_vec()).await?;
    storage.journal.append(StreamId::METRICS, vec![7; 300]).await?;

    let key = Key::new(&Scope::default(), "a\0name");
    let object = storage.segments.write("sample", "segment".repeat(50).into()).await?;
    let markers: Documents<Marker> = Documents::open(&storage.catalog)?;
    let ledger: Ledger<Marker> = Ledger::open(&storage.catalog);
    let mut batch = Batch::new();
    markers.put(&mut batch, key.clone(), Marker { text: "document".to_owned() }, Expect::Absent);
    ledger.append(&mut batch, key, Timestamp::from_secs(7), Marker { text: "entry".to_owned() });
    storage.segments.register(
        &mut batch,
        SegmentMeta {
            object,
            scope: None,
            from: Timestamp::from_secs(1),
            to: Timestamp::from_secs(2),
            rows: 3,
            bytes: 350,
            extra: serde_json::Value::Null,
        },
    );
    storage.segments.release_journal(&mut batch, StreamId::LOGS, released);
    storage.catalog.commit(batch).await?;
    Ok(())
}
