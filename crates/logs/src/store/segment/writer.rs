//! Writes a segment in one pass.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::{BufMut, Bytes};
use groundwatch_core::Timestamp;

use super::index::{Block, Index, Run, StreamRuns};
use super::{BLOCK_BYTES, HEADER_BYTES, MAGIC, VERSION};
use crate::incarnation::GroupId;
use crate::store::address::StreamAddress;
use crate::store::event_batch::EventBatch;

/// zstd's fastest regular level: early files are rewritten by compaction, which is the place to spend time.
const COMPRESSION_LEVEL: i32 = 1;

/// A segment in the making. Streams must come in the order of group and stream incarnation.
pub(in crate::store) struct SegmentWriter {
    object: Vec<u8>,
    compressor: zstd::bulk::Compressor<'static>,
    /// The raw block that is being filled.
    block: Vec<u8>,
    index: Index,
    summary: Summary,
}

/// A finished segment.
pub(in crate::store) struct WrittenSegment {
    /// The object.
    pub(in crate::store) bytes: Bytes,
    /// What is in it.
    pub(in crate::store) summary: Summary,
}

/// What is in a segment.
#[derive(Clone, Debug)]
pub(in crate::store) struct Summary {
    /// The earliest event's time.
    pub(in crate::store) from: Timestamp,
    /// The latest event's time.
    pub(in crate::store) to: Timestamp,
    /// How many events it holds.
    pub(in crate::store) rows: u64,
    /// Their bytes as AWS counts them.
    pub(in crate::store) bytes: u64,
    /// Its groups, ascending.
    pub(in crate::store) groups: Vec<GroupId>,
}

impl SegmentWriter {
    /// A segment without events.
    pub(in crate::store) fn new() -> io::Result<Self> {
        let mut object = Vec::new();
        object.extend_from_slice(MAGIC);
        object.put_u32_le(VERSION);
        debug_assert_eq!(object.len(), HEADER_BYTES);
        Ok(Self {
            object,
            compressor: zstd::bulk::Compressor::new(COMPRESSION_LEVEL)?,
            block: Vec::with_capacity(BLOCK_BYTES),
            index: Index::default(),
            summary: Summary {
                from: Timestamp::MAX,
                to: Timestamp::MIN,
                rows: 0,
                bytes: 0,
                groups: Vec::new(),
            },
        })
    }

    /// Whether it holds no events.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.index.streams.is_empty()
    }

    /// Adds all events of a stream; `batches` by the time of their first event.
    pub(in crate::store) fn add<'a>(
        &mut self,
        address: &Arc<StreamAddress>,
        batches: impl Iterator<Item = &'a EventBatch>,
    ) -> io::Result<()> {
        let first_run = self.index.runs.len();
        for batch in batches {
            let mut rows = 0..0;
            while rows.end < batch.len() {
                rows = self.slice(batch, rows.end);
                if !self.block.is_empty() && self.block.len() + slice_bytes(batch, &rows) > BLOCK_BYTES {
                    self.finish_block()?;
                }
                self.put(batch, rows.clone(), first_run);
            }
            self.summary.rows += batch.len() as u64;
            self.summary.bytes += batch.billed_bytes();
        }
        self.index
            .streams
            .push(StreamRuns { address: address.clone(), runs: first_run..self.index.runs.len() });
        if self.summary.groups.last() != Some(&address.group_id) {
            self.summary.groups.push(address.group_id);
        }
        Ok(())
    }

    /// Writes the index, and the segment is done.
    pub(in crate::store) fn finish(mut self) -> io::Result<WrittenSegment> {
        self.finish_block()?;
        let raw = self.index.encode();
        let compressed = self.compressor.compress(&raw)?;
        self.object.extend_from_slice(&compressed);
        self.object.put_u32_le(compressed.len() as u32);
        self.object.put_u32_le(raw.len() as u32);
        self.object.extend_from_slice(MAGIC);
        Ok(WrittenSegment { bytes: self.object.into(), summary: self.summary })
    }

    /// The rows from `start` that fit a block of their own; at least one.
    fn slice(&self, batch: &EventBatch, start: usize) -> Range<usize> {
        if start == 0 && slice_bytes(batch, &(0..batch.len())) <= BLOCK_BYTES {
            return 0..batch.len();
        }
        let mut end = start + 1;
        let mut bytes = EventBatch::encoded_len(1, batch.message(start).len());
        while end < batch.len() {
            bytes += EventBatch::encoded_len(1, batch.message(end).len()) - EventBatch::encoded_len(0, 0);
            if bytes > BLOCK_BYTES {
                break;
            }
            end += 1;
        }
        start..end
    }

    /// Puts rows into the current block, into the run that `first_run` allows to continue, or a new one.
    fn put(&mut self, batch: &EventBatch, rows: Range<usize>, first_run: usize) {
        let offset = self.block.len();
        let events = batch.events(rows.clone());
        let (first, last) = (batch.key(rows.start), batch.key(rows.end - 1));
        let message_bytes = events.clone().map(|(_, message)| message.len()).sum();
        self.block.put_u32_le(EventBatch::encoded_len(events.len(), message_bytes) as u32);
        EventBatch::encode(&mut self.block, batch.sequence(), first.index, batch.ingested(), events);
        let bytes = (self.block.len() - offset) as u32;
        self.summary.from = self.summary.from.min(first.timestamp);
        self.summary.to = self.summary.to.max(last.timestamp);
        let block = self.index.blocks.len() as u32;
        match self.index.runs[first_run..].last_mut() {
            Some(run) if run.block == block => {
                run.bytes += bytes;
                run.first = run.first.min(first);
                run.last = run.last.max(last);
            }
            _ => self.index.runs.push(Run { block, offset: offset as u32, bytes, first, last }),
        }
    }

    fn finish_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let compressed = self.compressor.compress(&self.block)?;
        self.index.blocks.push(Block {
            offset: self.object.len() as u64,
            compressed_bytes: compressed.len() as u32,
            raw_bytes: self.block.len() as u32,
        });
        self.object.extend_from_slice(&compressed);
        self.block.clear();
        Ok(())
    }
}

fn slice_bytes(batch: &EventBatch, rows: &Range<usize>) -> usize {
    let message_bytes = batch.events(rows.clone()).map(|(_, message)| message.len()).sum();
    EventBatch::encoded_len(rows.len(), message_bytes)
}
