//! METRICS and TIME_SERIES: series that no argument holds.

use super::{Body, Call, Function, Parameter, Signature};
use crate::error::Problem;
use crate::series::{Point, Series};
use crate::value::{Type, Value};
use crate::work::bounded;

/// The name of the function that stands for all metrics of the request.
pub(crate) const METRICS: &str = "METRICS";

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: METRICS,
        signatures: &[Signature { required: &[], optional: &[Parameter::Text], result: Type::Array }],
        body: Body::General(metrics),
    },
    Function {
        name: "TIME_SERIES",
        signatures: &[Signature { required: &[Parameter::Scalar], optional: &[], result: Type::Series }],
        body: Body::General(time_series),
    },
];

/// All entries that are metrics, or those whose id contains the text.
fn metrics(call: &Call<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let part = match arguments {
        [] => "",
        [Value::Text(part)] => part,
        other => return Err(call.misfit(other)),
    };
    let mut array = Vec::new();
    for id in call.environment.metric_ids().into_iter().filter(|id| id.contains(part)) {
        match call.environment.value(id) {
            Some(Value::Series(series)) => array.push(series),
            _ => return Err(Problem::Undefined(id.to_owned())),
        }
    }
    bounded(array).map(Value::Array)
}

/// The same number at each period of the range.
fn time_series(call: &Call<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    match arguments {
        [Value::Scalar(number)] => {
            let period_secs = (call.own_period_secs)(call.function)?;
            let grid = call.environment.range().grid(period_secs)?;
            let points: Vec<Point> = grid.map(|at| Point { timestamp_secs: at, value: *number }).collect();
            call.work.charge(points.len())?;
            Ok(Value::Series(Series::computed(period_secs, points)))
        }
        other => Err(call.misfit(other)),
    }
}
