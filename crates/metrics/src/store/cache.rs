//! What was read from blocks lately, decoded, up to a number of bytes. Which reads are hot is for the cache
//! to find out.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::block::{BlockIndex, Page};

/// A page of 4,096 single values takes 48 KiB.
const BYTES_PER_ITEM: usize = 16 << 10;

/// Indexes and pages of blocks. A block is named by its number within this process, which is never given
/// again.
pub(super) struct BlockCache {
    parts: Cache<(u64, Part), Cached, ByMemory>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Index,
    Page(u32),
}

#[derive(Clone)]
enum Cached {
    Index(Arc<BlockIndex>),
    Page(Arc<Page>),
}

#[derive(Clone)]
struct ByMemory;

impl Weighter<(u64, Part), Cached> for ByMemory {
    fn weight(&self, _: &(u64, Part), cached: &Cached) -> u64 {
        // Besides itself a page has an entry of the cache and the bookkeeping of its columns.
        let bytes = match cached {
            Cached::Index(index) => index.memory(),
            Cached::Page(page) => page.memory(),
        };
        bytes as u64 + 256
    }
}

impl BlockCache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { parts: Cache::with_weighter(bytes_max / BYTES_PER_ITEM, bytes_max as u64, ByMemory) }
    }

    pub(super) fn index(&self, block: u64) -> Option<Arc<BlockIndex>> {
        match self.parts.get(&(block, Part::Index))? {
            Cached::Index(index) => Some(index),
            Cached::Page(_) => None,
        }
    }

    pub(super) fn put_index(&self, block: u64, index: &Arc<BlockIndex>) {
        self.parts.insert((block, Part::Index), Cached::Index(Arc::clone(index)));
    }

    pub(super) fn page(&self, block: u64, page: u32) -> Option<Arc<Page>> {
        match self.parts.get(&(block, Part::Page(page)))? {
            Cached::Page(page) => Some(page),
            Cached::Index(_) => None,
        }
    }

    pub(super) fn put_page(&self, block: u64, number: u32, page: &Arc<Page>) {
        self.parts.insert((block, Part::Page(number)), Cached::Page(Arc::clone(page)));
    }
}
