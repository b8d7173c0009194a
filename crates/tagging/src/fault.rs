//! What can go wrong with tags, and AWS's words for it.

use groundwatch_api::Fault;
use groundwatch_api::cloudwatch::errors;
use groundwatch_core::{TagError, Tags};

use crate::ResourceKind;

/// Why tags are not read or changed.
#[derive(Debug, PartialEq, Eq)]
pub enum TaggingError {
    /// Not the ARN of a resource of the caller's that could have tags.
    Arn {
        /// What was given.
        arn: String,
    },
    /// AWS tags such resources, and Groundwatch does not.
    Unsupported(ResourceKind),
    /// There is no such resource.
    NotFound {
        /// Its kind.
        kind: ResourceKind,
        /// Its name.
        name: String,
    },
    /// Tags that a resource cannot have.
    Tags(TagError),
    /// What those said that keep the resource.
    Resource(Fault),
}

impl From<TagError> for TaggingError {
    fn from(error: TagError) -> Self {
        Self::Tags(error)
    }
}

impl From<TaggingError> for Fault {
    fn from(error: TaggingError) -> Self {
        let invalid = |text: String| errors::INVALID_PARAMETER_VALUE_EXCEPTION.with(text);
        match error {
            TaggingError::Arn { arn } => invalid(format!("Invalid ResourceARN: {arn}")),
            TaggingError::Unsupported(kind) => {
                invalid(format!("Groundwatch does not support tags of {} yet.", kind.plural()))
            }
            TaggingError::NotFound { kind, name } => {
                // AWS sends the two members and no sentence; clients then show this word.
                let mut fault = errors::RESOURCE_NOT_FOUND_EXCEPTION.with("Unknown");
                fault.details = vec![("ResourceType", kind.plural().to_owned()), ("ResourceId", name)];
                fault
            }
            TaggingError::Tags(TagError::TooMany) => {
                invalid(format!("A resource can have at most {} tags.", Tags::COUNT_MAX))
            }
            TaggingError::Tags(TagError::Reserved { key }) => {
                invalid(format!("The tag key {key} begins with the reserved prefix aws:."))
            }
            TaggingError::Resource(fault) => fault,
        }
    }
}
