//! Where alarms are kept: reads them from memory, and writes each change of one in one transaction.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::{
    Batch, Catalog, Documents, Expect, Key, Ledger, LedgerItem, LedgerQuery, StorageError, despite_conflicts,
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::alarm::{Alarm, StateValue};
use crate::composite::dependency_graph::Family;
use crate::composite::judgement::{Child, ChildState};
use crate::due_queue::DueQueue;
use crate::effects::history::HistoryItem;
use crate::effects::outbox::Outbox;
use crate::effects::transition::{ActionContext, Change};
use crate::mute::MuteRules;

/// How long background work waits after storage or a reader has failed.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The alarms, their history, and the way to change them.
pub(crate) struct AlarmStore {
    catalog: Catalog,
    alarms: Documents<Alarm>,
    history: Ledger<HistoryItem>,
    outbox: Arc<Outbox>,
    mutes: Arc<MuteRules>,
    family: Mutex<Family>,
    /// What is to be followed up when, see `follower`.
    follow_ups: Mutex<DueQueue<Key>>,
    follow_ups_changed: Notify,
    /// Held while alarms come to name each other, or cease to exist: that nothing is deleted that is being
    /// referred to.
    pub(crate) structure: tokio::sync::Mutex<()>,
}

impl AlarmStore {
    pub(crate) fn open(
        catalog: &Catalog,
        outbox: Arc<Outbox>,
        mutes: Arc<MuteRules>,
    ) -> Result<Self, StorageError> {
        let alarms = Documents::<Alarm>::open(catalog)?;
        let mut family = Family::default();
        for (key, alarm) in alarms.all() {
            family.set(&key, alarm.definition.as_composite());
        }
        Ok(Self {
            catalog: catalog.clone(),
            alarms,
            history: Ledger::open(catalog),
            outbox,
            mutes,
            family: Mutex::new(family),
            follow_ups: Mutex::new(DueQueue::new()),
            follow_ups_changed: Notify::new(),
            structure: tokio::sync::Mutex::default(),
        })
    }

    /// The alarm of that name with its version.
    pub(crate) fn get(&self, key: &Key) -> Option<(u64, Arc<Alarm>)> {
        self.alarms.get_versioned(key)
    }

    /// Up to `limit` alarms of `scope` whose names begin with `prefix` and follow `after`, by name.
    pub(crate) fn list(
        &self,
        scope: &Scope,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Arc<Alarm>)> {
        self.alarms.list(scope, prefix, after, limit)
    }

    /// All alarms of all accounts and regions.
    pub(crate) fn all(&self) -> Vec<(Key, Arc<Alarm>)> {
        self.alarms.all()
    }

    /// What decides at `now` whether the actions of an alarm run.
    pub(crate) fn context(&self, key: &Key, now: Timestamp) -> ActionContext {
        let suppressor = self.family.lock().suppressor(key).cloned();
        let is_in_alarm = |suppressor: Key| {
            self.alarms.get(&suppressor).is_some_and(|alarm| alarm.state.value == StateValue::Alarm)
        };
        ActionContext {
            events: self.has_event_sink(&key.scope),
            mute: self.mutes.active(key, now),
            suppressor_in_alarm: suppressor.is_some_and(is_in_alarm),
        }
    }

    /// Whether somebody listens to events of `scope`.
    pub(crate) fn has_event_sink(&self, scope: &Scope) -> bool {
        self.outbox.has_event_sink(scope)
    }

    /// The children of a composite alarm as they are now, by name.
    pub(crate) fn children(&self, key: &Key) -> Vec<Child> {
        let keys = self.family.lock().children(key).to_vec();
        let child = |key: Key| {
            let state = self
                .alarms
                .get(&key)
                .map(|alarm| ChildState { value: alarm.state.value, transitioned: alarm.state.transitioned });
            Child { name: key.name, state }
        };
        keys.into_iter().map(child).collect()
    }

    /// Asks the index of who depends on whom.
    pub(crate) fn family<T>(&self, ask: impl FnOnce(&Family) -> T) -> T {
        ask(&self.family.lock())
    }

