//! Conditions joined by `&&` and `||`, in both structured forms. `&&` binds tighter.

use std::fmt;

use super::cursor::Cursor;
use super::error::{PatternError, PatternProblem};

/// How deep parentheses may be nested: evaluation and dropping recurse.
const DEPTH_MAX: usize = 32;

/// Conditions of type `C`, joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression<C> {
    /// A condition.
    Condition(C),
    /// All of at least two must hold.
    All(Vec<Expression<C>>),
    /// One of at least two must hold.
    Any(Vec<Expression<C>>),
}

/// Reads one condition.
pub(super) type ParseCondition<'f, C> = &'f mut dyn FnMut(&mut Cursor<'_>) -> Result<C, PatternError>;

impl<C> Expression<C> {
    /// Reads an expression, up to what cannot belong to it.
    pub(super) fn parse(
        cursor: &mut Cursor<'_>,
        condition: ParseCondition<'_, C>,
    ) -> Result<Self, PatternError> {
        Self::any(cursor, condition, 0)
    }

    fn any(
        cursor: &mut Cursor<'_>,
        condition: ParseCondition<'_, C>,
        depth: usize,
    ) -> Result<Self, PatternError> {
        let mut parts = vec![Self::all(cursor, condition, depth)?];
        while cursor.take("||") {
            parts.push(Self::all(cursor, condition, depth)?);
        }
        Ok(Self::joined(parts, Self::Any))
    }

    fn all(
        cursor: &mut Cursor<'_>,
        condition: ParseCondition<'_, C>,
        depth: usize,
    ) -> Result<Self, PatternError> {
        let mut parts = vec![Self::part(cursor, condition, depth)?];
        while cursor.take("&&") {
            parts.push(Self::part(cursor, condition, depth)?);
        }
        Ok(Self::joined(parts, Self::All))
    }

    fn part(
        cursor: &mut Cursor<'_>,
        condition: ParseCondition<'_, C>,
        depth: usize,
    ) -> Result<Self, PatternError> {
        cursor.skip_blanks();
        let part = if cursor.peek() != Some('(') {
            Self::Condition(condition(cursor)?)
        } else if depth == DEPTH_MAX {
            return Err(cursor.error_here(PatternProblem::TooDeep));
        } else {
            cursor.advance('(');
            let inner = Self::any(cursor, condition, depth + 1)?;
            cursor.expect(")", "`)`, `&&` or `||`")?;
            inner
        };
        cursor.skip_blanks();
        Ok(part)
    }

    fn joined(mut parts: Vec<Self>, join: impl Fn(Vec<Self>) -> Self) -> Self {
        if parts.len() > 1 { join(parts) } else { parts.remove(0) }
    }

    /// The condition that comes first in the text.
    pub(super) fn first_condition(&self) -> &C {
        match self {
            Self::Condition(condition) => condition,
            Self::All(parts) | Self::Any(parts) => parts[0].first_condition(),
        }
    }

    /// The same expression over other conditions.
    pub(super) fn map<D>(&self, change: &mut impl FnMut(&C) -> D) -> Expression<D> {
        match self {
            Self::Condition(condition) => Expression::Condition(change(condition)),
            Self::All(parts) => Expression::All(parts.iter().map(|part| part.map(change)).collect()),
            Self::Any(parts) => Expression::Any(parts.iter().map(|part| part.map(change)).collect()),
        }
    }

    /// Whether it holds, given which conditions do.
    pub(super) fn holds(&self, holds: &impl Fn(&C) -> bool) -> bool {
        match self {
            Self::Condition(condition) => holds(condition),
            Self::All(parts) => parts.iter().all(|part| part.holds(holds)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(holds)),
        }
    }
}

impl<C: fmt::Display> fmt::Display for Expression<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, join) = match self {
            Self::Condition(condition) => return condition.fmt(f),
            Self::All(parts) => (parts, " && "),
            Self::Any(parts) => (parts, " || "),
        };
        for (index, part) in parts.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { join })?;
            match (self, part) {
                (_, Self::Condition(_)) | (Self::Any(_), Self::All(_)) => part.fmt(f)?,
                _ => write!(f, "({part})")?,
            }
        }
        Ok(())
    }
}
