//! Filter patterns: the language of `FilterLogEvents` (and later of metric filters, subscriptions and live tail).
//!
//! The way through: [`lexer`] (text to words with spans) → [`parser`] (which of the three forms it is, and its tree) →
//! [`terms`] (the tree of the first form, which prints itself) → [`matcher`] (compiled, decides on bytes).
//!
//! Of the three forms, only plain terms are understood so far. The JSON form `{ … }`, the space-delimited form `[ … ]`
//! and regular expressions `% … %` are recognised and refused by name; each gets a tree of its own beside [`terms`]
//! and an arm in [`Pattern`] and [`Matcher`].
//!
//! What always holds: parsing takes any text, never panics, and a printed pattern parses to itself.

mod error;
mod lexer;
mod matcher;
mod parser;
mod terms;

pub use error::{PatternError, PatternProblem};
pub use matcher::Matcher;
pub use terms::{Sign, Term, TermPattern};

use std::fmt;

/// A parsed filter pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Words and phrases that must, may or must not occur.
    Terms(TermPattern),
}

impl Pattern {
    /// Parses a pattern of any form. The length is the caller's to bound (AWS: 1024 characters).
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        parser::parse(text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terms(terms) => terms.fmt(f),
        }
    }
}
