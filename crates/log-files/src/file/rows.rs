//! Events on their way into a row group.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::Utf8Error;

use super::index::{Part, PartStream};
use crate::event_key::EventKey;
use crate::incarnation::GroupId;

/// How many events a row group has at most.
pub(super) const ROWS_MAX: usize = 16 << 10;
/// How much text a row group takes before the next one begins.
pub(super) const TEXT_BYTES_MAX: usize = 8 << 20;
/// What AWS adds to a message's length when it counts bytes.
const EVENT_OVERHEAD_BYTES: u64 = 26;

/// The events of one row group, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) keys: Vec<EventKey>,
    pub(super) ingested_ms: Vec<i64>,
    /// By number.
    pub(super) streams: Vec<u32>,
    pub(super) ends: Vec<usize>,
    pub(super) text: Vec<u8>,
    /// The groups in order, each with the row behind its last one.
    pub(super) groups: Vec<(GroupId, usize)>,
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// For so many rows with so much text, so that memory does not grow step by step.
    pub(super) fn make_room(&mut self, rows: usize, text_bytes: usize) {
        self.keys.reserve(rows);
        self.ingested_ms.reserve(rows);
        self.streams.reserve(rows);
        self.ends.reserve(rows);
        self.text.reserve(text_bytes.min(TEXT_BYTES_MAX));
    }

    pub(super) fn is_full(&self, rows_max: usize) -> bool {
        self.len() >= rows_max || self.text.len() >= TEXT_BYTES_MAX
    }

    pub(super) fn push(
        &mut self,
        group: GroupId,
        stream: u32,
        key: EventKey,
        ingested_ms: i64,
        message: &[u8],
    ) {
        self.keys.push(key);
        self.ingested_ms.push(ingested_ms);
        self.streams.push(stream);
        self.text.extend_from_slice(message);
        self.ends.push(self.text.len());
        match self.groups.last_mut() {
            Some((last, end)) if *last == group => *end = self.keys.len(),
            _ => self.groups.push((group, self.keys.len())),
        }
    }

    pub(super) fn message_range(&self, row: usize) -> Range<usize> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        start..self.ends[row]
    }

    pub(super) fn message(&self, row: usize) -> &[u8] {
        &self.text[self.message_range(row)]
    }

    /// Refuses messages that are not UTF-8.
    pub(super) fn check_utf8(&self) -> Result<(), Utf8Error> {
        let text = std::str::from_utf8(&self.text)?;
        // One that is not may end where the next one goes on.
        let cut = (0..self.len()).find(|row| !text.is_char_boundary(self.ends[*row]));
        cut.map_or(Ok(()), |row| std::str::from_utf8(self.message(row)).map(drop))
    }

    /// Bytes as AWS counts them.
    pub(super) fn billed_bytes(&self) -> u64 {
        self.text.len() as u64 + self.len() as u64 * EVENT_OVERHEAD_BYTES
    }

    /// What the index says of these rows.
    pub(super) fn parts(&self, row_group: usize) -> Vec<Part> {
        let mut start = 0;
        let part = |&(group, end): &(GroupId, usize)| {
            let rows = start..end;
            start = end;
            let keys = &self.keys[rows.clone()];
            Part {
                group,
                row_group,
                first: keys.iter().min().copied().unwrap_or(EventKey::MIN),
                last: keys.iter().max().copied().unwrap_or(EventKey::MIN),
                streams: self.streams_in(rows.clone()),
                rows,
            }
        };
        self.groups.iter().map(part).collect()
    }

    fn streams_in(&self, rows: Range<usize>) -> Vec<PartStream> {
        let mut streams: BTreeMap<u32, PartStream> = BTreeMap::new();
        for row in rows {
            let (stream, millis) = (self.streams[row], self.keys[row].timestamp.as_millis());
            let bytes = self.message_range(row).len() as u64 + EVENT_OVERHEAD_BYTES;
            streams
                .entry(stream)
                .and_modify(|known| {
                    known.first_ms = known.first_ms.min(millis);
                    known.last_ms = known.last_ms.max(millis);
                    known.bytes += bytes;
                })
                .or_insert(PartStream { stream, first_ms: millis, last_ms: millis, bytes });
        }
        streams.into_values().collect()
    }
}
