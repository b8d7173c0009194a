//! AWS's words for what goes wrong: the one place where SNS's error texts are written.

use groundwatch_api::sns::errors;
use groundwatch_api::{Fault, common};
use groundwatch_core::{ArnError, TagError};
use groundwatch_storage::StorageError;

use crate::attributes::{Dot, NAME_LENGTH_MAX};
use crate::{FilterPolicyError, Invalid, InvalidAttribute, InvalidBatch, NotifyError};

impl From<NotifyError> for Fault {
    fn from(error: NotifyError) -> Self {
        match error {
            NotifyError::TopicNotFound => errors::NOT_FOUND_EXCEPTION.with("Topic does not exist"),
            NotifyError::SubscriptionNotFound => errors::NOT_FOUND_EXCEPTION.with("Subscription does not exist"),
            NotifyError::ResourceNotFound => errors::RESOURCE_NOT_FOUND_EXCEPTION.with("Resource does not exist"),
            NotifyError::Batch(invalid) => batch_fault(invalid),
            NotifyError::OtherAccount { action, account, arn } => errors::AUTHORIZATION_ERROR_EXCEPTION.with(format!(
                "User: arn:aws:iam::{account}:root is not authorized to perform: {action} on resource: {arn} because \
                 no resource-based policy allows the {action} action"
            )),
            NotifyError::SignatureRequired { action } => errors::AUTHORIZATION_ERROR_EXCEPTION
                .with(format!("User: anonymous is not authorized to perform: {action} without a signature")),
            // recorded: what is wrong with a message attribute has an error of its own.
            NotifyError::Invalid(Invalid::Attribute(invalid)) => {
                errors::INVALID_PARAMETER_VALUE_EXCEPTION.with(attribute_text(&invalid))
            }
            // recorded: without the beginning of the others.
            NotifyError::Invalid(Invalid::MalformedToken) => {
                errors::INVALID_PARAMETER_EXCEPTION.with("Invalid token")
            }
            NotifyError::Invalid(invalid) => invalid_parameter(&invalid_text(&invalid)),
            NotifyError::Unsupported { parameter, what } => {
                invalid_parameter(&format!("{parameter} Reason: {what} is not supported by Groundwatch"))
            }
            NotifyError::Tags(TagError::Reserved { .. }) => {
                invalid_parameter("Tag keys cannot start with the reserved prefix aws:.")
            }
            NotifyError::Tags(TagError::TooMany) => {
                errors::TAG_LIMIT_EXCEEDED_EXCEPTION.with("Could not complete request: tag quota of per resource exceeded")
            }
            NotifyError::Backlog => errors::THROTTLED_EXCEPTION.with("Rate exceeded"),
            NotifyError::Storage(error) => storage_fault(&error),
        }
    }
}

impl From<Invalid> for Fault {
    fn from(invalid: Invalid) -> Self {
        NotifyError::Invalid(invalid).into()
    }
}

fn invalid_parameter(text: &str) -> Fault {
    errors::INVALID_PARAMETER_EXCEPTION.with(format!("Invalid parameter: {text}"))
}

fn batch_fault(invalid: InvalidBatch) -> Fault {
    match invalid {
        InvalidBatch::Empty => {
            errors::EMPTY_BATCH_REQUEST_EXCEPTION.with("The batch request doesn't contain any entries.")
        }
        InvalidBatch::TooMany => errors::TOO_MANY_ENTRIES_IN_BATCH_REQUEST_EXCEPTION
            .with("The batch request contains more entries than permissible."),
        InvalidBatch::RepeatedId => errors::BATCH_ENTRY_IDS_NOT_DISTINCT_EXCEPTION
            .with("Two or more batch entries in the request have the same Id."),
        InvalidBatch::NoId => errors::INVALID_BATCH_ENTRY_ID_EXCEPTION
            .with("The Id of a batch entry in a batch request doesn't abide by the specification."),
        // The texts from here on are recorded.
        InvalidBatch::LongId { id } => {
            let id: String = id.chars().take(512).collect();
            errors::INVALID_BATCH_ENTRY_ID_EXCEPTION
                .with(format!("The Id of a batch entry in the batch request is too long: {id}"))
        }
        InvalidBatch::Id { id } => errors::INVALID_BATCH_ENTRY_ID_EXCEPTION.with(format!(
            "The Id of a batch entry in the batch request contains an impermissible character: {id}"
        )),
        InvalidBatch::TooLong => errors::BATCH_REQUEST_TOO_LONG_EXCEPTION
            .with("The length of all the messages put together is more than the limit."),
    }
}

