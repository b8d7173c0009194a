//! The service: what the handlers of all operations share, and how it comes up.

use std::sync::Arc;

use groundwatch_core::{Scope, SharedClock};
use groundwatch_own_metrics::Meters;
use groundwatch_storage::{Record, Storage};

use crate::anomaly::{Detectors, LogAnomalyWatch};
use crate::directory::Directory;
use crate::error::LogsError;
use crate::export::{Buckets, Exporter, LogExport, Tasks};
use crate::forwarding::{
    Destination, Forwarding, ForwardingMeasures, LogForwarding, MessageSender, Subscriptions, places,
};
use crate::group::LogGroup;
use crate::identifier;
use crate::live_tail::LiveTail;
use crate::lookup_table::LookupTables;
use crate::metric_filter::MetricFilters;
use crate::metric_sink::MetricSink;
use crate::own_metrics::OwnMetrics;
use crate::policy::ResourcePolicies;
use crate::query_definition::QueryDefinitions;
use crate::recency::Recency;
use crate::shelf::Shelf;
use crate::store::{LogCompaction, LogFlush, LogReclaim, LogStore, StoreError, StoreOptions, StoreReplay};
use crate::vended::Vended;

/// CloudWatch Logs. Cheap to clone.
#[derive(Clone)]
pub struct Logs {
    pub(crate) directory: Directory,
    pub(crate) store: LogStore,
    pub(crate) metric_filters: MetricFilters,
    pub(crate) query_definitions: QueryDefinitions,
    pub(crate) lookup_tables: LookupTables,
    pub(crate) anomaly_detectors: Detectors,
    pub(crate) destinations: Shelf<Destination>,
    pub(crate) resource_policies: ResourcePolicies,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) sender: MessageSender,
    pub(crate) export_tasks: Tasks,
    pub(crate) vended: Vended,
    pub(crate) buckets: Buckets,
    pub(crate) own_metrics: OwnMetrics,
    pub(crate) recency: Recency,
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

    /// The background activity that merges segments.
    pub fn compaction_activity(&self, clock: SharedClock) -> LogCompaction {
        LogCompaction::new(self.store.clone(), clock)
    }

    /// The background activity that frees what has expired or was deleted.
    pub fn reclaim_activity(&self, clock: SharedClock) -> LogReclaim {
        LogReclaim::new(self.store.clone(), clock)
    }

    /// The background activity that sends events on to those who subscribed.
    pub fn forwarding_activity(&self, clock: SharedClock) -> LogForwarding {
        LogForwarding::new(Forwarding {
            store: self.store.clone(),
            directory: self.directory.clone(),
            destinations: self.destinations.clone(),
            subscriptions: self.subscriptions.clone(),
            sender: self.sender.clone(),
            measures: Arc::new(ForwardingMeasures(self.own_metrics.clone())),
            clock,
        })
    }

    /// The background activity that writes the files of export tasks.
    pub fn export_activity(&self, clock: SharedClock) -> LogExport {
        LogExport::new(Exporter {
            store: self.store.clone(),
            directory: self.directory.clone(),
            tasks: self.export_tasks.clone(),
            buckets: self.buckets.clone(),
            clock,
        })
    }

    /// The background activity that looks for anomalies in log events.
    pub fn anomaly_activity(&self, clock: SharedClock) -> LogAnomalyWatch {
        let detectors = self.anomaly_detectors.clone();
        LogAnomalyWatch::new(detectors, self.directory.clone(), self.store.clone(), clock)
    }

    /// What the service says about itself, in `AWS/Logs`.
    pub fn meters(&self) -> Arc<dyn Meters> {
        Arc::new(self.own_metrics.clone())
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

    /// The service, as it was when its last acknowledgement went out. Metrics that events give rise to go to
    /// `sink`, and events that somebody subscribed to are brought away by `sender`.
    pub async fn finish(self, sink: Arc<dyn MetricSink>, sender: MessageSender) -> Result<Logs, StoreError> {
        let Self { directory, query_definitions, lookup_tables, store } = self;
        directory.remove_orphans().await?;
        let groups = directory.groups.all().iter().map(|(_, group)| group.id).collect();
        let metric_filters = MetricFilters::open(&directory.catalog, &groups).await?;
        let anomaly_detectors = Detectors::open(&directory.catalog)?;
        let destinations = Shelf::open(&directory.catalog)?;
        let resource_policies = ResourcePolicies::open(&directory.catalog, &groups).await?;
        let store = store.finish()?;
        let groups = directory.groups.all().into_iter().map(|(key, group)| (key, group.id));
        let subscriptions =
            Subscriptions::open(&directory.catalog, &places(groups), store.visible_through()).await?;
        let own_metrics = OwnMetrics::new();
        store.listen(Arc::new(subscriptions.clone()));
        store.listen(Arc::new(own_metrics.clone()));
        let recency = Recency::default();
        store.listen(Arc::new(recency.clone()));
        let export_tasks = Tasks::new(Shelf::open(&directory.catalog)?);
        let vended = Vended::open(&directory.catalog)?;
        let logs = Logs {
            store,
            directory,
            metric_filters,
            query_definitions,
            lookup_tables,
            anomaly_detectors,
            destinations,
            resource_policies,
            subscriptions,
            buckets: Buckets(sender.outbound().clone()),
            sender,
            export_tasks,
            vended,
            own_metrics,
            recency,
            live_tail: LiveTail::default(),
            sink,
        };
        logs.apply_account_policies();
        Ok(logs)
    }
}
