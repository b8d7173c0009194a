//! Dead letters: the policies that say when a message goes to another queue, and which queues may send
//! theirs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Invalid;

const REDRIVE: &str = "RedrivePolicy";
const REDRIVE_ALLOW: &str = "RedriveAllowPolicy";

/// The attribute `RedrivePolicy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RedrivePolicy {
    pub(crate) dead_letter_target_arn: String,
    /// How often a message is received before it goes there: 1 to 1000.
    pub(crate) max_receive_count: u32,
}

impl RedrivePolicy {
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = |reason: String| Invalid::value(REDRIVE, text, reason);
        let policy =
            object(text).ok_or_else(|| wrong("Redrive policy is not a valid JSON map.".to_owned()))?;
        let mandatory = |name: &str| {
            policy
                .get(name)
                .filter(|value| !value.is_null())
                .ok_or_else(|| wrong(format!("Redrive policy does not contain mandatory attribute: {name}.")))
        };
        let target = mandatory("deadLetterTargetArn")?;
        let count = mandatory("maxReceiveCount")?;
        let target =
            target.as_str().ok_or_else(|| wrong("Invalid value for deadLetterTargetArn.".to_owned()))?;
        // Tools write the number as a text, too.
        let number = count.as_u64().or_else(|| count.as_str()?.parse().ok());
        let max_receive_count = number.filter(|count| (1..=1000).contains(count)).ok_or_else(|| {
            let shown = count.as_str().map_or_else(|| count.to_string(), str::to_owned);
            wrong(format!(
                "Invalid value for maxReceiveCount: {shown}, valid values are from 1 to 1000 both inclusive."
            ))
        })?;
        Ok(Self { dead_letter_target_arn: target.to_owned(), max_receive_count: max_receive_count as u32 })
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::json!({
            "deadLetterTargetArn": self.dead_letter_target_arn,
            "maxReceiveCount": self.max_receive_count,
        })
        .to_string()
    }
}

/// The attribute `RedriveAllowPolicy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RedriveAllowPolicy {
    /// Any queue of the account and region: what holds without a policy.
    AllowAll,
    /// None.
    DenyAll,
    /// The queues of these ARNs.
    ByQueue(Vec<String>),
}

impl RedriveAllowPolicy {
    /// How many queues a policy can name.
    const SOURCES_MAX: usize = 10;

    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = |reason: &str| Invalid::value(REDRIVE_ALLOW, text, reason);
        let policy = object(text).ok_or_else(|| wrong("Redrive allow policy is not a valid JSON map."))?;
        let sources = match policy.get("sourceQueueArns") {
            None | Some(Value::Null) => None,
            Some(list) => Some(
                serde_json::from_value::<Vec<String>>(list.clone())
                    .map_err(|_| wrong("Amazon SQS can't create the redrive allow policy. The sourceQueueArns must be a list of ARNs."))?,
            ),
        };
        let permission = policy.get("redrivePermission").and_then(Value::as_str).unwrap_or_default();
        match (permission, sources) {
            ("allowAll", None) => Ok(Self::AllowAll),
            ("denyAll", None) => Ok(Self::DenyAll),
            ("allowAll" | "denyAll", Some(_)) => Err(wrong(
                "Amazon SQS can't create the redrive allow policy. You must not specify sourceQueueArns with allowAll or denyAll.",
            )),
            ("byQueue", Some(arns)) if (1..=Self::SOURCES_MAX).contains(&arns.len()) => {
                Ok(Self::ByQueue(arns))
            }
            ("byQueue", _) => Err(wrong(
                "Amazon SQS can't create the redrive allow policy. With byQueue, sourceQueueArns must have 1 to 10 ARNs.",
            )),
            _ => Err(wrong(
                "Amazon SQS can't create the redrive allow policy. redrivePermission must be allowAll, denyAll or byQueue.",
            )),
        }
    }

    pub(crate) fn allows(&self, source_arn: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::ByQueue(arns) => arns.iter().any(|arn| arn == source_arn),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        match self {
            Self::AllowAll => serde_json::json!({"redrivePermission": "allowAll"}),
            Self::DenyAll => serde_json::json!({"redrivePermission": "denyAll"}),
            Self::ByQueue(arns) => {
                serde_json::json!({"redrivePermission": "byQueue", "sourceQueueArns": arns})
            }
        }
        .to_string()
    }
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redrive_policies() {
        let arn = "arn:aws:sqs:us-east-1:000000000000:dead";
        let read = |count: &str| {
            RedrivePolicy::parse(&format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{count}}}"#))
        };
        let policy = read("3").expect("valid");
        assert_eq!((policy.dead_letter_target_arn.as_str(), policy.max_receive_count), (arn, 3));
        assert_eq!(read("\"3\""), Ok(policy.clone()));
        assert_eq!(RedrivePolicy::parse(&policy.to_json()), Ok(policy));
        for wrong in ["0", "1001", "\"x\"", "null", "1.5", "[]"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "[]", "{}", "3", r#"{"maxReceiveCount":3}"#] {
            assert!(RedrivePolicy::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn redrive_allow_policies() {
        let check = |text: &str, allowed: bool| {
            let policy = RedriveAllowPolicy::parse(text).expect("valid");
            assert_eq!(policy.allows("a"), allowed, "{text}");
            assert_eq!(RedriveAllowPolicy::parse(&policy.to_json()), Ok(policy));
        };
        check(r#"{"redrivePermission":"allowAll"}"#, true);
        check(r#"{"redrivePermission":"denyAll"}"#, false);
        check(r#"{"redrivePermission":"byQueue","sourceQueueArns":["a"]}"#, true);
        check(r#"{"redrivePermission":"byQueue","sourceQueueArns":["b"]}"#, false);
        for wrong in [
            "{}",
            r#"{"redrivePermission":"byQueue"}"#,
            r#"{"redrivePermission":"allowAll","sourceQueueArns":["a"]}"#,
            r#"{"redrivePermission":"some"}"#,
        ] {
            assert!(RedriveAllowPolicy::parse(wrong).is_err(), "{wrong}");
        }
    }
}
