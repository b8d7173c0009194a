//! Policies that are kept by name: IAM documents, and those that belong to the account or to a group.

mod account_policy;
mod document;
mod resource_policy;
mod retention;
mod selection;

pub(crate) use account_policy::{AccountPolicies, AccountPolicy, DOCUMENT_CHARACTERS_MAX, Effect, NewPolicy};
pub(crate) use document::PolicyDocument;
pub use document::PolicyDocumentError;
pub use resource_policy::PolicyError;
pub(crate) use resource_policy::{ResourcePolicies, ResourcePolicy};
pub(crate) use retention::{DELAY as RETENTION_DELAY, Period};
pub(crate) use selection::SELECTION_BYTES_MAX;
