//! Registered blocks: which there are, and the way from one to its samples.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use groundwatch_storage::SegmentMeta;
use serde::{Deserialize, Serialize};

use super::shard::SeriesId;
use super::{MetricStore, shard_of};
use crate::block::{BlockIndex, Entry, Page, TRAILER_LENGTH, WrittenBlock, footer_length};
use crate::codec::Damaged;
use crate::{MetricError, Second};

/// The segments that are blocks.
pub(super) const BLOCK_KIND: &str = "metrics";
/// How much of a block's end is read at first: most footers are shorter.
const END_BYTES: u64 = 64 << 10;

/// A registered block.
#[derive(Debug)]
pub(super) struct BlockFile {
    /// Its number within this process.
    pub(super) number: u64,
    /// The registry's own: while it is held the object is not deleted.
    pub(super) meta: Arc<SegmentMeta>,
    pub(super) contents: Contents,
    /// Whether a read found that it is not what was written. It is then left as it is.
    damaged: AtomicBool,
}

/// What a block's registration says of it, as `extra`. A format on disk; blocks of the first release say
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Contents {
    /// Names the blocks that were written together: they divide the series among them, by key.
    pub(super) run: String,
    /// Samples are rolled up to multiples of so many seconds.
    pub(super) resolution_secs: u32,
    /// The first series' key.
    pub(super) first_key: String,
    /// The last series' key; unknown if absent.
    pub(super) last_key: Option<String>,
}

impl BlockFile {
    /// Whether it can have samples from `from` on and before `until`.
    pub(super) fn touches(&self, from: Second, until: Second) -> bool {
        from.timestamp() <= self.meta.to && self.meta.from < until.timestamp()
    }

    /// Whether it can have samples of the series with that key.
    pub(super) fn may_have(&self, key: &str) -> bool {
        let Contents { first_key, last_key, .. } = &self.contents;
        first_key.as_str() <= key && last_key.as_deref().is_none_or(|last_key| key <= last_key)
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// What an error calls it.
    pub(super) fn place(&self) -> String {
        format!("block segments/{}", self.meta.id().as_str())
    }
}

impl Contents {
    /// What is to be said of `block` as a part of `run`.
    pub(super) fn of(block: &WrittenBlock, run: String, resolution_secs: u32) -> Self {
        Self {
            run,
            resolution_secs,
            first_key: block.first_key.clone(),
            last_key: Some(block.last_key.clone()),
        }
    }
}

impl MetricStore {
    /// Finds the registered blocks, and makes their series known. A block that is damaged is reported and
    /// kept: what touches its time fails to be read, the rest does not.
    pub(super) async fn open_blocks(&self) -> Result<(), MetricError> {
        for meta in self.inner.storage.segments.list(BLOCK_KIND) {
            let block = Arc::new(self.block_file(meta));
            match self.index(&block).await {
                Ok(index) => self.note_latest(&index),
                Err(error) if block.is_damaged() => {
                    tracing::error!(error = &error as &dyn std::error::Error, "metrics cannot be read");
                }
                Err(error) => return Err(error),
            }
            self.inner.tiers.write().blocks.push(block);
        }
        Ok(())
    }

    /// A registered block, as reads know it.
    pub(super) fn block_file(&self, meta: Arc<SegmentMeta>) -> BlockFile {
        let contents = serde_json::from_value(meta.extra.clone()).unwrap_or_default();
        let number = self.inner.next_block.fetch_add(1, Ordering::Relaxed);
        BlockFile { number, meta, contents, damaged: AtomicBool::new(false) }
    }

    /// The block's index, from the cache or from its footer. Makes its series known.
    pub(super) async fn index(&self, block: &BlockFile) -> Result<Arc<BlockIndex>, MetricError> {
        if let Some(index) = self.inner.cache.index(block.number) {
            return Ok(index);
        }
        let index = self.read_index(block).await.inspect_err(|error| note_damage(block, error))?;
        let index = Arc::new(index);
        self.inner.cache.put_index(block.number, &index);
        Ok(index)
    }

    /// The page that has the rows of `entry`, from the cache or from the block.
    pub(super) async fn page(
        &self,
        block: &BlockFile,
        index: &BlockIndex,
        entry: &Entry,
    ) -> Result<Arc<Page>, MetricError> {
        if let Some(page) = self.inner.cache.page(block.number, entry.page) {
            return Ok(page);
        }
        let page =
            self.read_page(block, index, entry).await.inspect_err(|error| note_damage(block, error))?;
        let page = Arc::new(page);
        self.inner.cache.put_page(block.number, entry.page, &page);
        Ok(page)
    }

    async fn read_index(&self, block: &BlockFile) -> Result<BlockIndex, MetricError> {
        let damaged = |source| MetricError::Damaged { place: block.place(), source };
        let segments = &self.inner.storage.segments;
        let length = block.meta.object.length;
        let mut end = segments.read_range(&block.meta, length.saturating_sub(END_BYTES)..length).await?;
        let footer_and_trailer = footer_and_trailer_length(&end, length).map_err(damaged)?;
        if footer_and_trailer > end.len() as u64 {
            end = segments.read_range(&block.meta, length - footer_and_trailer..length).await?;
        }
        let footer_and_trailer = end.slice(end.len() - footer_and_trailer as usize..);
        BlockIndex::parse(&footer_and_trailer, |key| self.know(key)).map_err(damaged)
    }

    async fn read_page(
        &self,
        block: &BlockFile,
        index: &BlockIndex,
        entry: &Entry,
    ) -> Result<Page, MetricError> {
        let page = index.page(entry);
        let range = page.offset..page.offset + page.length;
        let bytes = self.inner.storage.segments.read_range(&block.meta, range).await?;
        let place = || format!("page at byte {} of {}", page.offset, block.place());
        index.decode(entry, &bytes).map_err(|source| MetricError::Damaged { place: place(), source })
    }

    /// Makes a series known. `None` if there is no number left for it.
    fn know(&self, key: &str) -> Option<SeriesId> {
        let hash = self.inner.hasher.hash_one(key);
        let number = shard_of(hash);
        self.find_or_create(&mut self.inner.shards[number].lock(), number, hash, key)
    }

    fn note_latest(&self, index: &BlockIndex) {
        for entry in index.entries() {
            self.inner.shards[entry.series.shard()].lock().touch(entry.series, entry.last);
        }
    }
}

/// Remembers that a block is not what was written; an I/O error may pass.
pub(super) fn note_damage(block: &BlockFile, error: &MetricError) {
    if error.is_damage() && !block.damaged.swap(true, Ordering::Relaxed) {
        tracing::error!(block = block.meta.id().as_str(), %error, "a block of metrics is damaged");
    }
}

fn footer_and_trailer_length(end: &[u8], block_length: u64) -> Result<u64, Damaged> {
    let trailer_at = end.len().checked_sub(TRAILER_LENGTH).ok_or(Damaged("the block is too short"))?;
    let length = footer_length(&end[trailer_at..])?.checked_add(TRAILER_LENGTH as u64);
    length.filter(|length| *length <= block_length).ok_or(Damaged("the footer is longer than the block"))
}
