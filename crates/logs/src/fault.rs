//! AWS's words for what can go wrong. Marked `[R]` where the text is recorded from AWS; the others are ours.

mod forwarding;
mod processing;
mod vended;

use groundwatch_api::Fault;
use groundwatch_api::logs::errors;
use groundwatch_core::{TagError, Tags};
use groundwatch_storage::StorageError;

use crate::error::{Combination, LogsError};
use crate::identifier::IdentifierError;
use crate::ingestion::{BATCH_BYTES_MAX, BatchError};
use crate::live_tail::SESSIONS_MAX;
use crate::metric_filter::{DIMENSIONS_MAX, FilterError};
use crate::store::StoreError;

impl From<LogsError> for Fault {
    fn from(error: LogsError) -> Self {
        let invalid = |message: String| errors::INVALID_PARAMETER_EXCEPTION.with(message);
        match error {
            // [R], without a full stop, unlike the two that are missing.
            LogsError::GroupExists => {
                errors::RESOURCE_ALREADY_EXISTS_EXCEPTION.with("The specified log group already exists")
            }
            LogsError::StreamExists => {
                errors::RESOURCE_ALREADY_EXISTS_EXCEPTION.with("The specified log stream already exists")
            }
            // [R]
            LogsError::GroupMissing => {
                errors::RESOURCE_NOT_FOUND_EXCEPTION.with("The specified log group does not exist.")
            }
            LogsError::StreamMissing => {
                errors::RESOURCE_NOT_FOUND_EXCEPTION.with("The specified log stream does not exist.")
            }
            LogsError::GroupProtected => errors::VALIDATION_EXCEPTION.with(
                "The specified log group is protected from deletion. Turn off its deletion protection first.",
            ),
            LogsError::GroupNameReserved => {
                invalid("Log groups starting with aws/ are reserved for AWS.".into())
            }
            LogsError::ClassRefuses { operation } => errors::INVALID_OPERATION_EXCEPTION
                .with(format!("{operation} is not supported for log groups of this log group class.")),
            LogsError::Identifier(error) => identifier(&error),
            LogsError::Batch(error) => invalid(batch(&error)),
            LogsError::Pattern(error) => invalid(format!("Invalid filter pattern: {error}")),
            // [R]
            LogsError::InvalidToken => invalid("The specified nextToken is invalid.".into()),
            LogsError::Combination(error) => invalid(combination(error).into()),
            LogsError::Retention { days } => invalid(format!(
                "Invalid retention value {days}. Events are kept for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, \
                 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
            )),
            LogsError::Tags(TagError::TooMany) => errors::TOO_MANY_TAGS_EXCEPTION
                .with(format!("A resource can have no more than {} tags.", Tags::COUNT_MAX)),
            LogsError::Tags(TagError::Reserved { key }) => {
                invalid(format!("The tag key '{key}' begins with aws:, which is reserved."))
            }
            LogsError::NotTaggable { .. } => {
                errors::RESOURCE_NOT_FOUND_EXCEPTION.with("The specified resource does not exist.")
            }
            LogsError::NamePattern { pattern } => invalid(format!(
                "The log group name pattern '{pattern}' is not valid: it has one to five texts of 3 to 24 characters, \
                 each with ^ in front or not, separated by |."
            )),
            LogsError::Unsupported { what } => invalid(format!("{what} is not supported.")),
            LogsError::Filter(error) => filter(error),
            LogsError::QueryDefinition(error) => processing::query_definition(error),
            LogsError::IndexPolicy(error) => processing::index_policy(error),
            LogsError::Anomaly(error) => processing::anomaly(error),
            LogsError::Protection(error) => processing::protection(error),
            LogsError::Transformer(error) => processing::transformer(error),
            LogsError::LookupTable(error) => processing::lookup_table(error),
            LogsError::Policy(error) => forwarding::policy(error),
            LogsError::Forwarding(error) => forwarding::forwarding(error),
            LogsError::TooManyRegexes => errors::LIMIT_EXCEEDED_EXCEPTION.with("Resource limit exceeded."),
            LogsError::TooManySessions => errors::LIMIT_EXCEEDED_EXCEPTION
                .with(format!("At most {SESSIONS_MAX} live tail sessions can be open at a time.")),
            LogsError::SessionTimedOut => errors::SESSION_TIMEOUT_EXCEPTION
                .with("The session has been open for three hours, the longest that is allowed."),
            LogsError::Export(error) => forwarding::export(error),
            LogsError::Vended(error) => vended::vended(error),
            LogsError::Store(error) => store(&error),
        }
    }
}

