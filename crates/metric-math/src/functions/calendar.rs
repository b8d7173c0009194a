//! MINUTE HOUR DAY DATE MONTH YEAR EPOCH: what a clock and a calendar say, in UTC, at each period of the range.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::{Body, Call, Function, Parameter, Signature};
use crate::error::Problem;
use crate::series::Point;
use crate::value::{Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    calendar("MINUTE", |secs| civil(secs).map(|at| f64::from(at.minute()))),
    calendar("HOUR", |secs| civil(secs).map(|at| f64::from(at.hour()))),
    // Monday is 1, Sunday is 7.
    calendar("DAY", |secs| civil(secs).map(|at| f64::from(at.weekday().to_monday_one_offset()))),
    calendar("DATE", |secs| civil(secs).map(|at| f64::from(at.day()))),
    calendar("MONTH", |secs| civil(secs).map(|at| f64::from(at.month()))),
    calendar("YEAR", |secs| civil(secs).map(|at| f64::from(at.year()))),
    calendar("EPOCH", |secs| Some(secs as f64)),
];

const fn calendar(name: &'static str, number: fn(i64) -> Option<f64>) -> Function {
    Function {
        name,
        signatures: &[Signature { required: &[Parameter::Series], optional: &[], result: Type::Series }],
        body: Body::Calendar(number),
    }
}

/// Takes the period of the series, and nothing else of it: there is a point whether the series has one or not.
pub(super) fn run(
    number: fn(i64) -> Option<f64>,
    call: &Call<'_>,
    mut arguments: Vec<Value>,
) -> Result<Value, Problem> {
    match arguments.pop() {
        Some(Value::Series(series)) => {
            let grid = call.environment.range().grid(series.period_secs())?;
            let points: Vec<Point> =
                grid.filter_map(|at| Some(Point { timestamp_secs: at, value: number(at)? })).collect();
            call.work.charge(points.len())?;
            Ok(Value::Series(series.derived(series.period_secs(), points)))
        }
        other => Err(call.misfit(other.as_slice())),
    }
}

/// `None` beyond the years −9999 to 9999.
fn civil(secs: i64) -> Option<DateTime> {
    Timestamp::from_second(secs).ok().map(|at| Offset::UTC.to_datetime(at))
}
