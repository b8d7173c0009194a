//! A queue's attributes: reading, checking and telling them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::message::MESSAGE_BYTES_MAX;
use crate::redrive::{RedriveAllowPolicy, RedrivePolicy};
use crate::{Invalid, SqsError};

/// The attributes that can be set. Its serde form is a format on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) delay_seconds: u32,
    pub(crate) maximum_message_size: u32,
    pub(crate) message_retention_period: u32,
    pub(crate) receive_message_wait_time_seconds: u32,
    pub(crate) visibility_timeout: u32,
    /// JSON, kept as it was given.
    pub(crate) policy: Option<String>,
    pub(crate) redrive_policy: Option<RedrivePolicy>,
    pub(crate) redrive_allow_policy: Option<RedriveAllowPolicy>,
    pub(crate) sqs_managed_sse_enabled: bool,
    /// Stored and returned: messages are not encrypted with it.
    pub(crate) kms_master_key_id: Option<String>,
    pub(crate) kms_data_key_reuse_period_seconds: u32,
    /// Of FIFO queues.
    pub(crate) fifo: Option<Fifo>,
}

/// The attributes that only FIFO queues have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Fifo {
    pub(crate) content_based_deduplication: bool,
    /// Whether deduplication ids are those of a group, instead of the queue's.
    pub(crate) deduplicates_by_group: bool,
    /// Whether throughput is limited by group: stored and returned, for there is no such limit here.
    pub(crate) limits_by_group: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            delay_seconds: 0,
            maximum_message_size: MESSAGE_BYTES_MAX as u32,
            message_retention_period: 4 * 24 * 3600,
            receive_message_wait_time_seconds: 0,
            visibility_timeout: 30,
            policy: None,
            redrive_policy: None,
            redrive_allow_policy: None,
            sqs_managed_sse_enabled: true,
            kms_master_key_id: None,
            kms_data_key_reuse_period_seconds: 300,
            fifo: None,
        }
    }
}

/// Attributes of a queue that are told and cannot be set.
pub(crate) const READ_ONLY: [&str; 6] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

impl Settings {
    /// The settings of a new queue.
    pub(crate) fn create(is_fifo: bool, attributes: &BTreeMap<String, String>) -> Result<Self, SqsError> {
        check_encryption(attributes)?;
        let fifo = is_fifo.then(Fifo::default);
        let mut settings = Self { fifo, ..Self::default() };
        for (name, value) in attributes {
            match (name.as_str(), truth(value), is_fifo) {
                // It is what it says: the name decided.
                ("FifoQueue", Some(true), true) => {}
                ("FifoQueue", Some(_), _) => return Err(Invalid::attribute_name(name).into()),
                _ => settings.set(name, value)?,
            }
        }
        settings.check()?;
        Ok(settings)
    }

    /// The settings after a change of some.
    pub(crate) fn changed(&self, attributes: &BTreeMap<String, String>) -> Result<Self, SqsError> {
        check_encryption(attributes)?;
        let mut settings = self.clone();
        for (name, value) in attributes {
            match (name.as_str(), self.fifo.is_some()) {
                ("FifoQueue", true) if truth(value) == Some(true) => {}
                ("FifoQueue", true) => {
                    let reason = Some("Modifying queue type is not supported.");
                    return Err(Invalid::AttributeValue { name: name.clone(), reason }.into());
                }
                // recorded: a standard queue does not know the attribute, whatever its value.
                ("FifoQueue", false) => return Err(Invalid::attribute_name(name).into()),
                _ => settings.set(name, value)?,
            }
        }
        settings.check()?;
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), SqsError> {
        let number = |min: u32, max: u32| {
            let number = value.parse().ok().filter(|number| (min..=max).contains(number));
            number.ok_or_else(|| Invalid::attribute_value(name))
        };
        let truth = || truth(value).ok_or_else(|| Invalid::attribute_value(name));
        let given = Some(value).filter(|value| !value.is_empty());
        match name {
            "DelaySeconds" => self.delay_seconds = number(0, 900)?,
            "MaximumMessageSize" => self.maximum_message_size = number(1024, MESSAGE_BYTES_MAX as u32)?,
            "MessageRetentionPeriod" => self.message_retention_period = number(60, 14 * 24 * 3600)?,
            "ReceiveMessageWaitTimeSeconds" => self.receive_message_wait_time_seconds = number(0, 20)?,
            "VisibilityTimeout" => self.visibility_timeout = number(0, 12 * 3600)?,
            "Policy" => self.policy = given.map(policy).transpose()?,
            "RedrivePolicy" => self.redrive_policy = given.map(RedrivePolicy::parse).transpose()?,
            "RedriveAllowPolicy" => {
                self.redrive_allow_policy = given.map(RedriveAllowPolicy::parse).transpose()?;
            }
            // One kind of encryption takes the place of the other. Recorded: without a key there is none.
            "SqsManagedSseEnabled" => {
                self.sqs_managed_sse_enabled = truth()?;
                if self.sqs_managed_sse_enabled {
                    self.kms_master_key_id = None;
                }
            }
            "KmsMasterKeyId" => {
                self.kms_master_key_id = given.map(str::to_owned);
                self.sqs_managed_sse_enabled &= given.is_none();
            }
            "KmsDataKeyReusePeriodSeconds" => {
                self.kms_data_key_reuse_period_seconds = number(60, 24 * 3600)?;
            }
            "ContentBasedDeduplication" => self.fifo_mut(name)?.content_based_deduplication = truth()?,
            "DeduplicationScope" => {
                self.fifo_mut(name)?.deduplicates_by_group = match value {
                    "messageGroup" => true,
                    "queue" => false,
                    _ => return Err(Invalid::attribute_value(name).into()),
                };
            }
            "FifoThroughputLimit" => {
                self.fifo_mut(name)?.limits_by_group = match value {
                    "perMessageGroupId" => true,
                    "perQueue" => false,
                    _ => return Err(Invalid::attribute_value(name).into()),
                };
            }
            _ => return Err(Invalid::attribute_name(name).into()),
        }
        Ok(())
    }

