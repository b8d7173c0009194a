//! The files that a flush or a merge makes: durable one by one, registered all at once by whoever asked for
//! them.

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::Timestamp;
use groundwatch_log_files::{EventKey, FileWriter, Layout, LogFile, Part, WriteError, WrittenFile};
use groundwatch_storage::SegmentMeta;

use super::segment::Level;
use super::writing::Writing;
use super::{Inner, StoreError, StreamAddress};

/// Files that are written, and the shared one that is being made.
pub(super) struct Output<'s> {
    store: &'s Inner,
    /// No batch above this is going to be in them, if that is known.
    through: Option<u64>,
    writing: Writing<SegmentMeta>,
    /// Always there between calls.
    shared: Option<Filling>,
}

impl<'s> Output<'s> {
    /// Nothing yet. Shared files are going to be of `level`.
    pub(super) fn new(store: &'s Inner, level: u8, through: Option<u64>) -> Self {
        Self { store, through, writing: Writing::new(), shared: Some(Filling::new(Level::Shared(level))) }
    }

    /// Adds what `push` pushes to the shared file.
    pub(super) async fn share(
        &mut self,
        push: impl FnOnce(&mut Filling) -> Result<(), WriteError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let Some(shared) = self.shared.take() else { return Ok(()) };
        self.shared = Some(self.fill(shared, push).await?);
        Ok(())
    }

    /// Adds what `push` pushes, beside the threads that answer requests, and begins to write what became full.
    pub(super) async fn fill(
        &mut self,
        mut filling: Filling,
        push: impl FnOnce(&mut Filling) -> Result<(), WriteError> + Send + 'static,
    ) -> Result<Filling, StoreError> {
        let mut filling = self.store.encoder.run(move || push(&mut filling).map(|()| filling)).await?;
        for file in std::mem::take(&mut filling.full) {
            let (segments, level, through) = (self.store.segments.clone(), filling.level, self.through);
            self.writing.begin(async move { segments.write(file, level, through).await }).await?;
        }
        Ok(filling)
    }

    /// Begins to write what is left.
    pub(super) async fn finish(&mut self, filling: Filling) -> Result<(), StoreError> {
        self.fill(filling, Filling::finish_file).await.map(drop)
    }

    /// The files, if all went well, which `outcome` tells; else they are deleted.
    pub(super) async fn end(
        mut self,
        outcome: Result<(), StoreError>,
    ) -> Result<Vec<SegmentMeta>, StoreError> {
        let outcome = match outcome {
            Ok(()) => self.share(Filling::finish_file).await,
            Err(error) => Err(error),
        };
        let (written, all) = self.writing.end().await;
        match outcome.and(all) {
            Ok(()) => Ok(written),
            Err(error) => {
                self.store.segments.discard(&written).await;
                Err(error)
            }
        }
    }
}

/// A file that takes events, and those before it that became full.
pub(super) struct Filling {
    level: Level,
    writer: FileWriter,
    full: Vec<WrittenFile>,
}

impl Filling {
    fn new(level: Level) -> Self {
        Self { level, writer: FileWriter::new(layout(level)), full: Vec::new() }
    }

    /// Files of one group, which about `events` events with so many bytes are going to be pushed to.
    pub(super) fn own(events: usize, bytes: u64) -> Self {
        let level = Level::Own;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Self { level, writer: FileWriter::new(layout(level)).expecting(events, bytes), full: Vec::new() }
    }

    /// Whether so many events with so many bytes may come in any order; see [`FileWriter::sorts`].
    pub(super) fn sorts(&self, events: usize, bytes: u64) -> bool {
        usize::try_from(bytes).is_ok_and(|bytes| self.writer.sorts(events, bytes))
    }

    /// Adds an event. Groups come in the order of their ids, events of a group in the order of keys.
    pub(super) fn push(
        &mut self,
        address: &Arc<StreamAddress>,
        key: EventKey,
        ingested: Timestamp,
        message: &[u8],
    ) -> Result<(), WriteError> {
        let stream = self.writer.stream(address);
        self.writer.push(stream, key, ingested, message)?;
        if self.writer.is_full() { self.finish_file() } else { Ok(()) }
    }

    /// Adds a part of another file as it is; see [`FileWriter::take_over`].
    pub(super) fn take_over(
        &mut self,
        file: &LogFile,
        part: &Part,
        bytes: &Bytes,
        filters: &[u8],
    ) -> Result<(), WriteError> {
        if !self.writer.take_over(file, part, bytes.clone(), filters)? {
            self.finish_file()?;
            self.writer.take_over(file, part, bytes.clone(), filters)?;
        }
        if self.writer.is_full() { self.finish_file() } else { Ok(()) }
    }

    fn finish_file(&mut self) -> Result<(), WriteError> {
        if !self.writer.is_empty() {
            let next = self.writer.next();
            self.full.push(std::mem::replace(&mut self.writer, next).finish()?);
        }
        Ok(())
    }
}

fn layout(level: Level) -> Layout {
    match level {
        Level::Shared(_) => Layout::Text,
        Level::Own => Layout::Shaped,
    }
}
