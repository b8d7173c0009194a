//! Frees what nobody can see any more: events that have expired, and those of deleted groups and streams.
//!
//! A segment holds many groups, whose retentions differ, so it is rewritten without its dead runs once that is worth it:
//! when some group has nothing left in it that is alive, or when half of it is dead. A segment without anything alive is
//! dropped. One transaction swaps the segments and takes the expired bytes off the stored bytes of streams and groups
//! (those of deleted streams were taken off when they were deleted).
//!
//! Every activation compares what is with what should be. A crash in the middle costs the written object, which the next
//! start deletes.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use groundwatch_storage::{Batch, Expect, SegmentMeta, StorageError};
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::segment::{BlockCache, Segment, SegmentWriter, StoredRun, StoredStream};
use super::{LogStore, StoreError, StreamAddress};
use crate::group::group_key;
use crate::incarnation::{GroupId, LogStreamId};
use crate::stream::stream_key;

/// How often it looks without being asked to.
const INTERVAL: Duration = Duration::from_secs(60 * 60);
/// How long it waits once it is asked to: groups are often deleted by the dozen.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a commit is prepared anew because somebody changed a group or stream meanwhile.
const CONFLICTS_MAX: usize = 16;

/// When the store is to be looked through.
#[derive(Debug, Default)]
pub(super) struct ReclaimSchedule {
    asked: Mutex<Asked>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Asked {
    /// The last time that it was done; never since the start if absent.
    last: Option<Timestamp>,
    /// Whether something was deleted or expires earlier since then.
    soon: bool,
}

impl ReclaimSchedule {
    /// Asks for a look before long.
    pub(super) fn look_soon(&self) {
        self.asked.lock().soon = true;
        self.changed.notify_one();
    }

    fn next_due(&self) -> Timestamp {
        let asked = self.asked.lock();
        match (asked.last, asked.soon) {
            (None, _) => Timestamp::EPOCH,
            (Some(last), true) => last + PATIENCE,
            (Some(last), false) => last + INTERVAL,
        }
    }
}

/// The background activity `log-reclaim`.
pub struct LogReclaim {
    store: LogStore,
    clock: SharedClock,
}

impl LogReclaim {
    /// Looks through `store` when that is due by `clock`.
    pub fn new(store: LogStore, clock: SharedClock) -> Self {
        Self { store, clock }
    }
}

impl Activity for LogReclaim {
    fn name(&self) -> &'static str {
        "log-reclaim"
    }

    fn next_due(&self) -> Option<Timestamp> {
        // Nothing has to be freed where nothing is stored.
        let has_segments = !self.store.inner.state.read().segments.is_empty();
        has_segments.then(|| self.store.inner.reclaim.next_due())
    }

    fn run(&self, _now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let now = self.clock.now();
            let looks_everywhere = {
                let mut asked = self.store.inner.reclaim.asked.lock();
                let everywhere = asked.soon || asked.last.is_none();
                *asked = Asked { last: Some(now), soon: false };
                everywhere
            };
            if let Err(error) = self.store.reclaim(now, looks_everywhere).await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "expired and deleted log events could not be freed");
                self.store.inner.reclaim.asked.lock().soon = true;
            }
        })
    }

    fn changed(&self) -> &Notify {
        &self.store.inner.reclaim.changed
    }
}

/// What becomes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Keep,
    Rewrite,
    Drop,
}

/// A segment's contents, judged.
struct Judged {
    /// What stays.
    alive: Vec<StoredStream>,
    /// What has expired of streams that are still there.
    expired: Vec<StoredStream>,
    fate: Fate,
}

impl LogStore {
    /// Frees what can be freed at `now`. Only segments that hold something expired are opened, unless `everywhere` is
    /// said, which also finds deleted streams.
    async fn reclaim(&self, now: Timestamp, everywhere: bool) -> Result<(), StoreError> {
        let cutoffs = self.cutoffs(now);
        let segments = self.inner.state.read().segments.clone();
        for segment in segments {
            if !everywhere && !may_be_worth_it(&segment, &cutoffs) {
                continue;
            }
            let contents = self.inner.segments.contents(&segment).await?;
            let judged = self.judge(contents, &cutoffs);
            if judged.fate != Fate::Keep {
                // One at a time with flushes: both replace the list of segments.
                let _turn = self.inner.flushing.lock().await;
                self.replace(&segment, &judged).await?;
            }
        }
        self.inner.segments.sweep().await;
        Ok(())
    }

    /// The groups there are, and before when their events have expired.
    fn cutoffs(&self, now: Timestamp) -> HashMap<GroupId, Timestamp> {
        let groups = self.inner.directory.groups.all();
        groups.iter().map(|(_, group)| (group.id, group.expired_before(now))).collect()
    }

