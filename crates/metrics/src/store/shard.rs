//! One of the parts that the series are divided into by hash, each with a lock of its own so that cores do
//! not wait.
//!
//! What a million series cost here: an entry of the hash table (about 20 bytes), a slot (24), the key (its
//! text and 16), chunks (64 and the samples' own bytes); with the [index](super::index) about 500 bytes in
//! all for a key of 100 bytes.

use std::sync::Arc;

use hashbrown::HashTable;

use super::chunk::Chunks;
use super::watch::Watchers;
use crate::record::Points;
use crate::{Second, Unit};

/// How many shards there are; a power of two.
pub(crate) const SHARDS: usize = 16;

/// A series' number within this process: slot × [`SHARDS`] + shard. Never written to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SeriesId(pub(crate) u32);

impl SeriesId {
    pub(crate) fn new(shard: usize, slot: usize) -> Option<Self> {
        u32::try_from(slot * SHARDS + shard).ok().map(Self)
    }

    pub(crate) fn shard(self) -> usize {
        self.0 as usize % SHARDS
    }

    pub(crate) fn slot(self) -> usize {
        self.0 as usize / SHARDS
    }
}

/// The shard of the series whose key hashes to `hash`. Hash tables use the low and the highest bits.
pub(crate) fn shard_of(hash: u64) -> usize {
    (hash >> 32) as usize % SHARDS
}

/// Series with their recent samples.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    by_key: HashTable<Entry>,
    slots: Vec<Slot>,
    /// By slot; may be shorter than `slots`.
    head: Vec<Chunks>,
    watchers: Watchers,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    slot: u32,
}

#[derive(Debug)]
struct Slot {
    key: Arc<str>,
    /// The latest second of any sample that the series ever had.
    latest: Second,
    /// Whether [`Watchers`] has somebody for the series.
    is_watched: bool,
}

/// A series that was not known before.
pub(crate) struct NewSeries {
    pub(crate) id: SeriesId,
    pub(crate) key: Arc<str>,
}

impl Shard {
    /// The series with that key.
    pub(crate) fn find(&self, shard: usize, hash: u64, key: &str) -> Option<SeriesId> {
        let entry = self
            .by_key
            .find(hash, |entry| entry.hash == hash && *self.slots[entry.slot as usize].key == *key)?;
        SeriesId::new(shard, entry.slot as usize)
    }

    /// The series whose key probably has that hash: the key is still to be compared.
    pub(crate) fn candidate(&self, shard: usize, hash: u64) -> Option<SeriesId> {
        let entry = self.by_key.find(hash, |entry| entry.hash == hash)?;
        SeriesId::new(shard, entry.slot as usize)
    }

    /// The series with that key, created if it is new. Without a number left for it, `None`.
    pub(crate) fn find_or_create(
        &mut self,
        shard: usize,
        hash: u64,
        key: &str,
    ) -> Option<(SeriesId, Option<NewSeries>)> {
        if let Some(id) = self.find(shard, hash, key) {
            return Some((id, None));
        }
        let id = SeriesId::new(shard, self.slots.len())?;
        let key: Arc<str> = Arc::from(key);
        let is_watched = self.watchers.watches(&key);
        self.slots.push(Slot { key: Arc::clone(&key), latest: Second::MIN, is_watched });
        let entry = Entry { hash, slot: id.slot() as u32 };
        self.by_key.insert_unique(hash, entry, |entry| entry.hash);
        Some((id, Some(NewSeries { id, key })))
    }

    /// Appends a datum's points to the head, and returns by how many bytes memory grew.
    pub(crate) fn push(&mut self, id: SeriesId, unit: Unit, second: Second, points: &Points<'_>) -> usize {
        let slot = id.slot();
        self.touch(id, second);
        if self.head.len() <= slot {
            self.head.resize_with(slot + 1, Chunks::default);
        }
        self.head[slot].push(unit, second, points)
    }

    /// Notes that the series has a sample at `second`.
    pub(crate) fn touch(&mut self, id: SeriesId, second: Second) {
        if let Some(slot) = self.slots.get_mut(id.slot()) {
            slot.latest = slot.latest.max(second);
        }
    }

    /// The watchers of a series, with its key; `None` if there are none.
    pub(super) fn watchers(&self, id: SeriesId) -> Option<(&Watchers, &str)> {
        let slot = self.slots.get(id.slot()).filter(|slot| slot.is_watched)?;
        Some((&self.watchers, &slot.key))
    }

    /// The watchers, to be changed; [`Self::mark_watched`] is to follow.
    pub(super) fn watchers_mut(&mut self) -> &mut Watchers {
        &mut self.watchers
    }

    /// Notes whether somebody watches the series with that key, if it exists.
    pub(super) fn mark_watched(&mut self, hash: u64, key: &str, is_watched: bool) {
        if let Some(slot) = self.find(0, hash, key).and_then(|id| self.slots.get_mut(id.slot())) {
            slot.is_watched = is_watched;
        }
    }

    /// The recent samples of a series.
    pub(crate) fn chunks(&self, id: SeriesId) -> Option<&Chunks> {
        self.head.get(id.slot())
    }

    /// A series' key; `None` if the series was forgotten.
    pub(crate) fn key(&self, id: SeriesId) -> Option<&Arc<str>> {
        self.slots.get(id.slot()).map(|slot| &slot.key).filter(|key| !key.is_empty())
    }

    /// The latest second of any sample of the series.
    pub(crate) fn latest(&self, id: SeriesId) -> Option<Second> {
        self.slots.get(id.slot()).map(|slot| slot.latest)
    }

    /// Forgets the series whose latest sample is at a second that `is_gone`, and returns them. Their numbers
    /// are not given again.
    pub(crate) fn forget(&mut self, shard: usize, is_gone: impl Fn(Second) -> bool) -> Vec<SeriesId> {
        let Self { by_key, slots, head, .. } = self;
        let mut forgotten = Vec::new();
        by_key.retain(|entry| {
            let slot = entry.slot as usize;
            let is_recent =
                !is_gone(slots[slot].latest) || head.get(slot).is_some_and(|chunks| !chunks.is_empty());
            if !is_recent {
                slots[slot] = Slot { key: Arc::from(""), latest: Second::MIN, is_watched: false };
                forgotten.extend(SeriesId::new(shard, slot));
            }
            is_recent
        });
        forgotten
    }

    /// Takes the head away; what is appended from now on goes to a new one.
    pub(crate) fn take_head(&mut self) -> Vec<Chunks> {
        std::mem::take(&mut self.head)
    }
}
