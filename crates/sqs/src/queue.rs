//! A queue: its definition, which the catalog keeps, and the live queue with its messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use groundwatch_core::{Scope, Tags, Timestamp};
use groundwatch_storage::{Document, Key};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::Invalid;
use crate::attributes::Settings;
use crate::backlog::Backlog;
use crate::meter::Meter;

/// What the name of every FIFO queue ends with.
const FIFO_SUFFIX: &str = ".fifo";
/// How long a name can be, its suffix included.
const NAME_LENGTH_MAX: usize = 80;

/// What is kept of a queue under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Definition {
    /// Tells it from a later queue of the same name.
    pub(crate) id: Uuid,
    pub(crate) settings: Settings,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
}

impl Document for Definition {
    const KIND: &'static str = "sqs-queue";
}

/// Checks a name, and tells whether it is that of a FIFO queue. `wants_fifo`: whether the attribute
/// `FifoQueue` says so.
pub(crate) fn check_name(name: &str, wants_fifo: bool) -> Result<bool, Invalid> {
    let stem = name.strip_suffix(FIFO_SUFFIX);
    let legal = |stem: &str| {
        (1..=NAME_LENGTH_MAX).contains(&name.len())
            && !stem.is_empty()
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    match (stem, wants_fifo) {
        (Some(stem), true) if legal(stem) => Ok(true),
        (_, true) => Err(Invalid::FifoQueueName),
        (None, false) if legal(name) => Ok(false),
        (_, false) => Err(Invalid::QueueName),
    }
}

/// A queue with its messages.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) id: Uuid,
    pub(crate) key: Key,
    pub(crate) is_fifo: bool,
    backlog: Mutex<Backlog>,
    pub(crate) meter: Mutex<Meter>,
    /// What the messages of all queues take.
    memory: Arc<AtomicUsize>,
    /// One permit: there may be a message for one who waits.
    pub(crate) arrivals: Notify,
    pub(crate) purged: Mutex<Option<Timestamp>>,
}

impl Queue {
    pub(crate) fn new(id: Uuid, key: Key, is_fifo: bool, memory: Arc<AtomicUsize>) -> Self {
        let backlog = Mutex::new(Backlog::new(is_fifo));
        let (meter, arrivals, purged) = Default::default();
        Self { id, key, is_fifo, backlog, meter, memory, arrivals, purged }
    }

    pub(crate) fn arn(&self) -> String {
        arn(&self.key)
    }

    /// Does something with the messages, alone; keeps count of their memory.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Backlog) -> T) -> T {
        let mut backlog = self.backlog.lock();
        let before = backlog.memory_bytes();
        let result = act(&mut backlog);
        let after = backlog.memory_bytes();
        if after >= before {
            self.memory.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.memory.fetch_sub(before - after, Ordering::Relaxed);
        }
        result
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.memory.fetch_sub(self.backlog.get_mut().memory_bytes(), Ordering::Relaxed);
    }
}

pub(crate) fn arn(key: &Key) -> String {
    key.scope.arn("sqs", &key.name)
}

/// The queue that an ARN names; `None` if it names none.
pub(crate) fn key_of_arn(arn: &str) -> Option<Key> {
    let arn = groundwatch_core::Arn::parse(arn).ok().filter(|arn| arn.service == "sqs")?;
    let scope =
        Scope { account: arn.account.parse().ok()?, region: groundwatch_core::Region::new(arn.region) };
    Some(Key::new(&scope, arn.resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_the_attribute_agree_on_fifo() {
        for (name, wants_fifo, expected) in [
            ("q-1_A", false, Ok(false)),
            ("q.fifo", true, Ok(true)),
            ("q.fifo", false, Err(Invalid::QueueName)),
            ("q", true, Err(Invalid::FifoQueueName)),
            (".fifo", true, Err(Invalid::FifoQueueName)),
            ("", false, Err(Invalid::QueueName)),
            ("a.b", false, Err(Invalid::QueueName)),
            (&"a".repeat(80), false, Ok(false)),
            (&"a".repeat(81), false, Err(Invalid::QueueName)),
        ] {
            assert_eq!(check_name(name, wants_fifo), expected, "{name}");
        }
    }

    #[test]
    fn an_arn_leads_back_to_its_queue() {
        let key = Key::new(&Scope::default(), "q.fifo");
        assert_eq!(key_of_arn(&arn(&key)), Some(key));
        assert_eq!(key_of_arn("arn:aws:sns:us-east-1:000000000000:q"), None);
    }
}
