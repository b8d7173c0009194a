//! Files of each released version of the format are read as they were written.
//!
//! `tests/data/vN` has a file of each layout. To add those of a new version: `GROUNDWATCH_BLESS=1 cargo test
//! -p groundwatch-log-files --test samples`, which leaves files that are there as they are.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::{Scope, Timestamp};
use groundwatch_log_files::{
    EventKey, FileWriter, GroupId, Layout, LogFile, LogStreamId, Requirement, RowRanges, StreamAddress,
};

/// The version that this release writes.
const VERSION: &str = "v2";
const EVENTS: u32 = 64;

/// What the events of every sample say: JSON, fields, words, a stack trace, and text that fits no shape.
fn message(number: u32) -> String {
    match number % 5 {
        0 => format!(
            r#"{{"user":"u{number}","took":{},"tags":["a",{}]}}"#,
            number * 7,
            number.is_multiple_of(2)
        ),
        1 => format!("10.0.0.{number} - [1/Jan/2026] \"GET /a/{number} HTTP/1.1\" 200"),
        2 => format!("took {number} ms, trace=4d183e132f2f{number:04x}"),
        3 => format!("failed {number}\n\tat a.b.C\n\tat d.e.F"),
        _ => format!("ünïcödé {} \u{11}", "x".repeat(number as usize)),
    }
}

fn key(number: u32) -> EventKey {
    EventKey {
        timestamp: Timestamp::from_millis(1_767_225_600_000 + i64::from(number) * 11),
        sequence: u64::from(number / 8),
        index: number % 8,
    }
}

fn address(group: u32, stream: u32) -> Arc<StreamAddress> {
    Arc::new(StreamAddress {
        scope: Scope::default(),
        group: format!("group-{group}"),
        group_id: GroupId::from_u128(u128::from(group)),
        stream: format!("stream-{stream}"),
        stream_id: LogStreamId::from_u128(u128::from(100 + group * 10 + stream)),
    })
}

/// The group of an event: a shaped file has one.
fn group(layout: Layout, number: u32) -> u32 {
    if layout == Layout::Text { number * 2 / EVENTS } else { 0 }
}

fn written(layout: Layout) -> Bytes {
    let mut writer = FileWriter::new(layout);
    for number in 0..EVENTS {
        let stream = writer.stream(&address(group(layout, number), number % 3));
        let ingested = Timestamp::from_millis(1_767_225_700_000 + i64::from(number / 8));
        writer.push(stream, key(number), ingested, message(number).as_bytes()).expect("written");
    }
    let file = writer.finish().expect("finished");
    // How many bytes open it is known beside a file; here it stands behind.
    let mut bytes = file.bytes.to_vec();
    bytes.extend_from_slice(&file.tail_bytes.to_le_bytes());
    bytes.into()
}

/// A sample, and its bytes.
fn open(version: &str, layout: Layout) -> (Arc<LogFile>, Bytes) {
    let name = if layout == Layout::Text { "text" } else { "shaped" };
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "data", version, name].iter().collect();
    if version == VERSION && !path.exists() && std::env::var_os("GROUNDWATCH_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        std::fs::write(&path, written(layout)).expect("written");
    }
    let sample = Bytes::from(std::fs::read(&path).expect("a sample"));
    let (bytes, tail_bytes) = sample.split_at(sample.len() - 8);
    let tail_bytes = u64::from_le_bytes(tail_bytes.try_into().expect("eight bytes")) as usize;
    let bytes = sample.slice(..bytes.len());
    let tail = bytes.slice(bytes.len() - tail_bytes..);
    (Arc::new(LogFile::open(&tail, bytes.len() as u64).expect("opens")), bytes)
}

fn check(version: &str, layout: Layout) {
    let (file, bytes) = open(version, layout);
    let mut read = Vec::new();
    for part in file.parts() {
        let range = file.bytes_of(part).expect("is somewhere");
        let row_group = bytes.slice(range.start as usize..range.end as usize);
        let rows = RowRanges::first(part.rows.len());
        let events = file.events(part, &row_group, &rows).expect("readable");
        let messages = file.messages(part, &row_group, &rows).expect("readable");
        let texts = messages.texts(&rows).expect("readable");
        for row in rows.iter() {
            let mut message = Vec::new();
            texts.append(row, &mut message);
            read.push((
                events.key(row),
                events.ingested(row).as_millis() - 1_767_225_700_000,
                (**events.address(row)).clone(),
                String::from_utf8(message).expect("text"),
            ));
        }
    }
    read.sort_by_key(|(key, ..)| *key);
    let expected: Vec<_> = (0..EVENTS)
        .map(|number| {
            let address = (*address(group(layout, number), number % 3)).clone();
            (key(number), i64::from(number / 8), address, message(number))
        })
        .collect();
    assert_eq!(read, expected, "{version}, {layout:?}");

    if let Some(range) = file.filters() {
        let filters = &bytes[range.start as usize..range.end as usize];
        let may_hold = |text: &str| {
            let candidates = file.candidates(filters, Requirement::of_text(text.as_bytes()).as_slice());
            file.parts().iter().any(|part| !candidates.rows_of(part).is_empty())
        };
        assert!(may_hold("4d183e132f2f0002") && may_hold("failed"), "{version}: what is there may be there");
        assert!(
            !may_hold("4d183e132f2f0001") && !may_hold("nowhere"),
            "{version}: what is not is known not to"
        );
    }
}

#[test]
fn files_of_version_2_are_read() {
    check("v2", Layout::Text);
    check("v2", Layout::Shaped);
}

#[test]
fn files_of_version_1_are_read() {
    check("v1", Layout::Text);
    check("v1", Layout::Shaped);
}

#[test]
fn row_groups_of_earlier_releases_go_into_new_files() {
    for version in ["v1", "v2"] {
        let (file, bytes) = open(version, Layout::Shaped);
        let filters = file.filters().map_or(0..0, |range| range.start as usize..range.end as usize);
        let mut writer = FileWriter::new(Layout::Shaped);
        for part in file.parts() {
            let range = file.bytes_of(part).expect("is somewhere");
            let row_group = bytes.slice(range.start as usize..range.end as usize);
            let taken = writer.take_over(&file, part, row_group, &bytes[filters.clone()]);
            assert!(taken.expect("readable"), "{version}");
        }
        let written = writer.finish().expect("its columns are of the types that new ones have");
        assert_eq!(written.summary.rows, u64::from(EVENTS), "{version}");
    }
}
