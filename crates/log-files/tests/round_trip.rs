//! Files against what was put into them: every event, byte for byte, in both layouts, and when row groups go
//! from file to file; words are found; damage is an error.

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::{Scope, Timestamp};
use groundwatch_log_files::{
    EventKey, FileWriter, GroupId, Layout, LogFile, LogStreamId, MalformedFile, Messages, Requirement,
    RowRanges, StreamAddress, WrittenFile,
};
use proptest::prelude::*;

/// An event as it is written: its stream, its key and its text.
type Event = (usize, EventKey, String);

fn address(layout: Layout, stream: usize) -> Arc<StreamAddress> {
    let group = if layout == Layout::Text { stream % 2 } else { 0 };
    Arc::new(StreamAddress {
        scope: Scope::default(),
        group: format!("group-{group}"),
        group_id: GroupId::from_u128(group as u128),
        // Streams of different groups may have the same name.
        stream: format!("stream-{}", if layout == Layout::Text { stream / 2 } else { stream }),
        stream_id: LogStreamId::from_u128(100 + stream as u128),
    })
}

fn any_message() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,30}",
        "took [0-9]{1,5} ms, id=[a-f0-9]{8,40}",
        "[a-z]{1,5} [a-z]{1,5}=\"[a-z ]{0,5}\" [0-9]{1,3}\\n\tat [a-z]{3}",
        r#"\{"a":"[a-zé\\"]{0,4}","b":\[[0-9],true\],"C-1":[0-9]{1,3}\}"#,
        "-?[a-f0-9]{4}-[a-f0-9]{4}_[0-9]{1,2}",
        "\u{11}[0-9]\u{11}",
    ]
}

fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let event = (0..6_usize, 0..1_000_i64, any_message());
    proptest::collection::vec(event, 1..200).prop_map(|events| {
        let keyed = events.into_iter().enumerate().map(|(index, (stream, millis, message))| {
            let key = EventKey {
                timestamp: Timestamp::from_millis(millis),
                sequence: index as u64 / 3,
                index: index as u32,
            };
            (stream, key, message)
        });
        keyed.collect()
    })
}

fn write(layout: Layout, events: &[Event]) -> WrittenFile {
    let mut sorted: Vec<&Event> = events.iter().collect();
    sorted.sort_by_key(|(stream, key, _)| (address(layout, *stream).group_id, *key));
    let mut writer = FileWriter::new(layout);
    for (stream, key, message) in sorted {
        let stream = writer.stream(&address(layout, *stream));
        let ingested = Timestamp::from_millis(key.sequence as i64 * 7);
        writer.push(stream, *key, ingested, message.as_bytes()).expect("written");
    }
    writer.finish().expect("finished")
}

/// A file that takes the row groups of others over, and then has some more events.
fn merge(others: &[&[Event]], more: &[Event]) -> WrittenFile {
    let mut writer = FileWriter::new(Layout::Shaped);
    for events in others.iter().filter(|events| !events.is_empty()) {
        let WrittenFile { bytes, tail_bytes, .. } = write(Layout::Shaped, events);
        let file = open(&bytes, tail_bytes).expect("opens");
        let slice = |range: std::ops::Range<u64>| bytes.slice(range.start as usize..range.end as usize);
        let filters = slice(file.filters().expect("has filters"));
        for part in file.parts() {
            assert!(file.can_be_taken_over(part));
            let row_group = slice(file.bytes_of(part).expect("is somewhere"));
            let taken = writer.take_over(&file, part, row_group, &filters).expect("taken over");
            assert!(taken, "their columns are alike");
        }
    }
    for (stream, key, message) in more {
        let stream = writer.stream(&address(Layout::Shaped, *stream));
        let ingested = Timestamp::from_millis(key.sequence as i64 * 7);
        writer.push(stream, *key, ingested, message.as_bytes()).expect("written");
    }
    writer.finish().expect("finished")
}

fn open(bytes: &Bytes, tail_bytes: u64) -> Result<Arc<LogFile>, MalformedFile> {
    let tail = bytes.slice(bytes.len() - tail_bytes as usize..);
    LogFile::open(&tail, bytes.len() as u64).map(Arc::new)
}

