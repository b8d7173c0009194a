//! Why an expression is refused, and where. Messages are AWS's where they are known; those that begin with a
//! capital are. AWS puts `Error in expression '<id>': ` before them, which is the caller's to do: an
//! expression does not know its id.

use std::fmt;
use std::ops::Range;

use crate::bounds::{ARRAY_SERIES_MAX, DENSE_POINTS_MAX, DEPTH_MAX, EXPRESSION_CHARS_MAX, POINTS_MAX};
use crate::operator::Operator;
use crate::value::Type;

/// Bytes of an expression's text.
pub type Span = Range<usize>;

/// An expression that is wrong, beyond what is supported, or too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at character {position}")]
pub struct MathError {
    /// What is the matter.
    pub problem: Problem,
    /// The bytes of the text that it is about.
    pub span: Span,
    /// Where that begins, in characters from 1, for people.
    pub position: usize,
}

impl MathError {
    /// `span` lies in `text`, on character boundaries.
    pub(crate) fn new(problem: Problem, text: &str, span: Span) -> Self {
        let position = text[..span.start].chars().count() + 1;
        Self { problem, span, position }
    }
}

/// What is the matter with an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The text is not an expression.
    #[error("Invalid syntax: {0}")]
    Syntax(String),
    /// The text is longer than [`EXPRESSION_CHARS_MAX`].
    #[error("the expression is longer than {EXPRESSION_CHARS_MAX} characters")]
    TooLong,
    /// Nesting is deeper than [`DEPTH_MAX`].
    #[error("the expression nests deeper than {DEPTH_MAX}")]
    TooDeep,
    /// There is no function of this name. Seen in the field: `Function 'ANOMALY_DETECTOR' not found`.
    #[error("Function '{0}' not found")]
    UnknownFunction(String),
    /// A function of AWS whose data exist only there.
    #[error("Function '{0}' is not supported")]
    UnsupportedFunction(String),
    /// No entry has this id.
    #[error("Undefined variable '{0}'")]
    Undefined(String),
    /// An operator does not join these types.
    #[error("Unsupported operand type(s) for {operator}: '[{left}, {right}]'")]
    Operands {
        /// Which operator.
        operator: Operator,
        /// The type on its left.
        left: Type,
        /// The type on its right.
        right: Type,
    },
    /// A sign before something that has none.
    #[error("Unsupported operand type(s) for unary -: '[{0}]'")]
    SignOf(Type),
    /// An array holds series and arrays of series, nothing else.
    #[error("an array cannot hold a {0}")]
    Element(Type),
    /// A function does not take these arguments.
    #[error("Function '{function}' does not take ({given}): use {usage}")]
    Arguments {
        /// Which function.
        function: &'static str,
        /// The types given, separated by commas.
        given: String,
        /// What it takes.
        usage: String,
    },
    /// An argument is of the right type, but not of those allowed.
    #[error("{0}")]
    Argument(String),
    /// What an expression returns must be a time series or an array of them.
    #[error("The expression returned a {0}: it must return a time series or an array of time series")]
    NotSeries(Type),
    /// An array grows beyond [`ARRAY_SERIES_MAX`].
    #[error("an array of {0} time series exceeds the limit of {ARRAY_SERIES_MAX}")]
    TooManySeries(usize),
    /// A dense series would have more than [`DENSE_POINTS_MAX`] points.
    #[error(
        "a time series of {0} points exceeds the limit of {DENSE_POINTS_MAX}: use a longer period or a shorter range"
    )]
    TooManyPoints(u64),
    /// The steps of an evaluation look at more than [`POINTS_MAX`] points together.
    #[error(
        "the expression needs more than {POINTS_MAX} points: use a longer period, a shorter range or fewer metrics"
    )]
    TooMuchWork,
    /// A dense series whose period nothing says.
    #[error("Function '{0}' needs the Period of the expression, as no metric in it has one")]
    PeriodRequired(&'static str),
    /// Periods whose common multiple is beyond any period.
    #[error("the periods {0} and {1} (in seconds) have no usable common period")]
    Periods(u32, u32),
    /// Data that the caller did not fetch.
    #[error("no data were read for function '{0}'")]
    NoExternalData(&'static str),
    /// Expressions that refer to each other in a circle.
    #[error("the expressions refer to each other in a circle: {}", Arrows(.0))]
    Cycle(Vec<String>),
}

impl Problem {
    pub(crate) fn syntax(what: impl Into<String>) -> Self {
        Self::Syntax(what.into())
    }
}

/// `e1 -> e2 -> e1`.
struct Arrows<'a>(&'a [String]);

impl fmt::Display for Arrows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" -> "))
    }
}
