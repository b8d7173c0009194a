//! What the history tells of an alarm: the items, and AWS's JSON in `HistoryData`.
//!
//! Items outlive their alarm. The JSON's members and their order are those of recorded histories; a text that would
//! exceed AWS's limit for `HistoryData` leaves out its bulkiest part.

use groundwatch_core::Timestamp;
use groundwatch_storage::{Entry, Key};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::alarm::{Alarm, AlarmType, State, StateValue, arn};
use crate::contributors::ContributorMark;
use crate::definition::{CompositeDefinition, Definition, MetricDefinition};
use crate::java_double::JavaDouble;
use crate::math_json::{Case, EntryJson};
use crate::mute::Mute;
use crate::reader::{Dimension, MetricQuery, Statistic};
use crate::source::Source;

/// The longest `HistoryData`, in bytes.
const DATA_BYTES_MAX: usize = 4095;

/// One item of an alarm's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryItem {
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
pub enum HistoryKind {
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
    pub fn name(self) -> &'static str {
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
pub enum ConfigurationChange {
    /// It is new.
    Create,
    /// It replaces another.
    Update,
    /// It is gone.
    Delete,
}

impl HistoryItem {
    /// `Alarm "cpu" created`; `alarm` is what it is now, or was last.
    pub fn configuration(key: &Key, alarm: &Alarm, change: ConfigurationChange) -> Self {
        let configuration = Some(Configuration::of(key, alarm));
        let (verb, data) = match change {
            ConfigurationChange::Create => (
                "created",
                ConfigurationData { created_alarm: configuration, ..ConfigurationData::new("Create") },
            ),
            ConfigurationChange::Update => (
                "updated",
                ConfigurationData { updated_alarm: configuration, ..ConfigurationData::new("Update") },
            ),
            ConfigurationChange::Delete => (
                "deleted",
                ConfigurationData { deleted_alarm: configuration, ..ConfigurationData::new("Delete") },
            ),
        };
        let kind = HistoryKind::ConfigurationUpdate;
        let data = first_that_fits([json(&data), json(&ConfigurationData::new(data.kind))]);
        Self {
            alarm_type: alarm.definition.alarm_type(),
            kind,
            summary: format!("Alarm \"{}\" {verb}", key.name),
            data,
            contributor: None,
        }
    }

