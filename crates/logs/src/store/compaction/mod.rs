//! Compaction: merges early files into files that are small and that searches pass over.
//!
//! A group that has enough in the files of a [job](plan) gets files of its own, in which messages are kept by
//! shape; what other groups have stays together in a shared file of the next level, until it is enough. Row
//! groups that are kept by shape already go into the new file as they are, unless they are small or hold what
//! is not wanted any more. One transaction swaps the new files in for the old ones. A crash before it costs
//! the written objects, which the next start deletes.
//!
//! The rest it reads through the same merge as everybody, one group or one [bunch](bunch) of small ones after
//! the other, so its memory does not depend on how much there is: a few row groups that are read, and one file
//! that is written. What it leaves
//! behind is in its result: events of streams that were deleted.

mod bunch;
mod plan;

use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use groundwatch_log_files::WriteError;
use groundwatch_storage::{Batch, SegmentMeta};
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use tokio::sync::Notify;

use self::plan::Job;
use super::candidate::{Candidate, Direction, Source};
use super::merge::{Found, Merge, Step};
use super::output::{Filling, Output};
use super::segment::{Level, Segment, StoredPart, WholePart};
use super::{LogStore, StoreError, StreamAddress};
use crate::event_key::KeyRange;
use crate::incarnation::{GroupId, LogStreamId};

/// How long a failed compaction rests.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// How many events are handed to the writer at once, which works beside the threads that answer requests.
const EVENTS_AT_ONCE: usize = 4096;

/// When there is something to merge.
#[derive(Debug, Default)]
pub(super) struct CompactionSchedule {
    state: Mutex<ScheduleState>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct ScheduleState {
    /// When a head was flushed last; never since the start if absent.
    flushed: Option<Timestamp>,
    /// When it failed last, until it succeeds.
    failed_at: Option<Timestamp>,
}

impl CompactionSchedule {
    /// Notes that a head was flushed.
    pub(super) fn flushed(&self, now: Timestamp) {
        self.state.lock().flushed = Some(now);
        self.changed.notify_one();
    }
}

/// The background activity `log-compaction`.
pub struct LogCompaction {
    store: LogStore,
    clock: SharedClock,
}

impl LogCompaction {
    /// Merges segments of `store` when that is due by `clock`.
    pub fn new(store: LogStore, clock: SharedClock) -> Self {
        Self { store, clock }
    }
}

impl Activity for LogCompaction {
    fn name(&self) -> &'static str {
        "log-compaction"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.store.compaction_due(self.clock.now())
    }

    fn run(&self, _now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let now = self.clock.now();
            let all_early = self.store.early_files_settled(now).is_none_or(|settled| settled <= now);
            let outcome = self.store.compact(all_early).await;
            self.store.inner.compaction.state.lock().failed_at = outcome.is_err().then_some(now);
            if let Err(error) = outcome {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "segments of log events could not be merged");
            }
        })
    }

    fn changed(&self) -> &Notify {
        &self.store.inner.compaction.changed
    }
}

impl LogStore {
    /// When the next compaction is due; `None` while there is nothing to merge.
    fn compaction_due(&self, now: Timestamp) -> Option<Timestamp> {
        let segments = self.undamaged_segments();
        let due = match (plan::next_job(&segments, false), plan::next_job(&segments, true)) {
            (Some(_), _) => Timestamp::EPOCH,
            (None, Some(_)) => self.early_files_settled(now).unwrap_or(Timestamp::EPOCH),
            (None, None) => return None,
        };
        let failed_at = self.inner.compaction.state.lock().failed_at;
        Some(failed_at.map_or(due, |failed| due.max(failed.due_after(RETRY_AFTER, now))))
    }

    pub(super) fn undamaged_segments(&self) -> Vec<Arc<Segment>> {
        let mut segments = self.inner.state.read().segments.clone();
        segments.retain(|segment| !self.inner.segments.is_damaged(segment));
        segments
    }

    /// When early files have waited long enough for others.
    fn early_files_settled(&self, now: Timestamp) -> Option<Timestamp> {
        let flushed = self.inner.compaction.state.lock().flushed;
        flushed.map(|flushed| flushed.due_after(self.inner.options.compact_after, now))
    }

    /// Merges all that is to be merged.
    async fn compact(&self, all_early: bool) -> Result<(), StoreError> {
        loop {
            // Frees the disk of what the last job replaced before the next one writes.
            self.inner.segments.sweep().await;
            let _turn = self.inner.rewriting.lock().await;
            let segments = self.undamaged_segments();
            let Some(job) = plan::next_job(&segments, all_early) else { return Ok(()) };
            self.merge(&job).await?;
        }
    }

    async fn merge(&self, job: &Job) -> Result<(), StoreError> {
        let written = self.merged(&job.inputs, job.level, &|_, _| true).await?;
        self.swap(&job.inputs, &written, |_| {}).await?;
        tracing::info!(
            files = job.inputs.len(),
            into = written.len(),
            level = job.level,
            "log segments merged"
        );
        Ok(())
    }

