//! A service on a data directory of its own, and short forms of its operations.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use flate2::read::GzDecoder;
use groundwatch_api::logs::borrowed::{InputLogEvent, PutLogEventsInput};
use groundwatch_api::logs::{
    CreateLogGroup, CreateLogGroupInput, CreateLogStream, CreateLogStreamInput, DeleteLogGroup,
    DeleteLogGroupInput, FilterLogEvents, FilterLogEventsInput, FilterLogEventsOutput, GetLogEvents,
    GetLogEventsInput, GetLogEventsOutput, PutLogEvents, PutLogEventsOutput,
};
use groundwatch_api::{Fault, Handle, Operation};
use groundwatch_core::{Activity, BoxFuture, Call, Caller, ManualClock, RequestId, Scope, Timestamp};
use groundwatch_logs::{
    AdmittedMetrics, LocalServices, Logs, MessageSender, MetricDatum, MetricSink, SinkError, StoreOptions,
};
use groundwatch_outbound::{HttpAnswer, HttpClient, HttpError, HttpRequest, Outbound, Outcome, TargetConfig};
use groundwatch_storage::simulation::{SegmentRoom, SimulatedDisk};
use groundwatch_storage::{JournalOptions, Position, Storage, StorageOptions, StreamId};
use serde_json::Value;
use tempfile::TempDir;

/// Stands for the queues of this server: takes what is sent to them, as (ARN, message), or is away.
#[derive(Default)]
pub(crate) struct Queues {
    got: Mutex<Vec<(String, Value)>>,
    away: Mutex<Vec<String>>,
}

impl Queues {
    /// The messages that came to a queue since the last call.
    pub(crate) fn take(&self, arn: &str) -> Vec<Value> {
        let mut got = self.got.lock().expect("no test panics while it holds this");
        let (taken, left) = std::mem::take(&mut *got).into_iter().partition(|(to, _)| to == arn);
        *got = left;
        taken.into_iter().map(|(_, message)| message).collect()
    }

    /// From now on these queues cannot be reached.
    pub(crate) fn away(&self, arns: &[&str]) {
        let arns = arns.iter().map(|arn| (*arn).to_owned()).collect();
        *self.away.lock().expect("no test panics while it holds this") = arns;
    }
}

impl LocalServices for Queues {
    fn deliver<'a>(&'a self, _: &'a Scope, arn: &'a str, body: String) -> BoxFuture<'a, Outcome> {
        if self.away.lock().expect("no test panics while it holds this").iter().any(|away| away == arn) {
            let outcome = Outcome::Unavailable { reason: "away".to_owned(), is_throttled: false };
            return Box::pin(async { outcome });
        }
        let event: Value = serde_json::from_str(&body).expect("JSON");
        let gzip = BASE64.decode(event["awslogs"]["data"].as_str().expect("a text")).expect("Base64");
        let message = serde_json::from_reader(GzDecoder::new(&gzip[..])).expect("JSON in gzip");
        self.got.lock().expect("no test panics while it holds this").push((arn.to_owned(), message));
        Box::pin(async { Outcome::Accepted { answer: Vec::new().into() } })
    }
}

/// There is no network.
struct NoNetwork;

impl HttpClient for NoNetwork {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, HttpError>> {
        Box::pin(async move { Err(HttpError::Unreachable { reason: request.url }) })
    }
}

/// What the clock shows at first.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_767_323_045);
/// The group and the stream of tests that need only one.
pub(crate) const GROUP: &str = "group";
pub(crate) const STREAM: &str = "stream";

/// Keeps the metrics that it is given.
#[derive(Default)]
pub(crate) struct Collected {
    data: Mutex<Vec<MetricDatum>>,
    /// Whether there is no room for more.
    is_full: AtomicBool,
}

impl Collected {
    pub(crate) fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::SeqCst);
    }

    /// What came since the last call.
    pub(crate) fn take(&self) -> Vec<MetricDatum> {
        std::mem::take(&mut *self.data.lock().expect("no test panics while it holds this"))
    }

    fn keep(&self, data: Vec<MetricDatum>) {
        self.data.lock().expect("no test panics while it holds this").extend(data);
    }
}

