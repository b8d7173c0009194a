//! What files of log events cost: `cargo run --release -p groundwatch-log-files --example corpus -- [MIB]`.
//!
//! Makes the benchmark's corpus (default 256 MiB of text), writes it as early files of 64 MiB, merges those
//! into a compacted file a group, looks for words and for a regular expression, and reads everything back.
//! Prints CPU seconds a GB of text, bytes an event, and what each column takes; all in one thread.
#![allow(clippy::print_stdout, reason = "a program")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use groundwatch_bench::corpus::logs::Generator;
use groundwatch_core::{Scope, Timestamp};
use groundwatch_log_files::{
    EventKey, Events, FileWriter, GroupId, Layout, LogFile, LogStreamId, MessageTexts, Requirement,
    RowRanges, StreamAddress, WrittenFile,
};

const EARLY_FILE_BYTES: usize = 64 << 20;

struct Event {
    address: Arc<StreamAddress>,
    key: EventKey,
    ingested: Timestamp,
    message: String,
}

fn main() -> anyhow::Result<()> {
    let mib: usize = std::env::args().nth(1).map_or(Ok(256), |text| text.parse())?;
    let events = corpus(mib << 20);
    let text_bytes: usize = events.iter().map(|event| event.message.len()).sum();
    let total = Total { bytes: text_bytes as f64, events: events.len() as f64 };
    println!("{} events, {text_bytes} bytes of text", events.len());
    zstd_alone(&events, &total)?;

    let started = Started::now();
    let early = early_files(&events)?;
    total.report("early files", started, size(&early));
    let started = Started::now();
    let compacted = compacted_files(&early)?;
    total.report("compacted files", started, size(&compacted));
    columns(&compacted, &total)?;

    let regex = regex::bytes::Regex::new("status=5[0-9]{2}x|user_id.:9999[0-9]{9}")?;
    for (name, files) in [("early", &early), ("compacted", &compacted)] {
        let started = Started::now();
        let (mut found, mut message) = (0, Vec::new());
        scan(
            files,
            |_| true,
            |events, texts| {
                for row in events.rows().iter() {
                    message.clear();
                    texts.append(row, &mut message);
                    found += usize::from(regex.is_match(&message));
                }
                Ok(())
            },
        )?;
        total.report(&format!("regular expression over {name} ({found} found)"), started, 0);
    }
    let word = rare_word(&events).context("a rare word")?;
    for sought in [word.as_str(), "nowhere", "xylophone-7"] {
        let required = Requirement::of_text(sought.as_bytes());
        let started = Instant::now();
        let mut passed = 0;
        for file in &compacted {
            let (open, bytes) = file;
            let filters = open.filters().context("filters")?;
            let filters = &bytes[filters.start as usize..filters.end as usize];
            let candidates = open.candidates(filters, required.as_slice());
            passed += open.parts().iter().map(|part| candidates.rows_of(part).len()).sum::<usize>();
        }
        println!(
            "`{sought}`: {passed} rows to read, known in {:.3} ms",
            started.elapsed().as_secs_f64() * 1e3
        );
    }
    read_back(&events, &compacted)
}

/// Opened files with their bytes.
type Files = Vec<(Arc<LogFile>, bytes::Bytes)>;

