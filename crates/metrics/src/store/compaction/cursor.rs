//! Reads a run's series in the order of their keys, a megabyte at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use crate::block::{BlockIndex, Entry, Page};
use crate::codec::Damaged;
use crate::sample::Samples;
use crate::{MetricError, MetricStore, Second, Unit};

use super::super::block_file::{BlockFile, note_damage};

const READ_AHEAD_BYTES: u64 = 1 << 20;

/// A place in a run.
pub(super) struct Cursor {
    store: MetricStore,
    /// Blocks that are not begun, by key.
    rest: VecDeque<Arc<BlockFile>>,
    open: Option<OpenBlock>,
    /// Key and unit of the next entry; `None` at the end.
    head: Option<(Arc<str>, Unit)>,
}

struct OpenBlock {
    file: Arc<BlockFile>,
    index: Arc<BlockIndex>,
    next: usize,
    /// Bytes from here on.
    buffer_at: u64,
    buffer: Bytes,
    page: Option<(u32, Page)>,
}

impl Cursor {
    /// The beginning of the run that `blocks` are, by key.
    pub(super) async fn new(store: &MetricStore, blocks: Vec<Arc<BlockFile>>) -> Result<Self, MetricError> {
        let mut cursor = Self { store: store.clone(), rest: blocks.into(), open: None, head: None };
        cursor.settle().await?;
        Ok(cursor)
    }

    /// The series and unit that come next.
    pub(super) fn head(&self) -> Option<&(Arc<str>, Unit)> {
        self.head.as_ref()
    }

    /// Adds the samples of the next series and unit to `samples`, and goes on to the one after.
    pub(super) async fn take(&mut self, samples: &mut Samples) -> Result<(), MetricError> {
        let Some(taken) = self.head.clone() else { return Ok(()) };
        while self.head.as_ref() == Some(&taken) {
            if let Some(open) = &mut self.open {
                let read = open.read_next(&self.store, samples).await;
                read.inspect_err(|error| note_damage(&open.file, error))?;
            }
            self.settle().await?;
        }
        Ok(())
    }

    /// Finds the next entry.
    async fn settle(&mut self) -> Result<(), MetricError> {
        loop {
            if let Some(open) = &self.open
                && let Some(entry) = open.index.entries().get(open.next)
            {
                let key = self.store.key(entry.series);
                let unknown = MetricError::damaged(open.file.place());
                let key = key.ok_or_else(|| unknown(Damaged("a series of it is not known")))?;
                self.head = Some((key, entry.unit));
                return Ok(());
            }
            let Some(file) = self.rest.pop_front() else {
                (self.open, self.head) = (None, None);
                return Ok(());
            };
            let index = self.store.index(&file).await?;
            let buffer = Bytes::new();
            self.open = Some(OpenBlock { file, index, next: 0, buffer_at: 0, buffer, page: None });
        }
    }
}

impl OpenBlock {
    async fn read_next(&mut self, store: &MetricStore, samples: &mut Samples) -> Result<(), MetricError> {
        let entry = self.index.entries()[self.next];
        self.next += 1;
        if self.page.as_ref().is_none_or(|(number, _)| *number != entry.page) {
            self.page = Some((entry.page, self.read_page(store, &entry).await?));
        }
        let Some((_, page)) = &self.page else { return Ok(()) };
        let read = page.read(entry.rows(), Second::MIN, Second::MAX, samples);
        read.map_err(MetricError::damaged(self.file.place()))
    }

    async fn read_page(&mut self, store: &MetricStore, entry: &Entry) -> Result<Page, MetricError> {
        let page = self.index.page(entry);
        let end = page.offset + page.length;
        if page.offset < self.buffer_at || end > self.buffer_at + self.buffer.len() as u64 {
            let through = end.max(page.offset + READ_AHEAD_BYTES).min(self.file.meta.object.length);
            let segments = &store.inner.storage.segments;
            self.buffer = segments.read_range(&self.file.meta, page.offset..through).await?;
            self.buffer_at = page.offset;
        }
        let at = (page.offset - self.buffer_at) as usize;
        let bytes = self.buffer.get(at..at + page.length as usize);
        let page = bytes.ok_or(Damaged("a page lies beyond the end"));
        page.and_then(|bytes| self.index.decode(entry, bytes))
            .map_err(MetricError::damaged(self.file.place()))
    }
}
