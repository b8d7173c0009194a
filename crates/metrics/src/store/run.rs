//! A run: blocks that are written together and become visible together. They divide the series of their day
//! among them, so that each can be held in memory.

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_storage::{SegmentMeta, Segments};

use super::MetricStore;
use super::block_file::{BLOCK_KIND, BlockFile, Contents};
use crate::MetricError;
use crate::block::WrittenBlock;

/// A run in the making: its blocks are durable and not visible yet.
pub(super) struct Run {
    resolution_secs: u32,
    written: Vec<SegmentMeta>,
}

impl Run {
    pub(super) fn new(resolution_secs: u32) -> Self {
        Self { resolution_secs, written: Vec::new() }
    }

    /// Writes one more block. It is named after the first of its day.
    pub(super) async fn write(
        &mut self,
        segments: &Segments,
        block: WrittenBlock,
    ) -> Result<(), MetricError> {
        let mut contents = Contents::of(&block, String::new(), self.resolution_secs);
        let bytes = Bytes::from(block.bytes);
        let length = bytes.len() as u64;
        let object = segments.write(BLOCK_KIND, bytes).await?;
        contents.run = match self.written.first() {
            Some(first) => first.id().as_str().to_owned(),
            None => object.id.as_str().to_owned(),
        };
        self.written.push(SegmentMeta {
            object,
            scope: None,
            from: block.first.timestamp(),
            to: block.last.timestamp(),
            rows: block.rows,
            bytes: length,
            extra: serde_json::to_value(contents).expect("texts and numbers are JSON"),
        });
        Ok(())
    }

    pub(super) fn into_written(self) -> Vec<SegmentMeta> {
        self.written
    }

    /// Deletes what was written.
    pub(super) async fn discard(self, segments: &Segments) {
        segments.discard(self.written.into_iter().map(|meta| meta.object).collect()).await;
    }
}

impl MetricStore {
    /// Blocks that were just registered, as reads know them.
    pub(super) fn registered(&self, written: Vec<SegmentMeta>) -> Vec<Arc<BlockFile>> {
        let visible = self.inner.storage.segments.list(BLOCK_KIND);
        let find = |meta: SegmentMeta| {
            let registered = visible.iter().find(|segment| segment.id() == meta.id()).cloned();
            Arc::new(self.block_file(registered.unwrap_or_else(|| Arc::new(meta))))
        };
        written.into_iter().map(find).collect()
    }
}
