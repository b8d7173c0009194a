//! Where samples are: head, frozen head, blocks. Whoever holds the lock on [`Tiers`] sees each sample once.

use std::sync::Arc;

use groundwatch_core::Timestamp;
use groundwatch_storage::{Position, SegmentMeta};
use parking_lot::Mutex;

use super::MetricStore;
use super::chunk::Chunks;
use super::shard::SeriesId;
use crate::block::{BlockIndex, TRAILER_LENGTH, footer_length};
use crate::codec::Damaged;
use crate::{MetricError, Second};

/// The segments that are blocks.
pub(super) const BLOCK_KIND: &str = "metrics";

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
    /// The block, once it is written. An attempt to register it may fail without its outcome being known: it is then
    /// registered again under the same name, so its samples cannot come twice.
    pub(super) written: Mutex<Option<UnregisteredBlock>>,
}

/// A block that is durable and not visible yet.
#[derive(Clone, Debug)]
pub(super) struct UnregisteredBlock {
    pub(super) meta: SegmentMeta,
    pub(super) index: Arc<BlockIndex>,
}

impl FrozenHead {
    pub(super) fn chunks(&self, id: SeriesId) -> Option<&Chunks> {
        self.shards.get(id.shard())?.get(id.slot())
    }
}

/// A registered block, with its index in memory.
#[derive(Debug)]
pub(super) struct BlockFile {
    /// The registry's own: while it is held the object is not deleted.
    pub(super) meta: Arc<SegmentMeta>,
    pub(super) index: Arc<BlockIndex>,
}

impl BlockFile {
    /// Whether it can have samples from `from` on and before `until`.
    pub(super) fn touches(&self, from: Second, until: Second) -> bool {
        from.timestamp() <= self.meta.to && self.meta.from < until.timestamp()
    }

    /// What an error calls it.
    pub(super) fn place(&self) -> String {
        format!("block segments/{}", self.meta.id().as_str())
    }
}

impl MetricStore {
    /// Reads the index of the block named `name` and makes its series known.
    pub(super) fn read_index(&self, name: &str, block: &[u8]) -> Result<Arc<BlockIndex>, MetricError> {
        let index =
            self.parse_index(block).map_err(MetricError::damaged(format!("block segments/{name}")))?;
        for entry in index.entries() {
            self.inner.shards[entry.series.shard()].lock().touch(entry.series, entry.last);
        }
        Ok(Arc::new(index))
    }

    fn parse_index(&self, block: &[u8]) -> Result<BlockIndex, Damaged> {
        let trailer_at = block.len().checked_sub(TRAILER_LENGTH).ok_or(Damaged("the block is too short"))?;
        let footer_length = usize::try_from(footer_length(&block[trailer_at..])?).ok();
        let footer_at = footer_length.and_then(|length| trailer_at.checked_sub(length));
        let footer_at = footer_at.ok_or(Damaged("the footer is longer than the block"))?;
        BlockIndex::parse(&block[footer_at..], |key| self.know(key))
    }
}
