//! Why a query is refused, and where.

use std::ops::Range;

/// A query that is wrong, or beyond what Metrics Insights or this implementation does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at character {position}")]
pub struct InsightsError {
    /// What is the matter.
    pub problem: InsightsProblem,
    /// The bytes of the query that it is about.
    pub span: Range<usize>,
    /// Where that begins, in characters from 1, for people.
    pub position: usize,
}

/// What is the matter with a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsightsProblem {
    /// More than [`MAX_CHARACTERS`](super::MAX_CHARACTERS).
    #[error("a query has at most 2048 characters")]
    TooLong,
    /// Something else stands there.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What could have stood there.
        expected: &'static str,
        /// What does.
        found: String,
    },
    /// SQL that Metrics Insights does not have.
    #[error("{construct} is not supported: {instead}")]
    Unsupported {
        /// The construct.
        construct: String,
        /// What there is.
        instead: &'static str,
    },
    /// A name that is a word of SQL. AWS's own wording.
    #[error("Reserved keyword '{0}' must be surrounded by double quotes")]
    Reserved(String),
    /// A name with other characters than letters, digits and `_`.
    #[error("a name with `{0}` must be surrounded by double quotes")]
    NeedsQuotes(char),
    /// A value that is not in single quotes.
    #[error("a label's value must be surrounded by single quotes, found {0}")]
    ValueNeedsQuotes(String),
    /// A quote without its end.
    #[error("the quote has no end")]
    Unclosed,
    /// `""`
    #[error("nothing stands between the quotes")]
    NothingQuoted,
    /// `CURRENT_ACCOUNT_ID()` of another label.
    #[error("`CURRENT_ACCOUNT_ID()` can only be compared with `AWS.AccountId`")]
    NotAnAccount,
    /// A label that stands twice in a list.
    #[error("`{0}` stands twice")]
    Repeated(String),
    /// `LIMIT` out of range.
    #[error("LIMIT must be between 1 and 500, found {0}")]
    LimitOutOfRange(String),
    /// A label that the catalog does not have.
    #[error("label `{0}` is not supported")]
    LabelNotSupplied(String),
}

impl InsightsError {
    pub(super) fn new(problem: InsightsProblem, query: &str, span: Range<usize>) -> Self {
        let position = query[..span.start].chars().count() + 1;
        Self { problem, span, position }
    }
}
