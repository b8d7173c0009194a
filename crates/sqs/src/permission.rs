//! `AddPermission` and `RemovePermission`: statements of a queue's policy. The policy is stored and returned;
//! nothing evaluates it yet.

use serde_json::{Map, Value, json};

use crate::{Invalid, SqsError};

/// Actions that a permission can name. Others are the owner's alone.
const GRANTABLE: [&str; 9] = [
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
];

/// How many actions one permission can name.
const ACTIONS_MAX: usize = 7;

/// Who may do what, under which label.
#[derive(Debug)]
pub(crate) struct Permission<'a> {
    pub(crate) label: &'a str,
    pub(crate) account_ids: &'a [String],
    pub(crate) actions: &'a [String],
}

impl Permission<'_> {
    /// The policy with this permission in it.
    pub(crate) fn add_to(&self, policy: Option<&str>, queue_arn: &str) -> Result<String, SqsError> {
        let Self { label, account_ids, actions } = *self;
        if label.is_empty()
            || label.len() > 80
            || !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        {
            let text =
                "Label can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
            return Err(Invalid::parameter(text).into());
        }
        if actions.is_empty() {
            return Err(Invalid::Missing { parameter: "Actions" }.into());
        }
        if account_ids.is_empty() {
            let text = "Value [] for parameter PrincipalId is invalid. Reason: Unable to verify.";
            return Err(Invalid::parameter(text).into());
        }
        if let Some(account) =
            account_ids.iter().find(|account| account.parse::<groundwatch_core::AccountId>().is_err())
        {
            return Err(Invalid::value("PrincipalId", format!("[{account}]"), "Unable to verify.").into());
        }
        if let Some(action) = actions.iter().find(|action| !GRANTABLE.contains(&action.as_str())) {
            let reason = "Only the queue owner is allowed to invoke this action.";
            return Err(Invalid::value("ActionName", format!("SQS:{action}"), reason).into());
        }
        if actions.len() > ACTIONS_MAX {
            return Err(SqsError::TooManyActions { count: actions.len() });
        }
        let mut policy = parse(policy).unwrap_or_else(|| new_policy(queue_arn));
        let statements = statements(&mut policy);
        if statements.iter().any(|statement| statement["Sid"] == label) {
            return Err(Invalid::value("Label", label, "Already exists.").into());
        }
        let principals: Vec<String> =
            account_ids.iter().map(|account| format!("arn:aws:iam::{account}:root")).collect();
        // recorded: the prefix is in capitals.
        let actions: Vec<String> = actions.iter().map(|action| format!("SQS:{action}")).collect();
        statements.push(json!({
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": one_or_many(principals)},
            "Action": one_or_many(actions),
            "Resource": queue_arn,
        }));
        Ok(Value::Object(policy).to_string())
    }
}

/// The policy without the statement of that label; `None` if it was the last one.
pub(crate) fn remove(policy: Option<&str>, label: &str) -> Result<Option<String>, SqsError> {
    let unknown = || Invalid::value("Label", label, "can't find label.");
    let mut policy = parse(policy).ok_or_else(unknown)?;
    let statements = statements(&mut policy);
    let before = statements.len();
    statements.retain(|statement| statement["Sid"] != label);
    match statements.len() {
        after if after == before => Err(unknown().into()),
        0 => Ok(None),
        _ => Ok(Some(Value::Object(policy).to_string())),
    }
}

fn parse(policy: Option<&str>) -> Option<Map<String, Value>> {
    serde_json::from_str(policy?).ok()
}

fn new_policy(queue_arn: &str) -> Map<String, Value> {
    let mut policy = Map::new();
    // recorded: the old version, not 2012-10-17.
    policy.insert("Version".to_owned(), json!("2008-10-17"));
    policy.insert("Id".to_owned(), json!(format!("{queue_arn}/SQSDefaultPolicy")));
    policy
}

/// The statements, as a list: a policy may have a single one without.
fn statements(policy: &mut Map<String, Value>) -> &mut Vec<Value> {
    let statement = policy.entry("Statement").or_insert_with(|| json!([]));
    if !statement.is_array() {
        *statement = json!([statement.take()]);
    }
    statement.as_array_mut().expect("just made a list")
}

fn one_or_many(mut texts: Vec<String>) -> Value {
    match texts.len() {
        1 => json!(texts.remove(0)),
        _ => json!(texts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_is_a_statement_until_it_is_removed() {
        let arn = "arn:aws:sqs:us-east-1:000000000000:q";
        let (accounts, actions) = (["111122223333".to_owned()], ["SendMessage".to_owned(), "*".to_owned()]);
        let permission = Permission { label: "l", account_ids: &accounts, actions: &actions };
        let policy = permission.add_to(None, arn).expect("valid");
        let read: Value = serde_json::from_str(&policy).expect("JSON");
        assert_eq!(
            read,
            json!({
                "Version": "2008-10-17",
                "Id": format!("{arn}/SQSDefaultPolicy"),
                "Statement": [{
                    "Sid": "l",
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                    "Action": ["SQS:SendMessage", "SQS:*"],
                    "Resource": arn,
                }],
            })
        );
        assert!(permission.add_to(Some(&policy), arn).is_err(), "the label is taken");
        let two = Permission { label: "m", ..permission }.add_to(Some(&policy), arn).expect("valid");
        assert_eq!(remove(Some(&two), "m").expect("there").as_deref(), Some(policy.as_str()));
        assert_eq!(remove(Some(&policy), "l").expect("there"), None);
        assert!(remove(Some(&policy), "other").is_err() && remove(None, "l").is_err());
    }
}
