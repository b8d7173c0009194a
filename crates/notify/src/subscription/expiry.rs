//! The activity that removes subscriptions which nobody confirmed in time.

use std::collections::BTreeSet;

use groundwatch_core::{Activity, BoxFuture, Timestamp};
use groundwatch_storage::{Batch, Key, StorageError};
use parking_lot::Mutex;
use tokio::sync::Notify as Wake;

use crate::directory::Directory;
use crate::subscription::SubscriptionId;

/// When what could not be removed is tried again.
const RETRY: std::time::Duration = std::time::Duration::from_secs(60);

/// Forgets pending and cancelled subscriptions when their token expires.
pub(crate) struct Expiry {
    directory: Directory,
    /// When to look at which subscription; looking too often does no harm.
    watched: Mutex<BTreeSet<(Timestamp, Key)>>,
    changed: Wake,
}

impl Expiry {
    pub(crate) fn open(directory: Directory) -> Self {
        let unconfirmed = directory.subscriptions.all().into_iter();
        let watched =
            unconfirmed.filter_map(|(key, subscription)| Some((subscription.expires()?, key))).collect();
        Self { directory, watched: Mutex::new(watched), changed: Wake::new() }
    }

    /// Looks at the subscription under `key` at `moment`.
    pub(crate) fn watch(&self, key: Key, moment: Timestamp) {
        self.watched.lock().insert((moment, key));
        self.changed.notify_one();
    }

    async fn expire(&self, now: Timestamp) {
        loop {
            let due = {
                let mut watched = self.watched.lock();
                if watched.first().is_none_or(|(moment, _)| *moment > now) {
                    return;
                }
                watched.pop_first()
            };
            let Some((_, key)) = due else { return };
            if let Err(error) = self.remove_if_expired(&key, now).await {
                tracing::error!(subscription = key.name, %error, "cannot remove an unconfirmed subscription");
                self.watched.lock().insert((now + RETRY, key));
            }
        }
    }

    async fn remove_if_expired(&self, key: &Key, now: Timestamp) -> Result<(), StorageError> {
        let (Some(id), Some((version, subscription))) =
            (SubscriptionId::of_key(key), self.directory.subscriptions.get_versioned(key))
        else {
            return Ok(());
        };
        if subscription.expires().is_none_or(|expires| expires > now) {
            return Ok(());
        }
        let mut batch = Batch::new();
        self.directory.remove(&mut batch, &id, &subscription, version);
        self.directory.catalog.commit(batch).await
    }
}

impl Activity for Expiry {
    fn name(&self) -> &'static str {
        "sns-subscription-expiry"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.watched.lock().first().map(|(moment, _)| *moment)
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(self.expire(now))
    }

    fn changed(&self) -> &Wake {
        &self.changed
    }
}
