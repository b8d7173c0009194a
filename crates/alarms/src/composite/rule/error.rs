//! What can be wrong with a rule, and where.

use std::fmt;

/// A part of a rule's text, in bytes; the end is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// A text that is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at position {}", span.start + 1)]
pub struct RuleError {
    /// What is wrong.
    pub kind: RuleErrorKind,
    /// Where.
    pub span: Span,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleErrorKind {
    /// Something else should stand there.
    Expected {
        /// What should.
        expected: &'static str,
        /// What does.
        found: String,
    },
    /// A quoted name without its second quote.
    UnclosedQuote,
    /// AT_LEAST wants none of its alarms, or more of them than it has.
    Quorum {
        /// How many alarms it lists.
        alarms: usize,
    },
    /// Too much of something.
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
}

impl fmt::Display for RuleErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::UnclosedQuote => f.write_str("a quoted name is not closed"),
            Self::Quorum { alarms } => {
                write!(f, "AT_LEAST needs a number from 1 to {alarms}, or 1% to 100%")
            }
            Self::TooMany { what, limit } => write!(f, "more than {limit} {what}"),
        }
    }
}
