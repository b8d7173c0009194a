//! Background work, as something that can be driven by a real clock or stepped by a manual one.

use std::future::Future;
use std::pin::Pin;

use tokio::sync::Notify;

use crate::Timestamp;

/// A future that can be named in a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A background activity: compares what is with what should be, then acts.
///
/// An activation takes no input and is safe to repeat, so a missed wake-up or a crash costs time, never
/// correctness. The server's driver calls [`Activity::run`] when [`Activity::next_due`] is reached: in a task
/// of its own under the system clock; in the order of due times, one after the other, under a manual clock.
pub trait Activity: Send + Sync + 'static {
    /// A short name for logs and health output, such as `alarm-evaluation`.
    fn name(&self) -> &'static str;

    /// The earliest moment at which there is something to do; `None` while there is nothing.
    fn next_due(&self) -> Option<Timestamp>;

    /// Does all that is due at `now`. Afterwards `next_due` is later than `now`, or `None`.
    ///
    /// Failures are this activity's own to log and to retry (by a later `next_due`).
    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()>;

    /// Notified whenever `next_due` may have become earlier.
    fn changed(&self) -> &Notify;
}
