//! What is in a file, and where.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf as _, BufMut as _};
use groundwatch_core::{Scope, Timestamp};
use serde::{Deserialize, Serialize};

use super::{MalformedFile, WriteError};
use crate::address::StreamAddress;
use crate::event_key::EventKey;
use crate::incarnation::{GroupId, LogStreamId};
use crate::token_index::{TokenIndex, TokenIndexV1};

/// Lengths of the index in front of it, raw and compressed.
const HEADER_BYTES: usize = 8;
/// The version of the index and of what it describes: in 1, each row group had one filter.
const VERSION: u32 = 2;
const COMPRESSION_LEVEL: i32 = 3;
/// The largest index that is read: that of a file with a million streams of long names.
const RAW_BYTES_MAX: usize = 512 << 20;

/// What is in a file altogether.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The earliest event's time.
    pub from: Timestamp,
    /// The latest event's time.
    pub to: Timestamp,
    /// How many events it holds.
    pub rows: u64,
    /// Their bytes as AWS counts them.
    pub bytes: u64,
    /// Its groups, ascending.
    pub groups: Vec<GroupId>,
}

/// The events of one group in one row group: rows that lie together.
#[derive(Clone, Debug)]
pub struct Part {
    /// The group.
    pub group: GroupId,
    /// Which row group.
    pub row_group: usize,
    /// Its rows in there.
    pub rows: Range<usize>,
    /// The lowest key.
    pub first: EventKey,
    /// The highest key.
    pub last: EventKey,
    /// Its streams, ascending by number.
    pub streams: Vec<PartStream>,
}

/// What is known of one stream in one part.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PartStream {
    /// The stream, as an index into [`super::LogFile::streams`].
    pub stream: u32,
    /// The time of its earliest event.
    pub first_ms: i64,
    /// The time of its latest event.
    pub last_ms: i64,
    /// Its bytes as AWS counts them.
    pub bytes: u64,
}

/// The index of a file.
#[derive(Debug)]
pub(super) struct Index {
    /// Sorted by group and name.
    pub(super) streams: Vec<Arc<StreamAddress>>,
    /// Sorted by group and row group.
    pub(super) parts: Vec<Part>,
    /// Where the filters are in the file.
    pub(super) filters: Range<u64>,
    /// What is known of tokens, of files that are compacted.
    pub(super) tokens: Option<TokenIndex>,
}

/// The index as it is written, behind its version.
#[derive(Serialize, Deserialize)]
struct Stored<T> {
    groups: Vec<StoredGroup>,
    parts: Vec<StoredPart>,
    filters: Range<u64>,
    tokens: Option<T>,
}

#[derive(Serialize, Deserialize)]
struct StoredGroup {
    scope: Scope,
    name: String,
    id: u128,
    streams: Vec<(String, u128)>,
}

#[derive(Serialize, Deserialize)]
struct StoredPart {
    /// Which of the groups.
    group: u32,
    row_group: u32,
    rows: Range<u32>,
    first: (i64, u64, u32),
    last: (i64, u64, u32),
    streams: Vec<PartStream>,
}

