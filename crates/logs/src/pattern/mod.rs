//! Filter patterns: the language of `FilterLogEvents` and of metric filters.
//!
//! The first character that is not blank decides which of three forms a pattern has: [`terms`] (words,
//! phrases and regular expressions), [`json`] (`{ … }`: conditions on what a JSON object holds) or [`fields`]
//! (`[ … ]`: conditions on the blank-separated fields of a line). Each file has its form's tree, its parser
//! and what it compiles to; what they share is in [`cursor`] (reading text, with positions), [`expression`]
//! (`&&`, `||`, parentheses), [`comparison`] (operators and values), [`wildcard`] and [`regexp`]. [`matcher`]
//! is the front of the compiled side.
//!
//! What always holds: parsing takes any text and never panics, an error says what is the matter and where,
//! and a printed pattern parses to itself. Matching takes time in proportion to the message: nothing
//! backtracks.

mod automaton;
mod comparison;
mod cursor;
mod error;
mod expression;
mod fields;
mod json;
mod matcher;
mod regexp;
mod required;
mod terms;
mod wildcard;

pub use comparison::{Comparison, Operand, Operator};
pub use error::{PatternError, PatternProblem};
pub use expression::Expression;
pub use fields::{Field, FieldCondition, FieldPattern};
pub use json::{JsonCondition, JsonPattern, JsonTest, Selector};
pub use matcher::{Extracted, Matcher};
pub use regexp::Regexp;
pub use terms::{Sign, Sought, Term, TermPattern};
pub(crate) use wildcard::Wildcard;

use std::fmt;

use self::cursor::Cursor;

/// How many regular expressions a pattern can have, by AWS's guide.
pub const REGEXES_MAX: usize = 2;

/// A parsed filter pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Words, phrases and regular expressions that must, may or must not occur.
    Terms(TermPattern),
    /// Conditions on a JSON object.
    Json(JsonPattern),
    /// Conditions on the fields of a line.
    Fields(FieldPattern),
}

impl Pattern {
    /// Whether a pattern, given as text, has regular expressions in it.
    pub(crate) fn has_regex(text: &str) -> bool {
        let mut cursor = Cursor::new(text);
        Self::parse_at(&mut cursor).is_ok() && cursor.regexes() > 0
    }

    /// Parses a pattern of any form. The length is the caller's to bound (AWS: 1024 characters).
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::parse_at(&mut Cursor::new(text))
    }

    fn parse_at(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        cursor.skip_blanks();
        match cursor.peek() {
            Some('{') => JsonPattern::parse(cursor).map(Self::Json),
            Some('[') => FieldPattern::parse(cursor).map(Self::Fields),
            _ => TermPattern::parse(cursor).map(Self::Terms),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terms(terms) => terms.fmt(f),
            Self::Json(json) => json.fmt(f),
            Self::Fields(fields) => fields.fmt(f),
        }
    }
}
