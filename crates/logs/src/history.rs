//! A group's setting that concerns events by the moment of their arrival: what is in force when an event
//! arrives holds for that event forever, so what was in force before is kept beside what is.

use std::sync::Arc;

use groundwatch_core::Timestamp;
use serde::{Deserialize, Serialize};

/// How many periods are kept apart, the one of today included.
const PERIODS_MAX: usize = 16;

/// What was in force when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct History<T> {
    /// Ascending by their beginning.
    periods: Vec<Period<T>>,
}

/// From a moment until the next period's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Period<T> {
    /// The first moment.
    pub since: Timestamp,
    /// What was in force, if anything was.
    pub setting: Option<Arc<T>>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { periods: Vec::new() }
    }
}

impl<T: Clone> History<T> {
    /// Whether nothing ever was in force.
    pub(crate) fn is_empty(&self) -> bool {
        self.periods.is_empty()
    }

    /// What was in force at `moment`.
    pub(crate) fn at(&self, moment: Timestamp) -> Option<&Arc<T>> {
        self.periods.iter().rfind(|period| period.since <= moment)?.setting.as_ref()
    }

    /// What is in force now, and since when.
    pub(crate) fn current(&self) -> Option<(Timestamp, &Arc<T>)> {
        let period = self.periods.last()?;
        Some((period.since, period.setting.as_ref()?))
    }

    /// The history in which `setting`, or nothing, is in force from `now` on. When it grows too long, `merge`
    /// takes the oldest period into the one after it.
    pub(crate) fn changed(
        &self,
        now: Timestamp,
        setting: Option<T>,
        merge: impl Fn(&Period<T>, &mut Period<T>),
    ) -> Self {
        let mut periods = self.periods.clone();
        // A clock that was set back does not change what is past.
        let since = periods.last().map_or(now, |last| last.since.max(now));
        periods.retain(|period| period.since < since);
        periods.push(Period { since, setting: setting.map(Arc::new) });
        while periods.len() > PERIODS_MAX {
            let oldest = periods.remove(0);
            if let Some(next) = periods.first_mut() {
                merge(&oldest, next);
            }
        }
        Self { periods }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    /// A history of what was put at which second.
    fn history(puts: &[(i64, Option<&'static str>)]) -> History<&'static str> {
        puts.iter().fold(History::default(), |history, (second, setting)| {
            history.changed(at(*second), *setting, |_, _| {})
        })
    }

    #[test]
    fn a_setting_holds_from_its_moment_to_the_next() {
        let history = history(&[(10, Some("a")), (20, None), (30, Some("b"))]);
        for (second, expected) in [
            (9, None),
            (10, Some("a")),
            (19, Some("a")),
            (20, None),
            (29, None),
            (30, Some("b")),
            (99, Some("b")),
        ] {
            assert_eq!(history.at(at(second)).map(|setting| **setting), expected, "{second}");
        }
        assert_eq!(history.current().map(|(since, setting)| (since, **setting)), Some((at(30), "b")));
    }

    #[test]
    fn of_two_at_one_moment_the_later_counts() {
        let history = history(&[(10, Some("a")), (10, Some("b"))]);
        assert_eq!(history.at(at(10)).map(|setting| **setting), Some("b"));
        assert_eq!(history.periods.len(), 1);
    }

    #[test]
    fn too_long_a_history_merges_its_beginning() {
        let mut history = History::default();
        for second in 0..40 {
            history = history.changed(at(second), Some(vec![second]), |oldest, next| {
                let both = [oldest.setting.clone(), next.setting.take()].into_iter().flatten();
                next.setting = Some(Arc::new(both.flat_map(|list| (*list).clone()).collect()));
                next.since = oldest.since;
            });
        }
        assert_eq!(history.periods.len(), PERIODS_MAX);
        assert_eq!(history.at(at(0)).map(|all| all.len()), Some(40 - PERIODS_MAX + 1));
        assert_eq!(history.at(at(39)).map(|all| all.len()), Some(1));
    }
}
