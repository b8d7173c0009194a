//! Why a search is refused, and where.

use std::ops::Range;

/// A search that is wrong, or beyond what is implemented.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at character {position}")]
pub struct SearchError {
    /// What is the matter.
    pub problem: SearchProblem,
    /// The bytes of the search that it is about.
    pub span: Range<usize>,
    /// Where that begins, in characters from 1, for people.
    pub position: usize,
}

/// What is the matter with a search.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchProblem {
    /// More than [`MAX_CHARACTERS`](super::MAX_CHARACTERS).
    #[error("a search has at most 1024 characters")]
    TooLong,
    /// Neither schema nor terms.
    #[error("a search needs a schema in braces, a search term, or both")]
    Empty,
    /// Something else stands there.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What could have stood there.
        expected: &'static str,
        /// What does.
        found: String,
    },
    /// A quote without its end.
    #[error("the quote has no end")]
    Unclosed,
    /// `""`.
    #[error("nothing stands between the quotes")]
    NothingQuoted,
    /// A character that only a quoted term may hold.
    #[error("`{0}` must stand in double quotes")]
    NeedsQuotes(char),
    /// A term without letters and digits, which has no tokens.
    #[error("`{0}` has no letter or digit to search for")]
    NoToken(String),
    /// Parentheses or `NOT` in each other, more than [`MAX_DEPTH`](super::MAX_DEPTH) times.
    #[error("a search is nested at most 32 deep")]
    TooDeep,
    /// A property within the parentheses of another.
    #[error("`{0}=` stands within another property")]
    NestedProperty(String),
    /// What is known, and not done.
    #[error("`{0}` is not supported: only series of the caller's own account are searched")]
    OtherAccounts(String),
}

impl SearchError {
    pub(super) fn new(problem: SearchProblem, search: &str, span: Range<usize>) -> Self {
        let position = search[..span.start].chars().count() + 1;
        Self { problem, span, position }
    }
}
