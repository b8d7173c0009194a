//! AWS's words for what goes wrong: the one place where SQS's error texts are written, except those that name
//! a value's rule.

use groundwatch_api::sqs::{BatchResultErrorEntry, errors};
use groundwatch_api::{ErrorShape, Fault, common};
use groundwatch_storage::StorageError;

use crate::message::MESSAGE_BYTES_MAX;
use crate::{Invalid, SqsError};

/// Errors that SQS answers and its model does not have.
static INVALID_PARAMETER_VALUE: ErrorShape =
    ErrorShape { shape: "InvalidParameterValueException", code: "InvalidParameterValue", status: 400 };
static ACCESS_DENIED: ErrorShape =
    ErrorShape { shape: "AccessDeniedException", code: "AccessDenied", status: 403 };

impl From<SqsError> for Fault {
    fn from(error: SqsError) -> Self {
        match error {
            SqsError::QueueNotFound => errors::QUEUE_DOES_NOT_EXIST.with("The specified queue does not exist."),
            SqsError::OtherAccount { url } => {
                ACCESS_DENIED.with(format!("Access to the resource {url} is denied."))
            }
            SqsError::QueueExists { attribute } => errors::QUEUE_NAME_EXISTS.with(format!(
                "A queue already exists with the same name and a different value for attribute {attribute}"
            )),
            SqsError::PurgeInProgress { name } => errors::PURGE_QUEUE_IN_PROGRESS
                .with(format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds.")),
            SqsError::Invalid(invalid) => invalid.into(),
            SqsError::Unsupported { what } => errors::UNSUPPORTED_OPERATION.with(what),
            SqsError::ReceiptHandle { handle } => {
                let handle: String = handle.chars().take(512).collect();
                errors::RECEIPT_HANDLE_IS_INVALID
                    .with(format!("The input receipt handle \"{handle}\" is not a valid receipt handle."))
            }
            SqsError::NotInFlight => errors::MESSAGE_NOT_INFLIGHT.with("The message referred to isn't in flight."),
            SqsError::TooManyInFlight => {
                errors::OVER_LIMIT.with("Too many messages are in flight: delete some, or let their timeouts end.")
            }
            SqsError::TooManyActions { count } => {
                errors::OVER_LIMIT.with(format!("{count} Actions were found, maximum allowed is 7."))
            }
            // recorded
            SqsError::MoveTaskNotFound => errors::RESOURCE_NOT_FOUND_EXCEPTION.with("Task does not exist."),
            SqsError::ResourceNotFound { parameter } => errors::RESOURCE_NOT_FOUND_EXCEPTION
                .with(format!("The resource that you specified for the {parameter} parameter doesn't exist.")),
            SqsError::OutOfMemory => errors::REQUEST_THROTTLED.with(
                "The messages of all queues take all the memory that they may: receive and delete some, or give the \
                 server more.",
            ),
            SqsError::Storage(error) => storage_fault(&error),
        }
    }
}

impl From<Invalid> for Fault {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::Missing { parameter } => {
                common::MISSING_PARAMETER.with(format!("The request must contain the parameter {parameter}."))
            }
            Invalid::QueueName => INVALID_PARAMETER_VALUE
                .with("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"),
            Invalid::FifoQueueName => INVALID_PARAMETER_VALUE.with(
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end \
                 with .fifo suffix and be 1 to 80 in length.",
            ),
            Invalid::QueueUrl { url } => {
                let url: String = url.chars().take(512).collect();
                errors::INVALID_ADDRESS.with(format!("The address {url} is not valid for this endpoint."))
            }
            Invalid::Value { parameter, value, reason } => INVALID_PARAMETER_VALUE
                .with(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}")),
            Invalid::Parameter { text } => INVALID_PARAMETER_VALUE.with(text),
            // recorded
            Invalid::TwoEncryptions => errors::INVALID_ATTRIBUTE_NAME.with(
                "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
            ),
            Invalid::AttributeName { name } => {
                let name: String = name.chars().take(128).collect();
                errors::INVALID_ATTRIBUTE_NAME.with(format!("Unknown Attribute {name}."))
            }
            // recorded
            Invalid::FifoAttributeName { name } => errors::INVALID_ATTRIBUTE_NAME
                .with(format!("You can specify the {name} only when FifoQueue is set to true.")),
            Invalid::AttributeValue { name, reason: None } => {
                errors::INVALID_ATTRIBUTE_VALUE.with(format!("Invalid value for the parameter {name}."))
            }
            Invalid::AttributeValue { name, reason: Some(reason) } => errors::INVALID_ATTRIBUTE_VALUE
                .with(format!("Invalid value for the parameter {name}. Reason: {reason}")),
            Invalid::MessageContents => errors::INVALID_MESSAGE_CONTENTS.with(
                "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to \
                 #xFFFD | #x10000 to #x10FFFF",
            ),
            Invalid::EmptyBatch { entry } => errors::EMPTY_BATCH_REQUEST
                .with(format!("There should be at least one {entry} in the request.")),
            Invalid::TooManyEntries { count } => errors::TOO_MANY_ENTRIES_IN_BATCH_REQUEST
                .with(format!("Maximum number of entries per request are 10. You have sent {count}.")),
            Invalid::IdNotDistinct { id } => {
                errors::BATCH_ENTRY_IDS_NOT_DISTINCT.with(format!("Id {id} repeated."))
            }
            Invalid::EntryId => errors::INVALID_BATCH_ENTRY_ID.with(
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most \
                 80 letters long.",
            ),
            Invalid::BatchTooLong { bytes } => errors::BATCH_REQUEST_TOO_LONG.with(format!(
                "Batch requests cannot be longer than {MESSAGE_BYTES_MAX} bytes. You have sent {bytes} bytes."
            )),
        }
    }
}

