//! Where samples are: head, frozen head, blocks. Whoever holds the lock on [`Tiers`] sees each sample once.

use std::sync::Arc;

use groundwatch_core::Timestamp;
use groundwatch_storage::{Position, SegmentMeta};
use parking_lot::Mutex;

use super::block_file::BlockFile;
use super::chunk::Chunks;
use super::shard::SeriesId;

/// All tiers but the head itself, which lives in the shards.
#[derive(Debug, Default)]
pub(super) struct Tiers {
    /// When the first sample came into the head; `None` while it is empty.
    pub(super) head_since: Option<Timestamp>,
    /// The last journal position that was applied to the head.
    pub(super) applied: Option<Position>,
    /// A head on its way into a block.
    pub(super) frozen: Option<Arc<FrozenHead>>,
    /// What has been flushed.
    pub(super) blocks: Vec<Arc<BlockFile>>,
}

/// A head that takes no more samples.
#[derive(Debug)]
pub(super) struct FrozenHead {
    /// By shard, then slot.
    pub(super) shards: Vec<Vec<Chunks>>,
    /// Its samples, in bytes.
    pub(super) bytes: usize,
    /// It has every record up to here.
    pub(super) through: Position,
    /// When its first sample came.
    pub(super) since: Timestamp,
    /// The blocks, once they are written. An attempt to register them may fail without its outcome being
    /// known: they are then registered again under the same names, so their samples cannot come twice.
    pub(super) written: Mutex<Option<Vec<SegmentMeta>>>,
}

impl FrozenHead {
    pub(super) fn chunks(&self, id: SeriesId) -> Option<&Chunks> {
        self.shards.get(id.shard())?.get(id.slot())
    }
}