impl MetricSink for Collected {
    fn admit<'a>(
        &'a self,
        _scope: &'a Scope,
        data: Vec<MetricDatum>,
    ) -> BoxFuture<'a, Result<Box<dyn AdmittedMetrics + 'a>, SinkError>> {
        Box::pin(async move {
            match self.is_full.load(Ordering::SeqCst) {
                true => Err(SinkError::Overloaded),
                false => Ok(Box::new(OfEvents { sink: self, data }) as Box<dyn AdmittedMetrics + 'a>),
            }
        })
    }
}

/// Metrics that wait for their events.
struct OfEvents<'s> {
    sink: &'s Collected,
    data: Vec<MetricDatum>,
}

impl AdmittedMetrics for OfEvents<'_> {
    fn records(&self) -> Vec<(StreamId, Bytes)> {
        vec![(StreamId::METRICS, Bytes::from_static(b"metrics"))]
    }

    fn durable(self: Box<Self>, positions: &[Position]) {
        assert_eq!(positions.len(), 1, "as many as there were records");
        self.sink.keep(self.data);
    }
}

/// The service under test.
pub(crate) struct Service {
    dir: TempDir,
    /// Holds the journal.
    pub(crate) disk: SimulatedDisk,
    /// Where segments go.
    pub(crate) segment_room: SegmentRoom,
    options: StoreOptions,
    logs: Option<Logs>,
    /// The metrics that events gave rise to.
    pub(crate) metrics: Arc<Collected>,
    /// Whom events are sent on to.
    pub(crate) queues: Arc<Queues>,
    /// Who calls, and when.
    pub(crate) call: Call,
}

impl Service {
    /// On an empty data directory, with [`GROUP`] and [`STREAM`].
    pub(crate) async fn new() -> Self {
        Self::with_options(StoreOptions::default()).await
    }

