//! The service: what the handlers of all operations share, and how it comes up.

use groundwatch_core::{Scope, SharedClock};
use groundwatch_storage::{Record, Storage};

use crate::directory::Directory;
use crate::error::LogsError;
use crate::group::LogGroup;
use crate::identifier;
use crate::store::{LogFlush, LogReclaim, LogStore, StoreError, StoreOptions, StoreReplay};

/// CloudWatch Logs. Cheap to clone.
#[derive(Clone)]
pub struct Logs {
    pub(crate) directory: Directory,
    pub(crate) store: LogStore,
}

/// The service on its way up: give it the journal's records of logs, in their order, then [`Self::finish`].
pub struct LogsReplay {
    directory: Directory,
    store: StoreReplay,
}

impl Logs {
    /// Begins to bring the service up on `storage`.
    pub fn replay(storage: &Storage, options: StoreOptions) -> Result<LogsReplay, StoreError> {
        let directory = Directory::open(&storage.catalog)?;
        let store = StoreReplay::begin(storage, &directory, options)?;
        Ok(LogsReplay { directory, store })
    }

    /// The background activity that moves events from memory into segments.
    pub fn flush_activity(&self, clock: SharedClock) -> LogFlush {
        LogFlush::new(self.store.clone(), clock)
    }

    /// The background activity that frees what has expired or was deleted.
    pub fn reclaim_activity(&self, clock: SharedClock) -> LogReclaim {
        LogReclaim::new(self.store.clone(), clock)
    }

    /// The name and the group that a request means by its name or its identifier.
    pub(crate) fn named_group(
        &self,
        scope: &Scope,
        name: Option<&str>,
        identifier: Option<&str>,
    ) -> Result<(String, std::sync::Arc<LogGroup>), LogsError> {
        let name = identifier::group_name(scope, name, identifier)?;
        Ok((name.to_owned(), self.directory.group(scope, name)?))
    }
}

impl LogsReplay {
    /// Takes back what a record holds.
    pub fn record(&mut self, record: Record) -> Result<(), StoreError> {
        self.store.record(record.position, record.payload)
    }

    /// The service, as it was when its last acknowledgement went out.
    pub async fn finish(self) -> Result<Logs, StoreError> {
        self.directory.remove_orphans().await?;
        Ok(Logs { directory: self.directory, store: self.store.finish()? })
    }
}