fn corpus(bytes: usize) -> Vec<Event> {
    let mut generator = Generator::new(1);
    let mut addresses: BTreeMap<(Arc<str>, Arc<str>), Arc<StreamAddress>> = BTreeMap::new();
    let (mut number, mut groups) = (0, BTreeMap::new());
    for (group, streams) in generator.groups() {
        let next = groups.len() as u128;
        let group_id = GroupId::from_u128(*groups.entry(group.clone()).or_insert(next));
        for stream in streams {
            number += 1;
            let address = StreamAddress {
                scope: Scope::default(),
                group: group.to_string(),
                group_id,
                stream: stream.to_string(),
                stream_id: LogStreamId::from_u128(number),
            };
            addresses.insert((group.clone(), stream.clone()), Arc::new(address));
        }
    }
    let mut batches: BTreeMap<u128, (u64, u32, usize)> = BTreeMap::new();
    let (mut events, mut done, mut sequence) = (Vec::new(), 0, 0);
    while done < bytes {
        let Some(event) = generator.next() else { break };
        done += event.message.len();
        let address = addresses[&(event.group, event.stream)].clone();
        // As if an agent sent about 256 KiB at once.
        let batch = batches.entry(address.stream_id.as_u128()).or_insert((0, 0, usize::MAX));
        if batch.2 > 256 << 10 {
            sequence += 1;
            *batch = (sequence, 0, 0);
        }
        let key = EventKey { timestamp: event.timestamp, sequence: batch.0, index: batch.1 };
        batch.1 += 1;
        batch.2 += event.message.len();
        let ingested = Timestamp::from_millis(1_767_225_600_000 + batch.0 as i64 * 17);
        events.push(Event { address, key, ingested, message: event.message });
    }
    events
}

fn zstd_alone(events: &[Event], total: &Total) -> anyhow::Result<()> {
    let mut text = Vec::new();
    for event in events {
        text.extend_from_slice(event.message.as_bytes());
        text.push(b'\n');
    }
    let started = Started::now();
    let compressed = zstd::bulk::compress(&text, 3)?;
    total.report("zstd -3 of the text", started, compressed.len());
    Ok(())
}

fn early_files(events: &[Event]) -> anyhow::Result<Files> {
    let (mut files, mut start) = (Files::new(), 0);
    while start < events.len() {
        let (mut end, mut bytes) = (start, 0);
        while end < events.len() && bytes < EARLY_FILE_BYTES {
            bytes += events[end].message.len();
            end += 1;
        }
        let mut sorted: Vec<&Event> = events[start..end].iter().collect();
        sorted.sort_by_key(|event| (event.address.group_id, event.key));
        let mut writer = FileWriter::new(Layout::Text);
        for event in sorted {
            let stream = writer.stream(&event.address);
            writer.push(stream, event.key, event.ingested, event.message.as_bytes())?;
        }
        files.push(open(writer.finish()?)?);
        start = end;
    }
    Ok(files)
}

fn compacted_files(early: &Files) -> anyhow::Result<Files> {
    let mut files = Files::new();
    let mut groups: Vec<GroupId> =
        early.iter().flat_map(|(file, _)| file.streams()).map(|stream| stream.group_id).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let mut writer = FileWriter::new(Layout::Shaped);
        let mut message = Vec::new();
        for (file, bytes) in early {
            for part in file.parts_of(group) {
                let range = file.bytes_of(part)?;
                let (rows, bytes) = (
                    RowRanges::first(part.rows.len()),
                    bytes.slice(range.start as usize..range.end as usize),
                );
                let events = file.events(part, &bytes, &rows)?;
                let messages = file.messages(part, &bytes, &rows)?;
                let texts = messages.texts(&rows)?;
                for row in rows.iter() {
                    message.clear();
                    texts.append(row, &mut message);
                    let stream = writer.stream(events.address(row));
                    writer.push(stream, events.key(row), events.ingested(row), &message)?;
                    if writer.is_full() {
                        let full = std::mem::replace(&mut writer, FileWriter::new(Layout::Shaped));
                        files.push(open(full.finish()?)?);
                    }
                }
            }
        }
        if !writer.is_empty() {
            files.push(open(writer.finish()?)?);
        }
    }
    Ok(files)
}

fn open(written: WrittenFile) -> anyhow::Result<(Arc<LogFile>, bytes::Bytes)> {
    let WrittenFile { bytes, tail_bytes, .. } = written;
    let tail = bytes.slice(bytes.len() - tail_bytes as usize..);
    if let Ok(dir) = std::env::var("CORPUS_DIR") {
        std::fs::write(format!("{dir}/{:08x}.parquet", crc32fast_of(&bytes)), &bytes)?;
    }
    Ok((Arc::new(LogFile::open(&tail, bytes.len() as u64)?), bytes))
}

