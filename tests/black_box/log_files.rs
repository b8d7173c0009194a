//! Files of log events as other programs read them, and what a damaged one costs.

use std::path::{Path, PathBuf};
use std::process::Command;

use aws_sdk_cloudwatchlogs::types::InputLogEvent;

use crate::harness::Server;

const GROUP: &str = "/files";
/// 2026-01-01T00:00:00Z, where the manual clock starts.
const START_MS: i64 = 1_767_225_600_000;
/// Enough that the group gets files of its own.
const REQUESTS: i64 = 8;
const EVENTS: i64 = 2_500;

/// Writes to two streams; what was written, as (stream, milliseconds, message).
async fn write(server: &Server) -> Vec<(String, i64, String)> {
    let logs = server.logs();
    logs.create_log_group().log_group_name(GROUP).send().await.expect("created");
    let mut written = Vec::new();
    for stream in ["json", "lines"] {
        logs.create_log_stream().log_group_name(GROUP).log_stream_name(stream).send().await.expect("created");
        for request in 0..REQUESTS {
            let mut put = logs.put_log_events().log_group_name(GROUP).log_stream_name(stream);
            for event in request * EVENTS..(request + 1) * EVENTS {
                let message = match stream {
                    "json" => json(event),
                    _ => line(event),
                };
                let event = InputLogEvent::builder().timestamp(START_MS + event).message(message.clone());
                put = put.log_events(event.build().expect("complete"));
                written.push((
                    stream.to_owned(),
                    START_MS + (request * EVENTS) + (written.len() as i64 % EVENTS),
                    message,
                ));
            }
            put.send().await.expect("stored");
        }
    }
    // A flush after an hour, and a merge a minute after that.
    server.advance("PT2H").await;
    written
}

fn json(event: i64) -> String {
    let (status, filler) = (200 + event % 5, "é".repeat(80));
    format!(
        r#"{{"time": {event}, "http": {{"status": {status}, "path": "/a\"{event}"}}, "filler": "{filler}"}}"#
    )
}

fn line(event: i64) -> String {
    match event % 100 {
        0 => format!("unlike any other \u{11} {event}"),
        1 => format!("failed {event}\n\tat main({event})"),
        _ => format!("took {event} ms \"quoted {event}\" {}", noise(event)),
    }
}

/// Digits that do not compress well, so that the file has many blocks of a checksum each.
fn noise(seed: i64) -> String {
    let mix = |number: u64| {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    (1..=12).map(|part| format!("{:016x}", mix(mix(seed as u64 * 12 + part)))).collect()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(directory.join("segments/log-events")).expect("events were flushed");
    files.map(|file| file.expect("readable").path()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duckdb_reads_every_event() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::start_in(directory.path(), &["--clock", "manual"]);
    server.set_clock("2026-01-01T00:00:00Z").await;
    let written = write(&server).await;
    let expected = directory.path().join("expected.json");
    std::fs::write(&expected, serde_json::to_vec(&written).expect("JSON")).expect("written");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clients/log_files");
    let output = Command::new(script).arg(directory.path()).arg(&expected).output().expect("the script runs");
    println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "DuckDB disagrees; see its output above");
}

/// A bit that flips in a file is found by its checksum; reads of what it touches fail, others go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_is_named_and_confined() {
    let directory = tempfile::tempdir().expect("a directory");
    let flags = ["--clock", "manual"];
    let server = Server::start_in(directory.path(), &flags);
    server.set_clock("2026-01-01T00:00:00Z").await;
    write(&server).await;
    let files = files(directory.path());
    assert_eq!(files.len(), 1, "everything was merged into one file of the group");
    let mut bytes = std::fs::read(&files[0]).expect("readable");
    bytes[1_000] ^= 0b100;
    std::fs::write(&files[0], bytes).expect("written");
    let logs = server.logs();
    let get = |from_head| {
        logs.get_log_events()
            .log_group_name(GROUP)
            .log_stream_name("lines")
            .start_from_head(from_head)
            .limit(10)
            .send()
    };
    get(true).await.expect_err("the first events are in the damaged block");
    let last = get(false).await.expect("the last events are not");
    let expected = line(REQUESTS * EVENTS - 1);
    assert_eq!(last.events().last().and_then(|event| event.message()), Some(expected.as_str()));
    logs.put_log_events()
        .log_group_name(GROUP)
        .log_stream_name("lines")
        .log_events(InputLogEvent::builder().timestamp(START_MS).message("more").build().expect("complete"))
        .send()
        .await
        .expect("writing goes on");
}
