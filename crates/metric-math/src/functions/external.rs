//! SEARCH, ANOMALY_DETECTION_BAND, INSIGHT_RULE_METRIC: data that the caller reads before evaluation. And
//! those that are AWS's own and refused: SERVICE_QUOTA, DB_PERF_INSIGHTS, LAMBDA.

use std::num::NonZeroU32;

use super::{Body, Call, Function, Parameter, Signature};
use crate::ast::{Expr, Node};
use crate::environment::ExternalRequest;
use crate::error::Problem;
use crate::series::Series;
use crate::value::{Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "SEARCH",
        signatures: &[Signature {
            required: &[Parameter::Text, Parameter::Text],
            optional: &[Parameter::Literal],
            result: Type::Array,
        }],
        body: Body::External { request: search, take: |_, found, _| Value::Array(found) },
    },
    Function {
        name: "ANOMALY_DETECTION_BAND",
        signatures: &[Signature {
            required: &[Parameter::Series],
            optional: &[Parameter::Literal],
            result: Type::Array,
        }],
        body: Body::External { request: anomaly_detection_band, take: band },
    },
    Function {
        name: "INSIGHT_RULE_METRIC",
        signatures: &[Signature {
            required: &[Parameter::Text, Parameter::Text],
            optional: &[],
            result: Type::Series,
        }],
        body: Body::External { request: insight_rule_metric, take: only },
    },
    refused("SERVICE_QUOTA"),
    refused("DB_PERF_INSIGHTS"),
    refused("LAMBDA"),
];

/// What AWS takes if the width of a band is not given.
const DEVIATIONS_DEFAULT: f64 = 2.0;

/// The metrics that an insight rule has.
const RULE_METRICS: &[&str] =
    &["UniqueContributors", "MaxContributorValue", "SampleCount", "Sum", "Minimum", "Maximum", "Average"];

const fn refused(name: &'static str) -> Function {
    Function { name, signatures: &[], body: Body::Refused }
}

fn search(arguments: &[Expr]) -> Result<ExternalRequest, Problem> {
    let period_secs = arguments.get(2).map(number).map(period).transpose()?;
    Ok(ExternalRequest::Search { query: text(arguments, 0), stat: text(arguments, 1), period_secs })
}

fn anomaly_detection_band(arguments: &[Expr]) -> Result<ExternalRequest, Problem> {
    let deviations = arguments.get(1).map_or(DEVIATIONS_DEFAULT, number);
    match arguments.first() {
        Some(of) if deviations > 0.0 => {
            Ok(ExternalRequest::AnomalyDetectionBand { of: of.clone(), deviations })
        }
        _ => Err(Problem::Argument("the standard deviations of a band must be more than 0".to_owned())),
    }
}

fn insight_rule_metric(arguments: &[Expr]) -> Result<ExternalRequest, Problem> {
    let (rule, metric) = (text(arguments, 0), text(arguments, 1));
    if RULE_METRICS.contains(&metric.as_str()) {
        Ok(ExternalRequest::InsightRuleMetric { rule, metric })
    } else {
        let known = RULE_METRICS.join(", ");
        Err(Problem::Argument(format!("an insight rule has no metric '{metric}': use one of {known}")))
    }
}

/// Both bounds are called after what they are expected of.
fn band(_: &Call<'_>, bounds: Vec<Series>, arguments: &[Value]) -> Value {
    let label = match arguments.first() {
        Some(Value::Series(of)) => of.label(),
        _ => "",
    };
    let expected = format!("{label} (expected)");
    Value::Array(bounds.into_iter().map(|bound| bound.with_label(expected.trim_start())).collect())
}

/// The one series that was asked for; an empty one if there is none.
fn only(call: &Call<'_>, found: Vec<Series>, _: &[Value]) -> Value {
    Value::Series(found.into_iter().next().unwrap_or_else(|| call.empty_series()))
}

/// 1, 5, 10, 20, 30 or a multiple of 60.
fn period(secs: f64) -> Result<NonZeroU32, Problem> {
    let whole = secs as u32;
    let is_valid =
        f64::from(whole) == secs && (matches!(whole, 1 | 5 | 10 | 20 | 30) || whole.is_multiple_of(60));
    NonZeroU32::new(whole).filter(|_| is_valid).ok_or_else(|| {
        Problem::Argument(format!("period {secs} is not valid: use 1, 5, 10, 20, 30 or a multiple of 60"))
    })
}

fn text(arguments: &[Expr], index: usize) -> String {
    match arguments.get(index).map(|argument| &argument.node) {
        Some(Node::Text { value, .. }) => value.clone(),
        _ => String::new(),
    }
}

fn number(argument: &Expr) -> f64 {
    match argument.node {
        Node::Number(number) => number,
        _ => f64::NAN,
    }
}
