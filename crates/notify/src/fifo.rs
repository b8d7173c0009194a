//! FIFO topics: messages in the order of publishing, and each once in five minutes.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
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
    /// When which message may be forgotten.
    forgettable: Mutex<BTreeSet<(Timestamp, Key)>>,
    /// A topic takes one message at a time.
    turns: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>,
}

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
            forgettable: Mutex::new(forgettable),
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
        if let Some(known) = self.remembered.get(&key).filter(|known| known.until > now) {
            return Ok(Admission::Repeated { message: known.message, sequence: known.sequence });
        }
        let mut forgettable = self.forgettable.lock();
        if forgettable.len() >= REMEMBERED_MAX {
            return Err(NotifyError::Backlog);
        }
        for _ in 0..FORGOTTEN_AT_ONCE_MAX {
            if forgettable.first().is_none_or(|(until, _)| *until > now) {
                break;
            }
            let Some((_, old)) = forgettable.pop_first() else { break };
            // The same message may have come again since.
            if self.remembered.get(&old).is_none_or(|old| old.until <= now) {
                self.remembered.remove(batch, old, Expect::Any);
            }
        }
        let sequence = self.sequences.get(&topic_id.key()).map_or(SEQUENCE_START, |last| last.0 + 1);
        let until = now + DEDUPLICATION_LIFE;
        self.sequences.put(batch, topic_id.key(), LastSequence(sequence), Expect::Any);
        self.remembered.put(batch, key.clone(), Remembered { message, sequence, until }, Expect::Any);
        forgettable.insert((until, key));
        Ok(Admission::Next { sequence, deduplication_id })
    }
}

/// Checks what a publication to a FIFO topic has to say of its order.
pub(crate) fn check(publication: &Publication) -> Result<(), Invalid> {
    let group_id = publication.group_id.as_deref().ok_or(Invalid::NoGroupId)?;
    check_id("MessageGroupId", group_id)?;
    publication.deduplication_id.as_deref().map_or(Ok(()), |id| check_id("MessageDeduplicationId", id))
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
    let hash = Sha256::digest(publication.body.default_text());
    Ok(hash.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    }))
}