    /// The level of a composite alarm that can be evaluated, see [`Family::level`].
    pub(crate) fn level(&self, key: &Key) -> Option<usize> {
        self.family.lock().level(key)
    }

    /// Has an alarm followed up at `at`.
    pub(crate) fn follow_up(&self, key: Key, at: Timestamp) {
        self.follow_ups.lock().plan(key, at);
        self.follow_ups_changed.notify_one();
    }

    /// Has an alarm followed up when a period of its suppressor ends, or what mutes it.
    pub(crate) fn plan_follow_up(&self, key: &Key, alarm: &Alarm, now: Timestamp) {
        let unmuted = || self.mutes.active(key, now).map(|mute| mute.to);
        let unmuted = alarm.withheld.as_ref().and_then(|_| unmuted());
        if let Some(at) = alarm.suppression.until().into_iter().chain(unmuted).min() {
            self.follow_up(key.clone(), at);
        }
    }

    /// When the next alarm is to be followed up.
    pub(crate) fn next_follow_up(&self, now: Timestamp) -> Option<Timestamp> {
        self.follow_ups.lock().next(now)
    }

    /// Takes those that are to be followed up now.
    pub(crate) fn take_follow_ups(&self, now: Timestamp) -> Vec<Key> {
        self.follow_ups.lock().take_due(now)
    }

    /// Woken when something else is to be followed up.
    pub(crate) fn follow_ups_changed(&self) -> &Notify {
        &self.follow_ups_changed
    }

    /// What follows from a change that has been written.
    fn note(&self, key: &Key, alarm: Option<&Alarm>, at: Timestamp) {
        let dependents: Vec<Key> = self.family(|family| family.dependents(key).cloned().collect());
        for dependent in dependents {
            self.follow_up(dependent, at);
        }
        if let Some(alarm) = alarm {
            self.plan_follow_up(key, alarm, at);
        }
    }

    /// Notes that a composite alarm was put or deleted. The caller holds [`Self::structure`].
    pub(crate) fn restructure(&self, key: &Key) {
        let alarm = self.alarms.get(key);
        self.family.lock().set(key, alarm.as_ref().and_then(|alarm| alarm.definition.as_composite()));
    }

    /// Writes `change` of the alarm `key`, if that still is as `expect` says: its document, its history and
    /// its deliveries in one transaction.
    pub(crate) async fn apply(&self, key: &Key, expect: Expect, change: Change) -> Result<(), StorageError> {
        let Change { alarm, at, history, deliveries } = change;
        let mut batch = Batch::new();
        match &alarm {
            Some(alarm) => self.alarms.put(&mut batch, key.clone(), alarm.clone(), expect),
            None => self.alarms.remove(&mut batch, key.clone(), expect),
        }
        for item in history {
            self.history.append(&mut batch, key.clone(), at, item);
        }
        let staged = self.outbox.stage(&mut batch, key, deliveries);
        self.catalog.commit(batch).await?;
        self.outbox.enqueue(staged);
        self.note(key, alarm.as_ref(), at);
        Ok(())
    }

    /// Changes the alarm `key` as `decide` says, deciding anew if it changed meanwhile. `decide` gets `None`
    /// if there is no such alarm, and answers `None` to change nothing. Tells whether anything was changed.
    pub(crate) async fn update(
        &self,
        key: &Key,
        decide: impl Fn(Option<&Alarm>) -> Option<Change> + Send + Sync,
    ) -> Result<bool, StorageError> {
        despite_conflicts(|| async {
            let current = self.get(key);
            let Some(change) = decide(current.as_ref().map(|(_, alarm)| &**alarm)) else { return Ok(false) };
            let expect = current.map_or(Expect::Absent, |(version, _)| Expect::Version(version));
            self.apply(key, expect, change).await.map(|()| true)
        })
        .await
    }

    /// Reads history.
    pub(crate) async fn history(
        &self,
        query: LedgerQuery,
    ) -> Result<Vec<LedgerItem<HistoryItem>>, StorageError> {
        self.history.read(query).await
    }

    /// Forgets history from before `before`; tells how many items that were.
    pub(crate) async fn expire_history(&self, before: Timestamp) -> Result<u64, StorageError> {
        self.history.expire(before).await
    }
}
