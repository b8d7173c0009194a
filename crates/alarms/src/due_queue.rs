//! What is due when: a queue by time, for work whose times are recomputed rather than stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use groundwatch_core::Timestamp;

/// A clock that went back by less than this is not worth planning anew.
const STEP_BACK_TOLERATED: Duration = Duration::from_secs(10);

/// Keys with the moment at which each is due. Planning and taking cost O(log n) a key.
#[derive(Debug)]
pub(crate) struct DueQueue<K> {
    by_time: BTreeSet<(Timestamp, K)>,
    by_key: BTreeMap<K, Timestamp>,
    /// The latest moment that was seen, to notice a clock that goes back.
    latest: Timestamp,
}

impl<K: Ord + Clone> DueQueue<K> {
    pub(crate) fn new() -> Self {
        Self { by_time: BTreeSet::new(), by_key: BTreeMap::new(), latest: Timestamp::MIN }
    }

    /// Makes `key` due at `at`, unless it is due earlier already: who plans never undoes another's hurry.
    pub(crate) fn plan(&mut self, key: K, at: Timestamp) {
        if let Some(planned) = self.by_key.get(&key).copied() {
            if planned <= at {
                return;
            }
            self.by_time.remove(&(planned, key.clone()));
        }
        self.by_key.insert(key.clone(), at);
        self.by_time.insert((at, key));
    }

    /// Moves `key` on to `to` if it is due at `from`, and not earlier because somebody was in a hurry.
    pub(crate) fn postpone(&mut self, key: &K, from: Timestamp, to: Timestamp) {
        if self.by_key.get(key) == Some(&from) {
            self.by_time.remove(&(from, key.clone()));
            self.by_time.insert((to, key.clone()));
            self.by_key.insert(key.clone(), to);
        }
    }

    /// The earliest moment at which something is due.
    ///
    /// After a clock went back, all that was planned lies too far ahead: everything is due at once then.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.observe(now);
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Removes and returns what is due at `now`, in the order of keys.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<K> {
        self.observe(now);
        let mut due = Vec::new();
        while self.by_time.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, key)) = self.by_time.pop_first() {
                self.by_key.remove(&key);
                due.push(key);
            }
        }
        due.sort_unstable();
        due
    }

    fn observe(&mut self, now: Timestamp) {
        if now + STEP_BACK_TOLERATED < self.latest {
            self.by_time = self.by_key.keys().map(|key| (now, key.clone())).collect();
            self.by_key.values_mut().for_each(|at| *at = now);
            self.latest = now;
        } else {
            self.latest = self.latest.max(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn what_is_due_comes_in_the_order_of_keys() {
        let mut queue = DueQueue::new();
        for (key, secs) in [("c", 10), ("a", 20), ("b", 30), ("b", 5), ("b", 35), ("d", 40)] {
            queue.plan(key, at(secs));
        }
        assert_eq!(queue.next(at(0)), Some(at(5)));
        assert_eq!(queue.take_due(at(20)), ["a", "b", "c"]);
        assert_eq!(queue.next(at(20)), Some(at(40)));
        assert!(queue.take_due(at(39)).is_empty());
    }

    #[test]
    fn only_what_nobody_hurried_is_postponed() {
        let mut queue = DueQueue::new();
        queue.plan("a", at(10));
        queue.plan("b", at(10));
        queue.plan("b", at(5));
        queue.postpone(&"a", at(10), at(50));
        queue.postpone(&"b", at(10), at(50));
        assert_eq!(queue.take_due(at(20)), ["b"]);
        assert_eq!(queue.next(at(20)), Some(at(50)));
    }

    #[test]
    fn a_clock_that_goes_back_makes_everything_due() {
        let mut queue = DueQueue::new();
        queue.plan("a", at(10_000));
        assert_eq!(queue.next(at(9_990)), Some(at(10_000)));
        // A small correction changes nothing, a jump does.
        assert_eq!(queue.next(at(9_985)), Some(at(10_000)));
        assert_eq!(queue.next(at(5_000)), Some(at(5_000)));
        assert_eq!(queue.take_due(at(5_000)), ["a"]);
    }
}
