//! Events in a file, from where they lie to where they are read.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_log_files::{Events, LogFile, Messages, Part, StreamAddress};

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
    /// Bytes of the wanted streams, as AWS counts them.
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
            let opened = self.decode(bytes, &selection);
            drop(permit);
            opened
        });
        opened.await.map_err(StoreError::internal)?
    }

    fn decode(&self, bytes: Bytes, selection: &Selection) -> Result<Option<OpenedPart>, StoreError> {
        let damaged = |error| self.store.damaged(&self.segment, &error);
        let events = self.file.events(&self.part, bytes).map_err(damaged)?;
        let wanted = |row: &usize| {
            let stream = events.stream(*row);
            self.streams.as_ref().is_none_or(|streams| streams.binary_search(&stream).is_ok())
        };
        let rows = (0..events.len()).filter(wanted).map(|row| (events.key(row), row as u32));
        let KeyRange { from, to } = selection.range;
        let mut rows: Vec<(EventKey, u32)> = rows
            .filter(|(key, _)| *key >= from && *key < to && key.sequence > selection.newer_than)
            .collect();
        if rows.is_empty() {
            return Ok(None);
        }
        let messages = events.messages().map_err(damaged)?;
        let Some(matcher) = &selection.matcher else {
            order(&mut rows, selection.direction, selection.events_max);
            return Ok(Some(OpenedPart { events, rows: rows.into(), texts: Texts::All(Box::new(messages)) }));
        };
        let mut text = Vec::new();
        rows.retain(|(_, row)| {
            text.clear();
            messages.append(*row as usize, &mut text);
            matcher.matches(&text)
        });
        if rows.is_empty() {
            return Ok(None);
        }
        order(&mut rows, selection.direction, selection.events_max);
        let (mut text, mut ends) = (Vec::new(), VecDeque::with_capacity(rows.len()));
        for (_, row) in &rows {
            messages.append(*row as usize, &mut text);
            ends.push_back(text.len() as u32);
        }
        let texts = Texts::Wanted { text: text.into(), ends, start: 0 };
        Ok(Some(OpenedPart { events, rows: rows.into(), texts }))
    }
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
