//! The activity that writes the files of export tasks.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use groundwatch_core::{Activity, BoxFuture, Scope, SharedClock, Timestamp};
use groundwatch_outbound::{Backoff, Outcome};
use groundwatch_storage::Key;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::bucket::Buckets;
use super::error::ExportError;
use super::task::{ExportTask, Progress, Status};
use crate::directory::Directory;
use crate::error::LogsError;
use crate::event_key::{EventKey, KeyRange};
use crate::shelf::Shelf;
use crate::store::{Direction, LogStore, Query, Step, Streams};
use crate::stream::LogStream;
use crate::treatment::Treatment;

/// How much text a file holds before the next one begins.
const FILE_TEXT_BYTES_MAX: usize = 32 << 20;
/// How long one activation goes on under a clock that moves.
const ACTIVATION_MAX: Duration = Duration::from_secs(1);
/// When an activation that had no time left is followed by the next.
const GO_ON: Duration = Duration::from_millis(1);
/// How often a bucket that is away is tried, and for how long.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(300),
    give_up_after: Duration::from_secs(24 * 60 * 60),
};

/// The tasks, and who is told of new ones. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tasks {
    pub(crate) shelf: Shelf<ExportTask>,
    changed: Arc<Notify>,
}

impl Tasks {
    pub(crate) fn new(shelf: Shelf<ExportTask>) -> Self {
        Self { shelf, changed: Arc::default() }
    }

    /// Notes that there is a new task.
    pub(crate) fn added(&self) {
        self.changed.notify_one();
    }

    fn active(&self) -> impl Iterator<Item = (Key, Arc<ExportTask>)> {
        self.shelf.all().into_iter().filter(|(_, task)| task.is_active())
    }
}

/// What exporting needs.
#[derive(Clone)]
pub(crate) struct Exporter {
    pub(crate) store: LogStore,
    pub(crate) directory: Directory,
    pub(crate) tasks: Tasks,
    pub(crate) buckets: Buckets,
    pub(crate) clock: SharedClock,
}

/// What comes next in a task.
enum Next {
    /// A file: where it goes, its text in gzip, and how far the task has come then.
    File { key: String, body: Vec<u8>, progress: Progress },
    /// A stream without (more) events.
    Skip(Progress),
    /// No stream is left.
    End,
}

impl Exporter {
    /// Does the next part of a task: at most one file.
    async fn advance(&self, key: &Key, task: &ExportTask) -> Result<(), LogsError> {
        let (scope, id) = (&key.scope, key.name.as_str());
        let group = self.directory.group(scope, &task.group).ok().filter(|group| group.id == task.group_id);
        let next = match group {
            Some(group) => {
                let treatment = self.directory.treatment(scope, &task.group, &group);
                self.next(scope, id, task, &treatment).await?
            }
            None => {
                let now = self.clock.now();
                let failed = |task: &ExportTask| task.ended(Status::Failed, "The log group was deleted", now);
                return self.change(key, failed).await;
            }
        };
        let (outcome, progress) = match next {
            Next::File { key, body, progress } => {
                (self.buckets.put(&task.bucket, &key, body).await, Some(progress))
            }
            Next::Skip(progress) => (Outcome::Accepted { answer: bytes::Bytes::new() }, Some(progress)),
            Next::End => (Outcome::Accepted { answer: bytes::Bytes::new() }, None),
        };
        let now = self.clock.now();
        self.change(key, |task| after(id, task, &outcome, progress.clone(), now)).await
    }

