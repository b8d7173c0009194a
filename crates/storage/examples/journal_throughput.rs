//! Measures the journal: how fast it makes records durable, and what CPU time that takes.
//!
//! `cargo run --release -p groundwatch-storage --example journal_throughput [dir] [record KiB] [clients]
//! [MiB]`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use groundwatch_storage::{Storage, StorageOptions, StreamId};

#[expect(clippy::print_stdout, reason = "the result of a program that is run by hand")]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().unwrap_or_else(|| "journal-throughput.tmp".to_owned()));
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (record_kib, clients, total_mib) = (number(1024)?, number(8)?, number(4096)?);

    let (storage, _) = Storage::open(StorageOptions::new(&dir))?;
    let payload: Arc<Vec<u8>> =
        Arc::new((0..record_kib * 1024).map(|byte| ((byte * 31) >> 3) as u8).collect());
    let records_per_client = total_mib * 1024 / record_kib / clients;
    let cpu_before = cpu_time()?;
    let begin = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (journal, payload) =
                (storage.journal.clone(), bytes::Bytes::from_owner(SharedPayload(payload.clone())));
            tokio::spawn(async move {
                let mut latencies = Vec::with_capacity(records_per_client);
                for _ in 0..records_per_client {
                    let sent = Instant::now();
                    let position = journal.append(StreamId::LOGS, payload.clone()).await?;
                    latencies.push(sent.elapsed());
                    if position.0.is_multiple_of(256) {
                        journal.release(StreamId::LOGS, position).await?;
                    }
                }
                Ok::<_, groundwatch_storage::StorageError>(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let elapsed = begin.elapsed();
    let cpu = cpu_time()? - cpu_before;
    drop(storage);
    latencies.sort_unstable();

    let gb = (latencies.len() * record_kib * 1024) as f64 / 1e9;
    let quantile = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    println!("{} records of {record_kib} KiB, {clients} clients: {elapsed:.2?}", latencies.len());
    println!(
        "{:.0} MB/s, {:.0} records/s",
        gb * 1e3 / elapsed.as_secs_f64(),
        latencies.len() as f64 / elapsed.as_secs_f64()
    );
    println!("{:.3} CPU seconds per GB", cpu.as_secs_f64() / gb);
    println!("latency p50 {:.2?}, p99 {:.2?}, max {:.2?}", quantile(0.5), quantile(0.99), quantile(1.0));
    std::fs::remove_dir_all(dir)?;
    Ok(())
}

/// One payload for all records, so that making payloads does not count.
struct SharedPayload(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedPayload {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// User and system time of this process so far, in the kernel's ticks of 10 ms.
fn cpu_time() -> Result<Duration, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).map(|field| field.parse().unwrap_or(0)).sum();
    Ok(Duration::from_millis(ticks * 10))
}
