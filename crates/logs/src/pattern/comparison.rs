//! `= 5`, `!= "a*"`, `> 3`, `= %x%`: what a value is compared with, in both structured forms.

use std::fmt;

use super::cursor::{Cursor, is_bare};
use super::error::{PatternError, PatternProblem};
use super::regexp::Regexp;
use super::wildcard::Wildcard;

/// An operator and what stands on its right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How.
    pub operator: Operator,
    /// With what.
    pub operand: Operand,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What values are compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A number, as it was written.
    Number(String),
    /// A text, in which `*` stands for anything.
    Text(String),
    /// A regular expression that must occur.
    Regex(Regexp),
}

/// The longer ones first, so that `<=` is not read as `<`.
const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Comparison {
    /// Reads a comparison, from the operator on.
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        let operator = OPERATORS.iter().find(|(text, _)| cursor.take(text)).map(|(_, operator)| *operator);
        let Some(operator) = operator else {
            return Err(cursor.expected("an operator (=, !=, <, <=, > or >=)"));
        };
        cursor.skip_blanks();
        let start = cursor.offset();
        let operand = match cursor.peek() {
            Some('"') => Operand::Text(cursor.quoted()?),
            Some('%') => Operand::Regex(cursor.regexp()?),
            _ => {
                let text = cursor.take_while(is_bare_value);
                if text.is_empty() {
                    return Err(cursor.expected("a value"));
                }
                bare_operand(text)
            }
        };
        if !operator.is_equality() && !matches!(operand, Operand::Number(_)) {
            let problem = PatternProblem::NeedsNumber(operator.as_str());
            return Err(cursor.error(problem, start..cursor.offset()));
        }
        Ok(Self { operator, operand })
    }
}

fn bare_operand(text: &str) -> Operand {
    if number(text.as_bytes()).is_some() {
        Operand::Number(text.to_owned())
    } else {
        Operand::Text(text.to_owned())
    }
}

fn is_bare_value(character: char) -> bool {
    is_bare(character) || matches!(character, '*' | '+')
}

/// The finite number that `text` is: digits with sign, point and exponent, and no words such as `inf`.
pub(super) fn number(text: &[u8]) -> Option<f64> {
    let is_numeric = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    let begins = text.first().is_some_and(|byte| !matches!(byte, b'e' | b'E'));
    if !begins || !text.iter().all(is_numeric) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
}

impl Operator {
    fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }

    fn as_str(self) -> &'static str {
        OPERATORS.iter().find(|(_, operator)| *operator == self).map_or("", |(text, _)| text)
    }

    fn compare(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.operator.as_str())?;
        match &self.operand {
            Operand::Number(text) => f.write_str(text),
            Operand::Regex(regexp) => regexp.fmt(f),
            Operand::Text(text)
                if !text.is_empty()
                    && text.chars().all(is_bare_value)
                    && number(text.as_bytes()).is_none() =>
            {
                f.write_str(text)
            }
            Operand::Text(text) => write_quoted(f, text),
        }
    }
}

/// Writes what [`Cursor::quoted`] reads.
pub(super) fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A comparison compiled to decide on values.
#[derive(Clone, Debug)]
pub(super) struct Test {
    operator: Operator,
    operand: CompiledOperand,
}

#[derive(Clone, Debug)]
enum CompiledOperand {
    Number(f64),
    Text(Wildcard),
    Regex(Regexp),
}

impl Test {
    pub(super) fn new(comparison: &Comparison) -> Self {
        let operand = match &comparison.operand {
            Operand::Number(text) => CompiledOperand::Number(number(text.as_bytes()).unwrap_or(f64::NAN)),
            Operand::Text(text) => CompiledOperand::Text(Wildcard::new(text)),
            Operand::Regex(regexp) => CompiledOperand::Regex(regexp.clone()),
        };
        Self { operator: comparison.operator, operand }
    }

    /// Decides on a number, which is asked for its text only if that is needed.
    pub(super) fn holds_for_number(&self, value: f64, text: impl FnOnce() -> String) -> bool {
        match &self.operand {
            CompiledOperand::Number(wanted) => self.operator.compare(value, *wanted),
            CompiledOperand::Text(_) | CompiledOperand::Regex(_) => self.holds_for_text(text().as_bytes()),
        }
    }

    /// Decides on a text. One that reads as a number equals that number, but is neither more nor less than
    /// any.
    pub(super) fn holds_for_text(&self, text: &[u8]) -> bool {
        let equal = match &self.operand {
            CompiledOperand::Number(_) if !self.operator.is_equality() => return false,
            CompiledOperand::Number(wanted) => number(text) == Some(*wanted),
            CompiledOperand::Text(wildcard) => wildcard.matches(text),
            CompiledOperand::Regex(regexp) => regexp.occurs_in(text),
        };
        equal == (self.operator == Operator::Equal)
    }

    /// Decides on a text that has no type, as the fields of a line: it is a number if it reads as one.
    pub(super) fn holds_for_untyped(&self, text: &[u8]) -> bool {
        match &self.operand {
            CompiledOperand::Number(wanted) if let Some(value) = number(text) => {
                self.operator.compare(value, *wanted)
            }
            _ => self.holds_for_text(text),
        }
    }
}
