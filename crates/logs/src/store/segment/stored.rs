//! Events in a file, from where they lie to where they are read.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::Timestamp;
use groundwatch_log_files::{Events, LogFile, MalformedFile, MessageTexts, Part, RowRanges};

use super::decoded::DecodedPart;
use super::files::{Segment, SegmentStore};
use crate::event_key::{EventKey, KeyRange};
use crate::pattern::Matcher;
use crate::store::StoreError;
use crate::store::candidate::Direction;
use crate::store::merge::Found;

/// Events of one group that lie together in a file.
#[derive(Clone, Debug)]
pub(in crate::store) struct StoredPart {
    pub(super) segment: Arc<Segment>,
    pub(super) file: Arc<LogFile>,
    pub(super) part: Part,
    /// Which streams are wanted, by number, ascending; `None` for all.
    pub(super) streams: Option<Arc<[u32]>>,
    /// Where wanted events may be.
    pub(super) rows: RowRanges,
    /// Bytes of the wanted streams in there, as AWS counts them, about.
    pub(super) bytes: u64,
    pub(super) store: SegmentStore,
}

/// What is wanted of a part.
#[derive(Clone, Debug)]
pub(in crate::store) struct Selection {
    pub(in crate::store) range: KeyRange,
    pub(in crate::store) direction: Direction,
    pub(in crate::store) matcher: Option<Arc<Matcher>>,
    /// No event of a batch up to this one.
    pub(in crate::store) newer_than: u64,
    /// Only that many are going to be taken.
    pub(in crate::store) events_max: usize,
}

/// The events of a part that are wanted, and nothing besides: many parts may be open.
#[derive(Debug)]
pub(in crate::store) struct OpenedPart {
    file: Arc<LogFile>,
    /// In the order in which they are read.
    rows: VecDeque<Row>,
    /// What they say, one after the other.
    text: Bytes,
}

#[derive(Debug)]
struct Row {
    key: EventKey,
    stream: u32,
    ingested: Timestamp,
    text_len: u32,
}

impl StoredPart {
    /// Bytes that are looked at when it is opened, about.
    pub(in crate::store) fn text_bytes(&self) -> usize {
        self.bytes as usize
    }

    /// Reads and decodes it; `None` if nothing in it is wanted.
    pub(in crate::store) async fn open(self, selection: Selection) -> Result<Option<OpenedPart>, StoreError> {
        let decoding = self.store.decoding.clone();
        let permit = decoding.acquire_owned().await.map_err(StoreError::internal)?;
        let is_page = selection.matcher.is_none() && selection.events_max < self.part.rows.len();
        let kept = if is_page { self.store.decoded.get(&self) } else { None };
        let bytes = if kept.is_some() { Bytes::new() } else { self.read().await? };
        let opened = tokio::task::spawn_blocking(move || {
            let opened = match kept {
                Some(kept) => self.page(&kept, &selection),
                None if is_page => {
                    let decoded = self.store.decoded.decode(&self, &bytes);
                    decoded.and_then(|decoded| self.page(&decoded, &selection))
                }
                None => self.decode(&bytes, &selection),
            };
            drop(permit);
            opened.map_err(|error| self.store.damaged(&self.segment, &error))
        });
        opened.await.map_err(StoreError::internal)?
    }

    /// The bytes of its row group.
    pub(super) async fn read(&self) -> Result<Bytes, StoreError> {
        let range = self.file.bytes_of(&self.part);
        let range = range.map_err(|error| self.store.damaged(&self.segment, &error))?;
        self.store.read(&self.segment, range).await
    }

    /// Some of its events, where all are decoded.
    fn page(
        &self,
        DecodedPart { events, messages }: &DecodedPart,
        selection: &Selection,
    ) -> Result<Option<OpenedPart>, MalformedFile> {
        let mut rows = keyed(events, self.wanted_rows(events, selection));
        order(&mut rows, selection.direction, selection.events_max);
        Ok(self.opened(events, &rows, &messages.texts(&ranges(&rows))?))
    }

