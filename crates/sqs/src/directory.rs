//! Which queues there are, and which one a URL or an ARN means.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use groundwatch_core::{AccountId, Scope, SharedClock};
use groundwatch_storage::{Catalog, Documents, Key, StorageError};
use parking_lot::RwLock;
use uuid::Uuid;

use crate::meter::Rounds;
use crate::queue::{Definition, Queue, key_of_arn};
use crate::{Invalid, SqsError};

/// All queues.
pub(crate) struct Directory {
    pub(crate) definitions: Documents<Definition>,
    live: RwLock<HashMap<Uuid, Arc<Queue>>>,
    memory: Arc<AtomicUsize>,
    base_url: String,
    rounds: Rounds,
}

/// A queue as an operation finds it.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) version: u64,
    pub(crate) definition: Arc<Definition>,
    pub(crate) queue: Arc<Queue>,
}

impl Directory {
    pub(crate) fn open(catalog: &Catalog, base_url: &str, clock: SharedClock) -> Result<Self, StorageError> {
        let directory = Self {
            definitions: Documents::open(catalog)?,
            live: RwLock::default(),
            memory: Arc::default(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            rounds: Rounds::new(clock),
        };
        for (key, definition) in directory.definitions.all() {
            directory.come_alive(&key, &definition);
        }
        Ok(directory)
    }

    /// What the messages of all queues take, in bytes.
    pub(crate) fn memory(&self) -> &AtomicUsize {
        &self.memory
    }

    /// When the meters of queues are read.
    pub(crate) fn rounds(&self) -> &Rounds {
        &self.rounds
    }

    /// The live queue of a definition.
    pub(crate) fn come_alive(&self, key: &Key, definition: &Definition) -> Arc<Queue> {
        let is_fifo = definition.settings.fifo.is_some();
        let new = || Arc::new(Queue::new(definition.id, key.clone(), is_fifo, Arc::clone(&self.memory)));
        Arc::clone(self.live.write().entry(definition.id).or_insert_with(new))
    }

    /// Forgets a deleted queue with its messages.
    pub(crate) fn forget(&self, id: Uuid) {
        let queue = self.live.write().remove(&id);
        if let Some(queue) = queue {
            // Who waits for its messages finds that it is gone.
            queue.arrivals.notify_waiters();
        }
    }

    pub(crate) fn by_id(&self, id: Uuid) -> Option<Arc<Queue>> {
        self.live.read().get(&id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Queue>> {
        self.live.read().values().cloned().collect()
    }

    pub(crate) fn by_key(&self, key: &Key) -> Option<Found> {
        let (version, definition) = self.definitions.get_versioned(key)?;
        // None if it is being deleted: a queue is alive before its definition is there.
        let queue = self.by_id(definition.id)?;
        Some(Found { version, definition, queue })
    }

    pub(crate) fn by_arn(&self, arn: &str) -> Option<Found> {
        self.by_key(&key_of_arn(arn)?)
    }

    /// The queue that a call means by `QueueUrl`, and accesses.
    pub(crate) fn by_url(&self, caller: &Scope, url: Option<&str>) -> Result<Found, SqsError> {
        let url = url.filter(|url| !url.is_empty()).ok_or(Invalid::Missing { parameter: "QueueUrl" })?;
        let key = key_of_url(caller, url)?;
        if key.scope != *caller {
            return Err(SqsError::OtherAccount { url: self.url(&key) });
        }
        self.accessed(self.by_key(&key))
    }

    /// A queue that an action accesses.
    pub(crate) fn accessed(&self, found: Option<Found>) -> Result<Found, SqsError> {
        let found = found.ok_or(SqsError::QueueNotFound)?;
        self.rounds.note_access(&found.queue.meter);
        Ok(found)
    }

    /// Where clients find a queue: the path tells account and name, and the signature the region.
    pub(crate) fn url(&self, key: &Key) -> String {
        format!("{}/{}/{}", self.base_url, key.scope.account, key.name)
    }

    /// The queues that have this one as their dead-letter queue, by name.
    pub(crate) fn sources_of(&self, dead_letter_arn: &str, scope: &Scope) -> Vec<Key> {
        let definitions = self.definitions.list(scope, "", None, usize::MAX);
        let sends_here = |definition: &Definition| {
            let policy = definition.settings.redrive_policy.as_ref();
            policy.is_some_and(|policy| policy.dead_letter_target_arn == dead_letter_arn)
        };
        let sources = definitions.into_iter().filter(|(_, definition)| sends_here(definition));
        sources.map(|(name, _)| Key::new(scope, name)).collect()
    }
}

/// `http://host/ACCOUNT/NAME`, whatever the host; or the name alone, as AWS takes it too.
fn key_of_url(caller: &Scope, url: &str) -> Result<Key, Invalid> {
    if !url.contains('/') {
        return Ok(Key::new(caller, url));
    }
    let invalid = || Invalid::QueueUrl { url: url.to_owned() };
    let mut segments = url.trim_end_matches('/').rsplit('/');
    let (name, account) = segments.next().zip(segments.next()).ok_or_else(invalid)?;
    let account: AccountId = account.parse().map_err(|_| invalid())?;
    Ok(Key::new(&Scope { account, region: caller.region.clone() }, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_means_a_queue_whatever_its_host() {
        let caller = Scope::default();
        for url in [
            "q",
            "http://127.0.0.1:4566/000000000000/q",
            "https://sqs.eu-west-1.amazonaws.com/000000000000/q",
            "http://localhost/queue/us-east-1/000000000000/q",
        ] {
            assert_eq!(key_of_url(&caller, url), Ok(Key::new(&caller, "q")), "{url}");
        }
        for url in ["http://127.0.0.1:4566/q", "/q", "http://host/0/q"] {
            assert!(key_of_url(&caller, url).is_err(), "{url}");
        }
    }
}
