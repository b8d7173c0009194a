//! Long polls that wait for a moment: messages that appear by themselves, and the end of the wait.
//!
//! A poll waits for its queue's next arrival and for at most one moment. The moments are the clock's, so that
//! a manual clock wakes them too: an activity, driven by the server, rings whoever's moment has come.

use std::collections::BTreeMap;
use std::sync::Arc;

use groundwatch_core::{Activity, BoxFuture, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Whom to wake when.
#[derive(Default)]
pub(crate) struct Waiting {
    moments: Mutex<BTreeMap<(Timestamp, u64), Arc<Notify>>>,
    next_ticket: Mutex<u64>,
    changed: Notify,
    /// Whether nobody is to wait any longer.
    over: CancellationToken,
}

/// A moment that somebody waits for. Forgotten when it is dropped.
pub(crate) struct Alarm {
    waiting: Arc<Waiting>,
    place: (Timestamp, u64),
    bell: Arc<Notify>,
}

impl Waiting {
    /// An alarm at `moment`.
    pub(crate) fn alarm(self: &Arc<Self>, moment: Timestamp) -> Alarm {
        let ticket = {
            let mut next = self.next_ticket.lock();
            *next += 1;
            *next
        };
        let (place, bell) = ((moment, ticket), Arc::new(Notify::new()));
        let is_first = {
            let mut moments = self.moments.lock();
            moments.insert(place, Arc::clone(&bell));
            moments.first_key_value().is_some_and(|(first, _)| *first == place)
        };
        if is_first {
            self.changed.notify_one();
        }
        Alarm { waiting: Arc::clone(self), place, bell }
    }

    /// Ends all waiting, now and from now on.
    pub(crate) fn end(&self) {
        self.over.cancel();
    }

    /// Returns when waiting has been ended.
    pub(crate) async fn ended(&self) {
        self.over.cancelled().await;
    }
}

impl Alarm {
    /// Returns when the moment has come.
    pub(crate) async fn rings(&self) {
        self.bell.notified().await;
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.waiting.moments.lock().remove(&self.place);
    }
}

impl Activity for Waiting {
    fn name(&self) -> &'static str {
        "sqs-long-polls"
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.moments.lock().first_key_value().map(|((moment, _), _)| *moment)
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut moments = self.moments.lock();
            let later = moments.split_off(&(now, u64::MAX));
            for bell in std::mem::replace(&mut *moments, later).into_values() {
                bell.notify_one();
            }
        })
    }

    fn changed(&self) -> &Notify {
        &self.changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_rings_at_its_moment_and_not_before() {
        let waiting = Arc::new(Waiting::default());
        let at = Timestamp::from_secs;
        let (first, second) = (waiting.alarm(at(5)), waiting.alarm(at(9)));
        assert_eq!(waiting.next_due(), Some(at(5)));
        waiting.run(at(5)).await;
        first.rings().await;
        assert_eq!(waiting.next_due(), Some(at(9)));
        drop(second);
        assert_eq!(waiting.next_due(), None);
    }
}
