//! Policies that are kept by name: IAM documents, and those that belong to the account or to a group.

mod account_policy;
mod document;
mod resource_policy;

pub(crate) use account_policy::{AccountPolicy, DOCUMENT_CHARACTERS_MAX, account_policy_name};
pub(crate) use document::PolicyDocument;
pub use document::PolicyDocumentError;
pub use resource_policy::PolicyError;
pub(crate) use resource_policy::{ResourcePolicies, ResourcePolicy};
