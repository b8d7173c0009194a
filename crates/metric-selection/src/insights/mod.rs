//! Metrics Insights: one `SELECT` over all series of one metric. The language is described in `reference.md`
//! beside this file, whose examples are run as tests.
//!
//! The way through: [`lexer`] → [`parser`] (with [`reserved`] words, and [`unsupported`] SQL refused by name)
//! → [`ast`] (prints itself) → [`plan`] (what the catalog must have; which series, in which groups) →
//! [`bucket`] (observations that add up) → [`ranking`] (results, ordered and limited).

mod ast;
mod bucket;
mod error;
mod group;
mod lexer;
mod parser;
mod plan;
mod ranking;
mod reserved;
mod unsupported;

pub use ast::{Condition, Function, Label, Located, Order, Query, Source, Value};
pub use bucket::{Bucket, Fold};
pub use error::{InsightsError, InsightsProblem};
pub use group::{GroupKey, OTHER};
pub use plan::{Group, Plan, Requirement, Selected, Selection};
pub use ranking::{GroupSeries, Ranking};

/// The longest query, in characters: that of an `Expression` in `GetMetricData`.
pub const MAX_CHARACTERS: usize = 2048;

/// How many results a query has at most, and without `LIMIT`.
pub const MAX_GROUPS: usize = 500;

/// How many series a query reads at most: the first that are found.
pub const MAX_METRICS: usize = 10_000;

impl Query {
    /// Parses a query of at most [`MAX_CHARACTERS`].
    pub fn parse(query: &str) -> Result<Self, InsightsError> {
        parser::parse(query)
    }
}