    pub(crate) async fn with_options(options: StoreOptions) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let (disk, segment_room) = (SimulatedDisk::new(0), SegmentRoom::default());
        let (metrics, queues) = Default::default();
        let storage = storage_options(&dir, &disk, &segment_room);
        let logs = Some(open(storage, options, &metrics, &queues).await);
        let call = Call::new(Caller::default(), RequestId("test".to_owned()), NOW);
        let service = Self { dir, disk, segment_room, options, logs, metrics, queues, call };
        service.create_group(GROUP).await.expect("created");
        service.create_stream(GROUP, STREAM).await.expect("created");
        service
    }

    pub(crate) fn logs(&self) -> &Logs {
        self.logs.as_ref().expect("open")
    }

    /// Closes the data directory without any farewell, and opens it again.
    pub(crate) async fn restart(&mut self) {
        drop(self.logs.take());
        self.logs = Some(open(self.storage(), self.options, &self.metrics, &self.queues).await);
    }

    fn storage(&self) -> StorageOptions {
        storage_options(&self.dir, &self.disk, &self.segment_room)
    }

    /// When the next flush is due.
    pub(crate) fn flush_due(&self) -> Option<Timestamp> {
        self.logs().flush_activity(Arc::new(ManualClock::new(self.call.received))).next_due()
    }

    /// Stops for good: how many records the journal still holds.
    pub(crate) fn journal_records(mut self) -> usize {
        drop(self.logs.take());
        let (_storage, recovery) = Storage::open(self.storage()).expect("opens");
        recovery.collect::<Result<Vec<_>, _>>().expect("readable").len()
    }

    pub(crate) async fn flush(&self) {
        assert_eq!(self.try_flush().await, None, "a flush leaves nothing to do");
    }

    /// Flushes, which may fail: when it is due again.
    pub(crate) async fn try_flush(&self) -> Option<Timestamp> {
        let activity = self.logs().flush_activity(Arc::new(ManualClock::new(self.call.received)));
        activity.run(self.call.received).await;
        activity.next_due()
    }

    /// Merges all segments that there are, as if they had waited long enough.
    pub(crate) async fn compact(&self) {
        assert_eq!(self.try_compact().await, None, "a compaction leaves nothing to do");
    }

    /// As [`Self::compact`], which may fail: when it is due again.
    pub(crate) async fn try_compact(&self) -> Option<Timestamp> {
        let later = self.call.received + self.options.compact_after;
        let activity = self.logs().compaction_activity(Arc::new(ManualClock::new(later)));
        activity.run(later).await;
        activity.next_due()
    }

    /// How many segments there are.
    pub(crate) fn segments(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("segments/log-events")).map_or(0, Iterator::count)
    }

    /// Sends on all that is due now.
    pub(crate) async fn forward(&self) {
        let now = self.call.received;
        let activity = self.logs().forwarding_activity(Arc::new(ManualClock::new(now)));
        while activity.next_due().is_some_and(|due| due <= now) {
            activity.run(now).await;
        }
    }

    /// What is in a bucket: keys, and texts without gzip.
    pub(crate) fn bucket(&self, name: &str) -> BTreeMap<String, String> {
        let root = self.dir.path().join("buckets").join(name);
        let mut found = BTreeMap::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.expect("readable").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).expect("readable");
                let text = match path.extension().is_some_and(|ending| ending == "gz") {
                    true => std::io::read_to_string(GzDecoder::new(&bytes[..])).expect("gzip"),
                    false => String::from_utf8(bytes).expect("text"),
                };
                let key = path.strip_prefix(&root).expect("inside").to_string_lossy().into_owned();
                found.insert(key, text);
            }
        }
        found
    }

    /// Works off export tasks.
    pub(crate) async fn export(&self) {
        let now = self.call.received;
        let activity = self.logs().export_activity(Arc::new(ManualClock::new(now)));
        while activity.next_due().is_some_and(|due| due <= now) {
            activity.run(now).await;
        }
    }

    pub(crate) async fn call<'a, O: Operation>(&'a self, input: O::Input<'a>) -> Result<O::Output, Fault>
    where
        Logs: Handle<O>,
    {
        self.logs().handle(&self.call, input).await
    }

    pub(crate) async fn create_group(&self, group: &str) -> Result<(), Fault> {
        let input = CreateLogGroupInput { log_group_name: Some(group.into()), ..Default::default() };
        self.call::<CreateLogGroup>(input).await.map(drop)
    }

    pub(crate) async fn delete_group(&self, group: &str) -> Result<(), Fault> {
        self.call::<DeleteLogGroup>(DeleteLogGroupInput { log_group_name: Some(group.into()) })
            .await
            .map(drop)
    }

    pub(crate) async fn create_stream(&self, group: &str, stream: &str) -> Result<(), Fault> {
        let (group, stream) = (Some(group.to_owned()), Some(stream.to_owned()));
        let input = CreateLogStreamInput { log_group_name: group, log_stream_name: stream };
        self.call::<CreateLogStream>(input).await.map(drop)
    }

    /// Puts events; their times are milliseconds after [`NOW`].
    pub(crate) async fn put(
        &self,
        group: &str,
        stream: &str,
        events: &[(i64, &str)],
    ) -> Result<PutLogEventsOutput, Fault> {
        let event = |(offset_ms, message): &(i64, &str)| InputLogEvent {
            timestamp: Some(NOW.as_millis() + offset_ms),
            message: Some(Cow::Owned((*message).to_owned())),
        };
        let input = PutLogEventsInput {
            log_group_name: Some(Cow::Owned(group.to_owned())),
            log_stream_name: Some(Cow::Owned(stream.to_owned())),
            log_events: Some(events.iter().map(event).collect()),
            ..Default::default()
        };
        self.call::<PutLogEvents>(input).await
    }

    pub(crate) async fn get(&self, input: GetLogEventsInput) -> Result<GetLogEventsOutput, Fault> {
        let mut input = input;
        if input.log_group_identifier.is_none() {
            input.log_group_name.get_or_insert_with(|| GROUP.to_owned());
        }
        input.log_stream_name.get_or_insert_with(|| STREAM.to_owned());
        self.call::<GetLogEvents>(input).await
    }

    pub(crate) async fn filter(&self, input: FilterLogEventsInput) -> Result<FilterLogEventsOutput, Fault> {
        let mut input = input;
        if input.log_group_identifier.is_none() {
            input.log_group_name.get_or_insert_with(|| GROUP.to_owned());
        }
        self.call::<FilterLogEvents>(input).await
    }
}

