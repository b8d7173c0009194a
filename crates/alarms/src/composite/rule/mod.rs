//! The rules of composite alarms: a small language over the states of other alarms.
//!
//! `ALARM(cpu) AND NOT (OK("disk (1)") OR AT_LEAST(50%, NOT OK, (a, b, c)))`. NOT binds tighter than AND, AND
//! tighter than OR. An alarm is named by its name or its ARN; quotes are needed around blanks, parentheses,
//! commas and quotes. Words of the language are read in any case: AWS's reference itself writes both `FALSE`
//! and `False`.
//!
//! The way through: [`lexer`] (text to tokens with spans; knows no word) → [`parser`] (grammar and limits) →
//! [`ast`] (the tree, which holds or does not, and prints itself). Parsing a printed tree gives the same
//! tree.

pub(crate) mod ast;
mod error;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(crate) use ast::Expression;
pub(crate) use error::RuleError;

/// A rule as the user wrote it, and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    text: String,
    expression: Expression,
}

impl Rule {
    /// Reads `text`. The error points into it.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        Ok(Self { text: text.to_owned(), expression: parser::parse(text)? })
    }

    /// As the user wrote it: AWS shows it like that again.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it means.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }
}

impl TryFrom<String> for Rule {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        Self::parse(&text)
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.text
    }
}
