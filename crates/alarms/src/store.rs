//! Where alarms are kept: reads them from memory, and writes each change of one in one transaction.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::{
    Batch, Catalog, Documents, Expect, Key, Ledger, LedgerItem, LedgerQuery, StorageError,
};

use crate::alarm::Alarm;
use crate::history::HistoryItem;
use crate::outbox::Outbox;
use crate::transition::Change;

/// How long background work waits after storage or a reader has failed.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(10);

/// How often a change by a request is decided anew because the alarm changed meanwhile.
const DECISIONS_MAX: usize = 16;

/// The alarms, their history, and the way to change them.
pub(crate) struct AlarmStore {
    catalog: Catalog,
    alarms: Documents<Alarm>,
    history: Ledger<HistoryItem>,
    outbox: Arc<Outbox>,
}

impl AlarmStore {
    pub(crate) fn open(catalog: &Catalog, outbox: Arc<Outbox>) -> Result<Self, StorageError> {
        Ok(Self {
            catalog: catalog.clone(),
            alarms: Documents::open(catalog)?,
            history: Ledger::open(catalog),
            outbox,
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

    /// Whether transitions are to be told to an event bus.
    pub(crate) fn emits_events(&self) -> bool {
        self.outbox.has_event_sink()
    }

    /// Writes `change` of the alarm `key`, if that still is as `expect` says: its document, its history and its
    /// deliveries in one transaction.
    pub(crate) async fn apply(&self, key: &Key, expect: Expect, change: Change) -> Result<(), StorageError> {
        let mut batch = Batch::new();
        match change.alarm {
            Some(alarm) => self.alarms.put(&mut batch, key.clone(), alarm, expect),
            None => self.alarms.remove(&mut batch, key.clone(), expect),
        }
        if let Some((at, item)) = change.history {
            self.history.append(&mut batch, key.clone(), at, item);
        }
        let staged = self.outbox.stage(&mut batch, key, change.deliveries);
        self.catalog.commit(batch).await?;
        self.outbox.enqueue(staged);
        Ok(())
    }

    /// Changes the alarm `key` as `decide` says, deciding anew if it changed meanwhile. `decide` gets `None` if there is
    /// no such alarm, and answers `None` to change nothing. Tells whether anything was changed.
    pub(crate) async fn update(
        &self,
        key: &Key,
        decide: impl Fn(Option<&Alarm>) -> Option<Change> + Send + Sync,
    ) -> Result<bool, StorageError> {
        for attempt in 1.. {
            let current = self.get(key);
            let Some(change) = decide(current.as_ref().map(|(_, alarm)| &**alarm)) else { return Ok(false) };
            let expect = current.map_or(Expect::Absent, |(version, _)| Expect::Version(version));
            match self.apply(key, expect, change).await {
                Err(StorageError::Conflict { .. }) if attempt < DECISIONS_MAX => {}
                outcome => return outcome.map(|()| true),
            }
        }
        Ok(false)
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
