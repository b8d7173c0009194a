//! Consecutive events of one `PutLogEvents`, as one immutable buffer: in the journal, in memory and in
//! segments alike.
//!
//! The body, integers little-endian:
//!
//! ```text
//! sequence u64 · first index u32 · rows u32 · ingestion time i64 · first event's time i64
//! rows × { milliseconds after the first event u32 · end of the message u32 }
//! messages, one after the other, without separators
//! ```
//!
//! A million events cost 8 MB besides their text, and any row is found without reading the others. Two
//! rejected ideas: variable-length numbers (a page from the tail would decode all that comes before it), and
//! a vector of strings (24 bytes and an allocation an event, and the journal's buffer would have to be
//! copied).

use std::ops::Range;

use bytes::{Buf, BufMut, Bytes};
use groundwatch_core::Timestamp;

use crate::event_key::{EventKey, KeyRange};
use crate::ingestion;

const HEADER_BYTES: usize = 32;
const ROW_BYTES: usize = 8;

/// A body that is not as [`EventBatch::encode`] writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a batch of events: {0}")]
pub struct MalformedBatch(&'static str);

/// One or more events, in order of time. Cheap to clone: the bytes are shared.
#[derive(Clone, Debug)]
pub(super) struct EventBatch {
    sequence: u64,
    first_index: u32,
    rows: u32,
    ingested: Timestamp,
    first_event: Timestamp,
    table: Bytes,
    messages: Bytes,
}

impl EventBatch {
    /// How many bytes [`Self::encode`] appends for that many events.
    pub(super) fn encoded_len(events: usize, message_bytes: usize) -> usize {
        HEADER_BYTES + events * ROW_BYTES + message_bytes
    }

    /// Appends the body of a batch to `out`. `events` are (milliseconds since 1970, message), at least one,
    /// in order of time, within 24 hours and 1 MiB: the rules of `PutLogEvents`.
    pub(super) fn encode<'a>(
        out: &mut Vec<u8>,
        sequence: u64,
        first_index: u32,
        ingested: Timestamp,
        events: impl ExactSizeIterator<Item = (i64, &'a [u8])> + Clone,
    ) {
        let first_event = events.clone().next().map_or(0, |(millis, _)| millis);
        out.put_u64_le(sequence);
        out.put_u32_le(first_index);
        out.put_u32_le(events.len() as u32);
        out.put_i64_le(ingested.as_millis());
        out.put_i64_le(first_event);
        let mut end = 0;
        for (millis, message) in events.clone() {
            debug_assert!(
                (0..=i64::from(u32::MAX)).contains(&(millis - first_event)),
                "sorted, within a day"
            );
            end += message.len() as u32;
            out.put_u32_le((millis - first_event) as u32);
            out.put_u32_le(end);
        }
        for (_, message) in events {
            out.extend_from_slice(message);
        }
    }

    /// Reads a body that takes all of `body`, sharing its bytes.
    pub(super) fn decode(mut body: Bytes) -> Result<Self, MalformedBatch> {
        if body.len() < HEADER_BYTES {
            return Err(MalformedBatch("it is too short"));
        }
        let sequence = body.get_u64_le();
        let first_index = body.get_u32_le();
        let rows = body.get_u32_le();
        let ingested = Timestamp::from_millis(body.get_i64_le());
        let first_event = Timestamp::from_millis(body.get_i64_le());
        let table_bytes = rows as usize * ROW_BYTES;
        if rows == 0 || body.len() < table_bytes {
            return Err(MalformedBatch("its table is cut off"));
        }
        if first_index.checked_add(rows).is_none_or(|end| end == u32::MAX) || first_event < Timestamp::EPOCH {
            return Err(MalformedBatch("its numbers are out of range"));
        }
        let table = body.split_to(table_bytes);
        let batch = Self { sequence, first_index, rows, ingested, first_event, table, messages: body };
        batch.check_table()?;
        Ok(batch)
    }

    /// Times never decrease, messages follow each other and end where the buffer ends.
    fn check_table(&self) -> Result<(), MalformedBatch> {
        let (mut offset, mut end) = (0, 0);
        for row in 0..self.len() {
            let (next_offset, next_end) = self.row(row);
            if next_offset < offset || next_end < end {
                return Err(MalformedBatch("its table is out of order"));
            }
            (offset, end) = (next_offset, next_end);
        }
        if self.first_event.as_millis().checked_add(i64::from(offset)).is_none() {
            return Err(MalformedBatch("its numbers are out of range"));
        }
        if end as usize == self.messages.len() {
            Ok(())
        } else {
            Err(MalformedBatch("its messages are cut off"))
        }
    }

    /// How many events it holds; never 0.
    pub(super) fn len(&self) -> usize {
        self.rows as usize
    }

    /// The number of the `PutLogEvents` call that brought it.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When it arrived.
    pub(super) fn ingested(&self) -> Timestamp {
        self.ingested
    }

    /// The key of its first event.
    pub(super) fn first_key(&self) -> EventKey {
        self.key(0)
    }

    /// The key of its last event.
    pub(super) fn last_key(&self) -> EventKey {
        self.key(self.len() - 1)
    }

    /// The key of the event in `row`.
    pub(super) fn key(&self, row: usize) -> EventKey {
        EventKey {
            timestamp: Timestamp::from_millis(self.first_event.as_millis() + i64::from(self.row(row).0)),
            sequence: self.sequence,
            index: self.first_index + row as u32,
        }
    }

    /// The text of the event in `row`.
    pub(super) fn message(&self, row: usize) -> &[u8] {
        &self.messages[self.message_range(row)]
    }

    /// As [`Self::message`], sharing the bytes.
    pub(super) fn message_bytes(&self, row: usize) -> Bytes {
        self.messages.slice(self.message_range(row))
    }

    /// The first row whose key is not before `key`; [`Self::len`] if there is none.
    pub(super) fn lower_bound(&self, key: EventKey) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle) < key { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The rows whose keys are in `range`.
    pub(super) fn rows_in(&self, range: KeyRange) -> Range<usize> {
        let start = self.lower_bound(range.from);
        start..self.lower_bound(range.to).max(start)
    }

    /// The rows as [`Self::encode`] takes them.
    #[cfg(test)]
    pub(super) fn events(&self, rows: Range<usize>) -> impl ExactSizeIterator<Item = (i64, &[u8])> + Clone {
        rows.map(|row| (self.key(row).timestamp.as_millis(), self.message(row)))
    }

    /// Bytes of all messages.
    pub(super) fn message_len(&self) -> usize {
        self.messages.len()
    }

    /// Bytes as AWS counts them.
    pub(super) fn billed_bytes(&self) -> u64 {
        ingestion::batch_size_bytes(self.messages.len(), self.len()) as u64
    }

    /// Bytes that it takes in memory, about.
    pub(super) fn memory_bytes(&self) -> usize {
        /// A map's entry, the shared buffer's own bookkeeping, names in front of the body.
        const OVERHEAD_BYTES: usize = 320;
        self.messages.len() + self.table.len() + OVERHEAD_BYTES
    }

    fn message_range(&self, row: usize) -> Range<usize> {
        let start = if row == 0 { 0 } else { self.row(row - 1).1 };
        start as usize..self.row(row).1 as usize
    }

    /// Milliseconds after the first event, and the end of the message.
    fn row(&self, row: usize) -> (u32, u32) {
        let mut bytes = &self.table[row * ROW_BYTES..][..ROW_BYTES];
        (bytes.get_u32_le(), bytes.get_u32_le())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_events() -> impl Strategy<Value = Vec<(i64, String)>> {
        proptest::collection::vec((0..1000_i64, "\\PC{0,12}"), 1..20).prop_map(|mut events| {
            events.sort_by_key(|(millis, _)| *millis);
            events
        })
    }

    proptest! {
        #[test]
        fn a_batch_reads_back_row_by_row(events in any_events(), first_index in 0..10_000_u32) {
            let raw = events.iter().map(|(millis, text)| (*millis, text.as_bytes()));
            let mut body = Vec::new();
            EventBatch::encode(&mut body, 5, first_index, Timestamp::from_millis(-3), raw.clone());
            let message_bytes = events.iter().map(|(_, text)| text.len()).sum();
            prop_assert_eq!(body.len(), EventBatch::encoded_len(events.len(), message_bytes));
            let batch = EventBatch::decode(body.into()).expect("just encoded");
            prop_assert_eq!(batch.ingested(), Timestamp::from_millis(-3));
            prop_assert!(batch.events(0..batch.len()).eq(raw));
            for row in 0..batch.len() {
                let key = batch.key(row);
                prop_assert_eq!((key.sequence, key.index), (5, first_index + row as u32));
                prop_assert_eq!(batch.lower_bound(key), row);
                prop_assert_eq!(batch.lower_bound(key.successor()), row + 1);
            }
        }

        #[test]
        fn damaged_bodies_are_refused_or_read_without_panic(
            events in any_events(), at in any::<prop::sample::Index>(), with in any::<u8>(), cut in any::<prop::sample::Index>(),
        ) {
            let mut body = Vec::new();
            let raw = events.iter().map(|(millis, text)| (*millis, text.as_bytes()));
            EventBatch::encode(&mut body, 5, 0, Timestamp::EPOCH, raw);
            prop_assert!(EventBatch::decode(Bytes::copy_from_slice(&body[..cut.index(body.len())])).is_err());
            let at = at.index(body.len());
            body[at] = with;
            if let Ok(batch) = EventBatch::decode(body.into()) {
                let read: usize = (0..batch.len()).map(|row| batch.message(row).len()).sum();
                prop_assert_eq!(read, batch.message_len());
            }
        }
    }
}
