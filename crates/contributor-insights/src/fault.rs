//! AWS's words for what goes wrong. AWS documents the error codes only: the texts are ours.

use groundwatch_api::cloudwatch::{PartialFailure, errors};
use groundwatch_api::{Fault, common};
use groundwatch_core::{TagError, Tags};

use crate::InsightError;

impl From<InsightError> for Fault {
    fn from(error: InsightError) -> Self {
        let invalid = |text: String| errors::INVALID_PARAMETER_VALUE_EXCEPTION.with(text);
        match error {
            InsightError::Definition(problem) => {
                invalid(format!("The rule definition is not valid: {problem}."))
            }
            InsightError::Parameter { parameter, rule } => {
                invalid(format!("The parameter {parameter} {rule}."))
            }
            InsightError::NotFound { name } => {
                errors::RESOURCE_NOT_FOUND_EXCEPTION.with(format!("The insight rule {name} does not exist."))
            }
            InsightError::TooManyRules(limit) => errors::LIMIT_EXCEEDED_EXCEPTION
                .with(format!("There can be at most {limit} Contributor Insights rules.")),
            InsightError::TooMuch { what, limit } => invalid(format!(
                "The report covers more than {limit} {what}: choose a shorter range, or a rule that matches less."
            )),
            InsightError::NextToken => {
                errors::INVALID_NEXT_TOKEN.with("Request parameter NextToken is invalid")
            }
            InsightError::Tags(TagError::TooMany) => {
                invalid(format!("A resource can have at most {} tags.", Tags::COUNT_MAX))
            }
            InsightError::Tags(error) => invalid(format!("The tags are not valid: {error}.")),
            InsightError::Logs(error) => {
                tracing::warn!(%error, "a report cannot be made");
                common::SERVICE_UNAVAILABLE.with("log events cannot be read at the moment")
            }
            InsightError::Storage(error) => {
                tracing::error!(%error, "insight rules cannot be stored or read");
                common::SERVICE_UNAVAILABLE.with("The service cannot store data at the moment.")
            }
        }
    }
}

/// One of several rules that an operation could not find.
pub(crate) fn not_found(name: String) -> PartialFailure {
    PartialFailure {
        failure_description: Some(format!("The insight rule {name} does not exist.")),
        failure_resource: Some(name),
        exception_type: Some("ResourceNotFoundException".to_owned()),
        failure_code: Some("404".to_owned()),
    }
}