async fn open(
    storage: StorageOptions,
    options: StoreOptions,
    metrics: &Arc<Collected>,
    queues: &Arc<Queues>,
) -> Logs {
    let buckets = storage.dir.join("buckets");
    let (storage, recovery) = Storage::open(storage).expect("opens");
    let mut replay = Logs::replay(&storage, options).expect("replays");
    for record in recovery {
        let record = record.expect("readable");
        if record.stream == StreamId::LOGS {
            replay.record(record).expect("a record of logs");
        }
    }
    let buckets = TargetConfig {
        arn: "arn:aws:s3:::bucket-*".to_owned(),
        folder: Some(buckets),
        ..TargetConfig::default()
    };
    let buckets = buckets.check(|_| None).expect("a target");
    let outbound = Outbound::new(vec![buckets], Arc::new(NoNetwork), Arc::new(ManualClock::new(NOW)));
    let sender = MessageSender::new(outbound, queues.clone());
    replay.finish(metrics.clone(), sender).await.expect("finishes")
}

fn storage_options(dir: &TempDir, disk: &SimulatedDisk, segment_room: &SegmentRoom) -> StorageOptions {
    // Short, so that a test can fill it.
    let journal = JournalOptions { file_bytes: 1 << 20, held_bytes: 4 << 20, ..JournalOptions::default() };
    StorageOptions {
        disk: Some(Arc::new(disk.clone())),
        segment_room: segment_room.clone(),
        journal,
        ..StorageOptions::new(dir.path())
    }
}

/// Asserts that a call was refused with this error and message.
pub(crate) fn assert_refused<T: std::fmt::Debug>(outcome: Result<T, Fault>, shape: &str, message: &str) {
    let fault = outcome.expect_err("refused");
    assert_eq!((fault.shape.shape, fault.message.as_deref()), (shape, Some(message)));
}

impl Service {
    /// As [`Self::flush`], while others write: what they write in the meantime may be left to do.
    pub(crate) async fn flush_while_writing(&self) {
        self.logs()
            .flush_activity(Arc::new(ManualClock::new(self.call.received)))
            .run(self.call.received)
            .await;
    }
}

impl Service {
    /// How many segments of a kind there are on disk.
    pub(crate) fn segment_files(&self, kind: &str) -> usize {
        std::fs::read_dir(self.dir.path().join("segments").join(kind)).expect("a directory").count()
    }

    /// Overwrites all segments that there are.
    pub(crate) fn damage_segments(&self) {
        for file in std::fs::read_dir(self.dir.path().join("segments/log-events")).expect("a directory") {
            let path = file.expect("readable").path();
            let length = std::fs::metadata(&path).expect("readable").len() as usize;
            std::fs::write(&path, vec![0; length]).expect("written");
        }
    }

    /// What all segments take on disk.
    pub(crate) fn segment_bytes(&self) -> u64 {
        fn size(dir: &std::path::Path) -> u64 {
            let entries = std::fs::read_dir(dir).expect("a directory");
            let bytes = entries.map(|entry| {
                let entry = entry.expect("readable");
                let meta = entry.metadata().expect("readable");
                if meta.is_dir() { size(&entry.path()) } else { meta.len() }
            });
            bytes.sum()
        }
        size(&self.dir.path().join("segments"))
    }
}
