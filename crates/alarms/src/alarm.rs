//! An alarm as it is kept: its definition, and the state that it is in.

use std::collections::BTreeMap;
use std::fmt;

use groundwatch_core::Timestamp;
use groundwatch_storage::{Document, Key};
use serde::{Deserialize, Serialize};

use crate::definition::Definition;

/// One alarm. Its document's key holds its name, account and region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// What PutMetricAlarm said last.
    pub definition: Definition,
    /// When that was.
    pub configured: Timestamp,
    /// The tags that it was created with; PutMetricAlarm ignores `Tags` for an alarm that exists.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The state that it is in.
    pub state: State,
}

impl Document for Alarm {
    const KIND: &'static str = "alarm";
}

impl Alarm {
    /// A new alarm, as AWS begins all of them, whatever TreatMissingData says (recorded 2025-09).
    pub fn new(definition: Definition, tags: BTreeMap<String, String>, now: Timestamp) -> Self {
        let state = State {
            value: StateValue::InsufficientData,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            reason_data: None,
            updated: now,
            transitioned: now,
        };
        Self { definition, configured: now, tags, state }
    }
}

/// Which state an alarm is in, since when, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The state.
    pub value: StateValue,
    /// `StateReason`.
    pub reason: String,
    /// `StateReasonData`: a JSON text.
    pub reason_data: Option<String>,
    /// `StateUpdatedTimestamp`: when the state was last set, also to what it was.
    pub updated: Timestamp,
    /// `StateTransitionedTimestamp`: when the state last became another.
    pub transitioned: Timestamp,
}

/// `StateValue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StateValue {
    /// The condition does not hold.
    #[serde(rename = "OK")]
    Ok,
    /// The condition holds.
    #[serde(rename = "ALARM")]
    Alarm,
    /// There are not enough data to say.
    #[serde(rename = "INSUFFICIENT_DATA")]
    InsufficientData,
}

impl StateValue {
    /// The state that AWS calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ok, Self::Alarm, Self::InsufficientData].into_iter().find(|state| state.name() == name)
    }

    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

impl fmt::Display for StateValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The ARN of the alarm with that key.
pub fn arn(key: &Key) -> String {
    key.scope.arn("cloudwatch", &format!("alarm:{}", key.name))
}
