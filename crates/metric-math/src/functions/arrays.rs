//! FIRST LAST REMOVE_EMPTY SLICE SORT: which series of an array, in which order.

use std::cmp::Ordering;

use super::aggregate::Statistic;
use super::{Body, Call, Function, Parameter, Signature};
use crate::error::Problem;
use crate::series::Series;
use crate::value::{Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "FIRST",
        signatures: ONE,
        body: Body::General(|call, arguments| one(call, arguments, 0)),
    },
    Function {
        name: "LAST",
        signatures: ONE,
        body: Body::General(|call, arguments| one(call, arguments, usize::MAX)),
    },
    Function {
        name: "REMOVE_EMPTY",
        signatures: &[Signature { required: &[Parameter::Array], optional: &[], result: Type::Array }],
        body: Body::General(remove_empty),
    },
    Function {
        name: "SLICE",
        // AWS's table says that it returns an array or a series, but not when. It is an array here, FIRST is
        // a series.
        signatures: &[Signature {
            required: &[Parameter::Array, Parameter::Scalar],
            optional: &[Parameter::Scalar],
            result: Type::Array,
        }],
        body: Body::General(slice),
    },
    Function {
        name: "SORT",
        signatures: &[Signature {
            required: &[
                Parameter::Array,
                Parameter::Word(&["AVG", "MIN", "MAX", "SUM"]),
                Parameter::Word(&["ASC", "DESC"]),
            ],
            optional: &[Parameter::Scalar],
            result: Type::Array,
        }],
        body: Body::General(sort),
    },
];

const ONE: &[Signature] = &[Signature { required: &[Parameter::Array], optional: &[], result: Type::Series }];

/// The series at `index` or the last before it; of an empty array an empty series.
fn one(call: &Call<'_>, arguments: &[Value], index: usize) -> Result<Value, Problem> {
    match arguments {
        [Value::Array(array)] => {
            let series = array.get(index.min(array.len().saturating_sub(1))).cloned();
            Ok(Value::Series(series.unwrap_or_else(|| call.empty_series())))
        }
        other => Err(call.misfit(other)),
    }
}

fn remove_empty(call: &Call<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    match arguments {
        [Value::Array(array)] => {
            let filled = array.iter().filter(|series| !series.points().is_empty());
            Ok(Value::Array(filled.cloned().collect()))
        }
        other => Err(call.misfit(other)),
    }
}

fn slice(call: &Call<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    match arguments {
        [Value::Array(array), Value::Scalar(from), end @ ..] if end.len() <= 1 => {
            let from = count(call, *from)?.min(array.len());
            let end = match end {
                [Value::Scalar(end)] => count(call, *end)?.clamp(from, array.len()),
                _ => array.len(),
            };
            Ok(Value::Array(array[from..end].to_vec()))
        }
        other => Err(call.misfit(other)),
    }
}

fn sort(call: &Call<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let [Value::Array(array), Value::Text(by), Value::Text(order), limit @ ..] = arguments else {
        return Err(call.misfit(arguments));
    };
    let statistic = match by.as_str() {
        "AVG" => Statistic::Average,
        "MIN" => Statistic::Minimum,
        "MAX" => Statistic::Maximum,
        _ => Statistic::Sum,
    };
    let mut ranked: Vec<(Option<f64>, &Series)> = array
        .iter()
        .map(|series| {
            let has_points = !series.points().is_empty();
            (has_points.then(|| statistic.of_points(series.points())), series)
        })
        .collect();
    ranked.sort_by(|(left, _), (right, _)| compare(*left, *right, order == "DESC"));
    let limit = match limit {
        [Value::Scalar(limit)] => count(call, *limit)?,
        _ => ranked.len(),
    };
    Ok(Value::Array(ranked.into_iter().take(limit).map(|(_, series)| series.clone()).collect()))
}

/// A series without points has nothing to be sorted by and comes last in either order. Equal ones stay as
/// they were.
fn compare(left: Option<f64>, right: Option<f64>, descending: bool) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) if descending => right.total_cmp(&left),
        (Some(left), Some(right)) => left.total_cmp(&right),
        (left, right) => right.is_some().cmp(&left.is_some()),
    }
}

/// A number of series. A fraction is cut off.
fn count(call: &Call<'_>, number: f64) -> Result<usize, Problem> {
    if number >= 0.0 {
        Ok(number as usize)
    } else {
        let function = call.function;
        Err(Problem::Argument(format!("the counts that {function} takes must be numbers from 0 up")))
    }
}
