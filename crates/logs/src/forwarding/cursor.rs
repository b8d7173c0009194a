//! How far the events of a group were sent on.
//!
//! Events arrive in numbered batches, and carry times of their own. A *pass* covers the batches that arrived
//! since the one before it, in the order of the events' times, and is noted page by page. So nothing is left
//! out that was ever acknowledged, a crash repeats at most what was sent since the last note, and events that
//! arrive meanwhile wait for the next pass.

use std::time::Duration;

use groundwatch_core::{Timestamp, intake};
use groundwatch_storage::Document;
use serde::{Deserialize, Serialize};

use crate::event_key::{EventKey, KeyRange};

/// How old events are at most when they arrive; an hour is for requests that take long and clocks that are set
/// back.
const ARRIVAL_AGE_MAX: Duration = intake::AGE_MAX.saturating_add(Duration::from_secs(60 * 60));

/// How far one filter has come with one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Everything that arrived in batches up to this one is done with.
    pub through: u64,
    /// When that was so.
    pub as_of: Timestamp,
    /// The pass under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Pass>,
}

/// A pass over the batches behind [`Cursor::through`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pass {
    /// The last batch that it covers.
    pub until: u64,
    /// When it began.
    pub began: Timestamp,
    /// Events before this key (as its digits) are done with; all are to come without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
}

impl Document for Cursor {
    const KIND: &'static str = "log-subscription-cursor";
}

impl Cursor {
    /// Only what arrives behind batch `through` counts.
    pub(crate) fn new(through: u64, as_of: Timestamp) -> Self {
        Self { through, as_of, pass: None }
    }

    /// The same with a pass under way: the one that is, or one over what can be seen by now. `None` if there
    /// is nothing to pass over.
    pub(crate) fn in_pass(&self, visible_through: u64, now: Timestamp) -> Option<Self> {
        if self.pass.is_some() {
            return Some(self.clone());
        }
        (visible_through > self.through).then(|| {
            let pass = Pass { until: visible_through, began: now, boundary: None };
            Self { pass: Some(pass), ..self.clone() }
        })
    }

    /// Where the events of the pass are to be looked for.
    pub(crate) fn range(&self) -> KeyRange {
        let earliest = EventKey::before(self.as_of - ARRIVAL_AGE_MAX).max(EventKey::MIN);
        let boundary = self.pass.as_ref().and_then(|pass| EventKey::from_digits(pass.boundary.as_deref()?));
        KeyRange { from: boundary.unwrap_or(earliest), to: EventKey::MAX }
    }

    /// Whether an event of that batch belongs to the pass.
    pub(crate) fn covers(&self, sequence: u64) -> bool {
        self.pass.as_ref().is_some_and(|pass| (self.through + 1..=pass.until).contains(&sequence))
    }

    /// After a page: up to `boundary`, or to the end of the pass without one.
    pub(crate) fn after_page(&self, boundary: Option<EventKey>) -> Self {
        let Some(pass) = &self.pass else { return self.clone() };
        match boundary {
            Some(boundary) => {
                let pass = Pass { boundary: Some(boundary.to_digits()), ..pass.clone() };
                Self { pass: Some(pass), ..self.clone() }
            }
            None => Self::new(pass.until, pass.began),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_767_323_045);

    #[test]
    fn a_pass_covers_what_arrived_since_the_last_one() {
        let cursor = Cursor::new(5, NOW);
        assert_eq!(cursor.in_pass(5, NOW), None);
        let cursor = cursor.in_pass(9, NOW).expect("there is more");
        assert_eq!([5, 6, 9, 10].map(|sequence| cursor.covers(sequence)), [false, true, true, false]);
        assert_eq!(cursor.in_pass(20, NOW), Some(cursor.clone()), "a pass keeps its end");
        assert_eq!(cursor.after_page(None), Cursor::new(9, NOW));
    }

    #[test]
    fn a_page_moves_the_boundary_and_survives_a_document() {
        let key = EventKey { timestamp: NOW, sequence: 7, index: 3 };
        let cursor = Cursor::new(5, NOW).in_pass(9, NOW).expect("there is more");
        assert_eq!(cursor.range().from, EventKey::before(NOW - ARRIVAL_AGE_MAX));
        let cursor = cursor.after_page(Some(key.successor()));
        assert_eq!(cursor.range().from, key.successor());
        let json = serde_json::to_string(&cursor).expect("serializes");
        assert_eq!(serde_json::from_str::<Cursor>(&json).expect("parses"), cursor);
    }
}
