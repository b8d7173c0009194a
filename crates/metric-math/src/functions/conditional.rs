//! IF: one of two values at each moment of a condition, where 0 is false and any other number is true.

use super::{Body, Call, Function, Parameter, Signature};
use crate::error::Problem;
use crate::periods;
use crate::points::Cursor;
use crate::series::{Point, Series};
use crate::value::{Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[Function {
    name: "IF",
    signatures: &[
        Signature {
            required: &[Parameter::Series, Parameter::Number],
            optional: &[Parameter::Number],
            result: Type::Series,
        },
        Signature {
            required: &[Parameter::Scalar, Parameter::Series],
            optional: &[Parameter::Series],
            result: Type::Series,
        },
    ],
    body: Body::General(choose),
}];

fn choose(call: &Call<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    match arguments {
        [Value::Scalar(condition), Value::Series(then), otherwise @ ..] => match otherwise {
            [] => Ok(Value::Series(whole(*condition, then, None))),
            [Value::Series(otherwise)] => Ok(Value::Series(whole(*condition, then, Some(otherwise)))),
            _ => Err(call.misfit(arguments)),
        },
        [Value::Series(condition), then, otherwise @ ..] if otherwise.len() <= 1 => {
            by_moment(call, condition, then, otherwise.first()).map(Value::Series)
        }
        other => Err(call.misfit(other)),
    }
}

/// A series as a whole; an empty one where there is none to choose, or the condition has no value.
fn whole(condition: f64, then: &Series, otherwise: Option<&Series>) -> Series {
    let chosen = match condition {
        number if number.is_nan() => None,
        0.0 => otherwise,
        _ => Some(then),
    };
    chosen.cloned().unwrap_or_else(|| then.derived(then.period_secs(), Vec::new()))
}

fn by_moment(
    call: &Call<'_>,
    condition: &Series,
    then: &Value,
    otherwise: Option<&Value>,
) -> Result<Series, Problem> {
    let range = call.environment.range();
    let branches = [Some(then), otherwise].into_iter().flatten().filter_map(as_series);
    let period_secs = periods::common([condition].into_iter().chain(branches).map(Series::period_secs))?
        .unwrap_or_else(|| condition.period_secs());
    let grid = |value: Option<&Value>| {
        value.and_then(as_series).map(|series| periods::on_grid(series, period_secs, range).into_owned())
    };
    let (then_points, otherwise_points) = (grid(Some(then)), grid(otherwise));
    // The guide's table: a missing value counts as 0 where the condition chose it, except that beside a
    // constant the series keeps its gaps. `otherwise` missing altogether leaves gaps.
    let mut then_branch = Branch::new(Some(then), then_points.as_deref(), 0.0);
    let gap = if as_series(then).is_some() { 0.0 } else { f64::NAN };
    let mut otherwise_branch = Branch::new(otherwise, otherwise_points.as_deref(), gap);

    let chosen = periods::on_grid(condition, period_secs, range)
        .iter()
        .map(|point| {
            let branch = if point.value == 0.0 { &mut otherwise_branch } else { &mut then_branch };
            Point { value: branch.at(point.timestamp_secs), ..*point }
        })
        .collect();
    Ok(Series::computed(period_secs, chosen))
}

fn as_series(value: &Value) -> Option<&Series> {
    match value {
        Value::Series(series) => Some(series),
        _ => None,
    }
}

/// One of the two values to choose from.
enum Branch<'a> {
    Constant(f64),
    Points {
        points: Cursor<'a>,
        /// What a missing point counts as; NaN for a gap.
        missing: f64,
    },
}

impl<'a> Branch<'a> {
    fn new(value: Option<&Value>, points: Option<&'a [Point]>, missing: f64) -> Self {
        match (value, points) {
            (Some(Value::Scalar(number)), _) => Self::Constant(*number),
            (_, Some(points)) => Self::Points { points: Cursor::new(points), missing },
            _ => Self::Constant(f64::NAN),
        }
    }

    fn at(&mut self, timestamp_secs: i64) -> f64 {
        match self {
            Self::Constant(number) => *number,
            Self::Points { points, missing } => points.at(timestamp_secs).unwrap_or(*missing),
        }
    }
}
