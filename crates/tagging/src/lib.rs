//! Tagging: TagResource, UntagResource and ListTagsForResource of CloudWatch, which find a resource by its
//! ARN.
//!
//! Owns the reading of ARNs, who may be tagged, and the words of refusals. Does not own any tags: each
//! resource keeps its own beside what else is known of it, so that they are made, changed and deleted with it
//! in one transaction. What has tags is plugged in as a [`TaggedResources`] for each [`ResourceKind`].
//!
//! What always holds: nothing is seen or changed across accounts or regions; a resource that does not exist
//! has no tags.

mod fault;
mod operations;
mod resource;
mod tagging;

pub use fault::TaggingError;
pub use resource::{Resource, ResourceKind};
pub use tagging::{TaggedResources, Tagging};