    /// Writes what `change` makes of a task, unless it was cancelled meanwhile.
    async fn change(
        &self,
        key: &Key,
        change: impl Fn(&ExportTask) -> ExportTask + Send + Sync,
    ) -> Result<(), LogsError> {
        let changed = |task: Option<&ExportTask>| {
            let task = task.ok_or(ExportError::Missing)?;
            if task.is_active() { Ok(change(task)) } else { Err(ExportError::Ended.into()) }
        };
        match self.tasks.shelf.change(&key.scope, &key.name, changed).await {
            Ok(_) | Err(LogsError::Export(ExportError::Missing | ExportError::Ended)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn next(
        &self,
        scope: &Scope,
        id: &str,
        task: &ExportTask,
        treatment: &Treatment,
    ) -> Result<Next, LogsError> {
        let progress = &task.progress;
        let begun = progress.stream.as_deref();
        let found = match (begun, &progress.boundary) {
            // In the middle of a stream, if it is still there.
            (Some(stream), Some(_)) => {
                let found = self.directory.stream(scope, task.group_id, stream);
                found.ok().map(|found| (stream.to_owned(), found))
            }
            _ => self.stream_after(scope, task, begun),
        };
        let Some((stream, document)) = found else {
            let is_over = progress.boundary.is_none();
            return Ok(if is_over {
                Next::End
            } else {
                Next::Skip(Progress { boundary: None, ..progress.clone() })
            });
        };
        let boundary = progress.boundary.as_deref().and_then(EventKey::from_digits);
        let files = if boundary.is_some() { progress.files } else { 0 };
        let from = boundary.unwrap_or(EventKey::before(task.from));
        let (body, boundary) = self.file(task, treatment, &document, from).await?;
        let progress = |files| Progress {
            stream: Some(stream.clone()),
            files,
            boundary: boundary.map(EventKey::to_digits),
        };
        let Some(body) = body else { return Ok(Next::Skip(progress(files))) };
        let plain = stream.replace('/', "-");
        let is_ambiguous = plain != stream && self.directory.stream(scope, task.group_id, &plain).is_ok();
        Ok(Next::File {
            key: task.file_key(id, &stream, files, is_ambiguous),
            body,
            progress: progress(files + 1),
        })
    }

    fn stream_after(
        &self,
        scope: &Scope,
        task: &ExportTask,
        after: Option<&str>,
    ) -> Option<(String, Arc<LogStream>)> {
        let prefix = task.stream_prefix.as_deref().unwrap_or_default();
        self.directory.list_streams(scope, task.group_id, prefix, after, 1).pop()
    }

    /// The next events of a stream, a line each, and where the rest begins. No file without events.
    async fn file(
        &self,
        task: &ExportTask,
        treatment: &Treatment,
        stream: &LogStream,
        from: EventKey,
    ) -> Result<(Option<Vec<u8>>, Option<EventKey>), LogsError> {
        let from = from.max(EventKey::before(treatment.expired_before(self.clock.now())));
        let query = Query {
            group: task.group_id,
            streams: Streams::One(stream.id),
            range: KeyRange { from, to: EventKey::after(task.to) },
            direction: Direction::Forward,
            matcher: None,
            events_max: usize::MAX,
            bytes_max: usize::MAX,
        };
        let mut merge = self.store.read(query).await?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let (mut text_bytes, mut boundary) = (0, None);
        loop {
            let found = match merge.next().await? {
                Step::Event(found) => found,
                Step::Paused(at) => {
                    boundary = Some(at);
                    break;
                }
                Step::End => break,
            };
            if text_bytes >= FILE_TEXT_BYTES_MAX {
                boundary = Some(found.key);
                break;
            }
            let shown = treatment.masked(found.ingested, &found.message);
            let at = found.key.timestamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ ");
            for part in [at.as_bytes(), &shown, b"\n"] {
                encoder.write_all(part).expect("memory takes all");
            }
            text_bytes += shown.len() + 1;
        }
        let body = encoder.finish().expect("memory takes all");
        Ok(((text_bytes > 0).then_some(body), boundary))
    }
}

/// The task `id` after a part of it was written, or not. Without `progress`, nothing was left to write.
fn after(
    id: &str,
    task: &ExportTask,
    outcome: &Outcome,
    progress: Option<Progress>,
    now: Timestamp,
) -> ExportTask {
    let reason = match (outcome, progress) {
        (Outcome::Accepted { .. }, Some(progress)) => {
            return ExportTask { progress, status: Status::Running, retry: None, ..task.clone() };
        }
        (Outcome::Accepted { .. }, None) => {
            return task.ended(Status::Completed, "Completed successfully", now);
        }
        (Outcome::Refused { reason }, _) => return task.ended(Status::Failed, reason, now),
        (Outcome::Unavailable { reason, .. }, _) => reason,
    };
    let failures = task.retry.map_or(1, |(failures, _)| failures + 1);
    match BACKOFF.wait(failures, now.since(task.created), id) {
        Some(wait) => {
            let message = Some(format!("Waiting for the bucket: {reason}"));
            ExportTask { retry: Some((failures, now + wait)), message, ..task.clone() }
        }
        None => task.ended(Status::Failed, reason, now),
    }
}

/// Works off export tasks.
pub struct LogExport {
    exporter: Exporter,
    /// Nothing is done before, though a task is due.
    go_on: Mutex<Timestamp>,
}

impl LogExport {
    pub(crate) fn new(exporter: Exporter) -> Self {
        Self { exporter, go_on: Mutex::new(Timestamp::MIN) }
    }

    async fn work(&self, started: Timestamp) {
        let clock = &self.exporter.clock;
        loop {
            let now = clock.now().max(started);
            let due = self.exporter.tasks.active().find(|(_, task)| due(task) <= now);
            let Some((key, task)) = due else { return };
            if now >= started + ACTIVATION_MAX {
                *self.go_on.lock() = now + GO_ON;
                return;
            }
            if let Err(error) = self.exporter.advance(&key, &task).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    task = key.name,
                    "an export task cannot go on; it is tried again"
                );
                *self.go_on.lock() = now + BACKOFF.first;
                return;
            }
        }
    }
}

/// When a task is to be gone on with.
fn due(task: &ExportTask) -> Timestamp {
    task.retry.map_or(Timestamp::MIN, |(_, at)| at)
}

impl Activity for LogExport {
    fn name(&self) -> &'static str {
        "log-export"
    }

    fn next_due(&self) -> Option<Timestamp> {
        let due = self.exporter.tasks.active().map(|(_, task)| due(&task)).min()?;
        Some(due.max(*self.go_on.lock()))
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(self.work(now))
    }

    fn changed(&self) -> &Notify {
        &self.exporter.tasks.changed
    }
}
