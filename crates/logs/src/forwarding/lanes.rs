//! Which group and filter is looked at next. Pure: the time is an argument.
//!
//! A *lane* is one filter's way through one group: one page at a time, in order. Lanes wait for nothing but
//! themselves, so a slow receiver holds up its own lane alone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Scope, Timestamp};
use hashbrown::HashMap;

use super::cursor::Cursor;
use crate::event_key::EventKey;
use crate::incarnation::{GroupId, LogStreamId};

/// How long what was sent may stay unnoted while more follows.
const NOTE_INTERVAL: Duration = Duration::from_secs(1);

/// Names a lane: the group, and the filter in the form of [`super::subscriptions`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LaneKey {
    pub(crate) group: GroupId,
    pub(crate) filter: String,
}

impl LaneKey {
    /// Tells lanes apart for their back-off.
    pub(crate) fn sender(&self) -> String {
        format!("{}/{}", self.group, self.filter)
    }
}

/// The group of a lane, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) scope: Scope,
    pub(crate) group: String,
}

/// A message of a page that got through before another of that page did not: its stream, first and last
/// event.
pub(crate) type SentPart = (LogStreamId, EventKey, EventKey);

/// One page to send.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) key: LaneKey,
    pub(crate) place: Arc<Place>,
    pub(crate) cursor: Cursor,
    /// How many attempts have failed since the last that went well.
    pub(crate) failures: u32,
    /// What of the page was sent already.
    pub(crate) sent: Vec<SentPart>,
    /// Tells this life of the lane from another.
    life: u64,
}

/// What became of a page.
#[derive(Clone, Debug)]
pub(crate) enum StepEnd {
    /// It was sent, or there was nothing to send.
    Sent(Cursor),
    /// It is to be tried again after that long.
    Again { wait: Duration, cursor: Cursor, sent: Vec<SentPart> },
    /// The filter or the group is gone.
    Gone,
}

/// All lanes.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: HashMap<LaneKey, Lane>,
    /// The lanes that are not busy and have something to do.
    due: BTreeSet<(Timestamp, LaneKey)>,
    lives: u64,
}

#[derive(Debug)]
struct Lane {
    place: Arc<Place>,
    cursor: Cursor,
    /// The newest batch that arrived for it.
    newest: u64,
    failures: u32,
    sent: Vec<SentPart>,
    due: Option<Timestamp>,
    busy: bool,
    life: u64,
    /// When the cursor was written down; `None` when that is still to be done.
    noted: Option<Timestamp>,
    last_note: Timestamp,
}

impl Lane {
    fn has_work(&self) -> bool {
        self.cursor.pass.is_some() || self.newest > self.cursor.through
    }
}

impl Lanes {
    /// Adds a lane, or replaces the one of that name. `newest` is the newest batch that there may be.
    pub(crate) fn add(&mut self, key: &LaneKey, place: Arc<Place>, cursor: Cursor, newest: u64) {
        self.remove(key);
        self.lives += 1;
        let lane = Lane {
            place,
            cursor,
            newest,
            failures: 0,
            sent: Vec::new(),
            due: None,
            busy: false,
            life: self.lives,
            noted: Some(Timestamp::MIN),
            last_note: Timestamp::MIN,
        };
        self.lanes.insert(key.clone(), lane);
        self.schedule(key, Timestamp::MIN);
    }

    /// Whether there is such a lane.
    pub(crate) fn contains(&self, key: &LaneKey) -> bool {
        self.lanes.contains_key(key)
    }

    /// Notes that batch `newest` arrived for a lane. Tells whether it falls due by that: at that moment, not
    /// at any time before, so that whoever drives the lanes sees that this is new.
    pub(crate) fn arrived(&mut self, key: &LaneKey, newest: u64, at: Timestamp) -> bool {
        let Some(lane) = self.lanes.get_mut(key) else { return false };
        lane.newest = lane.newest.max(newest);
        let falls_due = !lane.busy && lane.due.is_none() && lane.has_work();
        if falls_due {
            self.schedule(key, at);
        }
        falls_due
    }

    /// Removes a lane.
    pub(crate) fn remove(&mut self, key: &LaneKey) {
        if let Some(lane) = self.lanes.remove(key)
            && let Some(due) = lane.due
        {
            self.due.remove(&(due, key.clone()));
        }
    }

    /// Removes all lanes that `unwanted` says yes to.
    pub(crate) fn remove_all(&mut self, unwanted: impl Fn(&LaneKey) -> bool) {
        let keys: Vec<LaneKey> = self.lanes.keys().filter(|key| unwanted(key)).cloned().collect();
        keys.iter().for_each(|key| self.remove(key));
    }

    /// When the next lane is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Takes the lane that has been due for longest; it is busy until [`Self::finish`].
    pub(crate) fn take(&mut self, now: Timestamp) -> Option<Step> {
        if self.next_due()? > now {
            return None;
        }
        let (_, key) = self.due.pop_first()?;
        let lane = self.lanes.get_mut(&key)?;
        (lane.busy, lane.due) = (true, None);
        Some(Step {
            key,
            place: lane.place.clone(),
            cursor: lane.cursor.clone(),
            failures: lane.failures,
            sent: std::mem::take(&mut lane.sent),
            life: lane.life,
        })
    }

