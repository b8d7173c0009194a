//! AWS's words for what goes wrong. AWS documents the error codes only: the texts are ours.

use groundwatch_api::cloudwatch::errors;
use groundwatch_api::{Fault, common};
use groundwatch_core::{TagError, Tags};
use groundwatch_storage::StorageError;

use crate::StreamError;

impl From<StreamError> for Fault {
    fn from(error: StreamError) -> Self {
        let invalid = |text: String| errors::INVALID_PARAMETER_VALUE_EXCEPTION.with(text);
        match error {
            StreamError::Parameter { parameter, rule } => invalid(format!("The parameter {parameter} {rule}.")),
            StreamError::BothFilters => errors::INVALID_PARAMETER_COMBINATION_EXCEPTION
                .with("The parameters IncludeFilters and ExcludeFilters are mutually exclusive and you have specified both."),
            StreamError::NotFound { name } => {
                errors::RESOURCE_NOT_FOUND_EXCEPTION.with(format!("Metric stream {name} does not exist."))
            }
            StreamError::NextToken => errors::INVALID_NEXT_TOKEN.with("Request parameter NextToken is invalid"),
            StreamError::Tags(TagError::TooMany) => {
                invalid(format!("A resource can have at most {} tags.", Tags::COUNT_MAX))
            }
            StreamError::Tags(error) => invalid(format!("The tags are not valid: {error}.")),
            StreamError::Storage(StorageError::Conflict { .. }) => errors::CONCURRENT_MODIFICATION_EXCEPTION
                .with("More than one process tried to modify the metric stream at the same time."),
            StreamError::Storage(error) => {
                tracing::error!(%error, "metric streams cannot be stored or read");
                common::SERVICE_UNAVAILABLE.with("The service cannot store data at the moment.")
            }
        }
    }
}
