//! METRIC_COUNT and PERIOD: numbers about series rather than about their values.

use super::{Body, Call, Function, Parameter, Signature};
use crate::error::Problem;
use crate::value::{Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "METRIC_COUNT",
        signatures: &[Signature { required: &[Parameter::Array], optional: &[], result: Type::Scalar }],
        body: Body::General(metric_count),
    },
    Function {
        name: "PERIOD",
        // AWS: not for the results of expressions.
        signatures: &[Signature { required: &[Parameter::Metric], optional: &[], result: Type::Scalar }],
        body: Body::General(period),
    },
];

fn metric_count(call: &Call<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    match arguments {
        [Value::Array(array)] => Ok(Value::scalar(array.len() as f64)),
        other => Err(call.misfit(other)),
    }
}

fn period(call: &Call<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    match arguments {
        [Value::Series(series)] => Ok(Value::scalar(f64::from(series.period_secs().get()))),
        other => Err(call.misfit(other)),
    }
}
