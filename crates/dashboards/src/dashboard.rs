//! A dashboard as it is kept, and what it may be called.

use groundwatch_core::{AccountId, Region, Scope, Tags, Timestamp};
use groundwatch_storage::{Document, Key};
use serde::{Deserialize, Serialize};

use crate::DashboardError;

/// The longest name, in characters.
const NAME_LENGTH_MAX: usize = 255;

/// What is kept of a dashboard under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dashboard {
    /// The text that PutDashboard brought, byte for byte: tools compare it with what they read back.
    pub(crate) body: String,
    pub(crate) modified: Timestamp,
    #[serde(default)]
    pub(crate) tags: Tags,
}

impl Document for Dashboard {
    const KIND: &'static str = "dashboard";
}

/// Checks a name that a dashboard is to get.
pub(crate) fn check_name(name: &str) -> Result<(), DashboardError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > NAME_LENGTH_MAX || !name.bytes().all(allowed) {
        return Err(DashboardError::Name);
    }
    Ok(())
}

/// Where the dashboards of an account are kept: they are global, so whatever region a call addresses is
/// ignored.
pub(crate) fn home(account: AccountId) -> Scope {
    Scope { account, region: Region::new("") }
}

/// Under which key the dashboard `name` of an account is kept.
pub(crate) fn key(account: AccountId, name: &str) -> Key {
    Key::new(&home(account), name)
}

/// The dashboard's ARN, which names no region (recorded); the partition is the caller's.
pub(crate) fn arn(caller: &Scope, name: &str) -> String {
    format!("arn:{}:cloudwatch::{}:dashboard/{name}", caller.region.partition(), caller.account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ascii_words_of_bounded_length() {
        let check = |name: &str, allowed: bool| assert_eq!(check_name(name).is_ok(), allowed, "{name}");
        check("My_board-1", true);
        check(&"a".repeat(255), true);
        check(&"a".repeat(256), false);
        check("", false);
        check("two words", false);
        check("dotted.name", false);
        check("ünicode", false);
    }

    #[test]
    fn arns_have_no_region() {
        let caller = Scope { account: AccountId::DEFAULT, region: Region::new("eu-west-1") };
        assert_eq!(arn(&caller, "ops"), "arn:aws:cloudwatch::000000000000:dashboard/ops");
    }
}
