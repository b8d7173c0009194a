//! What can go wrong with rules, told apart by what the caller got wrong. AWS's words for it are in
//! `fault.rs`.

use groundwatch_core::TagError;
use groundwatch_storage::{MayConflict, StorageError};

use crate::LogReadError;

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum InsightError {
    /// The definition of a rule breaks a rule of its language.
    #[error("rule definition: {0}")]
    Definition(String),
    /// A parameter has a value that it cannot have.
    #[error("`{parameter}` {rule}")]
    Parameter {
        /// Which parameter.
        parameter: &'static str,
        /// What holds for it, as a predicate.
        rule: String,
    },
    /// There is no rule of that name.
    #[error("rule `{name}` does not exist")]
    NotFound {
        /// The name.
        name: String,
    },
    /// As many rules as there may be.
    #[error("there are {0} rules already")]
    TooManyRules(usize),
    /// A report that would have to look at too much.
    #[error("the report covers more than {limit} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many it may cover.
        limit: usize,
    },
    /// A paging token of another listing, or a damaged one.
    #[error("not a paging token of this listing")]
    NextToken,
    /// Tags that a rule cannot have.
    #[error("tags are refused")]
    Tags(#[from] TagError),
    /// Log groups cannot be read.
    #[error(transparent)]
    Logs(#[from] LogReadError),
    /// Storage did not take it.
    #[error("storage did not take it")]
    Storage(#[from] StorageError),
}

impl MayConflict for InsightError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}
