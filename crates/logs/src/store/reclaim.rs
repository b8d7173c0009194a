//! Frees what nobody can see any more: events that have expired, and those of deleted groups and streams.
//!
//! A segment may hold many groups, whose retentions differ, so it is rewritten without what is dead in it
//! once that is worth it: when some group has nothing left in it that is alive, or when half of it is dead.
//! What is judged is what a stream has in one row group. A segment without anything alive is dropped unread.
//! One transaction swaps the segments and takes the expired bytes off the stored bytes of streams and groups
//! (those of deleted streams were taken off when they were deleted).
//!
//! Every activation compares what is with what should be. A crash in the middle costs the written object,
//! which the next start deletes.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use groundwatch_log_files::LogFile;
use groundwatch_storage::{Batch, Expect};
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::segment::{Level, Segment};
use super::{LogStore, StoreError, StreamAddress};
use crate::group::group_key;
use crate::incarnation::GroupId;
use crate::stream::stream_key;

/// How often it looks without being asked to.
const INTERVAL: Duration = Duration::from_secs(60 * 60);
/// How long it waits once it is asked to: groups are often deleted by the dozen.
const PATIENCE: Duration = Duration::from_secs(60);

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

    fn next_due(&self, now: Timestamp) -> Timestamp {
        let asked = self.asked.lock();
        match (asked.last, asked.soon) {
            (None, _) => Timestamp::EPOCH,
            (Some(last), true) => last.due_after(PATIENCE, now),
            (Some(last), false) => last.due_after(INTERVAL, now),
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
        has_segments.then(|| self.store.inner.reclaim.next_due(self.clock.now()))
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
    fate: Fate,
    /// Bytes, as AWS counts them, that have expired of each stream that is still there.
    expired: Vec<(Arc<StreamAddress>, u64)>,
}

impl LogStore {
    /// Frees what can be freed at `now`. Only segments that hold something expired are opened, unless
    /// `everywhere` is said, which also finds deleted streams. What cannot be freed holds up nothing else.
    async fn reclaim(&self, now: Timestamp, everywhere: bool) -> Result<(), StoreError> {
        let _turn = self.inner.rewriting.lock().await;
        let cutoffs = self.cutoffs(now);
        let mut outcome = Ok(());
        for segment in self.undamaged_segments() {
            if everywhere || may_be_worth_it(&segment, &cutoffs) {
                let reclaimed = self.reclaim_from(segment, &cutoffs).await;
                outcome = outcome.and(reclaimed);
            }
        }
        self.inner.segments.sweep().await;
        outcome
    }

    async fn reclaim_from(
        &self,
        segment: Arc<Segment>,
        cutoffs: &HashMap<GroupId, Timestamp>,
    ) -> Result<(), StoreError> {
        let file = self.inner.segments.open(&segment).await?;
        let judged = self.judge(&file, cutoffs);
        drop(file);
        match judged.fate {
            Fate::Keep => Ok(()),
            Fate::Rewrite | Fate::Drop => self.replace(segment, &judged, cutoffs).await,
        }
    }

    /// The groups there are, and before when their events have expired.
    fn cutoffs(&self, now: Timestamp) -> HashMap<GroupId, Timestamp> {
        let treatments = self.inner.directory.treatments().into_iter();
        treatments.map(|treatment| (treatment.group().id, treatment.expired_before(now))).collect()
    }

    fn judge(&self, file: &LogFile, cutoffs: &HashMap<GroupId, Timestamp>) -> Judged {
        let alive: Vec<bool> =
            file.streams().iter().map(|stream| self.inner.directory.holds(stream)).collect();
        let mut expired: HashMap<u32, u64> = HashMap::new();
        let (mut all_bytes, mut dead_bytes) = (0, 0);
        let (mut groups, mut groups_alive) = (HashSet::new(), HashSet::new());
        for part in file.parts() {
            groups.insert(part.group);
            let cutoff = cutoffs.get(&part.group).copied().unwrap_or(Timestamp::MIN).as_millis();
            for entry in &part.streams {
                all_bytes += entry.bytes;
                let stream_alive = alive[entry.stream as usize];
                if stream_alive && entry.last_ms >= cutoff {
                    groups_alive.insert(part.group);
                    continue;
                }
                dead_bytes += entry.bytes;
                if stream_alive {
                    *expired.entry(entry.stream).or_default() += entry.bytes;
                }
            }
        }
        let fate = if groups_alive.is_empty() {
            Fate::Drop
        } else if groups_alive.len() < groups.len() || dead_bytes * 2 >= all_bytes {
            Fate::Rewrite
        } else {
            Fate::Keep
        };
        let expired =
            expired.into_iter().map(|(stream, bytes)| (file.streams()[stream as usize].clone(), bytes));
        Judged { fate, expired: expired.collect() }
    }

    async fn replace(
        &self,
        segment: Arc<Segment>,
        judged: &Judged,
        cutoffs: &HashMap<GroupId, Timestamp>,
    ) -> Result<(), StoreError> {
        let level = match segment.level() {
            Level::Shared(level) => level,
            Level::Own => 0,
        };
        let inputs = [segment];
        let rewritten = match judged.fate {
            Fate::Rewrite => {
                let unexpired = |address: &StreamAddress, last: Timestamp| {
                    cutoffs.get(&address.group_id).is_none_or(|cutoff| last >= *cutoff)
                };
                self.merged(&inputs, level, &unexpired).await?
            }
            Fate::Keep | Fate::Drop => Vec::new(),
        };
        self.swap(&inputs, &rewritten, |batch| self.take_off(batch, &judged.expired)).await
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

/// Whether a segment may hold anything that has expired or whose group is gone, as far as is known without
/// opening it.
fn may_be_worth_it(segment: &Segment, cutoffs: &HashMap<GroupId, Timestamp>) -> bool {
    segment.groups().is_none_or(|groups| {
        groups.iter().any(|group| cutoffs.get(group).is_none_or(|cutoff| *cutoff > segment.from()))
    })
}
