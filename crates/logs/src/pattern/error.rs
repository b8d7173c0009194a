//! Why a filter pattern is refused, and where.

use std::ops::Range;

/// A pattern that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at character {position}")]
pub struct PatternError {
    /// What is the matter.
    pub problem: PatternProblem,
    /// The bytes of the pattern that it is about; empty at its end.
    pub span: Range<usize>,
    /// Where that begins, in characters from 1, for people.
    pub position: usize,
}

/// What is the matter with a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternProblem {
    /// A character that only a quoted phrase may hold.
    #[error("`{0}` must stand in double quotes")]
    NeedsQuotes(char),
    /// A phrase without its closing quote.
    #[error("the phrase has no closing quote")]
    Unclosed,
    /// A phrase or regular expression that runs into the next term.
    #[error("a blank must follow the end of the term")]
    BlankAfterTerm,
    /// `-` or `?` with nothing behind it.
    #[error("`{0}` has no term")]
    SignWithoutTerm(char),
    /// `-" "`: every event holds a blank phrase, so none would be left.
    #[error("a blank phrase cannot be excluded")]
    BlankExcluded,
    /// A regular expression without its closing `%`.
    #[error("the regular expression has no closing `%`")]
    RegexUnclosed,
    /// A character that regular expressions in filter patterns do not have, such as a parenthesis.
    #[error("`{0}` is not supported in a regular expression")]
    RegexCharacter(char),
    /// The regular expression cannot be compiled.
    #[error("the regular expression is not valid ({0})")]
    RegexInvalid(String),
    /// More regular expressions than AWS allows in a pattern.
    #[error("a pattern can have at most {} regular expressions", super::REGEXES_MAX)]
    RegexesTooMany,
    /// Something else should stand here.
    #[error("{0} is expected")]
    Expected(&'static str),
    /// What AWS does not have, though it looks as if: `IS NOT`, `EXISTS`.
    #[error("`{0}` is not supported")]
    Unsupported(&'static str),
    /// `<`, `>`, `<=` and `>=` compare numbers.
    #[error("`{0}` compares with a number")]
    NeedsNumber(&'static str),
    /// A second wildcard in one selector.
    #[error("a selector can have one wildcard")]
    WildcardsTooMany,
    /// Parentheses in parentheses in parentheses.
    #[error("parentheses are nested too deeply")]
    TooDeep,
    /// A condition inside one field's place that is about another field.
    #[error("a condition here can only be about `{0}`")]
    OtherField(String),
    /// Two fields of one name.
    #[error("the field `{0}` is there twice")]
    FieldTwice(String),
    /// A second ellipsis.
    #[error("a pattern can have one ellipsis")]
    EllipsisTwice,
}

impl PatternError {
    pub(super) fn new(problem: PatternProblem, pattern: &str, span: Range<usize>) -> Self {
        let position = pattern[..span.start].chars().count() + 1;
        Self { problem, span, position }
    }
}
