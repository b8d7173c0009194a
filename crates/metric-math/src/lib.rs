//! Metric math: the language of `Expression` in metric data queries and alarms. `reference.md` is the
//! language as its users read it; its examples run as tests.
//!
//! Owns the text (lexer, parser, printer), the types, the functions, the rules of missing data, and the order
//! in which expressions that refer to each other are evaluated. Does not own reading metrics, SEARCH, anomaly
//! bands or insight rules: [`Checked::external_data`] says what an expression needs, the caller fetches it,
//! and an [`Environment`] hands it in. Nor does it own Metrics Insights queries (`SELECT …`), dynamic labels,
//! or the wire.
//!
//! The way through: [`Expression::parse`] each entry → [`evaluation_order`] over all of them → in that order
//! [`Expression::check`] (names to types) → fetch metrics and external data → [`Checked::evaluate`] → for
//! entries that are returned, [`Value::into_results`].
//!
//! What always holds:
//! - No text and no value panics: an expression yields a value or a [`MathError`] that points into its text.
//! - A value depends on the expression and the environment alone, and what is printed parses to the same
//!   expression.
//! - Length, nesting, series and points are bounded ([`bounds`]), so that no expression can occupy a server.
//! - A point without a finite value does not exist: a division by zero leaves a gap, never an infinity.

mod arithmetic;
mod ast;
pub mod bounds;
mod check;
mod environment;
mod error;
mod eval;
mod expression;
mod functions;
mod lexer;
mod operator;
mod order;
mod parser;
mod periods;
mod points;
mod series;
mod value;
mod work;

pub use ast::{Expr, Node, Quote};
pub use check::{Checked, Symbol};
pub use environment::{Environment, ExternalData, ExternalRequest, TimeRange};
pub use error::{MathError, Problem, Span};
pub use expression::{Expression, Reference};
pub use operator::Operator;
pub use order::{EntryError, evaluation_order};
pub use series::{Origin, Point, RollUp, Series};
pub use value::{Type, Value};