    /// Rules that span attributes.
    fn check(&self) -> Result<(), SqsError> {
        match &self.fifo {
            Some(Fifo { limits_by_group: true, deduplicates_by_group: false, .. }) => {
                let name = "FifoThroughputLimit".to_owned();
                let reason = Some("perMessageGroupId needs the DeduplicationScope messageGroup.");
                Err(Invalid::AttributeValue { name, reason }.into())
            }
            _ => Ok(()),
        }
    }

    fn fifo_mut(&mut self, name: &str) -> Result<&mut Fifo, Invalid> {
        let needs = match name {
            // recorded
            "DeduplicationScope" | "FifoThroughputLimit" => {
                Invalid::FifoAttributeName { name: name.to_owned() }
            }
            _ => Invalid::attribute_name(name),
        };
        self.fifo.as_mut().ok_or(needs)
    }

    /// All attributes that have a value, by AWS's names.
    pub(crate) fn tell(&self) -> BTreeMap<&'static str, String> {
        let mut told = BTreeMap::from([
            ("DelaySeconds", self.delay_seconds.to_string()),
            ("MaximumMessageSize", self.maximum_message_size.to_string()),
            ("MessageRetentionPeriod", self.message_retention_period.to_string()),
            ("ReceiveMessageWaitTimeSeconds", self.receive_message_wait_time_seconds.to_string()),
            ("VisibilityTimeout", self.visibility_timeout.to_string()),
            ("SqsManagedSseEnabled", self.sqs_managed_sse_enabled.to_string()),
        ]);
        told.extend(self.policy.clone().map(|policy| ("Policy", policy)));
        told.extend(self.redrive_policy.as_ref().map(|policy| ("RedrivePolicy", policy.to_json())));
        told.extend(
            self.redrive_allow_policy.as_ref().map(|policy| ("RedriveAllowPolicy", policy.to_json())),
        );
        if let Some(key) = &self.kms_master_key_id {
            told.extend([
                ("KmsMasterKeyId", key.clone()),
                ("KmsDataKeyReusePeriodSeconds", self.kms_data_key_reuse_period_seconds.to_string()),
            ]);
        }
        if let Some(fifo) = &self.fifo {
            let scope = if fifo.deduplicates_by_group { "messageGroup" } else { "queue" };
            let limit = if fifo.limits_by_group { "perMessageGroupId" } else { "perQueue" };
            told.extend([
                ("FifoQueue", "true".to_owned()),
                ("ContentBasedDeduplication", fifo.content_based_deduplication.to_string()),
                ("DeduplicationScope", scope.to_owned()),
                ("FifoThroughputLimit", limit.to_owned()),
            ]);
        }
        told
    }

    pub(crate) fn retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.message_retention_period))
    }
}

/// Recorded: what is asked for at once cannot be both kinds of encryption.
fn check_encryption(attributes: &BTreeMap<String, String>) -> Result<(), Invalid> {
    let has_key = attributes.get("KmsMasterKeyId").is_some_and(|key| !key.is_empty());
    let is_managed = attributes.get("SqsManagedSseEnabled").and_then(|value| truth(value)) == Some(true);
    if has_key && is_managed { Err(Invalid::TwoEncryptions) } else { Ok(()) }
}

/// `true` or `false`; recorded: in any case, as Python's `True`.
pub(crate) fn truth(value: &str) -> Option<bool> {
    match () {
        () if value.eq_ignore_ascii_case("true") => Some(true),
        () if value.eq_ignore_ascii_case("false") => Some(false),
        () => None,
    }
}