/// How a batch tells that one of its entries failed.
pub(crate) fn failed_entry(id: String, error: SqsError) -> BatchResultErrorEntry {
    let fault = Fault::from(error);
    BatchResultErrorEntry {
        id: Some(id),
        sender_fault: Some(fault.shape.status < 500),
        code: Some(fault.shape.code.to_owned()),
        message: fault.message,
    }
}

fn storage_fault(error: &StorageError) -> Fault {
    match error {
        StorageError::Overloaded => errors::REQUEST_THROTTLED.with("Rate exceeded"),
        StorageError::Conflict { .. } => errors::REQUEST_THROTTLED
            .with("The queue was changed at the same time by another request; try again"),
        StorageError::Full { .. } | StorageError::Io { .. } | StorageError::Closed { .. } => {
            tracing::error!(%error, "SQS cannot write");
            common::SERVICE_UNAVAILABLE.with("The service cannot store the request now; retry later")
        }
        _ => {
            tracing::error!(%error, "SQS storage failed");
            common::INTERNAL_FAILURE.with("The request processing has failed because of an internal failure")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_read_as_aws_words_them() {
        let check = |error: SqsError, code: &str, message: &str| {
            let fault = Fault::from(error);
            assert_eq!((fault.shape.code, fault.message.as_deref()), (code, Some(message)));
        };
        check(
            SqsError::QueueNotFound,
            "AWS.SimpleQueueService.NonExistentQueue",
            "The specified queue does not exist.",
        );
        check(
            Invalid::value("WaitTimeSeconds", 21, "Must be >= 0 and <= 20, if provided.").into(),
            "InvalidParameterValue",
            "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
        );
        check(
            Invalid::TooManyEntries { count: 11 }.into(),
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10. You have sent 11.",
        );
        check(
            SqsError::ReceiptHandle { handle: "x".to_owned() },
            "ReceiptHandleIsInvalid",
            "The input receipt handle \"x\" is not a valid receipt handle.",
        );
    }
}
