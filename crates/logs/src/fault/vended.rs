//! AWS's words for vended logs. Ours where not marked.

use groundwatch_api::Fault;
use groundwatch_api::logs::errors;

use crate::vended::VendedError;

pub(super) fn vended(error: VendedError) -> Fault {
    let invalid = |message: String| errors::VALIDATION_EXCEPTION.with(message);
    let conflict = |message: &str| errors::CONFLICT_EXCEPTION.with(message);
    match error {
        // [R] for destinations.
        VendedError::Missing { what } => errors::RESOURCE_NOT_FOUND_EXCEPTION
            .with(format!("Requested {what} does not exist in this account.")),
        VendedError::NotASource { arn } => errors::RESOURCE_NOT_FOUND_EXCEPTION
            .with(format!("'{arn}' is not a resource that is supported as a delivery source.")),
        VendedError::LogType { service, log_type } => {
            invalid(format!("The log type {log_type} is not valid for resources of {service}."))
        }
        VendedError::OtherResource => {
            conflict("A delivery source of that name exists for another resource or log type.")
        }
        VendedError::OtherFormat => invalid(
            "The output format of a delivery destination cannot be changed. Create another delivery destination instead."
                .into(),
        ),
        VendedError::NotADestination => {
            invalid("The destination resource must be an S3 bucket, a log group or a Firehose stream.".into())
        }
        VendedError::Exists => conflict("A delivery from this source to this destination exists already."),
        VendedError::InUse => conflict("A delivery uses it. Delete the delivery first."),
        VendedError::Policy { reason } => invalid(format!("Invalid policy: {reason}")),
    }
}