    /// `Alarm updated from OK to ALARM`.
    pub fn state(alarm_type: AlarmType, old: &State, new: &State) -> Self {
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
    pub fn action(
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
    pub fn of_contributor(self, contributor: Option<&ContributorMark>) -> Self {
        let Some(contributor) = contributor else { return self };
        let kind = match self.kind {
            HistoryKind::StateUpdate => HistoryKind::AlarmContributorStateUpdate,
            HistoryKind::Action => HistoryKind::AlarmContributorAction,
            other => other,
        };
        Self { kind, contributor: Some(contributor.clone()), ..self }
    }

    /// That a mute rule withholds the actions of a new state. The guide: the rule that was created last is named, others
    /// that mute as well are counted.
    pub fn muted(alarm: &Alarm, mute: &Mute) -> Self {
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
struct ConfigurationData<'a> {
    version: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_alarm: Option<Configuration<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_alarm: Option<Configuration<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_alarm: Option<Configuration<'a>>,
}

impl ConfigurationData<'_> {
    fn new(kind: &'static str) -> Self {
        Self { version: "1.0", kind, created_alarm: None, updated_alarm: None, deleted_alarm: None }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Configuration<'a> {
    Metric(Box<MetricConfiguration<'a>>),
    Composite(Box<CompositeConfiguration<'a>>),
}

impl<'a> Configuration<'a> {
    fn of(key: &'a Key, alarm: &'a Alarm) -> Self {
        match &alarm.definition {
            Definition::Metric(definition) => {
                Self::Metric(Box::new(MetricConfiguration::of(key, alarm, definition)))
            }
            Definition::Composite(definition) => {
                Self::Composite(Box::new(CompositeConfiguration::of(key, alarm, definition)))
            }
        }
    }
}

/// Recorded 2022-11, down to `okactions`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MetricConfiguration<'a> {
    alarm_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm_description: Option<&'a str>,
    alarm_arn: String,
    alarm_configuration_updated_timestamp: String,
    #[serde(flatten)]
    metric: Option<SingleMetric<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Vec<EntryJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<JavaDouble>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold_metric_id: Option<&'a str>,
    comparison_operator: &'static str,
    evaluation_periods: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    datapoints_to_alarm: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    treat_missing_data: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluate_low_sample_count_percentile: Option<&'static str>,
    state_value: StateValue,
    state_updated_timestamp: String,
    actions_enabled: bool,
    alarm_actions: &'a [String],
    insufficient_data_actions: &'a [String],
    okactions: &'a [String],
}

impl<'a> MetricConfiguration<'a> {
    fn of(key: &'a Key, alarm: &'a Alarm, definition: &'a MetricDefinition) -> Self {
        let Alarm { configured, state, .. } = alarm;
        let condition = &definition.condition;
        let (metric, metrics) = match &definition.source {
            Source::Metric(metric) => (Some(SingleMetric::of(metric)), None),
            Source::Math(math) => {
                let entries = math.entries.iter();
                (None, Some(entries.map(|entry| EntryJson(Case::Camel, entry)).collect()))
            }
        };
        Self {
            alarm_name: &key.name,
            alarm_description: definition.description.as_deref(),
            alarm_arn: arn(key),
            alarm_configuration_updated_timestamp: configured.to_aws_json_text(),
            metric,
            metrics,
            threshold: condition.threshold.map(JavaDouble),
            threshold_metric_id: definition.source.threshold_metric_id(),
            comparison_operator: condition.comparison.name(),
            evaluation_periods: condition.evaluation_periods,
            datapoints_to_alarm: condition.datapoints_to_alarm,
            treat_missing_data: condition.treat_missing_data.map(|treatment| treatment.name()),
            evaluate_low_sample_count_percentile: condition
                .low_sample_percentiles
                .map(|option| option.name()),
            state_value: state.value,
            state_updated_timestamp: state.updated.to_aws_json_text(),
            actions_enabled: definition.actions.enabled,
            alarm_actions: &definition.actions.alarm,
            insufficient_data_actions: &definition.actions.insufficient_data,
            okactions: &definition.actions.ok,
        }
    }
}

/// What a configuration says of a single metric.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SingleMetric<'a> {
    namespace: &'a str,
    metric_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_statistic: Option<&'a str>,
    period: u32,
    dimensions: Vec<LowerCaseDimension<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
}

impl<'a> SingleMetric<'a> {
    fn of(metric: &'a MetricQuery) -> Self {
        let (statistic, extended_statistic) = match &metric.statistic {
            Statistic::Simple(text) => (Some(text.as_str()), None),
            Statistic::Extended(text) => (None, Some(text.as_str())),
        };
        Self {
            namespace: &metric.namespace,
            metric_name: &metric.metric_name,
            statistic,
            extended_statistic,
            period: metric.period_secs,
            dimensions: metric.dimensions.iter().map(LowerCaseDimension::of).collect(),
            unit: metric.unit.as_deref(),
        }
    }
}

/// In the manner of a metric alarm's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CompositeConfiguration<'a> {
    alarm_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm_description: Option<&'a str>,
    alarm_arn: String,
    alarm_configuration_updated_timestamp: String,
    alarm_rule: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions_suppressor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions_suppressor_wait_period: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions_suppressor_extension_period: Option<u32>,
    state_value: StateValue,
    state_updated_timestamp: String,
    actions_enabled: bool,
    alarm_actions: &'a [String],
    insufficient_data_actions: &'a [String],
    okactions: &'a [String],
}

impl<'a> CompositeConfiguration<'a> {
    fn of(key: &'a Key, alarm: &'a Alarm, definition: &'a CompositeDefinition) -> Self {
        let suppressor = definition.suppressor.as_ref();
        Self {
            alarm_name: &key.name,
            alarm_description: definition.description.as_deref(),
            alarm_arn: arn(key),
            alarm_configuration_updated_timestamp: alarm.configured.to_aws_json_text(),
            alarm_rule: definition.rule.text(),
            actions_suppressor: suppressor.map(|suppressor| suppressor.alarm.as_str()),
            actions_suppressor_wait_period: suppressor.map(|suppressor| suppressor.wait_secs),
            actions_suppressor_extension_period: suppressor.map(|suppressor| suppressor.extension_secs),
            state_value: alarm.state.value,
            state_updated_timestamp: alarm.state.updated.to_aws_json_text(),
            actions_enabled: definition.actions.enabled,
            alarm_actions: &definition.actions.alarm,
            insufficient_data_actions: &definition.actions.insufficient_data,
            okactions: &definition.actions.ok,
        }
    }
}

/// A dimension as AWS writes it into JSON texts: value first, in lower case (recorded 2022 and 2026-02).
#[derive(Serialize)]
pub(crate) struct LowerCaseDimension<'a> {
    value: &'a str,
    name: &'a str,
}

impl<'a> LowerCaseDimension<'a> {
    pub(crate) fn of(dimension: &'a Dimension) -> Self {
        Self { value: &dimension.value, name: &dimension.name }
    }
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
    use std::collections::BTreeMap;

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
        let alarm = Alarm::new(definition, BTreeMap::new(), Timestamp::from_millis(1_667_404_530_959));
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
