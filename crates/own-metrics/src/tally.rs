//! Counts of all kinds, by metric and minute.

use std::collections::BTreeMap;

use groundwatch_core::{Scope, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{Meters, Sample, Statistics, last_read, minute_of, reading_of};

/// How many different counts wait at most; more are left out until the minute is over.
const COUNTS_MAX: usize = 200_000;

/// Adds up what is observed, until its minute is over.
#[derive(Debug)]
pub struct Tally {
    namespace: &'static str,
    counts: Mutex<BTreeMap<Place, Statistics>>,
    changed: Notify,
}

/// By minute first, so that those that are over stand together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    minute: Timestamp,
    scope: Scope,
    name: &'static str,
    dimensions: Vec<(&'static str, String)>,
    unit: Option<&'static str>,
}

impl Tally {
    /// Of metrics in `namespace`.
    pub fn new(namespace: &'static str) -> Self {
        Self { namespace, counts: Mutex::default(), changed: Notify::new() }
    }

    /// Adds `value` to what was observed of that metric in the minute of `at`. `dimensions` are sorted by
    /// name.
    pub fn add(
        &self,
        scope: &Scope,
        name: &'static str,
        dimensions: &[(&'static str, String)],
        at: Timestamp,
        value: f64,
        unit: Option<&'static str>,
    ) {
        let (scope, dimensions) = (scope.clone(), dimensions.to_vec());
        let place = Place { minute: minute_of(at), scope, name, dimensions, unit };
        let mut counts = self.counts.lock();
        let (is_first, is_full) = (counts.is_empty(), counts.len() >= COUNTS_MAX);
        match counts.get_mut(&place) {
            Some(statistics) => statistics.add(Statistics::of(value)),
            None if is_full => {}
            None => {
                counts.insert(place, Statistics::of(value));
            }
        }
        drop(counts);
        if is_first {
            self.changed.notify_one();
        }
    }
}

impl Meters for Tally {
    fn next_due(&self) -> Option<Timestamp> {
        self.counts.lock().first_key_value().map(|(place, _)| reading_of(place.minute))
    }

    fn read(&self, now: Timestamp) -> Vec<Sample> {
        let last = last_read(now);
        let mut counts = self.counts.lock();
        let mut ended = Vec::new();
        while let Some(first) = counts.first_entry().filter(|first| first.key().minute <= last) {
            let (Place { minute, scope, name, dimensions, unit }, statistics) = first.remove_entry();
            let namespace = self.namespace;
            ended.push(Sample { scope, namespace, name, dimensions, minute, unit, statistics });
        }
        ended
    }

    fn changed(&self) -> &Notify {
        &self.changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_read_once_when_it_is_over() {
        let tally = Tally::new("AWS/Test");
        assert_eq!(tally.next_due(), None);
        for (secs, value) in [(61, 1.0), (119, 2.0), (120, 4.0)] {
            tally.add(&Scope::default(), "n", &[], Timestamp::from_secs(secs), value, None);
        }
        assert_eq!(tally.next_due(), Some(Timestamp::from_millis(119_999)));
        let ended: Vec<_> = tally
            .read(Timestamp::from_secs(120))
            .into_iter()
            .map(|sample| (sample.minute.as_secs(), sample.statistics))
            .collect();
        assert_eq!(ended, [(60, Statistics { count: 2, sum: 3.0, minimum: 1.0, maximum: 2.0 })]);
        assert_eq!(tally.next_due(), Some(Timestamp::from_millis(179_999)));
        assert_eq!(tally.read(Timestamp::from_secs(120)), []);
    }
}
