//! IAM policy documents, as far as they are looked at: whether they are any, and which accounts they let in.

use groundwatch_core::{AccountId, Arn};
use serde::Deserialize;

/// A policy document.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct PolicyDocument {
    #[serde(rename = "Statement")]
    statements: OneOrMany<Statement>,
}

/// Why a text is not a policy document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a policy document: {reason}")]
pub struct PolicyDocumentError {
    /// What is wrong, with its place in the text.
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: Effect,
    #[serde(default)]
    principal: Option<Principal>,
    #[serde(default)]
    action: Option<OneOrMany<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Principal {
    /// `"*"`.
    Anyone(String),
    Named {
        #[serde(rename = "AWS", default)]
        accounts: Option<OneOrMany<String>>,
    },
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn iter(&self) -> std::slice::Iter<'_, T> {
        match self {
            Self::One(one) => std::slice::from_ref(one).iter(),
            Self::Many(many) => many.iter(),
        }
    }
}

impl PolicyDocument {
    /// Parses a policy document: a JSON object with at least one statement, each of which has an effect.
    pub(crate) fn parse(text: &str) -> Result<Self, PolicyDocumentError> {
        let parsed: Self =
            serde_json::from_str(text).map_err(|error| PolicyDocumentError { reason: error.to_string() })?;
        if parsed.statements.iter().next().is_none() {
            return Err(PolicyDocumentError { reason: "it has no statement".to_owned() });
        }
        Ok(parsed)
    }

    /// Whether the policy lets an account do `action`. Conditions and resources are not looked at.
    pub(crate) fn allows_account(&self, account: AccountId, action: &str) -> bool {
        let speaks_of = |statement: &&Statement| {
            statement.action.as_ref().is_some_and(|actions| actions.iter().any(|each| covers(each, action)))
                && statement.principal.as_ref().is_some_and(|principal| principal.is(account))
        };
        let mut effects =
            self.statements.iter().filter(speaks_of).map(|statement| statement.effect).peekable();
        effects.peek().is_some() && effects.all(|effect| effect == Effect::Allow)
    }
}

impl Principal {
    fn is(&self, account: AccountId) -> bool {
        match self {
            Self::Anyone(text) => text == "*",
            Self::Named { accounts } => accounts.as_ref().is_some_and(|accounts| {
                accounts.iter().any(|named| {
                    let number = Arn::parse(named).map_or(named.as_str(), |arn| arn.account);
                    number == "*" || number == account.to_string()
                })
            }),
        }
    }
}

/// Whether an action of a policy, which may end in a star, covers `action`. Case does not matter to IAM.
fn covers(written: &str, action: &str) -> bool {
    match written.strip_suffix('*') {
        Some(start) => action.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)),
        None => written.eq_ignore_ascii_case(action),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_document_has_statements_with_effects() {
        for (text, expected) in [
            (r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}"#, true),
            (r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"logs:*","Resource":"*"}}"#, true),
            (r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":["a","b"]},"Action":["x"]}]}"#, true),
            (r#"{"Statement":[]}"#, false),
            (r#"{"Statement":[{"Effect":"Perhaps"}]}"#, false),
            (r#"{"Version":"2012-10-17"}"#, false),
            (r#""{}""#, false),
            ("{", false),
        ] {
            assert_eq!(PolicyDocument::parse(text).is_ok(), expected, "{text}");
        }
    }

    fn check(principal: &str, action: &str, expected: bool) {
        let text = format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":{action},"Resource":"*"}}]}}"#
        );
        let policy = PolicyDocument::parse(&text).expect(&text);
        let account = "123456789012".parse().expect("an account");
        assert_eq!(policy.allows_account(account, "logs:PutSubscriptionFilter"), expected, "{text}");
    }

    #[test]
    fn principals_name_accounts() {
        let action = r#""logs:PutSubscriptionFilter""#;
        check(r#""*""#, action, true);
        check(r#"{"AWS":"123456789012"}"#, action, true);
        check(r#"{"AWS":["111111111111","arn:aws:iam::123456789012:root"]}"#, action, true);
        check(r#"{"AWS":"111111111111"}"#, action, false);
        check(r#"{"Service":"logs.amazonaws.com"}"#, action, false);
    }

    #[test]
    fn actions_may_end_in_a_star() {
        check(r#""*""#, r#"["logs:PutLogEvents","logs:Put*"]"#, true);
        check(r#""*""#, r#""*""#, true);
        check(r#""*""#, r#""LOGS:putsubscriptionfilter""#, true);
        check(r#""*""#, r#""logs:PutLogEvents""#, false);
    }

    #[test]
    fn a_denial_wins() {
        let text = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"},
            {"Effect":"Deny","Principal":{"AWS":"123456789012"},"Action":"logs:*"}]}"#;
        let policy = PolicyDocument::parse(text).expect("valid");
        let allows = |account: &str| policy.allows_account(account.parse().expect("an account"), "logs:X");
        assert!(!allows("123456789012"));
        assert!(allows("111111111111"));
    }
}
