//! What is sought in columns against what a scan of all messages finds, where there are enough rows for
//! several pages, dictionaries and values that continue each other.

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::{Scope, Timestamp};
use groundwatch_log_files::{
    Automaton, EventKey, FileWriter, GroupId, Layout, LogFile, LogStreamId, Messages, Requirement, RowRanges,
    StreamAddress,
};
use proptest::prelude::*;

const EVENTS: u32 = 9_000;

/// A number that looks random.
fn mixed(number: u32) -> u64 {
    (u64::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn message(number: u32) -> String {
    let random = mixed(number);
    let level = ["INFO", "WARN", "ERROR", "DEBUG9"][(random >> 20) as usize % 4];
    let time = format!("2026-01-01T{:02}:{:02}:{:02}Z", number / 3600, number / 60 % 60, number % 60);
    match number % 3 {
        0 => format!("{{\"at\":\"{time}\",\"level\":\"{level}\",\"id\":\"{random:016x}\"}}"),
        1 => format!("{time} {level} took {} ms in Zone{}", random % 7_919, random % 40),
        _ => format!("{level} {random:016X} {} of its own kind", "xY".repeat(number as usize % 50)),
    }
}

/// The messages in the order of the file, and these in columns.
fn stored() -> (Vec<String>, Messages) {
    let mut writer = FileWriter::new(Layout::Shaped);
    let stream = writer.stream(&Arc::new(StreamAddress {
        scope: Scope::default(),
        group: "group".to_owned(),
        group_id: GroupId::from_u128(1),
        stream: "stream".to_owned(),
        stream_id: LogStreamId::from_u128(2),
    }));
    for number in 0..EVENTS {
        let key =
            EventKey { timestamp: Timestamp::from_millis(i64::from(number)), sequence: 1, index: number };
        writer.push(stream, key, Timestamp::EPOCH, message(number).as_bytes()).expect("written");
    }
    let written = writer.finish().expect("finished");
    let slice = |range: std::ops::Range<u64>| written.bytes.slice(range.start as usize..range.end as usize);
    let length = written.bytes.len() as u64;
    let tail: Bytes = slice(length - written.tail_bytes..length);
    let file = Arc::new(LogFile::open(&tail, length).expect("opens"));
    let [part] = file.parts() else { panic!("a part of one row group") };
    let (bytes, rows) =
        (slice(file.bytes_of(part).expect("is somewhere")), RowRanges::first(EVENTS as usize));
    let events = file.events(part, &bytes, &rows).expect("readable");
    let said = rows.iter().map(|row| message(events.key(row).index)).collect();
    (said, file.messages(part, &bytes, &rows).expect("readable"))
}

/// Accepts messages with so many capital letters in a row and then a digit, or with nothing else before it.
struct CapitalsAndDigit {
    capitals: u32,
    from_start: bool,
    idle: [bool; 256],
}

impl CapitalsAndDigit {
    /// The state in which so many capital letters were met: 2 and more.
    const NONE: u32 = 2;

    fn accepts(&mut self, text: &[u8]) -> bool {
        let end = text.iter().fold(self.start(), |state, byte| self.next(state, *byte));
        end == Self::ACCEPTED
    }
}

impl Automaton for CapitalsAndDigit {
    fn start(&mut self) -> u32 {
        Self::NONE
    }

    fn next(&mut self, state: u32, byte: u8) -> u32 {
        let other = if self.from_start { Self::REFUSED } else { Self::NONE };
        match byte {
            _ if state < Self::NONE => state,
            b'A'..=b'Z' => (state + 1).min(Self::NONE + self.capitals),
            b'0'..=b'9' if state == Self::NONE + self.capitals => Self::ACCEPTED,
            _ => other,
        }
    }

    fn accepts_end(&mut self, state: u32) -> bool {
        state == Self::ACCEPTED
    }

    fn idle(&mut self, state: u32) -> &[bool; 256] {
        for byte in 0..=u8::MAX {
            self.idle[usize::from(byte)] = self.next(state, byte) == state;
        }
        &self.idle
    }
}

fn check_word(said: &[String], stored: &Messages, word: &str) {
    let required = Requirement::of_text(word.as_bytes()).expect("a token");
    let candidates = stored.candidates(&[required]).expect("readable");
    let Some(candidates) = candidates else { return };
    let texts = stored.texts(&RowRanges::of(&candidates)).expect("readable");
    for (row, message) in (0..).zip(said) {
        let is_candidate = candidates.binary_search(&row).is_ok();
        assert!(is_candidate || !message.contains(word), "`{word}` in `{message}`");
        if is_candidate {
            let mut text = Vec::new();
            texts.append(row as usize, &mut text);
            assert_eq!(text, message.as_bytes());
        }
    }
}

#[test]
fn what_no_message_has_has_no_candidates() {
    let (_, stored) = stored();
    for word in ["0123456789abcdef0", "FATAL", "Zone77", "2027-01-01T00"] {
        let required = Requirement::of_text(word.as_bytes()).expect("a token");
        assert_eq!(stored.candidates(&[required]).expect("readable"), Some(Vec::new()), "{word}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn columns_tell_what_a_scan_tells(
        words in proptest::collection::vec((0..EVENTS, any::<prop::sample::Index>(), 3..20_usize), 24),
        capitals in 0..7_u32,
        from_start in any::<bool>(),
    ) {
        let (said, stored) = stored();
        for (number, at, length) in words {
            let message = message(number);
            let at = at.index(message.len());
            if let Some(word) = message.get(at..(at + length).min(message.len()))
                && Requirement::of_text(word.as_bytes()).is_some()
            {
                check_word(&said, &stored, word);
            }
        }
        let mut automaton = CapitalsAndDigit { capitals, from_start, idle: [false; 256] };
        let accepted = stored.accepted(&mut automaton).expect("readable");
        let numbered = (0..).zip(&said);
        let expected: Vec<u32> =
            numbered.filter(|(_, text)| automaton.accepts(text.as_bytes())).map(|(row, _)| row).collect();
        prop_assert_eq!(accepted, expected);
    }
}
