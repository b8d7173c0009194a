//! An alarm as it is kept: its definition, and the state that it is in.

use std::collections::BTreeMap;
use std::fmt;

use groundwatch_core::{Tags, Timestamp};
use groundwatch_storage::{Document, Key};
use serde::{Deserialize, Serialize};

use crate::composite::suppression::Suppression;
use crate::definition::Definition;
use crate::evaluation::contributors::{Contributor, ContributorMark};

/// The reason of an alarm that was never evaluated.
const UNCHECKED: &str = "Unchecked: Initial alarm creation";

/// One alarm. Its document's key holds its name, account and region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// What PutMetricAlarm or PutCompositeAlarm said last.
    pub definition: Definition,
    /// When that was.
    pub configured: Timestamp,
    /// The tags that it was created with; PutMetricAlarm ignores `Tags` for an alarm that exists.
    #[serde(default)]
    pub tags: Tags,
    /// The state that it is in.
    pub state: State,
    /// When its warm-up began, if it has not ended yet by what came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up_began: Option<Timestamp>,
    /// Whether a suppressor holds its actions back. Composite alarms only.
    #[serde(default, skip_serializing_if = "Suppression::is_none")]
    pub suppression: Suppression,
    /// The actions of its state have not run yet, and will if it is still in that state when they may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
    /// What its children were when its state was set by hand, until that is over. Composite alarms only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by_hand: Option<Vec<Option<StateValue>>>,
    /// Its series that are in ALARM, by their ids, at most
    /// [`CONTRIBUTORS_MAX`](crate::evaluation::contributors::CONTRIBUTORS_MAX). Alarms on several series only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contributors: BTreeMap<String, Contributor>,
    /// Which of its series this tells of, with the state of that: only in what is sent, never as it is kept.
    #[serde(skip)]
    pub contributor: Option<ContributorMark>,
}

/// Actions that a suppressor or a mute rule withholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Withheld {
    /// The state that the alarm came from.
    pub previous: State,
    /// Whether a mute rule withholds them, or did.
    pub by_mute_rule: bool,
}

impl Document for Alarm {
    const KIND: &'static str = "alarm";
}

impl Alarm {
    /// A new alarm, as AWS begins all of them, whatever TreatMissingData says (recorded 2025-09).
    pub fn new(definition: impl Into<Definition>, tags: Tags, now: Timestamp) -> Self {
        let definition = definition.into();
        let warm_up = definition.as_metric().and_then(|definition| definition.warm_up);
        let state = State {
            value: StateValue::InsufficientData,
            reason: UNCHECKED.to_owned(),
            reason_data: None,
            updated: now,
            transitioned: now,
        };
        Self {
            definition,
            configured: now,
            tags,
            state,
            warm_up_began: warm_up.map(|_| now),
            suppression: Suppression::None,
            withheld: None,
            set_by_hand: None,
            contributors: BTreeMap::new(),
            contributor: None,
        }
    }

    /// The alarm with another definition, of the same type, from `now` on. Its state stays; a state that was
    /// set by hand is evaluated again, and another suppressor begins anew.
    pub fn redefined(&self, definition: Definition, now: Timestamp) -> Self {
        let suppressor = |definition: &Definition| {
            definition.as_composite().and_then(|definition| definition.suppressor.clone())
        };
        let same_suppressor = suppressor(&self.definition) == suppressor(&definition);
        Self {
            warm_up_began: self.warming_up_until(now).and(self.warm_up_began),
            suppression: if same_suppressor { self.suppression } else { Suppression::None },
            definition,
            configured: now,
            set_by_hand: None,
            ..self.clone()
        }
    }

    /// The tags that go along with what it sends; `None` if it does not speak of tags.
    pub fn propagated_tags(&self) -> Option<BTreeMap<&str, &str>> {
        self.definition.actions().tags.as_ref()?.of(&self.tags)
    }

    /// Whether it was never evaluated.
    pub fn is_unchecked(&self) -> bool {
        self.state.reason == UNCHECKED
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

/// `AlarmType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmType {
    /// An alarm on datapoints.
    #[default]
    MetricAlarm,
    /// An alarm on other alarms.
    CompositeAlarm,
}

impl AlarmType {
    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::MetricAlarm => "MetricAlarm",
            Self::CompositeAlarm => "CompositeAlarm",
        }
    }
}

/// The ARN of the alarm with that key.
pub(crate) fn arn(key: &Key) -> String {
    key.scope.arn("cloudwatch", &format!("alarm:{}", key.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{composite, definition};

    #[test]
    fn stored_alarms_read_as_themselves() {
        for definition in [Definition::from(definition().build()), composite("NOT ALARM(a)").into()] {
            let alarm = Alarm::new(definition, Tags::default(), Timestamp::EPOCH);
            let text = serde_json::to_string(&alarm).expect("JSON");
            assert_eq!(serde_json::from_str::<Alarm>(&text).expect("an alarm"), alarm);
        }
    }

    /// As the first version wrote it, which knew metric alarms only.
    #[test]
    fn alarms_without_a_type_are_metric_alarms() {
        let text = r#"{"definition":{"description":null,"metric":{"namespace":"Shop","metric_name":"Latency",
            "dimensions":[{"name":"Host","value":"a"}],"statistic":{"Simple":"Average"},"period_secs":60,"unit":null},
            "condition":{"comparison":"GreaterThanThreshold","threshold":1.0,"evaluation_periods":1,
            "datapoints_to_alarm":null,"treat_missing_data":null,"low_sample_percentiles":null},
            "actions":{"enabled":true,"ok":[],"alarm":[],"insufficient_data":[]},"sliding_window_named":false},
            "configured":0,"tags":{},"state":{"value":"OK","reason":"fine","reason_data":null,"updated":0,
            "transitioned":0}}"#;
        let alarm: Alarm = serde_json::from_str(text).expect("an alarm");
        assert_eq!(alarm.definition, definition().build().into());
        assert_eq!(alarm.state.value, StateValue::Ok);
    }
}
