//! What can go wrong where events are sent on.

use super::field_selection::FieldSelectionError;
use super::vendor::Vendor;
use crate::policy::PolicyDocumentError;

/// Why a destination or a subscription is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardingError {
    /// There is no destination of that name.
    #[error("destination does not exist")]
    DestinationMissing,
    /// A destination stands for a Kinesis or Firehose stream.
    #[error("`{arn}` is not the ARN of a stream")]
    DestinationTarget {
        /// What was given.
        arn: String,
    },
    /// A role that is none.
    #[error("`{arn}` is not the ARN of a role")]
    Role {
        /// What was given.
        arn: String,
    },
    /// An access policy that is too long.
    #[error("access policy is longer than {limit} bytes")]
    AccessPolicyTooLong {
        /// The longest that is taken.
        limit: usize,
    },
    /// An access policy that is none.
    #[error("access policy is not valid")]
    AccessPolicy(#[source] PolicyDocumentError),
    /// There is no subscription filter of that name.
    #[error("subscription filter does not exist")]
    FilterMissing,
    /// The group has as many as it can have.
    #[error("there are too many subscription filters")]
    TooManyFilters,
    /// What should receive the events is no ARN.
    #[error("`{arn}` is not an ARN")]
    NotAnArn {
        /// What was given.
        arn: String,
    },
    /// What should receive the events cannot.
    #[error("events cannot be sent to {vendor}")]
    Vendor {
        /// The service.
        vendor: String,
    },
    /// The vendor needs a role.
    #[error("{vendor} needs a role")]
    RoleNeeded {
        /// The service.
        vendor: &'static str,
    },
    /// The vendor does not take a role.
    #[error("{vendor} takes no role")]
    RoleForbidden {
        /// The service.
        vendor: &'static str,
    },
    /// The destination of another account does not admit this one.
    #[error("destination does not admit the account")]
    NotAdmitted,
    /// The message that tries the destination did not get through.
    #[error("destination cannot be reached: {reason}")]
    Unreachable {
        /// The service.
        vendor: Destined,
        /// Why.
        reason: String,
    },
    /// A system field that is none.
    #[error("`{field}` is not a system field")]
    SystemField {
        /// What was given.
        field: String,
    },
    /// A selection by system fields that is not understood.
    #[error("field selection is not valid")]
    FieldSelection(#[source] FieldSelectionError),
    /// A policy's choice of groups that is not understood.
    #[error("selection criteria are not `LogGroupName NOT IN [..]`")]
    SelectionCriteria,
    /// The document of a policy that is not understood.
    #[error("policy document is not valid: {reason}")]
    PolicyDocument {
        /// What is wrong with it.
        reason: String,
    },
}

/// What could not be reached, as far as AWS's words tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destined {
    /// A data stream.
    Kinesis,
    /// A delivery stream.
    Firehose,
    /// A function.
    Lambda,
    /// Anything else.
    Other,
}

impl From<Vendor> for Destined {
    fn from(vendor: Vendor) -> Self {
        match vendor {
            Vendor::Kinesis => Self::Kinesis,
            Vendor::Firehose => Self::Firehose,
            Vendor::Lambda => Self::Lambda,
            Vendor::Destination | Vendor::Queue | Vendor::Topic | Vendor::Other => Self::Other,
        }
    }
}
