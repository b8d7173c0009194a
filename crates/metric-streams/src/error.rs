//! What can go wrong with streams, told apart by what the caller got wrong. AWS's words for it are in
//! `fault.rs`.

use groundwatch_core::TagError;
use groundwatch_storage::{MayConflict, StorageError};

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// A parameter has a value that it cannot have.
    #[error("`{parameter}` {rule}")]
    Parameter {
        /// Which parameter.
        parameter: &'static str,
        /// What holds for it, as a predicate.
        rule: String,
    },
    /// Both kinds of filters.
    #[error("include and exclude filters")]
    BothFilters,
    /// There is no stream of that name.
    #[error("stream `{name}` does not exist")]
    NotFound {
        /// The name.
        name: String,
    },
    /// A paging token of another listing, or a damaged one.
    #[error("not a paging token of this listing")]
    NextToken,
    /// Tags that a stream cannot have.
    #[error("tags are refused")]
    Tags(#[from] TagError),
    /// Storage did not take it.
    #[error("storage did not take it")]
    Storage(#[from] StorageError),
}

impl MayConflict for StreamError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}
