//! Destinations: names for a stream elsewhere, which other accounts may subscribe to.

use std::sync::Arc;

use groundwatch_core::{AccountId, Arn, Region, Scope, Tags, Timestamp};
use groundwatch_storage::Document;
use serde::{Deserialize, Serialize};

use super::ForwardingError;
use crate::policy::PolicyDocument;
use crate::shelf::{Shelf, has_tags};

/// The longest access policy in bytes (source: CloudWatch Logs API reference, PutDestinationPolicy).
const ACCESS_POLICY_BYTES_MAX: usize = 5120;

/// A destination, as its document keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Destination {
    /// The stream that gets the events.
    pub target_arn: String,
    /// The role that AWS would write to it with. Kept and shown.
    pub role_arn: String,
    /// Who else may subscribe: an IAM policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_policy: Option<String>,
    /// When it was created; kept when it is put again.
    pub created: Timestamp,
    /// Tags by key.
    #[serde(default)]
    pub tags: Tags,
}

impl Document for Destination {
    const KIND: &'static str = "log-destination";
}

has_tags!(Destination);

impl Destination {
    /// Whether an account may subscribe to this destination of `owner`: the owner may, others as its policy
    /// says.
    pub(crate) fn admits(&self, owner: AccountId, account: AccountId) -> bool {
        let granted = |policy: &String| {
            PolicyDocument::parse(policy)
                .is_ok_and(|policy| policy.allows_account(account, "logs:PutSubscriptionFilter"))
        };
        owner == account || self.access_policy.as_ref().is_some_and(granted)
    }
}

/// Checks the two ARNs that a destination is made of.
pub(crate) fn check_destination(target_arn: &str, role_arn: &str) -> Result<(), ForwardingError> {
    let is_of = |text: &str, services: &[&str]| {
        Arn::parse(text).is_ok_and(|arn| services.contains(&arn.service) && !arn.resource.is_empty())
    };
    if !is_of(target_arn, &["kinesis", "firehose"]) {
        return Err(ForwardingError::DestinationTarget { arn: target_arn.to_owned() });
    }
    if !is_of(role_arn, &["iam"]) {
        return Err(ForwardingError::Role { arn: role_arn.to_owned() });
    }
    Ok(())
}

/// Checks an access policy.
pub(crate) fn check_access_policy(text: &str) -> Result<(), ForwardingError> {
    if text.len() > ACCESS_POLICY_BYTES_MAX {
        return Err(ForwardingError::AccessPolicyTooLong { limit: ACCESS_POLICY_BYTES_MAX });
    }
    PolicyDocument::parse(text).map(|_| ()).map_err(ForwardingError::AccessPolicy)
}

/// The ARN of the destination called `name`.
pub(crate) fn destination_arn(scope: &Scope, name: &str) -> String {
    scope.arn("logs", &format!("destination:{name}"))
}

/// The destination of that ARN, of whatever account, and who owns it.
pub(crate) fn find(destinations: &Shelf<Destination>, arn: &str) -> Option<(Scope, Arc<Destination>)> {
    let parsed = Arn::parse(arn).ok()?;
    let scope = Scope { account: parsed.account.parse().ok()?, region: Region::new(parsed.region) };
    let destination = destinations.get(&scope, parsed.resource.strip_prefix("destination:")?)?;
    Some((scope, destination))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_stream_and_a_role() {
        let role = "arn:aws:iam::123456789012:role/forward";
        for (target, role, expected) in [
            ("arn:aws:kinesis:us-east-1:123456789012:stream/s", role, true),
            ("arn:aws:firehose:us-east-1:123456789012:deliverystream/s", role, true),
            ("arn:aws:lambda:us-east-1:123456789012:function:f", role, false),
            ("stream/s", role, false),
            ("arn:aws:kinesis:us-east-1:123456789012:stream/s", "forward", false),
        ] {
            assert_eq!(check_destination(target, role).is_ok(), expected, "{target} {role}");
        }
    }

    #[test]
    fn other_accounts_need_the_policy() {
        let account = |text: &str| text.parse::<AccountId>().expect("an account");
        let (owner, friend, stranger) =
            (account("111111111111"), account("222222222222"), account("333333333333"));
        let policy = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"222222222222"},
            "Action":"logs:PutSubscriptionFilter","Resource":"*"}}"#;
        let mut destination = Destination {
            target_arn: String::new(),
            role_arn: String::new(),
            access_policy: None,
            created: Timestamp::EPOCH,
            tags: Tags::default(),
        };
        assert!(destination.admits(owner, owner));
        assert!(!destination.admits(owner, friend));
        destination.access_policy = Some(policy.to_owned());
        assert!(destination.admits(owner, friend));
        assert!(!destination.admits(owner, stranger));
    }
}