/// What follows `Invalid parameter: `.
fn invalid_text(invalid: &Invalid) -> String {
    match invalid {
        Invalid::TopicName => "Topic Name".to_owned(),
        Invalid::OtherTopicAttributes => {
            "Attributes Reason: Topic already exists with different attributes".to_owned()
        }
        Invalid::OtherTopicTags => "Tags Reason: Topic already exists with different tags".to_owned(),
        Invalid::OtherSubscriptionAttributes => {
            "Attributes Reason: Subscription already exists with different attributes".to_owned()
        }
        Invalid::UnknownAttribute { name } => format!("Attributes Reason: Unknown attribute {name}"),
        Invalid::AttributeName => "AttributeName".to_owned(),
        Invalid::Policy => "Policy Error: null".to_owned(),
        Invalid::StatementExists => "Statement already exists".to_owned(),
        Invalid::ActionOutOfScope => "Policy statement action out of service scope!".to_owned(),
        Invalid::Permission { parameter } => (*parameter).to_owned(),
        // Said of the scope and not of the policy.
        Invalid::FilterPolicy { error: error @ FilterPolicyError::Nested, .. } => error.to_string(),
        Invalid::FilterPolicy { error, subscribing: true } => {
            format!("Attributes Reason: FilterPolicy: {error}")
        }
        Invalid::FilterPolicy { error, subscribing: false } => format!("FilterPolicy: {error}"),
        Invalid::RedrivePolicy => "RedrivePolicy: failed to parse JSON.".to_owned(),
        Invalid::RedriveFifo => {
            "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.".to_owned()
        }
        Invalid::RedriveTarget => "RedrivePolicy: deadLetterTargetArn is an invalid arn".to_owned(),
        Invalid::QueueEndpoint => "SQS endpoint ARN".to_owned(),
        Invalid::FunctionEndpoint => "Lambda endpoint ARN".to_owned(),
        Invalid::MailEndpoint => "Email address".to_owned(),
        // AWS repeats itself here.
        Invalid::FifoQueue => {
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard \
                               SNS topics"
                .to_owned()
        }
        Invalid::FifoTopicEndpoint => {
            "Invalid parameter: Endpoint Reason: Please use FIFO SQS queue".to_owned()
        }
        Invalid::NoGroupId => "The MessageGroupId parameter is required for FIFO topics".to_owned(),
        Invalid::NoDeduplicationId => "The topic should either have ContentBasedDeduplication enabled or \
                                       MessageDeduplicationId provided explicitly"
            .to_owned(),
        Invalid::FifoId { parameter } => format!(
            "{parameter} Reason: {parameter} can only include alphanumeric and punctuation characters. 1 to 128 in \
             length"
        ),
        Invalid::Attribute(invalid) => attribute_text(invalid),
        Invalid::DeliveryPolicy(error) => format!("DeliveryPolicy: {error}"),
        Invalid::AttributeValue { name, value, alone } => {
            let place = if *alone { "" } else { "Attributes Reason: " };
            let hint = match *name {
                "RawMessageDelivery" => ". Must be true or false.",
                "FilterPolicyScope" => ". Please use either MessageBody or MessageAttributes",
                _ => "",
            };
            format!("{place}{name}: Invalid value [{value}]{hint}")
        }
        Invalid::Arn { parameter, source: ArnError::TooShort { elements } } => {
            format!("{parameter} Reason: An ARN must have at least 6 elements, not {elements}")
        }
        Invalid::Arn { parameter, source: ArnError::Prefix } => {
            format!("{parameter} Reason: An ARN must begin with arn:")
        }
        // recorded: a topic of another region is refused without a reason.
        Invalid::OtherArn { parameter } => (*parameter).to_owned(),
        Invalid::NoTarget => "TopicArn or TargetArn Reason: no value for required parameter".to_owned(),
        Invalid::TwoTargets => "TopicArn or TargetArn Reason: only one of them can be given".to_owned(),
        Invalid::Protocol { protocol } => {
            format!("Amazon SNS does not support this protocol string: {protocol}")
        }
        Invalid::Endpoint => "Endpoint".to_owned(),
        Invalid::EndpointScheme => "Endpoint must match the specified protocol".to_owned(),
        Invalid::NoMobileEndpoint => {
            "TargetArn Reason: No endpoint found for the target arn specified".to_owned()
        }
        Invalid::SubscriptionId => "SubscriptionId".to_owned(),
        Invalid::RepeatedTag => "Duplicated keys are not allowed.".to_owned(),
        Invalid::Token | Invalid::MalformedToken => "Token".to_owned(),
        Invalid::NextToken => "NextToken".to_owned(),
        Invalid::EmptyMessage => "Empty message".to_owned(),
        Invalid::MessageTooLong => "Message too long".to_owned(),
        Invalid::Subject => "Subject".to_owned(),
        Invalid::MessageStructure => "MessageStructure".to_owned(),
        Invalid::StructuredMessage => "Message Structure - JSON message body failed to parse".to_owned(),
        Invalid::NoDefaultMessage => "Message Structure - No default entry in JSON message body".to_owned(),
        Invalid::FifoOnly { parameter } => format!(
            "{parameter} Reason: The request includes {parameter} parameter that is not valid for this topic type"
        ),
    }
}