    fn decode(&self, bytes: &Bytes, selection: &Selection) -> Result<Option<OpenedPart>, MalformedFile> {
        let Some(matcher) = &selection.matcher else {
            let events = self.file.events(&self.part, bytes, &self.rows)?;
            let mut rows = keyed(&events, self.wanted_rows(&events, selection));
            order(&mut rows, selection.direction, selection.events_max);
            let taken = ranges(&rows);
            let messages = self.file.messages(&self.part, bytes, &taken)?;
            let texts = messages.texts(&taken)?;
            return Ok(self.opened(&events, &rows, &texts));
        };
        // Who, where and when need not be known before it is known that something matches, if nothing depends
        // on it.
        let known = if self.is_wanted_whole(selection) {
            None
        } else {
            let events = self.file.events(&self.part, bytes, &self.rows)?;
            let rows = RowRanges::of(&self.wanted_rows(&events, selection));
            Some((events, rows))
        };
        let rows = known.as_ref().map_or(&self.rows, |(_, rows)| rows);
        if rows.is_empty() {
            return Ok(None);
        }
        let messages = self.file.messages(&self.part, bytes, rows)?;
        let candidates = matcher.candidates(&messages)?;
        let candidates = candidates.map_or_else(|| rows.clone(), |rows| RowRanges::of(&rows));
        // Most row groups that are looked at have none.
        if candidates.is_empty() {
            return Ok(None);
        }
        let texts = messages.texts(&candidates)?;
        let matching = matching(&texts, matcher, &candidates);
        if matching.is_empty() {
            return Ok(None);
        }
        let events = match known {
            Some((events, _)) => events,
            None => self.file.events(&self.part, bytes, &RowRanges::of(&matching))?,
        };
        let mut rows = keyed(&events, matching);
        order(&mut rows, selection.direction, selection.events_max);
        Ok(self.opened(&events, &rows, &texts))
    }

    /// What these rows are, in this order; `None` without any.
    fn opened(
        &self,
        events: &Events,
        rows: &[(EventKey, u32)],
        texts: &MessageTexts<'_>,
    ) -> Option<OpenedPart> {
        let mut text = Vec::new();
        let row = |(key, row): &(EventKey, u32)| {
            let (row, start) = (*row as usize, text.len());
            texts.append(row, &mut text);
            let text_len = (text.len() - start) as u32;
            Row { key: *key, stream: events.stream(row), ingested: events.ingested(row), text_len }
        };
        let rows: VecDeque<Row> = rows.iter().map(row).collect();
        (!rows.is_empty()).then(|| OpenedPart { file: self.file.clone(), rows, text: text.into() })
    }

    /// Whether all of its events are wanted, as far as they match.
    fn is_wanted_whole(&self, selection: &Selection) -> bool {
        let KeyRange { from, to } = selection.range;
        let in_range = from <= self.part.first && self.part.last < to;
        in_range && self.streams.is_none() && selection.newer_than == 0
    }

    /// The rows of the wanted streams in the wanted range.
    fn wanted_rows(&self, events: &Events, selection: &Selection) -> Vec<u32> {
        let KeyRange { from, to } = selection.range;
        let wanted = |row: &u32| {
            let (stream, key) = (events.stream(*row as usize), events.key(*row as usize));
            self.streams.as_ref().is_none_or(|streams| streams.binary_search(&stream).is_ok())
                && from <= key
                && key < to
                && key.sequence > selection.newer_than
        };
        events.rows().iter().map(|row| row as u32).filter(wanted).collect()
    }
}

/// Those of `rows` whose messages match.
fn matching(texts: &MessageTexts<'_>, matcher: &Matcher, rows: &RowRanges) -> Vec<u32> {
    // Threads that share a regular expression wait for each other.
    let matcher = matcher.clone();
    let mut text = Vec::new();
    let matches = |row: &u32| {
        text.clear();
        texts.append(*row as usize, &mut text);
        matcher.matches(&text)
    };
    rows.iter().map(|row| row as u32).filter(matches).collect()
}

/// Rows with their keys.
fn keyed(events: &Events, rows: Vec<u32>) -> Vec<(EventKey, u32)> {
    rows.into_iter().map(|row| (events.key(row as usize), row)).collect()
}

/// The rows of these.
fn ranges(rows: &[(EventKey, u32)]) -> RowRanges {
    let mut numbers: Vec<u32> = rows.iter().map(|(_, row)| *row).collect();
    numbers.sort_unstable();
    RowRanges::of(&numbers)
}

/// Sorts rows as they are read, and drops those beyond the `first` ones.
fn order(rows: &mut Vec<(EventKey, u32)>, direction: Direction, first: usize) {
    let compare = |a: &(EventKey, u32), b: &(EventKey, u32)| match direction {
        Direction::Forward => a.0.cmp(&b.0),
        Direction::Backward => b.0.cmp(&a.0),
    };
    if first < rows.len() {
        rows.select_nth_unstable_by(first, compare);
        rows.truncate(first);
    }
    rows.sort_unstable_by(compare);
}

impl OpenedPart {
    /// The key of the event that is read next.
    pub(in crate::store) fn peek(&self) -> Option<EventKey> {
        self.rows.front().map(|row| row.key)
    }

    /// The next event.
    pub(in crate::store) fn take(&mut self) -> Option<Found> {
        let Row { key, stream, ingested, text_len } = self.rows.pop_front()?;
        let address = self.file.streams()[stream as usize].clone();
        Some(Found { key, address, ingested, message: self.text.split_to(text_len as usize) })
    }
}
