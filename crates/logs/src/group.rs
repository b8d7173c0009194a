//! A log group, as its document keeps it.

use groundwatch_api::logs::LogGroupClass;
use groundwatch_core::{Scope, Tags, Timestamp};
use groundwatch_storage::{Document, Key};
use serde::{Deserialize, Serialize};

use crate::error::LogsError;
use crate::history::History;
use crate::incarnation::GroupId;
use crate::index_policy::IndexPolicy;
use crate::protection::GroupProtection;
use crate::transformer::GroupTransformer;

/// What a class allows, which is fixed at creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum GroupClass {
    /// Everything.
    #[default]
    Standard,
    /// Ingestion and queries, but neither `GetLogEvents` nor `FilterLogEvents`.
    InfrequentAccess,
    /// For delivery to elsewhere.
    Delivery,
    /// As `InfrequentAccess`.
    Essentials,
}

impl GroupClass {
    /// Whether `GetLogEvents` and `FilterLogEvents` work.
    pub(crate) fn readable(self) -> bool {
        self == Self::Standard
    }

    /// Whether a listing by class `wanted` shows groups of this class: AWS answers both of the two cheap
    /// classes when either is asked for.
    pub(crate) fn listed_as(self, wanted: Self) -> bool {
        let cheap = |class| matches!(class, Self::InfrequentAccess | Self::Essentials);
        self == wanted || (cheap(self) && cheap(wanted))
    }

    /// AWS's class of that name; `None` for a name that AWS does not have.
    pub(crate) fn from_api(class: &LogGroupClass) -> Option<Self> {
        match class {
            LogGroupClass::Standard => Some(Self::Standard),
            LogGroupClass::InfrequentAccess => Some(Self::InfrequentAccess),
            LogGroupClass::Delivery => Some(Self::Delivery),
            LogGroupClass::Essentials => Some(Self::Essentials),
            LogGroupClass::Unknown(_) => None,
        }
    }

    /// This class in AWS's words.
    pub(crate) fn to_api(self) -> LogGroupClass {
        match self {
            Self::Standard => LogGroupClass::Standard,
            Self::InfrequentAccess => LogGroupClass::InfrequentAccess,
            Self::Delivery => LogGroupClass::Delivery,
            Self::Essentials => LogGroupClass::Essentials,
        }
    }
}

/// A log group's definition and what is known of its contents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LogGroup {
    /// Which life of this name it is.
    pub id: GroupId,
    /// When it was created.
    pub created: Timestamp,
    /// What it may be used for.
    #[serde(default)]
    pub class: GroupClass,
    /// How long events are kept, unless a policy of the account says something else; forever if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// Kept and shown. Groundwatch does not encrypt with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Whether deletion is refused.
    #[serde(default)]
    pub deletion_protected: bool,
    /// Tags by key.
    #[serde(default)]
    pub tags: Tags,
    /// Bytes in segments, as AWS counts them (message plus 26 an event). What the head holds comes on top.
    #[serde(default)]
    pub flushed_bytes: u64,
    /// Which fields queries can look up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_policy: Option<IndexPolicy>,
    /// What its events are transformed by.
    #[serde(default, skip_serializing_if = "History::is_empty")]
    pub transformers: History<GroupTransformer>,
    /// What is masked in its events.
    #[serde(default, skip_serializing_if = "History::is_empty")]
    pub protection: History<GroupProtection>,
}

impl Document for LogGroup {
    const KIND: &'static str = "log-group";
}

impl LogGroup {
    /// Whether groups of this class offer an operation on their events.
    pub(crate) fn check_offers(&self, operation: &'static str) -> Result<(), LogsError> {
        if self.class.readable() { Ok(()) } else { Err(LogsError::ClassRefuses { operation }) }
    }
}

/// The document key of the group called `name`.
pub(crate) fn group_key(scope: &Scope, name: &str) -> Key {
    Key { scope: scope.clone(), name: name.to_owned() }
}

/// The ARN of the group called `name`, without `:*`: what requests must name it by.
pub(crate) fn group_arn(scope: &Scope, name: &str) -> String {
    scope.arn("logs", &format!("log-group:{name}"))
}

#[cfg(test)]
mod tests {
    use super::GroupClass::*;

    #[test]
    fn the_two_cheap_classes_are_listed_together() {
        for (class, wanted, listed) in [
            (Standard, Standard, true),
            (Standard, Essentials, false),
            (Essentials, InfrequentAccess, true),
            (InfrequentAccess, Essentials, true),
            (InfrequentAccess, InfrequentAccess, true),
            (Delivery, InfrequentAccess, false),
            (Delivery, Delivery, true),
        ] {
            assert_eq!(class.listed_as(wanted), listed, "{class:?} when {wanted:?} is asked for");
        }
    }
}