/// A policy is kept as it is, if it is a JSON object.
fn policy(text: &str) -> Result<String, Invalid> {
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Invalid::attribute_value("Policy")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(is_fifo: bool, attributes: &[(&str, &str)]) -> Result<Settings, String> {
        let attributes =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::create(is_fifo, &attributes).map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_have_bounds() {
        for (name, min, max) in [
            ("DelaySeconds", 0, 900),
            ("MaximumMessageSize", 1024, 1_048_576),
            ("MessageRetentionPeriod", 60, 1_209_600),
            ("ReceiveMessageWaitTimeSeconds", 0, 20),
            ("VisibilityTimeout", 0, 43_200),
        ] {
            for number in [min, max] {
                let settings = create(false, &[(name, &number.to_string())]).expect(name);
                assert_eq!(settings.tell()[name], number.to_string());
            }
            for number in [min - 1, max + 1] {
                assert!(create(false, &[(name, &number.to_string())]).is_err(), "{name} {number}");
            }
            assert!(create(false, &[(name, "")]).is_err() && create(false, &[(name, "a")]).is_err());
        }
    }

    #[test]
    fn attributes_of_fifo_queues_are_unknown_to_others() {
        for (name, value) in [("ContentBasedDeduplication", "true"), ("FifoQueue", "false")] {
            let unknown = create(false, &[(name, value)]).expect_err(name);
            assert_eq!(unknown, format!("attribute `{name}` is unknown"));
        }
        for (name, value) in [("DeduplicationScope", "messageGroup"), ("FifoThroughputLimit", "perQueue")] {
            let unknown = create(false, &[(name, value)]).expect_err(name);
            assert_eq!(unknown, format!("attribute `{name}` needs a FIFO queue"));
        }
        let high = [("DeduplicationScope", "messageGroup"), ("FifoThroughputLimit", "perMessageGroupId")];
        let told = create(true, &high).expect("valid").tell();
        assert_eq!(
            (told["FifoQueue"].as_str(), told["DeduplicationScope"].as_str()),
            ("true", "messageGroup")
        );
        assert!(create(true, &high[1..]).is_err());
    }

    #[test]
    fn the_type_of_a_queue_stays() {
        for (is_fifo, value, expected) in [
            (true, "true", None),
            (true, "True", None),
            (true, "false", Some("attribute `FifoQueue` cannot have that value")),
            (false, "true", Some("attribute `FifoQueue` is unknown")),
            (false, "false", Some("attribute `FifoQueue` is unknown")),
        ] {
            let settings = create(is_fifo, &[]).expect("valid");
            let changed = settings.changed(&BTreeMap::from([("FifoQueue".to_owned(), value.to_owned())]));
            let error = changed.err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), expected, "{is_fifo} {value}");
        }
        let told = create(true, &[("ContentBasedDeduplication", "True")]).expect("valid").tell();
        assert_eq!(told["ContentBasedDeduplication"], "true");
    }

    #[test]
    fn a_key_takes_the_place_of_the_queues_own_encryption() {
        let told = |settings: &Settings| {
            ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"]
                .map(|name| settings.tell().get(name).cloned().unwrap_or_default())
        };
        let change = |settings: &Settings, changes: &[(&str, &str)]| {
            let changes = changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            settings.changed(&changes.collect())
        };
        let plain = create(false, &[]).expect("valid");
        assert_eq!(told(&plain), ["", "", "true"]);
        let period = ("KmsDataKeyReusePeriodSeconds", "6000");
        let keyed = change(&plain, &[("KmsMasterKeyId", "key"), period]).expect("valid");
        assert_eq!(told(&keyed), ["key", "6000", "false"]);
        assert_eq!(told(&change(&keyed, &[("KmsMasterKeyId", "")]).expect("valid")), ["", "", "false"]);
        assert_eq!(
            told(&change(&keyed, &[("SqsManagedSseEnabled", "true")]).expect("valid")),
            ["", "", "true"]
        );
        change(&plain, &[("KmsMasterKeyId", "key"), ("SqsManagedSseEnabled", "true")]).expect_err("both");
    }

    #[test]
    fn an_empty_policy_is_none() {
        let policy = [("Policy", r#"{"Version":"2012-10-17"}"#)];
        let settings = create(false, &policy).expect("valid");
        assert_eq!(settings.tell()["Policy"], policy[0].1);
        let without =
            settings.changed(&BTreeMap::from([("Policy".to_owned(), String::new())])).expect("valid");
        assert_eq!(without.tell().get("Policy"), None);
        assert!(create(false, &[("Policy", "nonsense")]).is_err());
    }
}
