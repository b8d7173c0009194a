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
///
/// The words are AWS's as far as they are known (published errors of 2021 to 2025): it counts from 0, and names
/// what must stand there if that is one token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    Token {
        /// What does.
        found: String,
        /// What must, if there is no choice.
        must_be: Option<&'static str>,
    },
    /// Something should follow.
    End {
        /// What.
        expected: &'static str,
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

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use RuleErrorKind::{End, Quorum, Token, TooMany, UnclosedQuote};
        let at = self.span.start;
        match &self.kind {
            Token { found, must_be: None } => write!(f, "Unsupported token '{found}' at char {at}"),
            Token { found, must_be: Some(token) } => {
                write!(f, "Unsupported token '{found}' at char {at}, must be: '{token}'")
            }
            End { expected } => write!(f, "The rule ends at char {at}, must be: {expected}"),
            UnclosedQuote => write!(f, "Unclosed quotes at char {at}"),
            Quorum { alarms } => {
                write!(f, "AT_LEAST needs a number from 1 to {alarms}, or 1% to 100% at char {at}")
            }
            TooMany { what, limit } => write!(f, "More than {limit} {what} at char {at}"),
        }
    }
}
