//! FIFO topics: messages in the order of publishing, and each once in five minutes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::Timestamp;
use groundwatch_storage::{Batch, Catalog, Document, Documents, Expect, Key, StorageError};
use parking_lot::Mutex;
use rsa::sha2::{Digest as _, Sha256};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;

use crate::message::MessageId;
use crate::publication::Publication;
use crate::topic::{Topic, TopicId};
use crate::{Invalid, NotifyError};

/// For how long a message is not taken again.
const DEDUPLICATION_LIFE: Duration = Duration::from_secs(300);

/// How many messages are remembered at once; over it publishers are throttled.
const REMEMBERED_MAX: usize = 200_000;

/// How many messages that need no remembering any more are forgotten with one that comes.
const FORGOTTEN_AT_ONCE_MAX: usize = 16;

/// The same while no more can be remembered.
const FORGOTTEN_FOR_ROOM_MAX: usize = 1024;

/// The longest group or deduplication id, in characters.
const ID_LENGTH_MAX: usize = 128;

/// AWS's sequence numbers have 20 digits.
const SEQUENCE_START: u64 = 10_000_000_000_000_000_000;

/// The last sequence number of a topic, kept under the topic's name.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct LastSequence(u64);

impl Document for LastSequence {
    const KIND: &'static str = "sns-fifo-sequence";
}

/// A message that is not to be taken again, kept under its topic and what tells it from others.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Remembered {
    message: MessageId,
    sequence: u64,
    until: Timestamp,
}

impl Document for Remembered {
    const KIND: &'static str = "sns-fifo-message";
}

/// Order and memory of all FIFO topics.
pub(crate) struct Fifo {
    sequences: Documents<LastSequence>,
    remembered: Documents<Remembered>,
    forgettable: Arc<Mutex<Forgettable>>,
    /// A topic takes one message at a time.
    turns: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>,
}

/// When which message may be forgotten.
type Forgettable = BTreeSet<(Timestamp, Key)>;

/// What becomes of a message that is published.
pub(crate) enum Admission {
    /// It came already: its publisher gets the same answer.
    Repeated { message: MessageId, sequence: u64 },
    /// It is new, and the next in line.
    Next { sequence: u64, deduplication_id: String },
}

impl Fifo {
    pub(crate) fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        let remembered: Documents<Remembered> = Documents::open(catalog)?;
        let forgettable = remembered.all().into_iter().map(|(key, it)| (it.until, key)).collect();
        Ok(Self {
            sequences: Documents::open(catalog)?,
            remembered,
            forgettable: Arc::new(Mutex::new(forgettable)),
            turns: Mutex::default(),
        })
    }

    /// Waits until nobody else publishes to the topic.
    pub(crate) async fn turn(&self, topic: &TopicId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock();
            // Nobody else holds those that only this map holds.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(topic.key()).or_default())
        };
        turn.lock_owned().await
    }

    /// Finds out what becomes of a message, and writes down with `batch` what follows from it.
    pub(crate) fn admit(
        &self,
        batch: &mut Batch,
        topic_id: &TopicId,
        topic: &Topic,
        publication: &Publication,
        message: MessageId,
        now: Timestamp,
    ) -> Result<Admission, NotifyError> {
        let deduplication_id = deduplication_id(topic, publication)?;
        let by_group =
            topic.attributes.get("FifoThroughputScope").is_some_and(|scope| scope == "MessageGroup");
        let group = publication.group_id.as_deref().filter(|_| by_group).unwrap_or_default();
        let name = format!("{}\0{group}\0{deduplication_id}", topic_id.name());
        let key = Key::new(topic_id.scope(), name);
        if let Some(known) = self.remembered.get(&key).filter(|known| !is_over(known.until, now)) {
            return Ok(Admission::Repeated { message: known.message, sequence: known.sequence });
        }
        let forgotten =
            room_for_one(&self.forgettable.lock(), REMEMBERED_MAX, now).ok_or(NotifyError::Backlog)?;
        for (_, old) in &forgotten {
            // The same message may have come again since.
            if self.remembered.get(old).is_some_and(|old| is_over(old.until, now)) {
                self.remembered.remove(batch, old.clone(), Expect::Any);
            }
        }
        let sequence = self.sequences.get(&topic_id.key()).map_or(SEQUENCE_START, |last| last.0 + 1);
        let until = now + DEDUPLICATION_LIFE;
        self.sequences.put(batch, topic_id.key(), LastSequence(sequence), Expect::Any);
        self.remembered.put(batch, key.clone(), Remembered { message, sequence, until }, Expect::Any);
        let forgettable = Arc::clone(&self.forgettable);
        batch.after(move || {
            let mut forgettable = forgettable.lock();
            for old in &forgotten {
                forgettable.remove(old);
            }
            forgettable.insert((until, key));
        });
        Ok(Admission::Next { sequence, deduplication_id })
    }

    /// Adds to a batch: nothing is known of the topic any more, so that one of that name begins anew.
    pub(crate) fn forget_topic(&self, batch: &mut Batch, topic: &TopicId) {
        self.sequences.remove(batch, topic.key(), Expect::Any);
        let prefix = format!("{}\0", topic.name());
        for (name, _) in self.remembered.list(topic.scope(), &prefix, None, usize::MAX) {
            self.remembered.remove(batch, Key::new(topic.scope(), name), Expect::Any);
        }
    }
}

