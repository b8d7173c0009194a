//! The index of a segment: which streams it holds, and where.
//!
//! Raw form: blocks (u32 count; each: offset u64, compressed bytes u32, raw bytes u32), then streams (u32 count; each:
//! address, u32 count of its runs), then all runs in the order of their streams (each: block u32, offset u32, bytes u32,
//! first and last key as time i64, sequence u64 and index u32).

use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, TryGetError};
use groundwatch_core::Timestamp;

use super::MalformedSegment;
use crate::event_key::EventKey;
use crate::incarnation::{GroupId, LogStreamId};
use crate::store::address::StreamAddress;

/// Where everything is in one segment.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) blocks: Vec<Block>,
    /// Sorted by group and stream incarnation.
    pub(super) streams: Vec<StreamRuns>,
    pub(super) runs: Vec<Run>,
}

/// Bytes that were compressed together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// Where it begins in the object.
    pub(super) offset: u64,
    pub(super) compressed_bytes: u32,
    pub(super) raw_bytes: u32,
}

/// A stream and its runs.
#[derive(Debug)]
pub(super) struct StreamRuns {
    pub(super) address: Arc<StreamAddress>,
    pub(super) runs: Range<usize>,
}

/// Events of one stream in one block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) block: u32,
    /// Where it begins in the raw block.
    pub(super) offset: u32,
    pub(super) bytes: u32,
    pub(super) first: EventKey,
    pub(super) last: EventKey,
}

impl Index {
    /// The runs of one stream.
    pub(super) fn stream(&self, group: GroupId, stream: LogStreamId) -> Option<&StreamRuns> {
        let order = |entry: &StreamRuns| (entry.address.group_id, entry.address.stream_id);
        let at = self.streams.binary_search_by_key(&(group, stream), order).ok()?;
        Some(&self.streams[at])
    }

    /// The streams of a group with their runs.
    pub(super) fn group(&self, group: GroupId) -> &[StreamRuns] {
        let start = self.streams.partition_point(|entry| entry.address.group_id < group);
        let len = self.streams[start..].partition_point(|entry| entry.address.group_id == group);
        &self.streams[start..start + len]
    }

    /// Bytes that it takes in memory, about.
    pub(super) fn memory_bytes(&self) -> usize {
        self.blocks.len() * size_of::<Block>() + self.runs.len() * size_of::<Run>() + self.streams.len() * 256
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u32_le(self.blocks.len() as u32);
        for block in &self.blocks {
            out.put_u64_le(block.offset);
            out.put_u32_le(block.compressed_bytes);
            out.put_u32_le(block.raw_bytes);
        }
        out.put_u32_le(self.streams.len() as u32);
        for stream in &self.streams {
            stream.address.encode(&mut out);
            out.put_u32_le(stream.runs.len() as u32);
        }
        for run in &self.runs {
            out.put_u32_le(run.block);
            out.put_u32_le(run.offset);
            out.put_u32_le(run.bytes);
            put_key(&mut out, run.first);
            put_key(&mut out, run.last);
        }
        out
    }

    pub(super) fn decode(mut raw: Bytes) -> Result<Self, MalformedSegment> {
        let mut index = Self::default();
        for _ in 0..raw.try_get_u32_le()? {
            index.blocks.push(Block {
                offset: raw.try_get_u64_le()?,
                compressed_bytes: raw.try_get_u32_le()?,
                raw_bytes: raw.try_get_u32_le()?,
            });
        }
        let mut runs = 0;
        for _ in 0..raw.try_get_u32_le()? {
            let address = StreamAddress::decode(&mut raw).ok_or(CUT_OFF)?;
            let start = runs;
            runs += raw.try_get_u32_le()? as usize;
            index.streams.push(StreamRuns { address: Arc::new(address), runs: start..runs });
        }
        for _ in 0..runs {
            index.runs.push(Run {
                block: raw.try_get_u32_le()?,
                offset: raw.try_get_u32_le()?,
                bytes: raw.try_get_u32_le()?,
                first: get_key(&mut raw)?,
                last: get_key(&mut raw)?,
            });
        }
        if index.runs.iter().any(|run| run.block as usize >= index.blocks.len()) {
            return Err(MalformedSegment("its index names a block that is not there"));
        }
        if raw.is_empty() { Ok(index) } else { Err(MalformedSegment("something follows its index")) }
    }
}

const CUT_OFF: MalformedSegment = MalformedSegment("its index is cut off");

impl From<TryGetError> for MalformedSegment {
    fn from(_: TryGetError) -> Self {
        CUT_OFF
    }
}

fn put_key(out: &mut Vec<u8>, key: EventKey) {
    out.put_i64_le(key.timestamp.as_millis());
    out.put_u64_le(key.sequence);
    out.put_u32_le(key.index);
}

fn get_key(raw: &mut Bytes) -> Result<EventKey, TryGetError> {
    Ok(EventKey {
        timestamp: Timestamp::from_millis(raw.try_get_i64_le()?),
        sequence: raw.try_get_u64_le()?,
        index: raw.try_get_u32_le()?,
    })
}
