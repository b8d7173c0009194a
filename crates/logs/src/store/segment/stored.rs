//! Events in a file, from where they lie to where they are read.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_log_files::{Events, LogFile, Messages, Part, RowRanges, StreamAddress};

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

/// The events of a part that are wanted.
#[derive(Debug)]
pub(in crate::store) struct OpenedPart {
    events: Events,
    /// In the order in which they are read: key and row, and where the text is if it was looked at.
    rows: VecDeque<(EventKey, u32)>,
    texts: Texts,
}

#[derive(Debug)]
enum Texts {
    /// Of all rows, to be put together when they are taken.
    All(Box<Messages>),
    /// Of the rows that are wanted, in their order, with the end of each.
    Wanted { text: Bytes, ends: VecDeque<u32>, start: u32 },
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
        let bytes = self.store.read(&self.segment, self.file.bytes_of(&self.part)).await?;
        let opened = tokio::task::spawn_blocking(move || {
            let opened = self.decode(&bytes, &selection);
            drop(permit);
            opened
        });
        opened.await.map_err(StoreError::internal)?
    }

    fn decode(&self, bytes: &Bytes, selection: &Selection) -> Result<Option<OpenedPart>, StoreError> {
        let damaged = |error| self.store.damaged(&self.segment, &error);
        let Some(matcher) = &selection.matcher else {
            let events = self.file.events(&self.part, bytes, &self.rows).map_err(damaged)?;
            let mut rows = keyed(&events, self.wanted_rows(&events, selection));
            order(&mut rows, selection.direction, selection.events_max);
            let mut numbers: Vec<u32> = rows.iter().map(|(_, row)| *row).collect();
            numbers.sort_unstable();
            let taken = RowRanges::of(&numbers);
            let messages = self.file.messages(&self.part, bytes, &taken).map_err(damaged)?;
            return Ok(OpenedPart::new(events, rows, Texts::All(Box::new(messages))));
        };
        // Who, where and when need not be known before it is known that something matches, if nothing depends
        // on it.
        let known = if self.is_wanted_whole(selection) {
            None
        } else {
            let events = self.file.events(&self.part, bytes, &self.rows).map_err(damaged)?;
            let rows = RowRanges::of(&self.wanted_rows(&events, selection));
            Some((events, rows))
        };
        let rows = known.as_ref().map_or(&self.rows, |(_, rows)| rows);
        if rows.is_empty() {
            return Ok(None);
        }
        let messages = self.file.messages(&self.part, bytes, rows).map_err(damaged)?;
        let matching = matching(&messages, matcher, rows);
        if matching.is_empty() {
            return Ok(None);
        }
        let events = match known {
            Some((events, _)) => events,
            None => self.file.events(&self.part, bytes, &RowRanges::of(&matching)).map_err(damaged)?,
        };
        let mut rows = keyed(&events, matching);
        order(&mut rows, selection.direction, selection.events_max);
        let (mut text, mut ends) = (Vec::new(), VecDeque::with_capacity(rows.len()));
        for (_, row) in &rows {
            messages.append(*row as usize, &mut text);
            ends.push_back(text.len() as u32);
        }
        let texts = Texts::Wanted { text: text.into(), ends, start: 0 };
        Ok(OpenedPart::new(events, rows, texts))
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
fn matching(messages: &Messages, matcher: &Matcher, rows: &RowRanges) -> Vec<u32> {
    // Threads that share a regular expression wait for each other.
    let matcher = matcher.clone();
    let candidates = messages.candidates(matcher.requirements());
    let mut text = Vec::new();
    let matches = |row: &usize| {
        candidates.as_ref().is_none_or(|candidates| candidates[*row]) && {
            text.clear();
            messages.append(*row, &mut text);
            matcher.matches(&text)
        }
    };
    rows.iter().filter(matches).map(|row| row as u32).collect()
}

/// Rows with their keys.
fn keyed(events: &Events, rows: Vec<u32>) -> Vec<(EventKey, u32)> {
    rows.into_iter().map(|row| (events.key(row as usize), row)).collect()
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
    fn new(events: Events, rows: Vec<(EventKey, u32)>, texts: Texts) -> Option<Self> {
        (!rows.is_empty()).then(|| Self { events, rows: rows.into(), texts })
    }

    /// The key of the event that is read next.
    pub(in crate::store) fn peek(&self) -> Option<EventKey> {
        self.rows.front().map(|(key, _)| *key)
    }

    /// The next event.
    pub(in crate::store) fn take(&mut self) -> Option<Found> {
        let (key, row) = self.rows.pop_front()?;
        let row = row as usize;
        let message = match &mut self.texts {
            Texts::All(messages) => {
                let mut text = Vec::new();
                messages.append(row, &mut text);
                Bytes::from(text)
            }
            Texts::Wanted { text, ends, start } => {
                let end = ends.pop_front()?;
                let message = text.slice(*start as usize..end as usize);
                *start = end;
                message
            }
        };
        let address: &Arc<StreamAddress> = self.events.address(row);
        Some(Found { key, address: address.clone(), ingested: self.events.ingested(row), message })
    }
}
