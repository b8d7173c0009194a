//! Policies of the account: kept by type and name. What makes them take effect is with what they are about.

use groundwatch_core::Timestamp;
use groundwatch_storage::Document;
use serde::{Deserialize, Serialize};

/// The longest document of a policy, in characters (source: CloudWatch Logs API reference, AccountPolicy).
pub(crate) const DOCUMENT_CHARACTERS_MAX: usize = 30_720;

/// A policy of the account, as its document keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountPolicy {
    /// The policy as it was given.
    pub document: String,
    /// Which groups it is about, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<String>,
    /// When it was last put.
    pub updated: Timestamp,
    /// Events that arrived in batches up to this one came before the policy.
    #[serde(default)]
    pub since: u64,
}

impl Document for AccountPolicy {
    const KIND: &'static str = "log-account-policy";
}

/// The name of a policy's document.
pub(crate) fn account_policy_name(policy_type: &str, name: &str) -> String {
    format!("{policy_type}\0{name}")
}
