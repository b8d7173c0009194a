//! Data protection of groups: which policy protects the events that arrived when.
//!
//! What is sensitive in an event is not kept: it is looked for again whenever the event is read, by the
//! policy that was in force when the event arrived, as AWS's guide wants it (a policy concerns later events
//! only, and those stay masked when it goes). So a message is stored once, and as it came.

use std::sync::Arc;

use groundwatch_core::Timestamp;
use groundwatch_data_protection::{Custom, Detectors, Finding, Identifier, Policy, PolicyError};
use serde::{Deserialize, Serialize};

use crate::error::LogsError;
use crate::group::LogGroup;
use crate::history::Period;

/// How many identifiers of forgotten policies are kept. Beyond that events of that time are masked whole.
const MERGED_IDENTIFIERS_MAX: usize = 256;

/// Why a data protection policy is refused, or is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtectionError {
    /// The group has none.
    #[error("data protection policy does not exist")]
    Missing,
    /// The document breaks a rule.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// A policy with its detectors.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(from = "Kept", into = "Kept")]
pub(crate) struct GroupProtection {
    kept: Kept,
    detectors: Arc<Detectors>,
}

/// A policy as its group's document keeps it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct Kept {
    /// The document as it was given.
    document: String,
    identifiers: Vec<Identifier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    findings_group: Option<String>,
}

impl From<Kept> for GroupProtection {
    fn from(kept: Kept) -> Self {
        Self { detectors: Arc::new(Detectors::new(&kept.identifiers)), kept }
    }
}

impl From<GroupProtection> for Kept {
    fn from(protection: GroupProtection) -> Self {
        protection.kept
    }
}

impl PartialEq for GroupProtection {
    fn eq(&self, other: &Self) -> bool {
        self.kept == other.kept
    }
}

impl GroupProtection {
    /// The policy that a document describes.
    pub(crate) fn parse(document: &str) -> Result<Self, ProtectionError> {
        let Policy { identifiers, findings_group, .. } = Policy::parse(document)?;
        Ok(Kept { document: document.to_owned(), identifiers, findings_group }.into())
    }

    /// The document as it was given.
    pub(crate) fn document(&self) -> &str {
        &self.kept.document
    }

    /// The group that is told of findings.
    pub(crate) fn findings_group(&self) -> Option<&str> {
        self.kept.findings_group.as_deref()
    }

    /// What is sensitive in a text.
    pub(crate) fn find<'p>(&'p self, text: &str) -> Vec<Finding<'p>> {
        self.detectors.find(text)
    }
}

/// The group with another policy from `now` on, or with none.
pub(crate) fn with_protection(
    group: &LogGroup,
    protection: Option<GroupProtection>,
    now: Timestamp,
) -> LogGroup {
    LogGroup { protection: group.protection.changed(now, protection, merge), ..group.clone() }
}

/// Has the later period protect what either did.
pub(crate) fn merge(oldest: &Period<GroupProtection>, next: &mut Period<GroupProtection>) {
    next.since = oldest.since;
    let kept: Vec<&Kept> =
        [&oldest.setting, &next.setting].into_iter().flatten().map(|both| &both.kept).collect();
    let mut identifiers: Vec<Identifier> = Vec::new();
    for identifier in kept.iter().flat_map(|kept| &kept.identifiers) {
        if !identifiers.contains(identifier) {
            identifiers.push(identifier.clone());
        }
    }
    if identifiers.len() > MERGED_IDENTIFIERS_MAX {
        let everything = Custom { name: "everything".to_owned(), regex: "(?s).+".to_owned() };
        identifiers = vec![Identifier::Custom(everything)];
    }
    let merged = Kept { document: String::new(), identifiers, findings_group: None };
    next.setting = (!merged.identifiers.is_empty()).then(|| Arc::new(merged.into()));
}

/// The group's document of a policy that is in force, with its time; an error if there is none.
pub(crate) fn policy_in_force(group: &LogGroup) -> Result<(Timestamp, &GroupProtection), LogsError> {
    let (since, protection) = group.protection.current().ok_or(ProtectionError::Missing)?;
    Ok((since, protection))
}

#[cfg(test)]
mod tests {
    use groundwatch_data_protection::mask;

    use super::*;
    use crate::history::History;

    fn protection(regex: &str) -> GroupProtection {
        let custom = Custom { name: regex.to_owned(), regex: regex.to_owned() };
        let identifiers = vec![Identifier::Custom(custom)];
        Kept { document: "d".to_owned(), identifiers, findings_group: None }.into()
    }

    #[test]
    fn forgotten_policies_protect_for_ever() {
        let mut history: History<GroupProtection> = History::default();
        for second in 0..26_u8 {
            let regex = char::from(b'a' + second).to_string();
            history = history.changed(Timestamp::from_secs(second.into()), Some(protection(&regex)), merge);
        }
        let first = history.at(Timestamp::from_secs(0)).expect("kept");
        assert_eq!(mask("abcxyz", &first.find("abcxyz")), "***xyz");
        let last = history.at(Timestamp::from_secs(25)).expect("kept");
        assert_eq!(mask("abcxyz", &last.find("abcxyz")), "abcxy*");
    }

    #[test]
    fn too_much_to_remember_masks_everything() {
        let mut history: History<GroupProtection> = History::default();
        for second in 0..300 {
            let setting = protection(&format!("word{second}"));
            history = history.changed(Timestamp::from_secs(second), Some(setting), merge);
        }
        let first = history.at(Timestamp::from_secs(0)).expect("kept");
        assert_eq!(mask("any text", &first.find("any text")), "********");
        let kept = serde_json::to_string(&history).expect("kept as JSON");
        let read: History<GroupProtection> = serde_json::from_str(&kept).expect("read back");
        assert_eq!(read, history);
    }
}
