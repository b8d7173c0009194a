//! Work on one thing among many: what goes wrong with it ends nothing else.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

/// What `work` came to; `None` if it panicked, which has been reported by then.
pub(crate) async fn isolated<T>(work: impl Future<Output = T>) -> Option<T> {
    // Nothing is left half done by a panic: state changes in transactions, and no lock is poisoned.
    AssertUnwindSafe(work).catch_unwind().await.ok()
}
