//! A topic's policy document, as far as `AddPermission` and `RemovePermission` write it. Pure.

use groundwatch_core::AccountId;
use serde_json::{Value, json};

use crate::Invalid;

/// The actions that a topic's policy can allow.
const ACTIONS: &[&str] = &[
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
];

/// The policy that every topic begins with: its owner may do all.
pub(crate) fn default_policy(topic_arn: &str, owner: AccountId) -> Value {
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": ACTIONS.iter().map(|action| format!("SNS:{action}")).collect::<Vec<_>>(),
            "Resource": topic_arn,
            "Condition": { "StringEquals": { "AWS:SourceOwner": owner.to_string() } },
        }],
    })
}

/// Whether a text can be a policy document of at most `bytes_max` bytes.
pub(crate) fn check(policy: &str, bytes_max: usize) -> Result<(), Invalid> {
    let fits = policy.len() <= bytes_max;
    let object = fits && serde_json::from_str::<serde_json::Map<String, Value>>(policy).is_ok();
    if object { Ok(()) } else { Err(Invalid::Policy) }
}

/// A permission to add: the accounts that may do the actions, under a label.
pub(crate) struct Permission<'a> {
    pub(crate) label: &'a str,
    pub(crate) accounts: &'a [String],
    pub(crate) actions: &'a [String],
}

impl Permission<'_> {
    /// `policy` with this permission as a statement of its own.
    pub(crate) fn added_to(&self, policy: &str, topic_arn: &str) -> Result<String, Invalid> {
        if self.accounts.is_empty() {
            return Err(Invalid::Permission { parameter: "AWSAccountId" });
        }
        if self.actions.is_empty() {
            return Err(Invalid::Permission { parameter: "ActionName" });
        }
        if !self.actions.iter().all(|action| action == "*" || ACTIONS.contains(&action.as_str())) {
            return Err(Invalid::ActionOutOfScope);
        }
        let accounts: Result<Vec<AccountId>, _> =
            self.accounts.iter().map(|account| account.parse()).collect();
        let accounts = accounts.map_err(|_| Invalid::Permission { parameter: "AWSAccountId" })?;
        let mut policy: Value = serde_json::from_str(policy).map_err(|_| Invalid::Policy)?;
        let statements = statements(&mut policy)?;
        if statements.iter().any(|statement| statement["Sid"] == self.label) {
            return Err(Invalid::StatementExists);
        }
        let principals = accounts.iter().map(|account| format!("arn:aws:iam::{account}:root"));
        statements.push(json!({
            "Sid": self.label,
            "Effect": "Allow",
            "Principal": { "AWS": one_or_many(principals) },
            "Action": one_or_many(self.actions.iter().map(|action| format!("SNS:{action}"))),
            "Resource": topic_arn,
        }));
        Ok(policy.to_string())
    }
}

/// `policy` without the statement of that label, which need not be there.
pub(crate) fn removed_from(policy: &str, label: &str) -> Result<String, Invalid> {
    let mut policy: Value = serde_json::from_str(policy).map_err(|_| Invalid::Policy)?;
    statements(&mut policy)?.retain(|statement| statement["Sid"] != label);
    Ok(policy.to_string())
}

/// The list of statements; a policy may have one alone in its place, or none.
fn statements(policy: &mut Value) -> Result<&mut Vec<Value>, Invalid> {
    let statements = policy.as_object_mut().ok_or(Invalid::Policy)?.entry("Statement").or_insert(json!([]));
    if statements.is_object() {
        *statements = json!([statements.take()]);
    }
    statements.as_array_mut().ok_or(Invalid::Policy)
}

fn one_or_many(texts: impl Iterator<Item = String>) -> Value {
    let mut texts: Vec<_> = texts.map(Value::String).collect();
    if texts.len() == 1 { texts.remove(0) } else { Value::Array(texts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sns:us-east-1:000000000000:alerts";

    fn permission<'a>(label: &'a str, accounts: &'a [String], actions: &'a [String]) -> Permission<'a> {
        Permission { label, accounts, actions }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_permission_comes_and_goes_as_a_statement() {
        let before = default_policy(ARN, AccountId::DEFAULT).to_string();
        let (accounts, actions) = (texts(&["111111111111", "222222222222"]), texts(&["Publish"]));
        let after = permission("p", &accounts, &actions).added_to(&before, ARN).expect("added");
        let policy: Value = serde_json::from_str(&after).expect("JSON");
        assert_eq!(
            policy["Statement"][1],
            json!({
                "Sid": "p",
                "Effect": "Allow",
                "Principal": { "AWS": ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root"] },
                "Action": "SNS:Publish",
                "Resource": ARN,
            })
        );
        assert_eq!(removed_from(&after, "p"), Ok(before.clone()));
        assert_eq!(removed_from(&before, "other"), Ok(before));
    }

    #[test]
    fn what_cannot_be_a_permission_is_refused() {
        let policy = default_policy(ARN, AccountId::DEFAULT).to_string();
        let check = |label: &str, accounts: &[&str], actions: &[&str], expected: Invalid| {
            let (accounts, actions) = (texts(accounts), texts(actions));
            assert_eq!(
                permission(label, &accounts, &actions).added_to(&policy, ARN),
                Err(expected),
                "{label}"
            );
        };
        let account = &["111111111111"];
        check("__default_statement_ID", account, &["Publish"], Invalid::StatementExists);
        check("action", account, &["SendMessage"], Invalid::ActionOutOfScope);
        check("nobody", &[], &["Publish"], Invalid::Permission { parameter: "AWSAccountId" });
        check("account", &["me"], &["Publish"], Invalid::Permission { parameter: "AWSAccountId" });
        check("nothing", account, &[], Invalid::Permission { parameter: "ActionName" });
    }
}
