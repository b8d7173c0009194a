//! Functions of each series by itself: ABS CEIL FLOOR LOG LOG10, DIFF DIFF_TIME RATE RUNNING_SUM.

use super::{Body, Call, EACH_SERIES, Function};
use crate::error::Problem;
use crate::series::{Point, Series};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    each("ABS", |points| map(points, f64::abs)),
    each("CEIL", |points| map(points, f64::ceil)),
    each("FLOOR", |points| map(points, f64::floor)),
    // Of 0 and less there is no logarithm, and so no point.
    each("LOG", |points| map(points, f64::ln)),
    each("LOG10", |points| map(points, f64::log10)),
    each("DIFF", |points| steps(points, |value, _| value)),
    each("DIFF_TIME", |points| steps(points, |_, secs| secs)),
    each("RATE", |points| steps(points, |value, secs| value / secs)),
    each("RUNNING_SUM", running_sum),
];

const fn each(name: &'static str, change: fn(&[Point]) -> Vec<Point>) -> Function {
    Function { name, signatures: EACH_SERIES, body: Body::EachSeries(change) }
}

pub(super) fn run(
    change: fn(&[Point]) -> Vec<Point>,
    call: &Call<'_>,
    arguments: &[Value],
) -> Result<Value, Problem> {
    let changed = |series: &Series| series.derived(series.period_secs(), change(series.points()));
    match arguments {
        [Value::Series(series)] => Ok(Value::Series(changed(series))),
        [Value::Array(array)] => Ok(Value::Array(array.iter().map(changed).collect())),
        other => Err(call.misfit(other)),
    }
}

fn map(points: &[Point], change: impl Fn(f64) -> f64) -> Vec<Point> {
    points.iter().map(|point| Point { value: change(point.value), ..*point }).collect()
}

/// What lies between each point and the one that exists before it: a difference of values, and of seconds.
/// The first point has none before it, and is left out.
fn steps(points: &[Point], make: impl Fn(f64, f64) -> f64) -> Vec<Point> {
    points
        .windows(2)
        .map(|pair| {
            let secs = pair[1].timestamp_secs.abs_diff(pair[0].timestamp_secs) as f64;
            Point { value: make(pair[1].value - pair[0].value, secs), ..pair[1] }
        })
        .collect()
}

fn running_sum(points: &[Point]) -> Vec<Point> {
    points
        .iter()
        .scan(0.0, |sum, point| {
            *sum += point.value;
            Some(Point { value: *sum, ..*point })
        })
        .collect()
}
