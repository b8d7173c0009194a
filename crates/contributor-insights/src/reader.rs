//! Log groups, as rules read them.

use groundwatch_core::{BoxFuture, Scope, Timestamp};

/// Some of a group's events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// Moments and messages, in any order.
    pub events: Vec<(Timestamp, String)>,
    /// Where to go on; `None` if these were the last.
    pub next: Option<String>,
}

/// Why log groups could not be read.
#[derive(Debug, thiserror::Error)]
#[error("log groups cannot be read: {0}")]
pub struct LogReadError(pub String);

/// Reads log groups.
pub trait LogReader: Send + Sync + 'static {
    /// The names of the groups that begin with `prefix`.
    fn groups<'a>(
        &'a self,
        scope: &'a Scope,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, LogReadError>>;

    /// Events of a group from `from` (inclusive) to `to` (exclusive), from where the page before said. A
    /// group that does not exist has none.
    fn page<'a>(
        &'a self,
        scope: &'a Scope,
        group: &'a str,
        range: (Timestamp, Timestamp),
        after: Option<String>,
    ) -> BoxFuture<'a, Result<LogPage, LogReadError>>;
}
