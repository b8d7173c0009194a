//! Parts that were decoded lately: whoever reads a stream page by page finds the next page in the same part.

use std::ops::Range;
use std::sync::Arc;

use groundwatch_log_files::{Events, MalformedFile, Messages, RowRanges};
use groundwatch_storage::SegmentId;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::StoredPart;

/// What is kept takes so much at most: about ten parts of 4 MB of text.
const CACHE_BYTES: u64 = 24 << 20;
/// A cache that expects no more items is of one piece.
const PARTS_EXPECTED: usize = 32;

/// All events of a part. Of their messages, columns are taken apart when they are first needed.
#[derive(Debug)]
pub(super) struct DecodedPart {
    pub(super) events: Events,
    pub(super) messages: Messages,
}

/// A file, and a row group and rows of it.
type Key = (SegmentId, usize, Range<usize>);

/// The parts that are kept. Cheap to clone.
#[derive(Clone)]
pub(super) struct DecodedParts(Arc<Cache<Key, Arc<DecodedPart>, ByMemory>>);

#[derive(Clone)]
struct ByMemory;

impl Weighter<Key, Arc<DecodedPart>> for ByMemory {
    fn weight(&self, _: &Key, part: &Arc<DecodedPart>) -> u64 {
        (part.events.memory_bytes() + part.messages.memory_bytes()) as u64
    }
}

impl DecodedParts {
    pub(super) fn new() -> Self {
        Self(Arc::new(Cache::with_weighter(PARTS_EXPECTED, CACHE_BYTES, ByMemory)))
    }

    /// A part, if it is kept.
    pub(super) fn get(&self, part: &StoredPart) -> Option<Arc<DecodedPart>> {
        self.0.get(&key(part))
    }

    /// Decodes a part from the bytes of its row group, and keeps it.
    pub(super) fn decode(
        &self,
        part: &StoredPart,
        bytes: &bytes::Bytes,
    ) -> Result<Arc<DecodedPart>, MalformedFile> {
        let rows = RowRanges::first(part.part.rows.len());
        let events = part.file.events(&part.part, bytes, &rows)?;
        let messages = part.file.messages(&part.part, bytes, &rows)?;
        let decoded = Arc::new(DecodedPart { events, messages });
        self.0.insert(key(part), decoded.clone());
        Ok(decoded)
    }

    /// Gives back the memory of what is kept of a file.
    pub(super) fn forget(&self, segment: &SegmentId) {
        self.0.retain(|(of, ..), _| of != segment);
    }
}

fn key(part: &StoredPart) -> Key {
    (part.segment.id().clone(), part.part.row_group, part.part.rows.clone())
}
