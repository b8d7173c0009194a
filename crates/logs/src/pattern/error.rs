//! Why a filter pattern is refused, and where.

use std::ops::Range;

/// A pattern that is wrong, or beyond what is implemented.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at character {position}")]
pub struct PatternError {
    /// What is the matter.
    pub problem: PatternProblem,
    /// The bytes of the pattern that it is about.
    pub span: Range<usize>,
    /// Where that begins, in characters from 1, for people.
    pub position: usize,
}

/// What is the matter with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternProblem {
    /// The pattern begins with `{`.
    #[error("JSON pattern `{{` is not supported yet")]
    JsonUnsupported,
    /// The pattern begins with `[`.
    #[error("space-delimited pattern `[` is not supported yet")]
    SpaceDelimitedUnsupported,
    /// A term begins with `%`.
    #[error("regular expression `%` is not supported yet")]
    RegexUnsupported,
    /// A character that only a quoted phrase may hold.
    #[error("`{0}` must stand in double quotes")]
    NeedsQuotes(char),
    /// A phrase without its closing quote.
    #[error("the phrase has no closing quote")]
    Unclosed,
    /// A phrase that runs into the next term.
    #[error("a blank must follow the closing quote")]
    BlankAfterPhrase,
    /// `-` or `?` with nothing behind it.
    #[error("`{0}` has no term")]
    SignWithoutTerm(char),
    /// `-" "`: every event holds a blank phrase, so none would be left.
    #[error("a blank phrase cannot be excluded")]
    BlankExcluded,
}

impl PatternError {
    pub(super) fn new(problem: PatternProblem, pattern: &str, span: Range<usize>) -> Self {
        let position = pattern[..span.start].chars().count() + 1;
        Self { problem, span, position }
    }
}
