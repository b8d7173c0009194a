//! FILL: values for the periods of the range at which a series has none.

use super::{Body, Call, Function, Parameter, Signature};
use crate::error::Problem;
use crate::periods;
use crate::points::Cursor;
use crate::series::{Point, Series};
use crate::value::{Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[Function {
    name: "FILL",
    signatures: &[
        Signature { required: &[Parameter::Series, Parameter::Number], optional: &[], result: Type::Series },
        Signature { required: &[Parameter::Series, MODE], optional: &[], result: Type::Series },
        Signature { required: &[Parameter::Array, Parameter::Number], optional: &[], result: Type::Array },
        Signature { required: &[Parameter::Array, MODE], optional: &[], result: Type::Array },
    ],
    body: Body::General(fill),
}];

const MODE: Parameter = Parameter::Word(&["REPEAT", "LINEAR"]);

/// What stands in for a missing value.
enum Filler<'a> {
    Constant(f64),
    /// The value of another series at that moment, if it has one.
    Series(&'a Series),
    /// The last value before. Nothing before the first point.
    Repeat,
    /// A straight line between the points on both sides. Nothing before the first point and after the last.
    Linear,
}

fn fill(call: &Call<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let filler = match arguments {
        [_, Value::Scalar(number)] => Filler::Constant(*number),
        [_, Value::Series(series)] => Filler::Series(series),
        [_, Value::Text(mode)] if mode == "REPEAT" => Filler::Repeat,
        [_, Value::Text(mode)] if mode == "LINEAR" => Filler::Linear,
        other => return Err(call.misfit(other)),
    };
    match &arguments[0] {
        Value::Series(series) => filled(call, series, &filler).map(Value::Series),
        Value::Array(array) => {
            let filled: Result<_, _> = array.iter().map(|series| filled(call, series, &filler)).collect();
            filled.map(Value::Array)
        }
        _ => Err(call.misfit(arguments)),
    }
}

fn filled(call: &Call<'_>, series: &Series, filler: &Filler<'_>) -> Result<Series, Problem> {
    let range = call.environment.range();
    let with = match filler {
        Filler::Series(with) => Some(*with),
        _ => None,
    };
    let period_secs = periods::common([series].into_iter().chain(with).map(Series::period_secs))?
        .unwrap_or_else(|| series.period_secs());
    let points = periods::on_grid(series, period_secs, range);
    let with = with.map(|with| periods::on_grid(with, period_secs, range));
    let with = with.as_deref().unwrap_or(&[]);
    call.work.charge(points.len() + with.len())?;
    let mut with = Cursor::new(with);

    let grid = range.grid(period_secs)?;
    let mut dense = Vec::with_capacity(grid.clone().count().max(points.len()));
    let mut rest = &points[..];
    let mut before: Option<Point> = None;
    for at in grid {
        while let Some(point) = rest.first().filter(|point| point.timestamp_secs <= at) {
            dense.push(*point);
            before = Some(*point);
            rest = &rest[1..];
        }
        if before.is_some_and(|point| point.timestamp_secs == at) {
            continue;
        }
        let value = match filler {
            Filler::Constant(number) => Some(*number),
            Filler::Series(_) => with.at(at),
            Filler::Repeat => before.map(|point| point.value),
            Filler::Linear => before.zip(rest.first()).map(|(before, after)| between(before, *after, at)),
        };
        dense.extend(value.map(|value| Point { timestamp_secs: at, value }));
    }
    dense.extend_from_slice(rest);
    call.work.charge(dense.len())?;
    Ok(series.derived(period_secs, dense))
}

/// The height at `at` of the line through two points on both sides of it.
fn between(before: Point, after: Point, at: i64) -> f64 {
    let whole = after.timestamp_secs.abs_diff(before.timestamp_secs) as f64;
    let part = at.abs_diff(before.timestamp_secs) as f64 / whole;
    before.value + (after.value - before.value) * part
}