fn identifier(error: &IdentifierError) -> Fault {
    match error {
        // [R] for DescribeLogStreams: this one check answers another error than its neighbours.
        IdentifierError::Both => errors::VALIDATION_EXCEPTION
            .with("LogGroup name and LogGroup ARN are mutually exclusive parameters."),
        IdentifierError::Neither => errors::INVALID_PARAMETER_EXCEPTION
            .with("Either logGroupName or logGroupIdentifier must be specified."),
        IdentifierError::NotAGroup { identifier } => errors::INVALID_PARAMETER_EXCEPTION
            .with(format!("The log group identifier '{identifier}' is not valid.")),
        // Nothing of another account or region can be seen from here.
        IdentifierError::Elsewhere { .. } => LogsError::GroupMissing.into(),
    }
}

fn filter(error: FilterError) -> Fault {
    let invalid = |message: String| errors::INVALID_PARAMETER_EXCEPTION.with(message);
    match error {
        FilterError::Missing => {
            errors::RESOURCE_NOT_FOUND_EXCEPTION.with("The specified metric filter does not exist.")
        }
        // [R]
        FilterError::TooMany => errors::LIMIT_EXCEEDED_EXCEPTION.with("Resource limit exceeded."),
        FilterError::DefaultAndDimensions => invalid(
            "Invalid metric transformation: dimensions and default value are mutually exclusive properties."
                .into(),
        ),
        FilterError::TooManyDimensions => invalid(format!(
            "Invalid metric transformation: at most {DIMENSIONS_MAX} dimensions are allowed."
        )),
        FilterError::Reference { reference } => invalid(format!(
            "Invalid metric transformation: '{reference}' is neither a number nor a field of the filter pattern."
        )),
        FilterError::Selection { expected, at } => {
            invalid(format!("Invalid fieldSelectionCriteria: expected {expected} at position {at}."))
        }
        FilterError::SystemField { field } => invalid(format!("'{field}' is not a system field.")),
        FilterError::NameWithoutNamespace => {
            invalid("metricName and metricNamespace must be specified together.".into())
        }
    }
}

fn batch(error: &BatchError) -> String {
    match error {
        BatchError::TooLarge { size_bytes } => {
            format!("Upload too large: {size_bytes} bytes exceeds limit of {BATCH_BYTES_MAX}")
        }
        // [R]
        BatchError::NotChronological => {
            "Log events in a single PutLogEvents request must be in chronological order.".into()
        }
        BatchError::SpanTooLong => {
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.".into()
        }
    }
}

fn combination(error: Combination) -> &'static str {
    match error {
        // [R]
        Combination::PrefixAndPattern => {
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
        }
        Combination::IdentifiersAndName => {
            "logGroupIdentifiers and logGroupNamePrefix or logGroupNamePattern are mutually exclusive parameters."
        }
        Combination::PrefixAndLastEventTime => "Cannot order by LastEventTime with a logStreamNamePrefix.",
        Combination::StreamNamesAndPrefix => {
            "logStreamNames and logStreamNamePrefix are mutually exclusive parameters."
        }
        Combination::StreamNamesAndPrefixes => {
            "Only one of logStreamNames or logStreamNamePrefixes can be provided."
        }
        Combination::StreamsOfSeveralGroups => {
            "logStreamNames and logStreamNamePrefixes can only be used with a single log group."
        }
        Combination::TailNeedsStart => {
            "startFromHead can be false only with a startTime of 2024-01-01T00:00:00Z or later."
        }
    }
}

fn store(error: &StoreError) -> Fault {
    match error {
        StoreError::Overloaded | StoreError::Storage(StorageError::Overloaded) => {
            errors::THROTTLING_EXCEPTION.with("Rate exceeded")
        }
        StoreError::FlushFails
        | StoreError::Storage(
            StorageError::Full { .. } | StorageError::Io { .. } | StorageError::Closed { .. },
        ) => {
            tracing::warn!(%error, "log events cannot be stored");
            errors::SERVICE_UNAVAILABLE_EXCEPTION.with("The service cannot complete the request.")
        }
        StoreError::Storage(_) | StoreError::Record { .. } | StoreError::Internal { .. } => {
            tracing::error!(error = error as &dyn std::error::Error, "the store of log events failed");
            errors::INTERNAL_SERVER_EXCEPTION.with("The service failed; its log says why.")
        }
    }
}
