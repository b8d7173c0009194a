//! FIFO deduplication: an id that was seen within five minutes sends nothing.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use groundwatch_core::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long AWS remembers a deduplication id.
const INTERVAL: Duration = Duration::from_secs(5 * 60);

/// What the message was that had an id first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Original {
    /// The id, with the group if ids are the group's.
    pub(crate) key: String,
    pub(crate) message_id: Uuid,
    pub(crate) sequence: u64,
    pub(crate) sent: Timestamp,
}

/// The ids of the last five minutes.
#[derive(Debug, Default)]
pub(crate) struct Deduplication {
    originals: HashMap<String, Original>,
    by_age: BTreeMap<(Timestamp, u64), String>,
}

impl Deduplication {
    /// The message that had the id `key` first, if that was less than five minutes ago.
    pub(crate) fn original(&mut self, key: &str, now: Timestamp) -> Option<&Original> {
        self.forget(now);
        self.originals.get(key)
    }

    pub(crate) fn remember(&mut self, original: Original) {
        self.remove(&original.key);
        self.by_age.insert((original.sent, original.sequence), original.key.clone());
        self.originals.insert(original.key.clone(), original);
    }

    /// Takes back what was remembered of a message that was not sent after all.
    pub(crate) fn remove(&mut self, key: &str) {
        if let Some(original) = self.originals.remove(key) {
            self.by_age.remove(&(original.sent, original.sequence));
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Original> {
        self.originals.values()
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some(oldest) = self.by_age.first_entry() {
            if oldest.key().0 + INTERVAL > now {
                return;
            }
            self.originals.remove(&oldest.remove());
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
        recent.remember(Original { key: "k".to_owned(), message_id: Uuid::nil(), sequence: 1, sent });
        assert_eq!(
            recent.original("k", Timestamp::from_secs(1299)).map(|original| original.sequence),
            Some(1)
        );
        assert_eq!(recent.original("k", Timestamp::from_secs(1300)), None);
        assert_eq!(recent.all().count(), 0);
    }
}