/// The stream's id, key, ingestion and text of an event.
type Row = (LogStreamId, EventKey, Timestamp, Vec<u8>);

/// What is read of an event in a shaped file.
fn row((stream, key, message): &Event) -> Row {
    let ingested = Timestamp::from_millis(key.sequence as i64 * 7);
    (address(Layout::Shaped, *stream).stream_id, *key, ingested, message.as_bytes().to_vec())
}

/// Everything in a file, in the order of keys.
fn read(file: &Arc<LogFile>, bytes: &Bytes) -> Result<Vec<Row>, MalformedFile> {
    let mut all = Vec::new();
    for part in file.parts() {
        let range = file.bytes_of(part)?;
        if range.start > range.end || range.end > bytes.len() as u64 {
            continue;
        }
        let bytes = bytes.slice(range.start as usize..range.end as usize);
        let rows = RowRanges::first(part.rows.len());
        let events = file.events(part, &bytes, &rows)?;
        let messages = file.messages(part, &bytes, &rows)?;
        let texts = messages.texts(&rows)?;
        for row in rows.iter() {
            let address = events.address(row);
            let mut message = Vec::new();
            texts.append(row, &mut message);
            all.push((address.stream_id, events.key(row), events.ingested(row), message));
        }
    }
    all.sort();
    Ok(all)
}

/// What the event in a row says.
fn said(messages: &Messages, row: usize) -> Vec<u8> {
    let mut message = Vec::new();
    let rows = RowRanges::of(&[row as u32]);
    messages.texts(&rows).expect("readable").append(row, &mut message);
    message
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_read_is_what_was_written(events in any_events(), shaped in any::<bool>()) {
        let layout = if shaped { Layout::Shaped } else { Layout::Text };
        let written = write(layout, &events);
        let file = open(&written.bytes, written.tail_bytes).expect("opens");
        let mut expected: Vec<_> = events
            .iter()
            .map(|(stream, key, message)| {
                let ingested = Timestamp::from_millis(key.sequence as i64 * 7);
                (address(layout, *stream).stream_id, *key, ingested, message.as_bytes().to_vec())
            })
            .collect();
        expected.sort();
        prop_assert_eq!(written.summary.rows, expected.len() as u64);
        let counted: u64 = file.parts().iter().flat_map(|part| &part.streams).map(|stream| stream.bytes).sum();
        prop_assert_eq!(written.summary.bytes, counted);
        prop_assert_eq!(read(&file, &written.bytes).expect("readable"), expected);
    }

    #[test]
    fn row_groups_that_are_taken_over_are_read_as_before(
        events in any_events(),
        cuts in any::<[prop::sample::Index; 2]>(),
        which in any::<prop::sample::Index>(),
    ) {
        let (a, b) = (cuts[0].index(events.len()), cuts[1].index(events.len()));
        let (first, second, more) =
            (&events[..a.min(b)], &events[a.min(b)..a.max(b)], &events[a.max(b)..]);
        let merged = merge(&[first, second], more);
        let file = open(&merged.bytes, merged.tail_bytes).expect("opens");
        let mut expected: Vec<_> = events.iter().map(row).collect();
        expected.sort();
        let rows = read(&file, &merged.bytes).expect("readable");
        prop_assert_eq!(&rows, &expected);
        prop_assert_eq!(merged.summary.rows, events.len() as u64);
        let range = file.filters().expect("has filters");
        let filters = &merged.bytes[range.start as usize..range.end as usize];
        let (_, key, message) = which.get(&events);
        let candidates = file.candidates(filters, Requirement::of_delimited_text(message.as_bytes()).as_slice());
        let mut holding = file.parts().iter().filter(|part| part.first <= *key && part.last >= *key);
        prop_assert!(holding.any(|part| !candidates.rows_of(part).is_empty()));
    }

    /// Whatever part of whatever message is looked for: nothing that has it is passed over.
    #[test]
    fn a_word_is_never_passed_over(
        events in any_events(),
        shaped in any::<bool>(),
        which in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let written = write(if shaped { Layout::Shaped } else { Layout::Text }, &events);
        let file = open(&written.bytes, written.tail_bytes).expect("opens");
        let slice =
            |range: std::ops::Range<u64>| written.bytes.slice(range.start as usize..range.end as usize);
        let filters = slice(file.filters().expect("has filters"));
        let message = which.get(&events).2.as_bytes();
        let (a, b) = (from.index(message.len() + 1), to.index(message.len() + 1));
        let sought = &message[a.min(b)..a.max(b)];
        let holds = |message: &[u8]| sought.is_empty() || message.windows(sought.len()).any(|part| part == sought);
        let required = Requirement::of_text(sought);
        let candidates = file.candidates(&filters, required.as_slice());
        let mut found = 0;
        for part in file.parts() {
            let rows = candidates.rows_of(part);
            let bytes = slice(file.bytes_of(part).expect("is somewhere"));
            let messages = file.messages(part, &bytes, &rows).expect("readable");
            let may_hold = messages.candidates(required.as_slice()).expect("readable");
            let may_hold = |row: &usize| may_hold.as_ref().is_none_or(|rows| rows.binary_search(&(*row as u32)).is_ok());
            found += rows.iter().filter(may_hold).filter(|row| holds(&said(&messages, *row))).count();
        }
        let all = events.iter().filter(|(_, _, message)| holds(message.as_bytes())).count();
        prop_assert_eq!(found, all);
    }

    /// Storage's checksums find damage first; whoever gets past them meets no panic here.
    #[test]
    fn damage_is_an_error_or_other_events_but_no_panic(
        events in any_events(),
        shaped in any::<bool>(),
        at in any::<prop::sample::Index>(),
        with in any::<u8>(),
    ) {
        let written = write(if shaped { Layout::Shaped } else { Layout::Text }, &events);
        let mut bytes = written.bytes.to_vec();
        let at = at.index(bytes.len());
        bytes[at] = with;
        let bytes = Bytes::from(bytes);
        if let Ok(file) = open(&bytes, written.tail_bytes) {
            let _ = read(&file, &bytes);
        }
    }
}

