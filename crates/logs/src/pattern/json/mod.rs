//! The form `{ … }`: conditions on what a JSON object holds.
//!
//! A message that is not a JSON object, or nests deeper than 128 levels, never matches. A comparison is false
//! for what is missing, for `null`, and for objects and arrays; `!=` too. Numbers and booleans also compare
//! as the text that JSON has for them, so that `$.x = *` is true for any of them.

mod matcher;
mod reader;
mod selector;

pub(super) use matcher::JsonMatcher;
pub use selector::Selector;
pub(super) use selector::Step;

use std::fmt;

use super::comparison::Comparison;
use super::cursor::Cursor;
use super::error::{PatternError, PatternProblem};
use super::expression::Expression;

/// A pattern of this form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPattern {
    /// What must hold.
    pub expression: Expression<JsonCondition>,
}

/// A condition on what a selector finds. It holds if it holds for any of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonCondition {
    /// Where to look.
    pub selector: Selector,
    /// What must be there.
    pub test: JsonTest,
}

/// What must be where a selector looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonTest {
    /// A text, number or boolean that compares so.
    Compare(Comparison),
    /// `IS NULL`.
    Null,
    /// `IS TRUE` or `IS FALSE`.
    Boolean(bool),
    /// `NOT EXISTS`: nothing at all, not even `null`.
    NotExists,
}

impl JsonPattern {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        cursor.expect("{", "`{`")?;
        let expression = Expression::parse(cursor, &mut JsonCondition::parse)?;
        cursor.expect("}", "`}`, `&&` or `||`")?;
        cursor.skip_blanks();
        match cursor.peek() {
            None => Ok(Self { expression }),
            Some(_) => Err(cursor.expected("the end of the pattern")),
        }
    }
}

impl JsonCondition {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        let selector = Selector::parse(cursor)?;
        cursor.skip_blanks();
        Ok(Self { selector, test: JsonTest::parse(cursor)? })
    }
}

impl JsonTest {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        let start = cursor.offset();
        let first = cursor.take_while(char::is_alphabetic);
        if first.is_empty() {
            return Comparison::parse(cursor).map(Self::Compare);
        }
        if first == "IS" || first == "NOT" {
            cursor.skip_blanks();
        }
        let test = match (first, cursor.take_while(char::is_alphabetic)) {
            ("IS", "NULL") => Ok(Self::Null),
            ("IS", "TRUE") => Ok(Self::Boolean(true)),
            ("IS", "FALSE") => Ok(Self::Boolean(false)),
            ("NOT", "EXISTS") => Ok(Self::NotExists),
            ("IS", "NOT") => Err(PatternProblem::Unsupported("IS NOT")),
            ("EXISTS", _) => Err(PatternProblem::Unsupported("EXISTS")),
            ("IS", _) => Err(PatternProblem::Expected("`IS NULL`, `IS TRUE` or `IS FALSE`")),
            _ => Err(PatternProblem::Expected("an operator, `IS` or `NOT EXISTS`")),
        };
        test.map_err(|problem| cursor.error(problem, start..cursor.offset()))
    }
}

impl fmt::Display for JsonPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{ {} }}", self.expression)
    }
}

impl fmt::Display for JsonCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.selector)?;
        match &self.test {
            JsonTest::Compare(comparison) => comparison.fmt(f),
            JsonTest::Null => f.write_str("IS NULL"),
            JsonTest::Boolean(true) => f.write_str("IS TRUE"),
            JsonTest::Boolean(false) => f.write_str("IS FALSE"),
            JsonTest::NotExists => f.write_str("NOT EXISTS"),
        }
    }
}
