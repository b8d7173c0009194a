//! What can go wrong with export tasks.

/// Why a task is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// There is no such task.
    #[error("export task does not exist")]
    Missing,
    /// It is over already.
    #[error("export task has ended already")]
    Ended,
    /// The account has a task that is not over.
    #[error("another export task is active")]
    AnotherActive,
    /// The range ends before it begins.
    #[error("the range ends before it begins")]
    Range,
    /// There is no such bucket.
    #[error("bucket does not exist")]
    BucketMissing,
    /// The bucket does not take what is written.
    #[error("bucket cannot be written: {reason}")]
    BucketRefuses {
        /// What it said.
        reason: String,
    },
    /// A prefix that cannot begin a key.
    #[error("`{prefix}` cannot begin a key")]
    Prefix {
        /// What was given.
        prefix: String,
    },
}
