//! AWS's wording for what is wrong with a request, and for what went wrong here.
//!
//! Texts marked *recorded* are AWS's own, from recordings; the others follow their pattern.

use std::fmt::Display;

use groundwatch_api::cloudwatch::errors;
use groundwatch_api::{Fault, common};
use groundwatch_storage::StorageError;

use crate::MetricError;
use crate::evaluation::EvaluationError;

/// Recorded.
pub(crate) fn mutually_exclusive(first: impl Display, second: impl Display) -> Fault {
    errors::INVALID_PARAMETER_COMBINATION_EXCEPTION.with(format!(
        "The parameters {first} and {second} are mutually exclusive and you have specified both."
    ))
}

/// Recorded.
pub(crate) fn sizes_differ(first: impl Display, second: impl Display) -> Fault {
    invalid_value(format!("The parameters {first} and {second} must be of the same size."))
}

/// Recorded for NaN.
pub(crate) fn number_invalid(number: f64, parameter: impl Display) -> Fault {
    let shown = match number {
        number if number.is_nan() => "NaN".to_owned(),
        number if number.is_infinite() => if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        number if number.abs() >= 1e7 => format!("{number:E}"),
        number => number.to_string(),
    };
    value_invalid(shown, parameter)
}

pub(crate) fn value_invalid(value: impl Display, parameter: impl Display) -> Fault {
    invalid_value(format!("The value {value} for parameter {parameter} is invalid."))
}

/// `what` tells which values are valid, as in "must be 1 or 60".
pub(crate) fn parameter_must(parameter: impl Display, what: &str) -> Fault {
    invalid_value(format!("The parameter {parameter} {what}."))
}

pub(crate) fn too_many(collection: impl Display, size_max: usize) -> Fault {
    invalid_value(format!("The collection {collection} must not have a size greater than {size_max}."))
}

pub(crate) fn missing(parameter: impl Display) -> Fault {
    errors::MISSING_REQUIRED_PARAMETER_EXCEPTION.with(format!("The parameter {parameter} is required."))
}

pub(crate) fn nothing_to_put(datum: impl Display) -> Fault {
    errors::MISSING_REQUIRED_PARAMETER_EXCEPTION.with(format!(
        "At least one of the parameters {datum}.Value, {datum}.Values and {datum}.StatisticValues must be specified."
    ))
}

/// Recorded.
pub(crate) fn statistics_or_extended() -> Fault {
    errors::INVALID_PARAMETER_COMBINATION_EXCEPTION
        .with("Must specify either Statistics or ExtendedStatistics")
}

/// Recorded.
pub(crate) fn start_not_before_end() -> Fault {
    invalid_value("The parameter StartTime must be less than the parameter EndTime.")
}

/// Recorded.
pub(crate) fn too_many_datapoints(requested: i64, datapoints_max: i64) -> Fault {
    errors::INVALID_PARAMETER_COMBINATION_EXCEPTION.with(format!(
        "You have requested up to {requested} datapoints, which exceeds the limit of {datapoints_max}. \
         You may reduce the datapoints requested by increasing Period, or decreasing the time range."
    ))
}

/// Recorded for ListMetrics.
pub(crate) fn token_invalid() -> Fault {
    invalid_value("Request parameter NextToken is invalid")
}

/// GetMetricData names all that is wrong with its queries at once, a line each (recorded, with the final
/// newline).
pub(crate) fn queries_invalid(complaints: &[String]) -> Fault {
    let mut message = complaints.join("\n");
    message.push('\n');
    errors::VALIDATION_EXCEPTION.with(message)
}

/// A rule of GetMetricData that spans queries.
pub(crate) fn validation(message: impl Into<String>) -> Fault {
    errors::VALIDATION_EXCEPTION.with(message)
}

/// Queries that cannot be evaluated.
pub(crate) fn of_evaluation(error: &EvaluationError) -> Fault {
    if error.is_refusal() {
        validation(error.to_string())
    } else {
        common::SERVICE_UNAVAILABLE.with("metrics cannot be read at the moment")
    }
}

/// GetMetricData has an error of its own for tokens.
pub(crate) fn query_token_invalid() -> Fault {
    errors::INVALID_NEXT_TOKEN.with("Request parameter NextToken is invalid")
}

/// Words of ours, after AWS's description of the error.
pub(crate) fn no_detector() -> Fault {
    errors::RESOURCE_NOT_FOUND_EXCEPTION.with("The anomaly detector does not exist.")
}

/// Words of ours.
pub(crate) fn too_many_detectors(detectors_max: usize) -> Fault {
    errors::LIMIT_EXCEEDED_EXCEPTION.with(format!("There can be at most {detectors_max} anomaly detectors."))
}

pub(crate) fn id_and_target() -> Fault {
    mutually_exclusive("AnomalyDetectorId", "those that name a metric or an expression")
}

/// Words of ours.
pub(crate) fn one_returned_query() -> Fault {
    invalid_value(
        "Exactly one element of MetricMathAnomalyDetector.MetricDataQueries must have ReturnData true.",
    )
}

/// AWS's words, as users reported them.
pub(crate) fn dimension_name_twice() -> Fault {
    invalid_value("No metric may specify the same dimension name twice.")
}

/// What the store could not do. Details go to the log; the client learns whether to try again.
pub(crate) fn of_store(error: &MetricError) -> Fault {
    match error {
        MetricError::Overloaded | MetricError::Storage(StorageError::Overloaded) => {
            tracing::warn!(%error, "metric data refused");
            common::THROTTLING.with("Rate exceeded")
        }
        MetricError::TooManySeries { .. } => {
            tracing::warn!(%error, "metric data refused");
            errors::LIMIT_EXCEEDED_FAULT.with(error.to_string())
        }
        MetricError::Storage(StorageError::Corrupt { .. }) | MetricError::Damaged { .. } => {
            tracing::error!(error = error as &dyn std::error::Error, "stored metrics are damaged");
            errors::INTERNAL_SERVICE_FAULT.with("stored metric data is damaged")
        }
        MetricError::Storage(_) => {
            tracing::error!(error = error as &dyn std::error::Error, "metrics cannot be stored or read");
            common::SERVICE_UNAVAILABLE.with("metrics cannot be stored or read at the moment")
        }
    }
}

fn invalid_value(message: impl Into<String>) -> Fault {
    errors::INVALID_PARAMETER_VALUE_EXCEPTION.with(message)
}
