//! Measures the catalog: how long a million documents take to commit, to load, and to be listed.
//!
//! `cargo run --release -p groundwatch-storage --example catalog_throughput [documents]`

use std::time::Instant;

use groundwatch_core::Scope;
use groundwatch_storage::{Batch, Catalog, Document, Documents, Expect, Key};
use serde::{Deserialize, Serialize};

/// About what is kept of a log stream.
#[derive(Serialize, Deserialize)]
struct Stream {
    incarnation: u64,
    created: i64,
    first_event: Option<i64>,
    last_event: Option<i64>,
    stored_bytes: u64,
}

impl Document for Stream {
    const KIND: &'static str = "log-stream";
}

#[expect(clippy::print_stdout, reason = "the result of a program that is run by hand")]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    let path = std::path::Path::new("catalog-throughput.tmp");
    std::fs::create_dir_all(path)?;
    let scope = Scope::default();
    let name = |number: u64| format!("/aws/lambda/function-{:05}\0stream-{number:08}", number % 100_000);
    let stream = |number| Stream {
        incarnation: number,
        created: 1_767_323_045_678,
        first_event: Some(1_767_323_045_678),
        last_event: None,
        stored_bytes: number * 100,
    };
    {
        let catalog = Catalog::open(&path.join("catalog.db"))?;
        let streams = Documents::open(&catalog)?;
        let begin = Instant::now();
        for first in (0..count).step_by(1000) {
            let mut batch = Batch::new();
            for number in first..count.min(first + 1000) {
                streams.put(&mut batch, Key::new(&scope, name(number)), stream(number), Expect::Absent);
            }
            catalog.commit(batch).await?;
        }
        println!("{count} documents committed in batches of 1000: {:.2?}", begin.elapsed());
        let begin = Instant::now();
        for number in 0..200 {
            let mut batch = Batch::new();
            streams.put(&mut batch, Key::new(&scope, name(number)), stream(number), Expect::Present);
            catalog.commit(batch).await?;
        }
        println!("one commit after the other: {:.2?} each", begin.elapsed() / 200);
    }
    let begin = Instant::now();
    let catalog = Catalog::open(&path.join("catalog.db"))?;
    let streams: Documents<Stream> = Documents::open(&catalog)?;
    println!("{} documents loaded: {:.2?}", streams.len(), begin.elapsed());
    let begin = Instant::now();
    for number in 0..1000 {
        let group = format!("/aws/lambda/function-{number:05}\0");
        assert!(!streams.list(&scope, &group, None, 50).is_empty());
    }
    println!("list of one group's streams: {:.2?}", begin.elapsed() / 1000);
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!("{}", status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default());
    std::fs::remove_dir_all(path)?;
    Ok(())
}