/// Enough events for several units, so that pages are passed over.
#[test]
fn some_rows_are_read_as_they_are_among_all() {
    let message = |number: u32| match number % 3 {
        0 => format!("{{\"id\":\"{number:08x}f\",\"level\":\"INFO\"}}"),
        1 => format!("took {number} ms for {:x}-{}", number.wrapping_mul(2_654_435_761), number % 7),
        _ => format!("{} of its own kind", "x".repeat(number as usize % 200)),
    };
    let events: Vec<Event> = (0..12_000_u32)
        .map(|number| {
            let timestamp = Timestamp::from_millis(i64::from(number));
            (number as usize % 6, EventKey { timestamp, sequence: 1, index: number }, message(number))
        })
        .collect();
    let written = write(Layout::Shaped, &events);
    let file = open(&written.bytes, written.tail_bytes).expect("opens");
    let part = &file.parts()[0];
    let slice = |range: std::ops::Range<u64>| written.bytes.slice(range.start as usize..range.end as usize);
    let bytes = slice(file.bytes_of(part).expect("is somewhere"));
    let all = RowRanges::first(part.rows.len());
    let whole = file.messages(part, &bytes, &all).expect("readable");
    let check = |rows: &RowRanges| {
        let events = file.events(part, &bytes, rows).expect("readable");
        let messages = file.messages(part, &bytes, rows).expect("readable");
        for row in rows.iter() {
            let expected = message(events.key(row).index);
            assert_eq!(String::from_utf8(said(&messages, row)).expect("text"), expected);
            assert_eq!(said(&whole, row), expected.as_bytes());
        }
    };
    check(&RowRanges::of(&[0, 1, 4_095, 4_096, 9_000, 11_999]));
    check(&std::iter::once(4_000..4_200).collect());
    check(&[1..2, 8_191..8_193].into_iter().collect());

    let filters = slice(file.filters().expect("has filters"));
    let rare = Requirement::of_text(b"00000bbbf");
    let rows = file.candidates(&filters, rare.as_slice()).rows_of(part);
    assert!(rows.len() <= 4_096, "more than one unit is read: {rows:?}");
    let messages = file.messages(part, &bytes, &rows).expect("readable");
    assert!(rows.iter().any(|row| said(&messages, row) == message(0xBBB).as_bytes()));
}