impl Index {
    pub(super) fn encode(self) -> Result<Vec<u8>, WriteError> {
        let mut groups: Vec<StoredGroup> = Vec::new();
        for address in &self.streams {
            let id = address.group_id.as_u128();
            if groups.last().is_none_or(|group| group.id != id) {
                let (scope, name) = (address.scope.clone(), address.group.clone());
                groups.push(StoredGroup { scope, name, id, streams: Vec::new() });
            }
            if let Some(group) = groups.last_mut() {
                group.streams.push((address.stream.clone(), address.stream_id.as_u128()));
            }
        }
        let (mut parts, mut group) = (Vec::with_capacity(self.parts.len()), 0);
        for part in self.parts {
            while groups[group].id != part.group.as_u128() {
                group += 1;
            }
            parts.push(StoredPart {
                group: group as u32,
                row_group: part.row_group as u32,
                rows: part.rows.start as u32..part.rows.end as u32,
                first: store_key(part.first),
                last: store_key(part.last),
                streams: part.streams,
            });
        }
        let stored = Stored { groups, parts, filters: self.filters, tokens: self.tokens };
        let raw = postcard::to_stdvec(&(VERSION, stored))?;
        let compressed = zstd::bulk::compress(&raw, COMPRESSION_LEVEL)?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + compressed.len());
        bytes.put_u32_le(raw.len() as u32);
        bytes.put_u32_le(compressed.len() as u32);
        bytes.extend_from_slice(&compressed);
        Ok(bytes)
    }

    /// Reads an index that `bytes` begin with, and how many of them it takes.
    pub(super) fn decode(mut bytes: &[u8]) -> Result<(Self, usize), MalformedFile> {
        const MISSING: MalformedFile = MalformedFile("its index is missing");
        let raw_len = bytes.try_get_u32_le().map_err(|_| MISSING)? as usize;
        let compressed_len = bytes.try_get_u32_le().map_err(|_| MISSING)? as usize;
        let compressed = bytes.get(..compressed_len).ok_or(MISSING)?;
        if raw_len > RAW_BYTES_MAX {
            return Err(MalformedFile("its index claims to be larger than any can be"));
        }
        let raw = zstd::bulk::decompress(compressed, raw_len)
            .map_err(|_| MalformedFile("its index cannot be decompressed"))?;
        let unreadable = |_| MalformedFile("its index is not one that this release reads");
        let (version, stored) = postcard::take_from_bytes::<u32>(&raw).map_err(unreadable)?;
        let index = match version {
            VERSION => Self::check(postcard::from_bytes::<Stored<TokenIndex>>(stored).map_err(unreadable)?),
            1 => Self::check(postcard::from_bytes::<Stored<TokenIndexV1>>(stored).map_err(unreadable)?),
            _ => Err(MalformedFile("another release wrote it, in a format that this one does not read")),
        };
        Ok((index?, HEADER_BYTES + compressed_len))
    }

    fn check(stored: Stored<impl Into<TokenIndex>>) -> Result<Self, MalformedFile> {
        let ids: Vec<GroupId> = stored.groups.iter().map(|group| GroupId::from_u128(group.id)).collect();
        let mut streams = Vec::new();
        for group in stored.groups {
            let group_id = GroupId::from_u128(group.id);
            streams.extend(group.streams.into_iter().map(|(stream, id)| {
                Arc::new(StreamAddress {
                    scope: group.scope.clone(),
                    group: group.name.clone(),
                    group_id,
                    stream,
                    stream_id: LogStreamId::from_u128(id),
                })
            }));
        }
        let mut parts = Vec::with_capacity(stored.parts.len());
        for part in stored.parts {
            let group = ids.get(part.group as usize).ok_or(MalformedFile("its index names no group"))?;
            if part.streams.iter().any(|entry| entry.stream as usize >= streams.len()) {
                return Err(MalformedFile("its index names no stream"));
            }
            parts.push(Part {
                group: *group,
                row_group: part.row_group as usize,
                rows: part.rows.start as usize..part.rows.end as usize,
                first: load_key(part.first),
                last: load_key(part.last),
                streams: part.streams,
            });
        }
        let tokens: Option<TokenIndex> = stored.tokens.map(Into::into);
        if let Some(tokens) = &tokens {
            tokens.check((stored.filters.end.saturating_sub(stored.filters.start)) as usize)?;
        }
        Ok(Self { streams, parts, filters: stored.filters, tokens })
    }

    /// Bytes that it takes in memory, about.
    pub(super) fn memory_bytes(&self) -> usize {
        let parts = self.parts.iter().map(|part| size_of::<Part>() + size_of_val(part.streams.as_slice()));
        let streams = self.streams.iter().map(|stream| 160 + stream.group.len() + stream.stream.len());
        let tokens = self.tokens.as_ref().map_or(0, TokenIndex::memory_bytes);
        parts.sum::<usize>() + streams.sum::<usize>() + tokens
    }
}

const fn store_key(key: EventKey) -> (i64, u64, u32) {
    (key.timestamp.as_millis(), key.sequence, key.index)
}

const fn load_key((millis, sequence, index): (i64, u64, u32)) -> EventKey {
    EventKey { timestamp: Timestamp::from_millis(millis), sequence, index }
}
