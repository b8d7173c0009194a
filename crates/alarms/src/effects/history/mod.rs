//! What the history tells of an alarm: the items, and AWS's JSON in `HistoryData`.
//!
//! Items outlive their alarm. The JSON's members and their order are those of recorded histories; a text that
//! would exceed AWS's limit for `HistoryData` leaves out its bulkiest part.

mod configuration;

use groundwatch_core::Timestamp;
use groundwatch_storage::{Entry, Key};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::configuration::ConfigurationData;
use crate::alarm::{Alarm, AlarmType, State, StateValue};
use crate::evaluation::contributors::ContributorMark;
use crate::mute::Mute;

/// The longest `HistoryData`, in bytes.
const DATA_BYTES_MAX: usize = 4095;

/// One item of an alarm's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HistoryItem {
    /// What kind of alarm it is about.
    pub alarm_type: AlarmType,
    /// What kind of item it is.
    pub kind: HistoryKind,
    /// `HistorySummary`.
    pub summary: String,
    /// `HistoryData`: a JSON text.
    pub data: String,
    /// Which of the alarm's series it is about, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contributor: Option<ContributorMark>,
}

impl Entry for HistoryItem {
    const KIND: &'static str = "alarm-history";
}

/// `HistoryItemType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HistoryKind {
    /// The alarm was created, changed or deleted.
    ConfigurationUpdate,
    /// Its state changed.
    StateUpdate,
    /// An action was executed, or failed for good.
    Action,
    /// The state of one of its series changed.
    AlarmContributorStateUpdate,
    /// An action of one of its series was executed, or failed for good.
    AlarmContributorAction,
}

impl HistoryKind {
    /// AWS's name of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ConfigurationUpdate => "ConfigurationUpdate",
            Self::StateUpdate => "StateUpdate",
            Self::Action => "Action",
            Self::AlarmContributorStateUpdate => "AlarmContributorStateUpdate",
            Self::AlarmContributorAction => "AlarmContributorAction",
        }
    }
}

/// What happened to a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConfigurationChange {
    /// It is new.
    Create,
    /// It replaces another.
    Update,
    /// It is gone.
    Delete,
}

impl HistoryItem {
    /// `Alarm "cpu" created`; `alarm` is what it is now, or was last.
    pub(crate) fn configuration(key: &Key, alarm: &Alarm, change: ConfigurationChange) -> Self {
        let verb = match change {
            ConfigurationChange::Create => "created",
            ConfigurationChange::Update => "updated",
            ConfigurationChange::Delete => "deleted",
        };
        let kind = HistoryKind::ConfigurationUpdate;
        let brief = ConfigurationData::brief(change);
        let data = first_that_fits([json(&ConfigurationData::whole(key, alarm, change)), json(&brief)]);
        Self {
            alarm_type: alarm.definition.alarm_type(),
            kind,
            summary: format!("Alarm \"{}\" {verb}", key.name),
            data,
            contributor: None,
        }
    }

    /// `Alarm updated from OK to ALARM`.
    pub(crate) fn state(alarm_type: AlarmType, old: &State, new: &State) -> Self {
        let data = |old_data: bool, new_data: bool| {
            json(&StateData {
                version: "1.0",
                old_state: HistoryState::of(old, old_data),
                new_state: HistoryState::of(new, new_data),
            })
        };
        Self {
            alarm_type,
            kind: HistoryKind::StateUpdate,
            summary: format!("Alarm updated from {} to {}", old.value, new.value),
            data: first_that_fits([data(true, true), data(false, true), data(false, false)]),
            contributor: None,
        }
    }

    /// `Successfully executed action arn:…`, or `Failed to …` with what went wrong.
    pub(crate) fn action(
        alarm_type: AlarmType,
        arn: &str,
        message: &str,
        state_updated: Timestamp,
        outcome: Result<(), &str>,
    ) -> Self {
        let data = |message: Option<&str>| {
            json(&ActionData {
                action_state: if outcome.is_ok() { "Succeeded" } else { "Failed" },
                state_update_timestamp: state_updated.as_millis(),
                notification_resource: arn,
                published_message: message,
                error: outcome.err(),
            })
        };
        let summary = match outcome {
            Ok(()) => format!("Successfully executed action {arn}"),
            Err(error) => format!("Failed to execute action {arn}. Received error: \"{error}\""),
        };
        let data = first_that_fits([data(Some(message)), data(None)]);
        Self { alarm_type, kind: HistoryKind::Action, summary, data, contributor: None }
    }
}

impl HistoryItem {
    /// The item as one about a series of the alarm, if it is.
    pub(crate) fn of_contributor(self, contributor: Option<&ContributorMark>) -> Self {
        let Some(contributor) = contributor else { return self };
        let kind = match self.kind {
            HistoryKind::StateUpdate => HistoryKind::AlarmContributorStateUpdate,
            HistoryKind::Action => HistoryKind::AlarmContributorAction,
            other => other,
        };
        Self { kind, contributor: Some(contributor.clone()), ..self }
    }