    fn judge(&self, contents: Vec<StoredStream>, cutoffs: &HashMap<GroupId, Timestamp>) -> Judged {
        let (mut alive, mut expired) = (Vec::new(), Vec::new());
        let (mut all_bytes, mut dead_bytes) = (0, 0);
        let mut groups: HashSet<GroupId> = HashSet::new();
        for StoredStream { address, runs } in contents {
            groups.insert(address.group_id);
            all_bytes += runs.iter().map(StoredRun::raw_bytes).sum::<u64>();
            if !self.inner.directory.holds(&address) {
                dead_bytes += runs.iter().map(StoredRun::raw_bytes).sum::<u64>();
                continue;
            }
            let cutoff = cutoffs.get(&address.group_id).copied().unwrap_or(Timestamp::MIN);
            let (stay, go): (Vec<_>, Vec<_>) = runs.into_iter().partition(|run| run.last_event() >= cutoff);
            dead_bytes += go.iter().map(StoredRun::raw_bytes).sum::<u64>();
            if !stay.is_empty() {
                alive.push(StoredStream { address: address.clone(), runs: stay });
            }
            if !go.is_empty() {
                expired.push(StoredStream { address, runs: go });
            }
        }
        let groups_alive: HashSet<GroupId> = alive.iter().map(|stream| stream.address.group_id).collect();
        let fate = if alive.is_empty() {
            Fate::Drop
        } else if groups_alive.len() < groups.len() || dead_bytes * 2 >= all_bytes {
            Fate::Rewrite
        } else {
            Fate::Keep
        };
        Judged { alive, expired, fate }
    }

    async fn replace(&self, segment: &Segment, judged: &Judged) -> Result<(), StoreError> {
        let expired_bytes = expired_bytes(&judged.expired).await?;
        let rewritten = match judged.fate {
            Fate::Rewrite => Some(self.rewritten(&judged.alive).await?),
            Fate::Keep | Fate::Drop => None,
        };
        let mut conflicts = 0;
        loop {
            let mut batch = Batch::new();
            self.inner.segments.unregister(&mut batch, segment);
            if let Some(rewritten) = &rewritten {
                self.inner.segments.register(&mut batch, rewritten);
            }
            self.take_off(&mut batch, &expired_bytes);
            match self.inner.directory.catalog.commit(batch).await {
                Err(StorageError::Conflict { .. }) if conflicts < CONFLICTS_MAX => conflicts += 1,
                outcome => break outcome?,
            }
        }
        let segments = self.inner.segments.registered()?;
        self.inner.state.write().segments = segments;
        Ok(())
    }

    /// A segment of the runs that stay; durable, not yet registered.
    async fn rewritten(&self, alive: &[StoredStream]) -> Result<SegmentMeta, StoreError> {
        let mut writer = SegmentWriter::new().map_err(StoreError::internal)?;
        let mut blocks = BlockCache::default();
        for StoredStream { address, runs } in alive {
            let mut batches = Vec::new();
            for run in runs {
                batches.extend(blocks.read(run).await?);
            }
            writer.add(address, batches.iter()).map_err(StoreError::internal)?;
            tokio::task::yield_now().await;
        }
        let written = tokio::task::spawn_blocking(|| writer.finish());
        let written = written.await.map_err(StoreError::internal)?.map_err(StoreError::internal)?;
        self.inner.segments.write(written).await
    }

    /// Adds to the batch: streams and their groups store that many bytes less.
    fn take_off(&self, batch: &mut Batch, bytes: &[(Arc<StreamAddress>, u64)]) {
        let directory = &self.inner.directory;
        let mut groups: HashMap<GroupId, (&StreamAddress, u64)> = HashMap::new();
        for (address, bytes) in bytes {
            let key = stream_key(&address.scope, address.group_id, &address.stream);
            let Some((version, document)) = directory.streams.get_versioned(&key) else { continue };
            // Deleted meanwhile: the deletion took off all that the stream had.
            if document.id != address.stream_id {
                continue;
            }
            let mut document = (*document).clone();
            if let Some(flushed) = &mut document.flushed {
                flushed.stored_bytes = flushed.stored_bytes.saturating_sub(*bytes);
            }
            directory.streams.put(batch, key, document, Expect::Version(version));
            groups.entry(address.group_id).or_insert((address, 0)).1 += bytes;
        }
        for (address, bytes) in groups.into_values() {
            let key = group_key(&address.scope, &address.group);
            let Some((version, document)) = directory.groups.get_versioned(&key) else { continue };
            if document.id == address.group_id {
                let mut document = (*document).clone();
                document.flushed_bytes = document.flushed_bytes.saturating_sub(bytes);
                directory.groups.put(batch, key, document, Expect::Version(version));
            }
        }
    }
}

/// Whether a segment may hold anything that has expired or whose group is gone, as far as is known without opening it.
fn may_be_worth_it(segment: &Segment, cutoffs: &HashMap<GroupId, Timestamp>) -> bool {
    segment.groups().is_none_or(|groups| {
        groups.iter().any(|group| cutoffs.get(group).is_none_or(|cutoff| *cutoff > segment.from()))
    })
}

/// The bytes, as AWS counts them, of each of these streams.
async fn expired_bytes(expired: &[StoredStream]) -> Result<Vec<(Arc<StreamAddress>, u64)>, StoreError> {
    let mut blocks = BlockCache::default();
    let mut bytes: HashMap<LogStreamId, (Arc<StreamAddress>, u64)> = HashMap::new();
    for StoredStream { address, runs } in expired {
        let (_, bytes) = bytes.entry(address.stream_id).or_insert((address.clone(), 0));
        for run in runs {
            *bytes += blocks.read(run).await?.iter().map(|batch| batch.billed_bytes()).sum::<u64>();
        }
    }
    Ok(bytes.into_values().collect())
}
