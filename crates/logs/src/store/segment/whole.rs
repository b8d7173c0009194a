//! Parts that go into other files as they are.

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_log_files::{LogFile, Part};

use super::{Level, StoredPart};
use crate::event_key::EventKey;
use crate::store::StoreError;

/// Row groups with fewer events, or less in them, are written anew with others, which makes them smaller.
const EVENTS_MIN: usize = 4 << 10;
const BYTES_MIN: u64 = 1 << 20;

/// The bytes of a part, and what is known of it.
pub(in crate::store) struct WholePart {
    pub(in crate::store) file: Arc<LogFile>,
    pub(in crate::store) part: Part,
    pub(in crate::store) bytes: Bytes,
    /// Those of all of the file's row groups.
    pub(in crate::store) filters: Bytes,
}

impl StoredPart {
    /// Whether it can go into another file as it is, and should.
    pub(in crate::store) fn stays_as_it_is(&self) -> bool {
        let is_large = self.part.rows.len() >= EVENTS_MIN || self.bytes >= BYTES_MIN;
        // What is there is kept by shape then.
        let is_own = self.segment.level() == Level::Own;
        is_own && is_large && self.streams.is_none() && self.file.can_be_taken_over(&self.part)
    }

    /// How many events it holds, unwanted ones included.
    pub(in crate::store) fn events(&self) -> usize {
        self.part.rows.len()
    }

    /// The key of its first event.
    pub(in crate::store) fn first_key(&self) -> EventKey {
        self.part.first
    }

    /// Reads it, without decoding.
    pub(in crate::store) async fn read_whole(self) -> Result<WholePart, StoreError> {
        let bytes = self.read().await?;
        let filters = self.store.filters(&self.segment, &self.file).await?;
        Ok(WholePart { bytes, filters: filters.unwrap_or_default(), file: self.file, part: self.part })
    }
}