fn attribute_text(invalid: &InvalidAttribute) -> String {
    match invalid {
        InvalidAttribute::NameLength => {
            format!("Length of message attribute name must be less than {NAME_LENGTH_MAX} bytes.")
        }
        InvalidAttribute::NameCharacter(c) => format!(
            "Invalid non-alphanumeric character '#x{:X}' was found in the message attribute name. Can only include \
             alphanumeric characters, hyphens, underscores, or dots.",
            u32::from(*c)
        ),
        InvalidAttribute::NameDot(Dot::Start) => {
            "Invalid message attribute name starting with character '.' was found.".to_owned()
        }
        InvalidAttribute::NameDot(Dot::End) => {
            "Invalid message attribute name ending with character '.' was found.".to_owned()
        }
        InvalidAttribute::NameDot(Dot::Successive) => {
            "Message attribute name can not have successive '.' character.".to_owned()
        }
        InvalidAttribute::Field { name, data_type, field } => {
            format!("The message attribute '{name}' with type '{data_type}' must use field '{field}'.")
        }
        InvalidAttribute::Type(name) => format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is \
             Binary, Number, and String."
        ),
        InvalidAttribute::NoValue { name, data_type } => format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message attribute type \
             '{data_type}'."
        ),
        InvalidAttribute::Number(name) => {
            format!("Could not cast message attribute '{name}' value to number.")
        }
    }
}

fn storage_fault(error: &StorageError) -> Fault {
    match error {
        StorageError::Overloaded => errors::THROTTLED_EXCEPTION.with("Rate exceeded"),
        StorageError::Conflict { .. } => errors::CONCURRENT_ACCESS_EXCEPTION
            .with("Can't perform multiple operations on a resource simultaneously"),
        StorageError::Full { .. } | StorageError::Io { .. } | StorageError::Closed { .. } => {
            tracing::error!(%error, "SNS cannot write");
            common::SERVICE_UNAVAILABLE.with("The service cannot store the request now; retry later")
        }
        _ => {
            tracing::error!(%error, "SNS storage failed");
            common::INTERNAL_FAILURE.with("The request processing has failed because of an internal failure")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_read_as_aws_words_them() {
        let check = |error: NotifyError, code: &str, message: &str| {
            let fault = Fault::from(error);
            assert_eq!((fault.shape.code, fault.message.as_deref()), (code, Some(message)));
        };
        check(NotifyError::TopicNotFound, "NotFound", "Topic does not exist");
        check(
            Invalid::Arn { parameter: "TopicArn", source: ArnError::TooShort { elements: 1 } }.into(),
            "InvalidParameter",
            "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1",
        );
        check(
            NotifyError::Unsupported { parameter: "Protocol", what: "the protocol sqs".to_owned() },
            "InvalidParameter",
            "Invalid parameter: Protocol Reason: the protocol sqs is not supported by Groundwatch",
        );
        check(NotifyError::Backlog, "Throttled", "Rate exceeded");
        check(
            Invalid::Protocol { protocol: "pigeon".to_owned() }.into(),
            "InvalidParameter",
            "Invalid parameter: Amazon SNS does not support this protocol string: pigeon",
        );
    }
}
