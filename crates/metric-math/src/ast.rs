//! An expression as a tree that prints itself: what is printed parses to an equal tree.

use std::fmt;

use crate::error::Span;
use crate::operator::{Level, Operator};

/// A part of an expression, and where it stands. Equal to another if it means the same, wherever that stands.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub node: Node,
    /// The bytes of the text that it takes, without parentheses around it.
    pub span: Span,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `50.25`; never negative.
    Number(f64),
    /// `m1`: the id of another entry.
    Id(String),
    /// `REPEAT`: an upper-case word that some functions take.
    Word(String),
    /// `'…'` or `"…"`.
    Text {
        /// Without its quotes.
        value: String,
        /// Which quotes.
        quote: Quote,
    },
    /// `-m1`
    Negate(Box<Expr>),
    /// Operators of one level in a row, which are worked out from left to right: `m1 - m2 + 3`. That they do
    /// not nest keeps a sum of hundreds of metrics flat. `^` has one operand on its right, so `2 ^ 3 ^ 2`
    /// nests to the right.
    Chain {
        /// The leftmost operand.
        first: Box<Expr>,
        /// Each further one, and what joins it to all before it. Not empty.
        rest: Vec<(Operator, Expr)>,
    },
    /// `[m1, METRICS("errors")]`; not empty.
    Array(Vec<Expr>),
    /// `FILL(m1, 0)`
    Call {
        /// As written; whether there is such a function is not the parser's to know.
        function: String,
        /// In order.
        arguments: Vec<Expr>,
    },
}

/// The quotes around a text. AWS takes both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// `'`
    Single,
    /// `"`
    Double,
}

impl Quote {
    pub(crate) fn character(self) -> char {
        match self {
            Self::Single => '\'',
            Self::Double => '"',
        }
    }
}

impl Expr {
    /// How tightly its outermost operator binds.
    fn level(&self) -> Level {
        match &self.node {
            Node::Chain { rest, .. } => rest.first().map_or(Level::Primary, |(operator, _)| operator.level()),
            Node::Negate(_) => Level::Negation,
            _ => Level::Primary,
        }
    }

    /// Every part of the tree, each before its own parts.
    pub(crate) fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Self)) {
        see(self);
        match &self.node {
            Node::Number(_) | Node::Id(_) | Node::Word(_) | Node::Text { .. } => {}
            Node::Negate(operand) => operand.visit(see),
            Node::Chain { first, rest } => {
                first.visit(see);
                rest.iter().for_each(|(_, operand)| operand.visit(see));
            }
            Node::Array(parts) | Node::Call { arguments: parts, .. } => {
                parts.iter().for_each(|part| part.visit(see));
            }
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Node::Number(number) => write_number(f, *number),
            Node::Id(name) | Node::Word(name) => f.write_str(name),
            Node::Text { value, quote } => write_text(f, value, *quote),
            Node::Negate(operand) => {
                f.write_str("-")?;
                write_operand(f, operand, Level::Negation)
            }
            Node::Chain { first, rest } => {
                let level = self.level();
                // Of `^` only the left side needs parentheses: `(-m1)^2`, but `2^-m1`.
                let right = if level == Level::Power { Level::Negation } else { level.tighter() };
                write_operand(f, first, level.tighter())?;
                rest.iter().try_for_each(|(operator, operand)| {
                    write!(f, " {operator} ")?;
                    write_operand(f, operand, right)
                })
            }
            Node::Array(elements) => {
                f.write_str("[")?;
                write_list(f, elements)?;
                f.write_str("]")
            }
            Node::Call { function, arguments } => {
                write!(f, "{function}(")?;
                write_list(f, arguments)?;
                f.write_str(")")
            }
        }
    }
}

/// With parentheses if it binds more loosely than its place allows.
fn write_operand(f: &mut fmt::Formatter<'_>, operand: &Expr, loosest: Level) -> fmt::Result {
    if operand.level() < loosest { write!(f, "({operand})") } else { write!(f, "{operand}") }
}

fn write_list(f: &mut fmt::Formatter<'_>, parts: &[Expr]) -> fmt::Result {
    parts
        .iter()
        .enumerate()
        .try_for_each(|(index, part)| write!(f, "{}{part}", if index == 0 { "" } else { ", " }))
}

fn write_number(f: &mut fmt::Formatter<'_>, number: f64) -> fmt::Result {
    if number == 0.0 || (1e-7..1e21).contains(&number) {
        write!(f, "{number}")
    } else {
        write!(f, "{number:e}")
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, value: &str, quote: Quote) -> fmt::Result {
    let quote = quote.character();
    write!(f, "{quote}{}{quote}", value.replace(quote, &format!("\\{quote}")))
}