    /// That a mute rule withholds the actions of a new state. The guide: the rule that was created last is
    /// named, others that mute as well are counted.
    pub(crate) fn muted(alarm: &Alarm, mute: &Mute) -> Self {
        let others = match mute.others {
            0 => String::new(),
            1 => " and 1 other".to_owned(),
            count => format!(" and {count} others"),
        };
        let data = MutedData {
            action_state: "Muted",
            state_update_timestamp: alarm.state.updated.as_millis(),
            muted_by_arn: &mute.rule_arn,
            mute_window_start: mute.from.to_aws_json_text(),
            mute_window_end: mute.to.to_aws_json_text(),
        };
        Self {
            alarm_type: alarm.definition.alarm_type(),
            kind: HistoryKind::Action,
            summary: format!("Actions muted by alarm mute rule {}{others}", mute.rule),
            data: json(&data),
            contributor: None,
        }
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("text, numbers and lists always have a JSON form")
}

/// The first of `texts`, fullest first, that keeps to the limit; the last if none does.
fn first_that_fits<const N: usize>(texts: [String; N]) -> String {
    let mut last = String::new();
    for text in texts {
        last = text;
        if last.len() <= DATA_BYTES_MAX {
            break;
        }
    }
    last
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StateData<'a> {
    version: &'static str,
    old_state: HistoryState<'a>,
    new_state: HistoryState<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HistoryState<'a> {
    state_value: StateValue,
    state_reason: &'a str,
    /// An object here, where DescribeAlarms has a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason_data: Option<&'a RawValue>,
}

impl<'a> HistoryState<'a> {
    fn of(state: &'a State, with_data: bool) -> Self {
        let data = state.reason_data.as_deref().filter(|_| with_data);
        Self {
            state_value: state.value,
            state_reason: &state.reason,
            state_reason_data: data.and_then(|data| serde_json::from_str(data).ok()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActionData<'a> {
    action_state: &'static str,
    state_update_timestamp: i64,
    notification_resource: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    published_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MutedData<'a> {
    action_state: &'static str,
    state_update_timestamp: i64,
    muted_by_arn: &'a str,
    mute_window_start: String,
    mute_window_end: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{definition, key};
    use groundwatch_core::Tags;

    fn state(value: StateValue, reason_data: Option<&str>) -> State {
        State {
            value,
            reason: "by hand".to_owned(),
            reason_data: reason_data.map(str::to_owned),
            updated: Timestamp::EPOCH,
            transitioned: Timestamp::EPOCH,
        }
    }

    #[test]
    fn state_updates_hold_reason_data_as_an_object() {
        let item = HistoryItem::state(
            AlarmType::MetricAlarm,
            &state(StateValue::Ok, None),
            &state(StateValue::Alarm, Some("{\"n\":1.0E7}")),
        );
        assert_eq!(item.summary, "Alarm updated from OK to ALARM");
        assert_eq!(
            item.data,
            "{\"version\":\"1.0\",\"oldState\":{\"stateValue\":\"OK\",\"stateReason\":\"by hand\"},\
             \"newState\":{\"stateValue\":\"ALARM\",\"stateReason\":\"by hand\",\"stateReasonData\":{\"n\":1.0E7}}}"
        );
    }

    #[test]
    fn long_data_lose_the_old_state_first() {
        let long = format!("{{\"old\":\"{}\"}}", "x".repeat(3000));
        let new = format!("{{\"new\":\"{}\"}}", "x".repeat(3000));
        let item = HistoryItem::state(
            AlarmType::MetricAlarm,
            &state(StateValue::Ok, Some(&long)),
            &state(StateValue::Alarm, Some(&new)),
        );
        assert!(item.data.len() <= DATA_BYTES_MAX);
        assert!(item.data.contains("\"new\"") && !item.data.contains("\"old\""), "{}", item.data);
    }

    #[test]
    fn configurations_read_as_recorded() {
        let definition = definition().description("slow").build();
        let alarm = Alarm::new(definition, Tags::default(), Timestamp::from_millis(1_667_404_530_959));
        let item = HistoryItem::configuration(&key("cpu"), &alarm, ConfigurationChange::Create);
        assert_eq!(item.summary, "Alarm \"cpu\" created");
        assert_eq!(
            item.data,
            "{\"version\":\"1.0\",\"type\":\"Create\",\"createdAlarm\":{\"alarmName\":\"cpu\",\
             \"alarmDescription\":\"slow\",\"alarmArn\":\"arn:aws:cloudwatch:us-east-1:000000000000:alarm:cpu\",\
             \"alarmConfigurationUpdatedTimestamp\":\"2022-11-02T15:55:30.959+0000\",\"namespace\":\"Shop\",\
             \"metricName\":\"Latency\",\"statistic\":\"Average\",\"period\":60,\
             \"dimensions\":[{\"value\":\"a\",\"name\":\"Host\"}],\"threshold\":1.0,\
             \"comparisonOperator\":\"GreaterThanThreshold\",\"evaluationPeriods\":1,\
             \"stateValue\":\"INSUFFICIENT_DATA\",\"stateUpdatedTimestamp\":\"2022-11-02T15:55:30.959+0000\",\
             \"actionsEnabled\":true,\"alarmActions\":[],\"insufficientDataActions\":[],\"okactions\":[]}}"
        );
    }

    #[test]
    fn failed_actions_say_why() {
        let item = HistoryItem::action(
            AlarmType::MetricAlarm,
            "arn:x",
            "{}",
            Timestamp::from_millis(5),
            Err("no such topic"),
        );
        assert_eq!(item.summary, "Failed to execute action arn:x. Received error: \"no such topic\"");
        assert_eq!(
            item.data,
            "{\"actionState\":\"Failed\",\"stateUpdateTimestamp\":5,\"notificationResource\":\"arn:x\",\
             \"publishedMessage\":\"{}\",\"error\":\"no such topic\"}"
        );
    }
}