    /// Takes note of what became of a step. Returns the cursor if it is to be written down now.
    pub(crate) fn finish(&mut self, step: &Step, end: StepEnd, now: Timestamp) -> Option<Cursor> {
        let lane = self.lanes.get_mut(&step.key).filter(|lane| lane.life == step.life)?;
        lane.busy = false;
        let mut due = now;
        match end {
            StepEnd::Gone => {
                self.remove(&step.key);
                return None;
            }
            StepEnd::Sent(cursor) => {
                lane.failures = 0;
                if lane.cursor != cursor {
                    (lane.cursor, lane.noted) = (cursor, None);
                }
            }
            StepEnd::Again { wait, cursor, sent } => {
                lane.failures += 1;
                lane.sent = sent;
                due = now + wait;
                if lane.cursor != cursor {
                    (lane.cursor, lane.noted) = (cursor, None);
                }
            }
        }
        let is_idle = !lane.has_work();
        let is_late = now.since(lane.last_note) >= NOTE_INTERVAL || now < lane.last_note;
        let note = (lane.noted.is_none() && (is_idle || is_late)).then(|| lane.cursor.clone());
        if note.is_some() {
            (lane.noted, lane.last_note) = (Some(now), now);
        }
        self.schedule(&step.key, due);
        note
    }

    fn schedule(&mut self, key: &LaneKey, due: Timestamp) {
        let Some(lane) = self.lanes.get_mut(key).filter(|lane| lane.has_work()) else { return };
        lane.due = Some(due);
        self.due.insert((due, key.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(filter: &str) -> LaneKey {
        LaneKey { group: GroupId::from_u128(1), filter: filter.to_owned() }
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    /// Lanes of those filters, which have seen everything up to batch 5.
    fn lanes(filters: &[&str]) -> Lanes {
        let mut lanes = Lanes::default();
        let place = Arc::new(Place { scope: Scope::default(), group: "g".to_owned() });
        for filter in filters {
            lanes.add(&key(filter), place.clone(), Cursor::new(5, at(0)), 5);
        }
        lanes
    }

    #[test]
    fn a_lane_is_due_when_something_arrived_and_only_once_at_a_time() {
        let mut lanes = lanes(&["a"]);
        assert!(lanes.take(at(1)).is_none());
        assert!(lanes.arrived(&key("a"), 6, at(1)));
        let step = lanes.take(at(1)).expect("due");
        assert!(!lanes.arrived(&key("a"), 7, at(1)), "it is busy");
        assert!(lanes.take(at(1)).is_none());
        let noted = lanes.finish(&step, StepEnd::Sent(Cursor::new(6, at(1))), at(1));
        assert_eq!(noted, Some(Cursor::new(6, at(1))), "the first one is noted at once");
        let step = lanes.take(at(1)).expect("7 arrived meanwhile");
        assert_eq!(
            lanes.finish(&step, StepEnd::Sent(Cursor::new(7, at(1))), at(1)),
            Some(Cursor::new(7, at(1)))
        );
        assert_eq!(lanes.next_due(), None);
    }

    #[test]
    fn busy_lanes_note_once_a_second() {
        let mut lanes = lanes(&["a"]);
        lanes.arrived(&key("a"), 100, at(1));
        let mut noted = Vec::new();
        for (through, millis) in [(6, 1000), (7, 1400), (8, 1999), (9, 2000), (100, 2100)] {
            let step = lanes.take(at(9)).expect("there is more");
            let now = Timestamp::from_millis(millis);
            noted.push(lanes.finish(&step, StepEnd::Sent(Cursor::new(through, now)), now).is_some());
        }
        assert_eq!(noted, [true, false, false, true, true], "and when nothing is left");
    }

    #[test]
    fn a_failed_lane_waits_alone_and_remembers_what_was_sent() {
        let mut lanes = lanes(&["a", "b"]);
        lanes.arrived(&key("a"), 6, at(1));
        let step = lanes.take(at(1)).expect("due");
        let part = (LogStreamId::from_u128(1), EventKey::MIN, EventKey::MIN);
        let again =
            StepEnd::Again { wait: Duration::from_secs(10), cursor: step.cursor.clone(), sent: vec![part] };
        lanes.finish(&step, again, at(1));
        lanes.arrived(&key("b"), 7, at(1));
        assert_eq!(lanes.take(at(1)).map(|step| step.key), Some(key("b")));
        assert!(lanes.take(at(10)).is_none());
        let step = lanes.take(at(11)).expect("due again");
        assert_eq!((step.failures, step.sent), (1, vec![part]));
    }

    #[test]
    fn what_a_removed_lane_was_doing_does_not_touch_its_successor() {
        let mut lanes = lanes(&["a"]);
        lanes.arrived(&key("a"), 6, at(1));
        let step = lanes.take(at(1)).expect("due");
        let place = step.place.clone();
        lanes.add(&key("a"), place, Cursor::new(6, at(1)), 6);
        assert_eq!(lanes.finish(&step, StepEnd::Sent(Cursor::new(9, at(1))), at(1)), None);
        lanes.arrived(&key("a"), 7, at(1));
        assert_eq!(lanes.take(at(1)).map(|step| step.cursor), Some(Cursor::new(6, at(1))));
        lanes.remove_all(|key| key.filter == "a");
        assert!(!lanes.contains(&key("a")));
    }
}
