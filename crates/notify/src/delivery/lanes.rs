//! Which delivery goes next: one lane a subscription, so that a slow subscriber holds up nobody else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use groundwatch_core::Timestamp;
use groundwatch_storage::Key;

/// The deliveries that wait, by subscription and due time. What it knows can be rebuilt from the documents.
///
/// A lane sends one message at a time, in the order of publishing as long as nothing fails. All operations
/// cost O(log n), however many deliveries of a busy lane are due.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: HashMap<Key, Lane>,
    /// The first due time of each lane that has something waiting and is not busy.
    idle: BTreeSet<(Timestamp, Key)>,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: BTreeMap<Place, String>,
    busy: bool,
    /// Nothing is taken before: the first in line is to be tried again then, and nobody may overtake it.
    held_until: Option<Timestamp>,
}

/// A delivery's place in its lane: by due time, then in the order of publishing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) due: Timestamp,
    pub(crate) sequence: u64,
}

/// A delivery that was taken from its lane, which is busy until [`Lanes::release`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The subscription's key.
    pub(crate) lane: Key,
    /// The name of the delivery's document.
    pub(crate) delivery: String,
}

impl Taken {
    /// Under which key the delivery is kept.
    pub(crate) fn key(&self) -> Key {
        Key::new(&self.lane.scope, self.delivery.clone())
    }
}

impl Lanes {
    /// Lets `delivery` wait in the lane of a subscription.
    pub(crate) fn add(&mut self, lane_key: Key, place: Place, delivery: String) {
        let lane = self.lanes.entry(lane_key.clone()).or_default();
        let first_before = lane.first_due();
        lane.waiting.insert(place, delivery);
        let first_after = lane.first_due();
        if !lane.busy && first_after != first_before {
            if let Some(first) = first_before {
                self.idle.remove(&(first, lane_key.clone()));
            }
            self.idle.extend(first_after.map(|first| (first, lane_key)));
        }
    }

    /// Lets nothing be taken from a busy lane before `until`, also when it is released.
    pub(crate) fn hold(&mut self, lane_key: &Key, until: Timestamp) {
        if let Some(lane) = self.lanes.get_mut(lane_key) {
            lane.held_until = Some(until);
        }
    }

    /// Whether nothing waits in the lane, or is on its way from it.
    pub(crate) fn is_empty(&self, lane_key: &Key) -> bool {
        !self.lanes.contains_key(lane_key)
    }

    /// The earliest due time of any lane that is not busy.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.idle.first().map(|(due, _)| *due)
    }

    /// Takes the delivery that has been due for longest at `now`.
    pub(crate) fn take(&mut self, now: Timestamp) -> Option<Taken> {
        if self.next_due()? > now {
            return None;
        }
        let (_, lane_key) = self.idle.pop_first()?;
        let lane = self.lanes.get_mut(&lane_key)?;
        let (_, delivery) = lane.waiting.pop_first()?;
        lane.busy = true;
        lane.held_until = None;
        Some(Taken { lane: lane_key, delivery })
    }

    /// Lets the lane go on to its next delivery.
    pub(crate) fn release(&mut self, lane_key: &Key) {
        let Some(lane) = self.lanes.get_mut(lane_key) else { return };
        lane.busy = false;
        match lane.first_due() {
            Some(due) => {
                self.idle.insert((due, lane_key.clone()));
            }
            None => {
                self.lanes.remove(lane_key);
            }
        }
    }
}

impl Lane {
    fn first_due(&self) -> Option<Timestamp> {
        let (place, _) = self.waiting.first_key_value()?;
        Some(self.held_until.map_or(place.due, |until| until.max(place.due)))
    }
}

#[cfg(test)]
mod tests {
    use groundwatch_core::Scope;

    use super::*;

    fn key(name: &str) -> Key {
        Key { scope: Scope::default(), name: name.to_owned() }
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    /// Adds `(lane, due, sequence)` in that order, each delivery named by its sequence.
    fn lanes(waiting: &[(&str, i64, u64)]) -> Lanes {
        let mut lanes = Lanes::default();
        for (lane, due, sequence) in waiting {
            lanes.add(key(lane), Place { due: at(*due), sequence: *sequence }, sequence.to_string());
        }
        lanes
    }

    fn take_all(lanes: &mut Lanes, now: i64) -> Vec<(String, String)> {
        std::iter::from_fn(|| lanes.take(at(now))).map(|taken| (taken.lane.name, taken.delivery)).collect()
    }

    fn check_taken(taken: &[(String, String)], expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(lane, name)| ((*lane).to_owned(), (*name).to_owned())).collect();
        assert_eq!(taken, expected);
    }

    #[test]
    fn a_lane_sends_one_message_at_a_time_in_order() {
        let mut lanes = lanes(&[("a", 1, 2), ("a", 1, 1), ("b", 2, 3)]);
        check_taken(&take_all(&mut lanes, 5), &[("a", "1"), ("b", "3")]);
        lanes.release(&key("a"));
        check_taken(&take_all(&mut lanes, 5), &[("a", "2")]);
        lanes.release(&key("a"));
        lanes.release(&key("b"));
        assert_eq!(lanes.next_due(), None);
        assert!(lanes.lanes.is_empty(), "an empty lane costs nothing");
    }

    #[test]
    fn nothing_is_taken_before_it_is_due() {
        let mut lanes = lanes(&[("a", 7, 1), ("a", 5, 2)]);
        assert_eq!(lanes.next_due(), Some(at(5)));
        check_taken(&take_all(&mut lanes, 4), &[]);
        check_taken(&take_all(&mut lanes, 5), &[("a", "2")]);
        assert_eq!(lanes.next_due(), None, "the lane is busy");
        lanes.release(&key("a"));
        assert_eq!(lanes.next_due(), Some(at(7)));
    }

    #[test]
    fn a_held_lane_lets_nobody_overtake() {
        let mut lanes = lanes(&[("a", 1, 1), ("a", 1, 2)]);
        check_taken(&take_all(&mut lanes, 1), &[("a", "1")]);
        lanes.add(key("a"), Place { due: at(1), sequence: 1 }, "1".to_owned());
        lanes.hold(&key("a"), at(20));
        lanes.release(&key("a"));
        lanes.add(key("a"), Place { due: at(2), sequence: 3 }, "3".to_owned());
        assert_eq!(lanes.next_due(), Some(at(20)));
        check_taken(&take_all(&mut lanes, 19), &[]);
        check_taken(&take_all(&mut lanes, 20), &[("a", "1")]);
        lanes.release(&key("a"));
        check_taken(&take_all(&mut lanes, 20), &[("a", "2")]);
    }

    #[test]
    fn a_retry_waits_while_later_messages_go() {
        let mut lanes = lanes(&[("a", 1, 1), ("a", 1, 2)]);
        check_taken(&take_all(&mut lanes, 1), &[("a", "1")]);
        lanes.add(key("a"), Place { due: at(20), sequence: 1 }, "1".to_owned());
        lanes.release(&key("a"));
        check_taken(&take_all(&mut lanes, 1), &[("a", "2")]);
        lanes.release(&key("a"));
        check_taken(&take_all(&mut lanes, 20), &[("a", "1")]);
    }
}
