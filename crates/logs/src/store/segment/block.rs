//! Blocks: decompressed once a read, and cut into batches.

use bytes::{Buf, Bytes};

use super::{MalformedSegment, StoredRun};
use crate::store::StoreError;
use crate::store::event_batch::EventBatch;

/// The raw block that a read used last. Runs of many streams share a block, and are often read one after the other.
#[derive(Debug, Default)]
pub(in crate::store) struct BlockCache {
    last: Option<(StoredRun, Bytes)>,
}

impl BlockCache {
    /// The batches of a run.
    pub(in crate::store) async fn read(&mut self, run: &StoredRun) -> Result<Vec<EventBatch>, StoreError> {
        let raw = match &self.last {
            Some((last, raw)) if last.shares_block(run) => raw.clone(),
            _ => run.read_block().await?,
        };
        let batches = batches(&raw, run).map_err(|error| run.damaged(error));
        self.last = Some((run.clone(), raw));
        batches
    }
}

fn batches(raw: &Bytes, run: &StoredRun) -> Result<Vec<EventBatch>, MalformedSegment> {
    let place = run.place();
    if place.end > raw.len() {
        return Err(MalformedSegment("a run is cut off"));
    }
    let mut rest = raw.slice(place);
    let mut batches = Vec::new();
    while rest.has_remaining() {
        let len = rest.try_get_u32_le()? as usize;
        if len > rest.len() {
            return Err(MalformedSegment("a run is cut off"));
        }
        let batch = EventBatch::decode(rest.split_to(len));
        batches.push(batch.map_err(|_| MalformedSegment("a run holds something else than events"))?);
    }
    Ok(batches)
}
