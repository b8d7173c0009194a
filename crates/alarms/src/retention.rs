//! Forgets history that is older than AWS keeps it.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{Activity, BoxFuture, SharedClock, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::store::AlarmStore;

/// How long history is kept: AWS says 30 days (older texts: two weeks).
const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// The time between two clean-ups.
const INTERVAL: Duration = Duration::from_secs(6 * 3600);

/// The time from the start to the first clean-up: also where servers do not run for long.
const FIRST_AFTER: Duration = Duration::from_secs(5 * 60);

/// The activity that forgets.
pub(crate) struct HistoryRetention {
    store: Arc<AlarmStore>,
    clock: SharedClock,
    due: Mutex<Timestamp>,
    changed: Notify,
}

impl HistoryRetention {
    pub(crate) fn new(store: Arc<AlarmStore>, clock: SharedClock) -> Self {
        let due = Mutex::new(clock.now() + FIRST_AFTER);
        Self { store, clock, due, changed: Notify::new() }
    }
}

impl Activity for HistoryRetention {
    fn name(&self) -> &'static str {
        "alarm-history-retention"
    }

    fn next_due(&self) -> Option<Timestamp> {
        let mut due = self.due.lock();
        // After a clock went back, the next clean-up is not a jump's length away.
        *due = (*due).min(self.clock.now() + INTERVAL);
        Some(*due)
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            *self.due.lock() = now + INTERVAL;
            match self.store.expire_history(now - KEPT).await {
                Ok(0) => {}
                Ok(items) => tracing::info!(items, "old alarm history forgotten"),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "old alarm history stays for now"
                    );
                }
            }
        })
    }

    fn changed(&self) -> &Notify {
        &self.changed
    }
}
