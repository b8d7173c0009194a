//! FIFO deduplication: an id that was seen within five minutes sends nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long AWS remembers a deduplication id.
const INTERVAL: Duration = Duration::from_secs(5 * 60);

/// Divides the group from the id in the key of an id that is its group's; neither can have it.
pub(crate) const GROUP_END: char = '\0';

/// What remembering an id costs besides its text: its places in two indices, its allocations.
const OVERHEAD_BYTES: usize = 250;

/// What the message was that had an id first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Original {
    /// The id, with the group if ids are the group's.
    pub(crate) key: Arc<str>,
    pub(crate) message_id: Uuid,
    pub(crate) sequence: u64,
    pub(crate) sent: Timestamp,
}

/// The ids of the last five minutes.
#[derive(Debug, Default)]
pub(crate) struct Deduplication {
    originals: HashMap<Arc<str>, Original>,
    by_age: BTreeMap<(Timestamp, u64), Arc<str>>,
    memory_bytes: usize,
}

impl Original {
    /// What remembering it costs in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.key.len() + OVERHEAD_BYTES
    }
}

impl Deduplication {
    /// The message that had the id `key` first, if that was less than five minutes ago.
    pub(crate) fn original(&mut self, key: &str, now: Timestamp) -> Option<&Original> {
        self.forget(now);
        // recorded: ids that were the queue's when they came stay so after ids have become those of groups.
        let of_queue = key.split_once(GROUP_END).and_then(|(_, id)| self.originals.get(id));
        of_queue.or_else(|| self.originals.get(key))
    }

    pub(crate) fn remember(&mut self, original: Original) {
        self.remove(&original.key);
        self.memory_bytes += original.memory_bytes();
        self.by_age.insert((original.sent, original.sequence), Arc::clone(&original.key));
        self.originals.insert(Arc::clone(&original.key), original);
    }

    /// Takes back what was remembered of a message that was not sent after all.
    pub(crate) fn remove(&mut self, key: &str) {
        if let Some(original) = self.originals.remove(key) {
            self.memory_bytes -= original.memory_bytes();
            self.by_age.remove(&(original.sent, original.sequence));
        }
    }

    /// Forgets what was sent up to that place.
    pub(crate) fn forget_through(&mut self, sequence: u64) {
        let through = self.originals.values().filter(|original| original.sequence <= sequence);
        let keys: Vec<Arc<str>> = through.map(|original| Arc::clone(&original.key)).collect();
        keys.iter().for_each(|key| self.remove(key));
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Original> {
        self.originals.values()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Forgets what is older than five minutes.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        while let Some((_, key)) =
            self.by_age.first_key_value().filter(|((sent, _), _)| *sent + INTERVAL <= now)
        {
            let key = Arc::clone(key);
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_forgotten_after_five_minutes() {
        let mut recent = Deduplication::default();
        let sent = Timestamp::from_secs(1000);
        recent.remember(Original { key: "k".into(), message_id: Uuid::nil(), sequence: 1, sent });
        assert_eq!(
            recent.original("k", Timestamp::from_secs(1299)).map(|original| original.sequence),
            Some(1)
        );
        let of_group = recent.original("g\0k", Timestamp::from_secs(1299)).map(|original| original.sequence);
        assert_eq!(of_group, Some(1));
        assert_eq!(recent.original("k", Timestamp::from_secs(1300)), None);
        assert_eq!((recent.all().count(), recent.memory_bytes()), (0, 0));
    }
}