/// Whether what is remembered until that moment counts no more; nor does it if the clock was set back since.
fn is_over(until: Timestamp, now: Timestamp) -> bool {
    until <= now || until > now + DEDUPLICATION_LIFE
}

/// What is to be forgotten when one more message is remembered; `None` if that is one too many.
fn room_for_one(
    forgettable: &Forgettable,
    remembered_max: usize,
    now: Timestamp,
) -> Option<Vec<(Timestamp, Key)>> {
    let is_full = forgettable.len() >= remembered_max;
    let count_max = if is_full { FORGOTTEN_FOR_ROOM_MAX } else { FORGOTTEN_AT_ONCE_MAX };
    let oldest = forgettable.iter().take_while(|(until, _)| *until <= now);
    let newest = forgettable.iter().rev().take_while(|(until, _)| *until > now && is_over(*until, now));
    let forgotten: Vec<_> = oldest.chain(newest).take(count_max).cloned().collect();
    (!is_full || !forgotten.is_empty()).then_some(forgotten)
}

/// Checks what a publication to a FIFO topic has to say of its order.
pub(crate) fn check(topic: &Topic, publication: &Publication) -> Result<(), Invalid> {
    let group_id = publication.group_id.as_deref().ok_or(Invalid::NoGroupId)?;
    check_id("MessageGroupId", group_id)?;
    check_id("MessageDeduplicationId", &deduplication_id(topic, publication)?)
}

fn check_id(parameter: &'static str, id: &str) -> Result<(), Invalid> {
    let length = (1..=ID_LENGTH_MAX).contains(&id.len());
    if length && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(Invalid::FifoId { parameter })
    }
}

fn deduplication_id(topic: &Topic, publication: &Publication) -> Result<String, Invalid> {
    if let Some(id) = &publication.deduplication_id {
        return Ok(id.clone());
    }
    if !topic.deduplicates_by_content() {
        return Err(Invalid::NoDeduplicationId);
    }
    Ok(hex::encode(Sha256::digest(publication.body.default_text())))
}

#[cfg(test)]
mod tests {
    use groundwatch_core::Scope;

    use super::*;

    /// What is forgotten at 1000 s of messages that are remembered until `untils`, of which three fit.
    fn forgotten(untils: &[i64]) -> Option<Vec<i64>> {
        let key = |until| (Timestamp::from_secs(until), Key::new(&Scope::default(), until.to_string()));
        let forgettable = untils.iter().copied().map(key).collect();
        let forgotten = room_for_one(&forgettable, 3, Timestamp::from_secs(1000))?;
        Some(forgotten.iter().map(|(until, _)| until.as_millis() / 1000).collect())
    }

    #[test]
    fn what_is_over_makes_room() {
        assert_eq!(forgotten(&[1001, 1300]), Some(vec![]));
        assert_eq!(forgotten(&[1001, 1002, 1300]), None, "all are to be remembered");
        assert_eq!(forgotten(&[999, 1000, 1001, 1002]), Some(vec![999, 1000]));
        assert_eq!(forgotten(&[1001, 1300, 1301]), Some(vec![1301]), "the clock was set back");
        let many = Vec::from_iter(1..=100);
        assert_eq!(forgotten(&many).map(|forgotten| forgotten.len()), Some(100));
    }
}
