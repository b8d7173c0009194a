//! Which actions fail, so that the server's log tells of each once, and not at every change of state. The
//! alarm's history has all of it.

use std::collections::HashSet;

use groundwatch_core::Scope;
use parking_lot::Mutex;

/// How many failing actions are remembered; beyond that the log begins to repeat itself.
const REMEMBERED_MAX: usize = 10_000;

/// The actions that failed when they were last tried.
#[derive(Default)]
pub(crate) struct Complaints(Mutex<HashSet<Failing>>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Failing {
    scope: Scope,
    alarm: String,
    arn: String,
}

impl Complaints {
    /// Notes how an action ended; tells whether its failure is news.
    pub(crate) fn note(&self, scope: &Scope, alarm: &str, arn: &str, failed: bool) -> bool {
        let action = Failing { scope: scope.clone(), alarm: alarm.to_owned(), arn: arn.to_owned() };
        let mut failing = self.0.lock();
        if !failed {
            failing.remove(&action);
            return false;
        }
        if failing.len() >= REMEMBERED_MAX {
            failing.clear();
        }
        failing.insert(action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_news_until_it_succeeds() {
        let complaints = Complaints::default();
        let note = |alarm, failed| complaints.note(&Scope::default(), alarm, "arn:x", failed);
        assert_eq!([note("a", true), note("a", true), note("b", true)], [true, false, true]);
        assert_eq!([note("a", false), note("a", true), note("b", true)], [false, true, false]);
    }
}
