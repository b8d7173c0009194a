//! A metric store with its operations, a clock that stands still, and requests as JSON.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use groundwatch_api::cloudwatch::{
    GetMetricData, GetMetricDataOutput, GetMetricStatistics, GetMetricStatisticsOutput, ListMetrics,
    ListMetricsOutput, PutMetricData,
};
use groundwatch_api::{Fault, Handle, Operation, validate};
use groundwatch_core::{AccountId, Call, Caller, Clock, ManualClock, Region, RequestId, Scope, Timestamp};
use groundwatch_metrics::{MetricError, MetricOptions, MetricStore, Metrics};
use groundwatch_storage::simulation::SimulatedDisk;
use groundwatch_storage::{Disk, Storage, StorageError, StorageOptions, StreamId};
use serde_json::Value;
use tempfile::TempDir;

/// The present of all tests, unless they move the clock.
pub(crate) const NOW: &str = "2026-01-02T12:00:00Z";

pub(crate) struct World {
    pub(crate) store: MetricStore,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) scope: Scope,
    /// How many journal records were applied at the start.
    pub(crate) recovered: usize,
    metrics: Metrics,
    storage: Storage,
    dir: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(MetricOptions::default()).await
    }

    pub(crate) async fn with(options: MetricOptions) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(ManualClock::new(moment(NOW)));
        let opened = Self::open(dir, clock, options, None).await;
        opened.unwrap_or_else(|error| panic!("cannot open: {error}"))
    }

    /// A world whose journal lies on `disk`.
    pub(crate) async fn on_disk(disk: &SimulatedDisk) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(ManualClock::new(moment(NOW)));
        let opened = Self::open(dir, clock, MetricOptions::default(), Some(disk)).await;
        opened.unwrap_or_else(|error| panic!("cannot open: {error}"))
    }

    async fn open(
        dir: TempDir,
        clock: Arc<ManualClock>,
        options: MetricOptions,
        disk: Option<&SimulatedDisk>,
    ) -> Result<Self, MetricError> {
        let disk = disk.map(|disk| Arc::new(disk.clone()) as Arc<dyn Disk>);
        let (storage, recovery) = Storage::open(StorageOptions { disk, ..StorageOptions::new(dir.path()) })?;
        let store = MetricStore::open(storage.clone(), clock.clone(), options).await?;
        let mut recovered = 0;
        for record in recovery {
            let record = record?;
            if record.stream == StreamId::METRICS {
                store.recover(record.position, &record.payload)?;
                recovered += 1;
            }
        }
        let scope = Scope { account: AccountId::DEFAULT, region: Region::new("eu-central-1") };
        Ok(Self { metrics: Metrics::new(store.clone()), store, clock, scope, recovered, storage, dir })
    }

    /// Closes the directory and opens it again.
    pub(crate) async fn restart(self) -> Self {
        self.restart_on(None).await
    }

    /// Closes the directory and opens it again, with the journal on `disk`.
    pub(crate) async fn restart_on(self, disk: Option<&SimulatedDisk>) -> Self {
        let Self { store, metrics, storage, dir, clock, .. } = self;
        drop((store, metrics, storage));
        let restarted = Self::open(dir, clock, MetricOptions::default(), disk).await;
        restarted.unwrap_or_else(|error| panic!("cannot restart: {error}"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn set_clock(&self, text: &str) {
        self.clock.set(moment(text));
    }

    pub(crate) async fn put(&self, input: Value) -> Result<(), Fault> {
        self.call::<PutMetricData>(&input).await.map(|_| ())
    }

    /// Puts data into the namespace `Test`.
    pub(crate) async fn put_data(&self, data: Value) {
        let put = self.put(serde_json::json!({ "Namespace": "Test", "MetricData": data })).await;
        put.unwrap_or_else(|fault| panic!("refused: {fault}"));
    }

    pub(crate) async fn statistics(&self, input: Value) -> Result<GetMetricStatisticsOutput, Fault> {
        self.call::<GetMetricStatistics>(&input).await
    }

    pub(crate) async fn data(&self, input: Value) -> Result<GetMetricDataOutput, Fault> {
        self.call::<GetMetricData>(&input).await
    }

    pub(crate) async fn list(&self, input: Value) -> Result<ListMetricsOutput, Fault> {
        self.call::<ListMetrics>(&input).await
    }

    /// The explanation of the answer to a request, which is answered as always.
    pub(crate) async fn explained<O>(&self, input: &Value) -> Value
    where
        O: Operation,
        Metrics: Handle<O>,
    {
        self.call_as::<O>(input, true).await.unwrap_or_else(|fault| panic!("refused: {fault}"));
        let explanation = self.metrics.explanation("test").expect("an explanation was asked for");
        serde_json::from_slice(&explanation).expect("JSON")
    }

    pub(crate) fn has_explanation(&self) -> bool {
        self.metrics.explanation("test").is_some()
    }

    pub(crate) async fn call<O>(&self, input: &Value) -> Result<O::Output, Fault>
    where
        O: Operation,
        Metrics: Handle<O>,
    {
        self.call_as::<O>(input, false).await
    }

    async fn call_as<O>(&self, input: &Value, explain: bool) -> Result<O::Output, Fault>
    where
        O: Operation,
        Metrics: Handle<O>,
    {
        let text = input.to_string();
        let input: O::Input<'_> = serde_json::from_str(&text).expect("an input of that shape");
        validate::check::<O>(&input)?;
        let caller = Caller { scope: self.scope.clone(), access_key_id: String::new() };
        let call = Call::new(caller, RequestId("test".to_owned()), self.clock.now());
        let call = Call { explain, ..call };
        Handle::<O>::handle(&self.metrics, &call, input).await
    }
}

pub(crate) fn moment(text: &str) -> Timestamp {
    Timestamp::parse_iso8601(text).unwrap_or_else(|_| panic!("`{text}` is not a timestamp"))
}

/// The query code and message of an error.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Fault>) -> (&'static str, String) {
    let fault = answer.expect_err("should be refused");
    (fault.shape.code, fault.message.unwrap_or_default())
}

/// Whether storage found something that is not what was written.
pub(crate) fn is_damage(error: &MetricError) -> bool {
    matches!(error, MetricError::Damaged { .. } | MetricError::Storage(StorageError::Corrupt { .. }))
}

/// The files of all blocks.
pub(crate) fn blocks(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir.join("segments/metrics")) else { return Vec::new() };
    entries.map(|entry| entry.expect("readable").path()).collect()
}