fn crc32fast_of(bytes: &[u8]) -> u32 {
    bytes.iter().step_by(97).fold(0, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)))
}

fn size(files: &Files) -> usize {
    files.iter().map(|(_, bytes)| bytes.len()).sum()
}

fn scan(
    files: &Files,
    wanted: impl Fn(usize) -> bool,
    mut look: impl FnMut(&Events, &MessageTexts<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for (file, bytes) in files {
        for part in file.parts().iter().filter(|part| wanted(part.row_group)) {
            let range = file.bytes_of(part)?;
            let (rows, bytes) =
                (RowRanges::first(part.rows.len()), bytes.slice(range.start as usize..range.end as usize));
            let messages = file.messages(part, &bytes, &rows)?;
            look(&file.events(part, &bytes, &rows)?, &messages.texts(&rows)?)?;
        }
    }
    Ok(())
}

fn columns(files: &Files, total: &Total) -> anyhow::Result<()> {
    let (mut by_name, mut footer, mut filters) = (BTreeMap::<String, i64>::new(), 0, 0);
    for (file, bytes) in files {
        for (name, size) in file.column_sizes()? {
            *by_name.entry(name).or_default() += size;
        }
        filters += file.filters().map_or(0, |filters| filters.end - filters.start);
        footer += bytes.len() as u64 - file.filters().map_or(0, |filters| filters.end);
    }
    let mut by_size: Vec<_> = by_name.into_iter().collect();
    by_size.sort_by_key(|(_, size)| -size);
    for (name, size) in by_size.iter().take(45) {
        println!("  {name}: {:.2} bytes an event", *size as f64 / total.events);
    }
    println!(
        "  filters: {:.2}, index and footer: {:.2}; {} files",
        filters as f64 / total.events,
        footer as f64 / total.events,
        files.len()
    );
    Ok(())
}

fn rare_word(events: &[Event]) -> Option<String> {
    let words = events[events.len() / 2].message.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.len() == 32).map(str::to_owned).next().or_else(|| rare_word(&events[1..]))
}

fn read_back(events: &[Event], files: &Files) -> anyhow::Result<()> {
    let mut expected: BTreeMap<(EventKey, u128), &str> = events
        .iter()
        .map(|event| ((event.key, event.address.stream_id.as_u128()), event.message.as_str()))
        .collect();
    let mut message = Vec::new();
    scan(
        files,
        |_| true,
        |events, texts| {
            for row in events.rows().iter() {
                message.clear();
                texts.append(row, &mut message);
                let wanted = expected.remove(&(events.key(row), events.address(row).stream_id.as_u128()));
                anyhow::ensure!(wanted.map(str::as_bytes) == Some(&message), "an event was changed");
            }
            Ok(())
        },
    )?;
    anyhow::ensure!(expected.is_empty(), "{} events are missing", expected.len());
    println!("every event was read back as it was written");
    Ok(())
}

/// CPU seconds of this process when something began.
#[derive(Clone, Copy)]
struct Started(f64);

impl Started {
    fn now() -> Self {
        Self(cpu_secs())
    }
}

/// User and system time of this process so far, from Linux's `/proc`; 0 elsewhere.
fn cpu_secs() -> f64 {
    const TICKS_PER_SEC: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    let ticks =
        |index: usize| fields.split_whitespace().nth(index).and_then(|field| field.parse::<f64>().ok());
    (ticks(11).unwrap_or_default() + ticks(12).unwrap_or_default()) / TICKS_PER_SEC
}

struct Total {
    bytes: f64,
    events: f64,
}

impl Total {
    fn report(&self, what: &str, started: Started, size: usize) {
        let seconds = cpu_secs() - started.0;
        println!(
            "{what}: {:.2} CPU-s/GB, {:.2} bytes an event",
            seconds / self.bytes * 1e9,
            size as f64 / self.events
        );
    }
}
