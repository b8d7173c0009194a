//! The form `[ … ]`: conditions on the fields of a line.
//!
//! A message matches if it has the fields that the pattern lists, and every condition holds. The last field
//! of the pattern takes the rest of a longer message, unless the pattern has an ellipsis, which takes what
//! the others leave.

mod matcher;
mod split;

pub(super) use matcher::FieldMatcher;

use std::fmt;

use super::comparison::Comparison;
use super::cursor::Cursor;
use super::error::{PatternError, PatternProblem};
use super::expression::Expression;

/// A pattern of this form: at least one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPattern {
    /// The fields, in their order.
    pub fields: Vec<Field>,
}

/// A place in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// A field without a name and without a condition.
    Unnamed,
    /// A field.
    Named(String),
    /// A field with what must hold for it.
    Conditional(Expression<FieldCondition>),
    /// `...`: any number of fields, or none.
    Ellipsis,
}

/// A condition on one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldCondition {
    /// The field's name. All conditions of one place name the same.
    pub name: String,
    /// What must hold.
    pub comparison: Comparison,
}

impl FieldPattern {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        cursor.expect("[", "`[`")?;
        let mut fields: Vec<Field> = Vec::new();
        loop {
            cursor.skip_blanks();
            let start = cursor.offset();
            let field = Field::parse(cursor)?;
            let error = |problem| Err(cursor.error(problem, start..cursor.offset()));
            if field == Field::Ellipsis && fields.contains(&field) {
                return error(PatternProblem::EllipsisTwice);
            }
            if let Some(name) = field.name()
                && fields.iter().any(|known| known.name() == Some(name))
            {
                return error(PatternProblem::FieldTwice(name.to_owned()));
            }
            fields.push(field);
            cursor.skip_blanks();
            if cursor.take("]") {
                break;
            }
            cursor.expect(",", "`,` or `]`")?;
        }
        cursor.skip_blanks();
        match cursor.peek() {
            None => Ok(Self { fields }),
            Some(_) => Err(cursor.expected("the end of the pattern")),
        }
    }
}

impl Field {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        if cursor.take("...") {
            return Ok(Self::Ellipsis);
        }
        if matches!(cursor.peek(), Some(',' | ']')) {
            return Ok(Self::Unnamed);
        }
        let start = cursor.offset();
        if cursor.peek() != Some('(') {
            let name = parse_name(cursor)?;
            cursor.skip_blanks();
            if matches!(cursor.peek(), Some(',' | ']') | None) {
                return Ok(Self::Named(name));
            }
            cursor.go_back_to(start);
        }
        let mut name: Option<String> = None;
        let expression = Expression::parse(cursor, &mut |cursor| {
            let start = cursor.offset();
            let own = parse_name(cursor)?;
            let name = name.get_or_insert_with(|| own.clone());
            if *name != own {
                return Err(cursor.error(PatternProblem::OtherField(name.clone()), start..cursor.offset()));
            }
            cursor.skip_blanks();
            Ok(FieldCondition { name: own, comparison: Comparison::parse(cursor)? })
        })?;
        Ok(Self::Conditional(expression))
    }

    /// The field's name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Unnamed | Self::Ellipsis => None,
            Self::Named(name) => Some(name),
            Self::Conditional(expression) => Some(&expression.first_condition().name),
        }
    }
}

fn parse_name(cursor: &mut Cursor<'_>) -> Result<String, PatternError> {
    match cursor.take_while(|next| next.is_alphanumeric() || matches!(next, '_' | '-')) {
        "" => Err(cursor.expected("a field's name")),
        name => Ok(name.to_owned()),
    }
}

impl fmt::Display for FieldPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, field) in self.fields.iter().enumerate() {
            write!(f, "{}{field}", if index == 0 { "[" } else { ", " })?;
        }
        f.write_str("]")
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed => Ok(()),
            Self::Named(name) => f.write_str(name),
            Self::Conditional(expression) => expression.fmt(f),
            Self::Ellipsis => f.write_str("..."),
        }
    }
}

impl fmt::Display for FieldCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.comparison)
    }
}
