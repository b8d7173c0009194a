//! Operators on values: numbers, series, and arrays, of which each series is an operand by itself.
//!
//! With a number, a series keeps its gaps. Of two series, a point that only one of them has meets a 0 of the
//! other, as AWS's guide says of arithmetic and of comparisons; where both have none there is none.

use std::num::NonZeroU32;

use crate::environment::TimeRange;
use crate::error::Problem;
use crate::operator::Operator;
use crate::periods;
use crate::points::join;
use crate::series::{Point, Series};
use crate::value::Value;
use crate::work::Work;

/// `left operator right`.
pub(crate) fn apply(
    operator: Operator,
    left: Value,
    right: Value,
    range: TimeRange,
    work: &Work,
) -> Result<Value, Problem> {
    work.charge(points_visited(&left, &right))?;
    match (left, right) {
        (Value::Scalar(left), Value::Scalar(right)) => Ok(Value::scalar(operator.apply(left, right))),
        (Value::Series(left), Value::Scalar(right)) => Ok(Value::Series(before(operator, left, right))),
        (Value::Scalar(left), Value::Series(right)) => Ok(Value::Series(after(operator, left, right))),
        (Value::Series(left), Value::Series(right)) => {
            let (period_secs, points) = pair(operator, &left, &right, range)?;
            Ok(Value::Series(Series::computed(period_secs, points)))
        }
        (Value::Array(left), Value::Scalar(right)) => each(left, |one| Ok(before(operator, one, right))),
        (Value::Scalar(left), Value::Array(right)) => each(right, |one| Ok(after(operator, left, one))),
        (Value::Array(left), Value::Series(right)) => each(left, |one| {
            let (period_secs, points) = pair(operator, &one, &right, range)?;
            Ok(one.derived(period_secs, points))
        }),
        (Value::Series(left), Value::Array(right)) => each(right, |one| {
            let (period_secs, points) = pair(operator, &left, &one, range)?;
            Ok(one.derived(period_secs, points))
        }),
        (left, right) => {
            Err(Problem::Operands { operator, left: left.value_type(), right: right.value_type() })
        }
    }
}

/// A series beside an array is walked once for each of the array's.
fn points_visited(left: &Value, right: &Value) -> usize {
    let walks = |other: &Value| match other {
        Value::Array(array) => array.len(),
        _ => 1,
    };
    left.points() * walks(right) + right.points() * walks(left)
}

fn each(array: Vec<Series>, change: impl Fn(Series) -> Result<Series, Problem>) -> Result<Value, Problem> {
    array.into_iter().map(change).collect::<Result<_, _>>().map(Value::Array)
}

/// `series operator number`
fn before(operator: Operator, series: Series, number: f64) -> Series {
    match operator {
        Operator::Multiply => series.scale(number),
        Operator::Divide if number != 0.0 => {
            // Not `scale(1 / number)`, which would round twice; the roll-up is that of the scaled series.
            let roll_up = series.roll_up().scaled(number);
            series.map(|value| value / number).with_roll_up(roll_up)
        }
        _ => series.map(|value| operator.apply(value, number)),
    }
}

/// `number operator series`
fn after(operator: Operator, number: f64, series: Series) -> Series {
    match operator {
        Operator::Multiply => series.scale(number),
        _ => series.map(|value| operator.apply(number, value)),
    }
}

/// Two series on their common grid.
fn pair(
    operator: Operator,
    left: &Series,
    right: &Series,
    range: TimeRange,
) -> Result<(NonZeroU32, Vec<Point>), Problem> {
    let period_secs =
        periods::common([left.period_secs(), right.period_secs()])?.unwrap_or_else(|| left.period_secs());
    let (left, right) =
        (periods::on_grid(left, period_secs, range), periods::on_grid(right, period_secs, range));
    let points = join(&left, &right, |left, right| operator.apply(left.unwrap_or(0.0), right.unwrap_or(0.0)));
    Ok((period_secs, points))
}
