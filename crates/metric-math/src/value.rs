//! What expressions are worth, and of which type.

use std::fmt;

use crate::error::Problem;
use crate::series::Series;

/// The types of the language. Its users write S, TS and TS[].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// S: one number.
    Scalar,
    /// TS: one time series.
    Series,
    /// TS[]: time series in an order.
    Array,
    /// STR: only an argument, never a result.
    Text,
}

impl Type {
    /// Whether an entry may return it: a final result is a time series or an array of them.
    pub fn is_returnable(self) -> bool {
        matches!(self, Self::Series | Self::Array)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scalar => "Scalar",
            Self::Series => "TimeSeries",
            Self::Array => "TimeSeries[]",
            Self::Text => "String",
        })
    }
}

/// What an expression is worth. Cheap to clone: series are shared.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number; NaN means that there is none, as with the average of no points.
    Scalar(f64),
    /// A time series.
    Series(Series),
    /// Time series in an order.
    Array(Vec<Series>),
    /// A text or a word, which only functions take.
    Text(String),
}

impl Value {
    /// A number, or none if it is not finite.
    pub(crate) fn scalar(number: f64) -> Self {
        Self::Scalar(if number.is_finite() { number } else { f64::NAN })
    }

    /// Its type.
    pub fn value_type(&self) -> Type {
        match self {
            Self::Scalar(_) => Type::Scalar,
            Self::Series(_) => Type::Series,
            Self::Array(_) => Type::Array,
            Self::Text(_) => Type::Text,
        }
    }

    /// How many points it has in all.
    pub(crate) fn points(&self) -> usize {
        match self {
            Self::Scalar(_) | Self::Text(_) => 0,
            Self::Series(series) => series.points().len(),
            Self::Array(array) => array.iter().map(|series| series.points().len()).sum(),
        }
    }

    /// The series to return for an entry with this label. A single one is called that; those of an array
    /// `<label> <their own label>`, or just their own if `label` is empty. A scalar is refused.
    pub fn into_results(self, label: &str) -> Result<Vec<Series>, Problem> {
        match self {
            Self::Series(series) => Ok(vec![series.with_label(label)]),
            Self::Array(array) if label.is_empty() => Ok(array),
            Self::Array(array) => Ok(array
                .into_iter()
                .map(|series| {
                    let both = match series.label() {
                        "" => label.to_owned(),
                        own => format!("{label} {own}"),
                    };
                    series.with_label(both)
                })
                .collect()),
            other => Err(Problem::NotSeries(other.value_type())),
        }
    }
}
