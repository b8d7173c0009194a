//! `SEARCH`: the series whose names and dimensions hold the given terms. The language is described in
//! `reference.md` beside this file, whose examples are run as tests.
//!
//! The way through: [`lexer`] → [`parser`] → [`ast`] (prints itself) → [`index`] (the fast matcher, over the
//! strings in [`vocabulary`]), or [`matcher`] (the obvious one). What a token is, and the evidence for it:
//! [`tokens`].
//!
//! Of the expression `SEARCH('…', 'Average', 300)` this is the first string, with the escapes of that string
//! removed.

mod ast;
mod error;
mod index;
mod lexer;
mod matcher;
mod parser;
mod postings;
mod tokens;
mod vocabulary;

pub use ast::{Condition, Property, Query, Schema, Term};
pub use error::{SearchError, SearchProblem};
pub use index::TokenIndex;
pub use tokens::tokens;

/// The longest search, in characters ("Search expression limits" in the guide).
pub const MAX_CHARACTERS: usize = 1024;

/// How deep parentheses and `NOT` may stand in each other. A bound of our own, against stack overflow.
pub const MAX_DEPTH: usize = 32;

/// How many series a search yields at most; the rest is left out.
pub const MAX_SERIES: usize = 500;

impl Query {
    /// Parses what stands inside `SEARCH('…')`, of at most [`MAX_CHARACTERS`].
    pub fn parse(search: &str) -> Result<Self, SearchError> {
        parser::parse(search)
    }
}
