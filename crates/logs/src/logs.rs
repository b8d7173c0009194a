//! The service: what the handlers of all operations share, and how it comes up.

use std::sync::Arc;

use groundwatch_core::{Scope, SharedClock};
use groundwatch_storage::{Record, Storage};

use crate::directory::Directory;
use crate::error::LogsError;
use crate::forwarding::Destination;
use crate::group::LogGroup;
use crate::identifier;
use crate::lookup_table::LookupTables;
use crate::live_tail::LiveTail;
use crate::metric_filter::MetricFilters;
use crate::metric_sink::MetricSink;
use crate::policy::ResourcePolicies;
use crate::query_definition::QueryDefinitions;
use crate::shelf::Shelf;
use crate::store::{LogFlush, LogReclaim, LogStore, StoreError, StoreOptions, StoreReplay};

/// CloudWatch Logs. Cheap to clone.
#[derive(Clone)]
pub struct Logs {
    pub(crate) directory: Directory,
    pub(crate) store: LogStore,
    pub(crate) metric_filters: MetricFilters,
    pub(crate) query_definitions: QueryDefinitions,
    pub(crate) lookup_tables: LookupTables,
    pub(crate) destinations: Shelf<Destination>,
    pub(crate) resource_policies: ResourcePolicies,
    pub(crate) live_tail: LiveTail,
    pub(crate) sink: Arc<dyn MetricSink>,
}

/// The service on its way up: give it the journal's records of logs, in their order, then [`Self::finish`].
pub struct LogsReplay {
    directory: Directory,
    query_definitions: QueryDefinitions,
    lookup_tables: LookupTables,
    store: StoreReplay,
}

impl Logs {
    /// Begins to bring the service up on `storage`.
    pub fn replay(storage: &Storage, options: StoreOptions) -> Result<LogsReplay, StoreError> {
        let directory = Directory::open(&storage.catalog)?;
        let store = StoreReplay::begin(storage, &directory, options)?;
        let query_definitions = QueryDefinitions::open(&storage.catalog)?;
        let lookup_tables = LookupTables::open(storage)?;
        Ok(LogsReplay { directory, query_definitions, lookup_tables, store })
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
    ) -> Result<(String, Arc<LogGroup>), LogsError> {
        let name = identifier::group_name(scope, name, identifier)?;
        Ok((name.to_owned(), self.directory.group(scope, name)?))
    }
}

impl LogsReplay {
    /// Takes back what a record holds.
    pub fn record(&mut self, record: Record) -> Result<(), StoreError> {
        self.store.record(record.position, record.payload)
    }

    /// The service, as it was when its last acknowledgement went out. Metrics that events give rise to go to `sink`.
    pub async fn finish(self, sink: Arc<dyn MetricSink>) -> Result<Logs, StoreError> {
        let Self { directory, query_definitions, lookup_tables, store } = self;
        directory.remove_orphans().await?;
        let groups = directory.groups.all().iter().map(|(_, group)| group.id).collect();
        let metric_filters = MetricFilters::open(&directory.catalog, &groups).await?;
        let destinations = Shelf::open(&directory.catalog)?;
        let resource_policies = ResourcePolicies::open(&directory.catalog, &groups).await?;
        Ok(Logs {
            store: store.finish()?,
            directory,
            metric_filters,
            query_definitions,
            lookup_tables,
            destinations,
            resource_policies,
            live_tail: LiveTail::default(),
            sink,
        })
    }
}