    /// Swaps segments for others in one transaction, with what `also` adds to it. If that fails, the others
    /// are deleted.
    pub(super) async fn swap(
        &self,
        old: &[Arc<Segment>],
        new: &[SegmentMeta],
        also: impl Fn(&mut Batch),
    ) -> Result<(), StoreError> {
        const CONFLICTS_MAX: usize = 16;
        let mut conflicts = 0;
        // One at a time with flushes: both replace the list of segments.
        let _turn = self.inner.flushing.lock().await;
        loop {
            let mut batch = Batch::new();
            old.iter().for_each(|segment| self.inner.segments.unregister(&mut batch, segment));
            new.iter().for_each(|segment| self.inner.segments.register(&mut batch, segment));
            also(&mut batch);
            match self.inner.directory.catalog.commit(batch).await {
                Err(groundwatch_storage::StorageError::Conflict { .. }) if conflicts < CONFLICTS_MAX => {
                    conflicts += 1;
                }
                Err(error) => {
                    self.inner.segments.discard_after(&error, new).await;
                    return Err(error.into());
                }
                Ok(()) => break,
            }
        }
        let segments = self.inner.segments.registered()?;
        self.inner.state.write().segments = segments;
        self.inner.segments.forget(old);
        self.inner.compaction.changed.notify_one();
        Ok(())
    }

    /// What `inputs` hold, in new files, which are durable but not registered: without deleted streams, and
    /// without what `keep` refuses, which is asked with each stream of each part and the time of its last
    /// event there.
    pub(super) async fn merged(
        &self,
        inputs: &[Arc<Segment>],
        level: u8,
        keep: &(dyn Fn(&StreamAddress, Timestamp) -> bool + Send + Sync),
    ) -> Result<Vec<SegmentMeta>, StoreError> {
        let through = inputs.iter().try_fold(0, |through, segment| Some(segment.through()?.max(through)));
        let mut output = Output::new(&self.inner, level, through);
        let written = self.write_merged(inputs, keep, &mut output).await;
        output.end(written).await
    }

    async fn write_merged(
        &self,
        inputs: &[Arc<Segment>],
        keep: &(dyn Fn(&StreamAddress, Timestamp) -> bool + Send + Sync),
        output: &mut Output<'_>,
    ) -> Result<(), StoreError> {
        let mut groups: HashMap<GroupId, u64> = HashMap::new();
        let mut dead: HashSet<LogStreamId> = HashSet::new();
        for segment in inputs {
            let file = self.inner.segments.open(segment).await?;
            dead.extend(
                file.streams()
                    .iter()
                    .filter(|stream| !self.inner.directory.holds(stream))
                    .map(|stream| stream.stream_id),
            );
            for part in file.parts() {
                *groups.entry(part.group).or_default() +=
                    part.streams.iter().map(|stream| stream.bytes).sum::<u64>();
            }
        }
        let all_own = inputs.iter().all(|segment| segment.level() == Level::Own);
        let is_own = |bytes: u64| all_own || bytes >= self.inner.options.own_file_bytes;
        let kept = |address: &StreamAddress, last: Timestamp| {
            !dead.contains(&address.stream_id) && keep(address, last)
        };
        for bunch in bunch::of(groups, is_own) {
            let mut found = Vec::new();
            for segment in inputs {
                self.inner.segments.gather_kept(segment, bunch.groups.clone(), &kept, &mut found).await?;
            }
            if bunch.is_own {
                write_own(output, found).await?;
            } else {
                share(output, found).await?;
            }
        }
        Ok(())
    }
}

/// Writes a group into files of its own. Row groups that can stay as they are do.
async fn write_own(output: &mut Output<'_>, found: Vec<Candidate>) -> Result<(), StoreError> {
    let (mut whole, mut others, mut events, mut bytes) = (Vec::new(), Vec::new(), 0, 0);
    for candidate in found {
        match candidate.source {
            Source::Segment(part) if part.stays_as_it_is() => whole.push(part),
            Source::Segment(ref part) => {
                events += part.events();
                bytes += part.text_bytes() as u64;
                others.push(candidate);
            }
            Source::Memory(..) => others.push(candidate),
        }
    }
    whole.sort_by_key(StoredPart::first_key);
    if !whole.is_empty() {
        tracing::info!(row_groups = whole.len(), "row groups stayed as they are");
    }
    let mut filling = Filling::own(events, bytes);
    for part in whole {
        let WholePart { file, part, bytes, filters } = part.read_whole().await?;
        filling =
            output.fill(filling, move |filling| filling.take_over(&file, &part, &bytes, &filters)).await?;
    }
    let mut merge = all_of(others);
    loop {
        let events = next_events(&mut merge).await?;
        if events.is_empty() {
            break;
        }
        filling = output.fill(filling, move |filling| push_all(filling, &events)).await?;
    }
    output.finish(filling).await
}

/// Adds a bunch of groups to the shared file, one after the other.
async fn share(output: &mut Output<'_>, found: Vec<Candidate>) -> Result<(), StoreError> {
    let mut merge = all_of(found);
    let mut events = Vec::new();
    loop {
        let next = next_events(&mut merge).await?;
        if next.is_empty() {
            break;
        }
        events.extend(next);
    }
    // They come in the order of keys, whichever their group, and stay in it within their group.
    events.sort_by_key(|event| event.address.group_id);
    output.share(move |filling| push_all(filling, &events)).await
}

fn all_of(found: Vec<Candidate>) -> Merge {
    Merge::new(found, KeyRange::ALL, Direction::Forward, None, usize::MAX)
}

async fn next_events(merge: &mut Merge) -> Result<Vec<Found>, StoreError> {
    let mut events = Vec::new();
    while events.len() < EVENTS_AT_ONCE {
        match merge.next().await? {
            Step::Event(found) => events.push(found),
            // It does not pause without a budget.
            Step::Paused(_) | Step::End => break,
        }
    }
    Ok(events)
}

fn push_all(filling: &mut Filling, events: &[Found]) -> Result<(), WriteError> {
    events
        .iter()
        .try_for_each(|event| filling.push(&event.address, event.key, event.ingested, &event.message))
}
