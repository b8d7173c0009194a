//! Which segments are merged next. Pure: what there is and what time it is are arguments.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::incarnation::GroupId;
use crate::store::segment::{Level, Segment};

/// So many shared segments of one level are merged at once.
const FAN_IN: usize = 8;
/// So many small segments of one group are merged at once.
const OWN_FAN_IN: usize = 8;
/// A segment of one group is small below this.
const OWN_SMALL_BYTES: u64 = 24 << 20;
/// Shared segments of this level stay as they are.
const LEVEL_MAX: u8 = 4;

/// Segments that are to be merged.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// The segments.
    pub(super) inputs: Vec<Arc<Segment>>,
    /// The level of what becomes of them, as far as it is shared.
    pub(super) level: u8,
}

/// What to merge, if anything. `all_early` is said when early files waited long enough for others.
pub(super) fn next_job(segments: &[Arc<Segment>], all_early: bool) -> Option<Job> {
    let mut shared: BTreeMap<u8, Vec<&Arc<Segment>>> = BTreeMap::new();
    let mut own: BTreeMap<GroupId, Vec<&Arc<Segment>>> = BTreeMap::new();
    for segment in segments {
        match (segment.level(), segment.groups().and_then(|groups| groups.first())) {
            (Level::Shared(level), _) => shared.entry(level).or_default().push(segment),
            (Level::Own, Some(group)) if segment.bytes() < OWN_SMALL_BYTES => {
                own.entry(*group).or_default().push(segment);
            }
            (Level::Own, _) => {}
        }
    }
    for (level, segments) in shared {
        let enough = segments.len() >= FAN_IN || (level == 0 && all_early && !segments.is_empty());
        if enough && level < LEVEL_MAX {
            return Some(Job { inputs: oldest(segments, FAN_IN), level: level + 1 });
        }
    }
    let own = own.into_values().find(|segments| segments.len() >= OWN_FAN_IN)?;
    Some(Job { inputs: oldest(own, OWN_FAN_IN), level: 1 })
}

/// The first ones by the time of their events: neighbours, whose events make one run.
fn oldest(mut segments: Vec<&Arc<Segment>>, most: usize) -> Vec<Arc<Segment>> {
    segments.sort_by(|a, b| (a.from(), a.id()).cmp(&(b.from(), b.id())));
    segments.into_iter().take(most).cloned().collect()
}
