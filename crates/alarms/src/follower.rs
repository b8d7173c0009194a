//! Takes alarms on when something else than their datapoints changed: a child, a suppressor, a mute rule, or
//! a period that ended. Decide, apply; nothing to read.
//!
//! What is due is not stored. A restart has every composite alarm and every alarm with withheld actions
//! followed up once; where nothing has changed, nothing happens. Composite alarms go level by level, so that
//! each sees what its children have become, and none passes through a state that no moment justifies.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use groundwatch_storage::{Expect, Key, StorageError};
use tokio::sync::Notify;

use crate::composite::judgement::judge;
use crate::effects::transition::{Change, advance};
use crate::isolation::isolated;
use crate::store::{AlarmStore, RETRY_AFTER};

/// How many changes wait for storage at once.
const COMMITS_MAX: usize = 256;

/// The activity that follows up.
pub(crate) struct Follower {
    store: Arc<AlarmStore>,
    clock: SharedClock,
}

impl Follower {
    /// A follower of the alarms of `store`.
    pub(crate) fn new(store: Arc<AlarmStore>, clock: SharedClock) -> Self {
        let now = clock.now();
        for (key, alarm) in store.all() {
            if alarm.definition.as_composite().is_some() || alarm.withheld.is_some() {
                store.follow_up(key, now);
            }
        }
        Self { store, clock }
    }

    /// Follows up `due` and what that makes due, from the lowest level to the highest.
    async fn follow(&self, due: Vec<Key>, now: Timestamp) {
        let mut waiting = self.by_level(due);
        while let Some((level, _)) = waiting.first() {
            let above = waiting.split_off(&(level + 1, Key::default()));
            let now_due = std::mem::replace(&mut waiting, above);
            stream::iter(now_due)
                .map(|(_, key)| self.follow_one(key, now))
                .buffered(COMMITS_MAX)
                .for_each(async |()| {})
                .await;
            waiting.extend(self.by_level(self.store.take_follow_ups(now)));
        }
    }

    /// Metric alarms, and composite ones that are not evaluated, come first.
    fn by_level(&self, keys: Vec<Key>) -> BTreeSet<(usize, Key)> {
        keys.into_iter().map(|key| (self.store.level(&key).map_or(0, |level| level + 1), key)).collect()
    }

    async fn follow_one(&self, key: Key, now: Timestamp) {
        if isolated(self.try_follow(&key, now)).await.is_none() {
            self.store.follow_up(key, now + RETRY_AFTER);
        }
    }

    async fn try_follow(&self, key: &Key, now: Timestamp) {
        let Some((version, change)) = self.decide(key, now) else { return };
        match self.store.apply(key, Expect::Version(version), change).await {
            Ok(()) => {}
            // It changed meanwhile: once more, from what it is now.
            Err(StorageError::Conflict { .. }) => self.store.follow_up(key.clone(), now),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(alarm = key.name, error, "a change of an alarm cannot be written");
                self.store.follow_up(key.clone(), now + RETRY_AFTER);
            }
        }
    }

    fn decide(&self, key: &Key, now: Timestamp) -> Option<(u64, Change)> {
        let (version, alarm) = self.store.get(key)?;
        let new = match alarm.definition.as_composite() {
            Some(definition) if self.store.level(key).is_some() => {
                judge(key, &alarm, definition, &self.store.children(key))
            }
            _ => None,
        };
        let change = advance(key, &alarm, new, &self.store.context(key, now), now);
        if change.is_none() {
            self.store.plan_follow_up(key, &alarm, now);
        }
        Some((version, change?))
    }
}

impl Activity for Follower {
    fn name(&self) -> &'static str {
        "alarm-follow-up"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.store.next_follow_up(self.clock.now())
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let due = self.store.take_follow_ups(now);
                if due.is_empty() {
                    return;
                }
                self.follow(due, now).await;
            }
        })
    }

    fn changed(&self) -> &Notify {
        self.store.follow_ups_changed()
    }
}
