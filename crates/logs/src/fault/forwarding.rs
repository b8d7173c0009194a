//! AWS's words for policies, destinations, subscriptions and export tasks. Ours where not marked.

use groundwatch_api::Fault;
use groundwatch_api::logs::errors;

use crate::export::ExportError;
use crate::forwarding::{Destined, ForwardingError};
use crate::policy::PolicyError;

fn invalid(message: impl Into<String>) -> Fault {
    errors::INVALID_PARAMETER_EXCEPTION.with(message.into())
}

/// [R]
fn limit_exceeded() -> Fault {
    errors::LIMIT_EXCEEDED_EXCEPTION.with("Resource limit exceeded.")
}

pub(super) fn policy(error: PolicyError) -> Fault {
    match error {
        // [R]
        PolicyError::Missing { name } => {
            errors::RESOURCE_NOT_FOUND_EXCEPTION.with(format!("Policy with name [{name}] does not exist."))
        }
        PolicyError::Name { name } => {
            invalid(format!("'{name}' is not a policy name: it is not empty and does not begin with aws/."))
        }
        PolicyError::TooLong { limit } => {
            invalid(format!("The policy document can have at most {limit} characters."))
        }
        PolicyError::NoName => invalid("policyName must be specified."),
        PolicyError::NoDocument => invalid("policyDocument must be specified."),
        PolicyError::Document(error) => invalid(format!("Invalid policy document: {}", error.reason)),
        PolicyError::TooMany => limit_exceeded(),
        PolicyError::Selection => {
            invalid("selectionCriteria must be of the form LogGroupNamePrefix = \"prefix\".")
        }
        PolicyError::SelectionNotAllowed => {
            invalid("selectionCriteria cannot be specified for policies of this policyType.")
        }
        PolicyError::DryRun => {
            invalid("dryRun can be specified only for policies of the policyType RETENTION_POLICY.")
        }
        PolicyError::Overlap { other } => invalid(format!(
            "The selectionCriteria overlap with those of the policy '{other}' of the same policyType."
        )),
        PolicyError::Revision => errors::OPERATION_ABORTED_EXCEPTION
            .with("The policy has another revision than expectedRevisionId."),
    }
}

pub(super) fn forwarding(error: ForwardingError) -> Fault {
    match error {
        ForwardingError::DestinationMissing => {
            errors::RESOURCE_NOT_FOUND_EXCEPTION.with("The specified destination does not exist.")
        }
        ForwardingError::DestinationTarget { arn } => {
            invalid(format!("targetArn '{arn}' is not the ARN of a Kinesis or Firehose stream."))
        }
        ForwardingError::Role { arn } => invalid(format!("roleArn '{arn}' is not the ARN of an IAM role.")),
        ForwardingError::AccessPolicyTooLong { limit } => {
            invalid(format!("The access policy can have at most {limit} bytes."))
        }
        // [R]
        ForwardingError::FilterMissing => errors::RESOURCE_NOT_FOUND_EXCEPTION
            .with("The specified subscription filter does not exist."),
        ForwardingError::TooManyFilters => limit_exceeded(),
        ForwardingError::NotAnArn { arn } => invalid(format!("destinationArn '{arn}' is not an ARN.")),
        // [R]
        ForwardingError::Vendor { vendor } => invalid(format!(
            "PutSubscriptionFilter operation cannot work with destinationArn for vendor {vendor}"
        )),
        // [R]
        ForwardingError::RoleNeeded { vendor } => {
            invalid(format!("destinationArn for vendor {vendor} cannot be used without roleArn"))
        }
        ForwardingError::RoleForbidden { vendor } => {
            invalid(format!("destinationArn for vendor {vendor} cannot be used with roleArn"))
        }
        ForwardingError::NotAdmitted => errors::ACCESS_DENIED_EXCEPTION
            .with("The access policy of the destination does not allow logs:PutSubscriptionFilter for this account."),
        ForwardingError::Unreachable { vendor, reason } => {
            tracing::info!(reason, "a destination of log events cannot be reached");
            invalid(unreachable(vendor))
        }
        ForwardingError::SystemField { field } => invalid(format!("'{field}' is not a system field.")),
        ForwardingError::FieldSelection(error) => {
            invalid(format!("Invalid fieldSelectionCriteria: {error}."))
        }
        ForwardingError::SelectionCriteria => invalid(
            "Invalid selectionCriteria: for a subscription filter policy it is LogGroupName NOT IN [\"name\", …].",
        ),
        ForwardingError::PolicyDocument { reason } => invalid(format!("Invalid policyDocument: {reason}.")),
        ForwardingError::AccessPolicy(error) => invalid(format!("Invalid access policy: {}", error.reason)),
    }
}

/// The first is [R].
fn unreachable(vendor: Destined) -> &'static str {
    match vendor {
        Destined::Lambda => {
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your \
             function."
        }
        Destined::Kinesis => {
            "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE \
             state."
        }
        Destined::Firehose => {
            "Could not deliver test message to specified Firehose stream. Check if the given Firehose stream is in ACTIVE \
             state."
        }
        Destined::Other => {
            "Could not deliver test message to specified destination. Check if the destination is valid."
        }
    }
}

pub(super) fn export(error: ExportError) -> Fault {
    match error {
        // [R]
        ExportError::Missing => {
            errors::RESOURCE_NOT_FOUND_EXCEPTION.with("The specified export task does not exist.")
        }
        // [R]
        ExportError::Ended => {
            errors::INVALID_OPERATION_EXCEPTION.with("The specified export task has already finished")
        }
        ExportError::AnotherActive => limit_exceeded(),
        ExportError::Range => invalid("Invalid time range: 'from' must be before 'to'."),
        // [R]
        ExportError::BucketMissing => {
            invalid("The given bucket does not exist. Please make sure the bucket is valid.")
        }
        ExportError::BucketRefuses { reason } => {
            invalid(format!("The test object cannot be written to the given bucket: {reason}."))
        }
        ExportError::Prefix { prefix } => invalid(format!("'{prefix}' cannot begin the key of an object.")),
    }
}
