//! Time as an input: a clock that follows the machine, and one that a test or a user moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::Timestamp;

/// Tells the time. All code asks a clock, so that tests can run days in milliseconds.
pub trait Clock: Send + Sync + 'static {
    /// The present moment. It may jump in either direction: a machine's clock does.
    fn now(&self) -> Timestamp;
}

/// The clock that a server shares among its parts.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(jiff_now().as_millisecond())
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn jiff_now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    now_millis: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { now_millis: AtomicI64::new(start.as_millis()) }
    }

    /// Shows `moment` from now on, also if that is in the past.
    pub fn set(&self, moment: Timestamp) {
        self.now_millis.store(moment.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_millis.load(Ordering::SeqCst))
    }
}
