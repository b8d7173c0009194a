//! The events of alarms, as rules on the event bus see them: 'CloudWatch Alarm State Change' and 'CloudWatch
//! Alarm Configuration Change'.

use groundwatch_core::{BoxFuture, JavaDouble, Scope, Timestamp};
use groundwatch_storage::Key;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::alarm::{Alarm, StateValue, arn};
use crate::definition::{Definition, MetricDefinition};
use crate::effects::alarm_shape::{
    CompositeConfiguration, ConfigurationShape, MetricEntry, StateShape, TagsShape, stable_uuid,
};
use crate::evaluation::contributors::ContributorMark;
use crate::mute::Mute;

/// Who sends all of them.
pub const SOURCE: &str = "aws.cloudwatch";

/// An event for the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmEvent {
    /// `detail-type`; `source` is always `aws.cloudwatch`.
    pub detail_type: String,
    /// `time`, which the envelope shows in whole seconds.
    pub time: Timestamp,
    /// The alarm's ARN: the only one of `resources`.
    pub resource: String,
    /// `detail`: a JSON object.
    pub detail: String,
}

impl AlarmEvent {
    /// The whole event, as the bus hands it on. An event that is sent again has the same id.
    pub fn envelope(&self, scope: &Scope) -> String {
        let envelope = Envelope {
            version: "0",
            id: self.id(),
            detail_type: &self.detail_type,
            source: SOURCE,
            account: scope.account.to_string(),
            time: self.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            region: scope.region.as_str(),
            resources: [&self.resource],
            detail: serde_json::from_str(&self.detail).expect("`detail` is JSON"),
        };
        json(&envelope)
    }

    /// Its id: a UUID that follows from what it says.
    pub fn id(&self) -> String {
        stable_uuid(&format!("{}{}{}", self.resource, self.time.as_millis(), self.detail))
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    version: &'static str,
    id: String,
    #[serde(rename = "detail-type")]
    detail_type: &'a str,
    source: &'static str,
    account: String,
    /// In whole seconds.
    time: String,
    region: &'a str,
    resources: [&'a str; 1],
    detail: &'a RawValue,
}

/// Takes events of alarms.
pub trait EventSink: Send + Sync + 'static {
    /// Whether anybody takes events of `scope`; otherwise none are made.
    fn listens(&self, scope: &Scope) -> bool;

    /// Hands over an event. `Ok` means that the sink keeps it; what is unavailable is offered again for an
    /// hour.
    fn publish<'a>(
        &'a self,
        scope: &'a Scope,
        event: &'a AlarmEvent,
    ) -> BoxFuture<'a, Result<(), EventSinkError>>;
}

/// Why an event was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventSinkError {
    /// It never will be.
    #[error("{0}")]
    Refused(String),
    /// It may be later.
    #[error("{0}")]
    Unavailable(String),
}

/// The event that `alarm` went from the state that it had as `old` to the one that it has now, under the mute
/// rule `mute`. It is sent even if actions are disabled or withheld.
pub(crate) fn state_change(key: &Key, alarm: &Alarm, old: &Alarm, mute: Option<&Mute>) -> AlarmEvent {
    let detail = StateChange {
        alarm_name: &key.name,
        state: StateShape::of(&alarm.state, &alarm.suppression),
        previous_state: StateShape::of(&old.state, &old.suppression),
        configuration: ConfigurationShape::of(key, &alarm.definition),
        mute_detail: mute.map(|mute| MuteDetail {
            muted_by_arn: &mute.rule_arn,
            mute_window_start: mute.from.to_aws_json_text(),
            mute_window_end: mute.to.to_aws_json_text(),
        }),
        tags: TagsShape::of(alarm),
    };
    AlarmEvent {
        detail_type: "CloudWatch Alarm State Change".to_owned(),
        time: alarm.state.updated,
        resource: arn(key),
        detail: json(&detail),
    }
}

/// The event that a series of an alarm has come to another state: `alarm` tells of it. Unlike an alarm's it
/// has no previous state.
pub(crate) fn contributor_state_change(key: &Key, alarm: &Alarm) -> AlarmEvent {
    let detail = ContributorStateChange {
        alarm_name: &key.name,
        alarm_contributor: alarm.contributor.as_ref(),
        state: StateShape::of(&alarm.state, &alarm.suppression),
        configuration: ConfigurationShape::of(key, &alarm.definition),
        tags: TagsShape::of(alarm),
    };
    AlarmEvent {
        detail_type: "CloudWatch Alarm Contributor State Change".to_owned(),
        time: alarm.state.updated,
        resource: arn(key),
        detail: json(&detail),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContributorStateChange<'a> {
    alarm_name: &'a str,
    alarm_contributor: Option<&'a ContributorMark>,
    state: StateShape<'a>,
    configuration: ConfigurationShape<'a>,
    #[serde(flatten)]
    tags: Option<TagsShape<'a>>,
}

/// The event that at `at` the alarm `old` came to be defined as `new`: one of both may be missing, as it was
/// created or deleted. The guide's examples have the members in this order.
pub(crate) fn configuration_change(
    key: &Key,
    old: Option<&Alarm>,
    new: Option<&Alarm>,
    at: Timestamp,
) -> Option<AlarmEvent> {
    let (alarm, previous, operation) = match (old, new) {
        (None, Some(new)) => (new, None, "create"),
        (Some(old), Some(new)) => (new, Some(old), "update"),
        (Some(old), None) => (old, None, "delete"),
        (None, None) => return None,
    };
    let detail = ConfigurationChange {
        alarm_name: &key.name,
        operation,
        state: BriefState { value: alarm.state.value, timestamp: alarm.state.updated.to_aws_json_text() },
        configuration: WholeConfiguration::of(key, alarm),
        previous_configuration: previous.map(|previous| WholeConfiguration::of(key, previous)),
    };
    Some(AlarmEvent {
        detail_type: "CloudWatch Alarm Configuration Change".to_owned(),
        time: at,
        resource: arn(key),
        detail: json(&detail),
    })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("text, numbers and lists always have a JSON form")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StateChange<'a> {
    alarm_name: &'a str,
    state: StateShape<'a>,
    previous_state: StateShape<'a>,
    configuration: ConfigurationShape<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mute_detail: Option<MuteDetail<'a>>,
    #[serde(flatten)]
    tags: Option<TagsShape<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MuteDetail<'a> {
    muted_by_arn: &'a str,
    mute_window_start: String,
    mute_window_end: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigurationChange<'a> {
    alarm_name: &'a str,
    operation: &'static str,
    state: BriefState,
    configuration: WholeConfiguration<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_configuration: Option<WholeConfiguration<'a>>,
}

#[derive(Serialize)]
struct BriefState {
    value: StateValue,
    timestamp: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WholeConfiguration<'a> {
    #[serde(flatten)]
    condition: ConditionShape<'a>,
    alarm_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    actions_enabled: bool,
    timestamp: String,
    ok_actions: &'a [String],
    alarm_actions: &'a [String],
    insufficient_data_actions: &'a [String],
}

impl<'a> WholeConfiguration<'a> {
    fn of(key: &'a Key, alarm: &'a Alarm) -> Self {
        let actions = alarm.definition.actions();
        Self {
            condition: match &alarm.definition {
                Definition::Metric(definition) => {
                    ConditionShape::Metric(MetricCondition::of(key, definition))
                }
                Definition::Composite(definition) => {
                    // Its description stands further behind.
                    ConditionShape::Composite(CompositeConfiguration::of(definition).without_description())
                }
            },
            alarm_name: &key.name,
            description: alarm.definition.description(),
            actions_enabled: actions.enabled,
            timestamp: alarm.configured.to_aws_json_text(),
            ok_actions: &actions.ok,
            alarm_actions: &actions.alarm,
            insufficient_data_actions: &actions.insufficient_data,
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum ConditionShape<'a> {
    Metric(MetricCondition<'a>),
    Composite(CompositeConfiguration<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MetricCondition<'a> {
    evaluation_periods: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    datapoints_to_alarm: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<JavaDouble>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold_metric_id: Option<&'a str>,
    comparison_operator: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    treat_missing_data: Option<&'static str>,
    metrics: Vec<MetricEntry<'a>>,
}

impl<'a> MetricCondition<'a> {
    fn of(key: &Key, definition: &'a MetricDefinition) -> Self {
        let condition = &definition.condition;
        Self {
            evaluation_periods: condition.evaluation_periods,
            datapoints_to_alarm: condition.datapoints_to_alarm,
            threshold: condition.threshold.map(JavaDouble),
            threshold_metric_id: definition.source.threshold_metric_id(),
            comparison_operator: condition.comparison.name(),
            treat_missing_data: condition.treat_missing_data.map(|treatment| treatment.name()),
            metrics: MetricEntry::all(key, &definition.source),
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::composite::suppression::{Suppression, Suppressor};
    use crate::testing::{composite, definition, key};
    use groundwatch_core::Tags;

    #[test]
    fn events_read_as_recorded() {
        let definition = definition().description("slow").build();
        let mut alarm = Alarm::new(definition, Tags::default(), Timestamp::from_millis(1_767_323_000_001));
        let old = alarm.clone();
        alarm.state.value = StateValue::Ok;
        alarm.state.reason = "fine".to_owned();
        alarm.state.reason_data = Some("{\"n\":1}".to_owned());
        let event = state_change(&key("cpu"), &alarm, &old, None);
        let id = stable_uuid(&event.resource);
        assert_eq!(
            event.detail,
            format!(
                "{{\"alarmName\":\"cpu\",\"state\":{{\"value\":\"OK\",\"reason\":\"fine\",\
                 \"reasonData\":\"{{\\\"n\\\":1}}\",\"timestamp\":\"2026-01-02T03:03:20.001+0000\"}},\
                 \"previousState\":{{\"value\":\"INSUFFICIENT_DATA\",\
                 \"reason\":\"Unchecked: Initial alarm creation\",\
                 \"timestamp\":\"2026-01-02T03:03:20.001+0000\"}},\
                 \"configuration\":{{\"description\":\"slow\",\"metrics\":[{{\"id\":\"{id}\",\
                 \"metricStat\":{{\"metric\":{{\"namespace\":\"Shop\",\"name\":\"Latency\",\
                 \"dimensions\":{{\"Host\":\"a\"}}}},\"period\":60,\"stat\":\"Average\"}},\"returnData\":true}}]}}}}"
            )
        );
        assert_eq!(id.len(), 36);
    }

    #[test]
    fn events_tell_what_withholds_actions() {
        let mut definition = composite("ALARM(a)");
        definition.suppressor =
            Some(Suppressor { alarm: "s".to_owned(), wait_secs: 60, extension_secs: 120 });
        let mut alarm = Alarm::new(definition, Tags::default(), Timestamp::EPOCH);
        let old = alarm.clone();
        alarm.suppression = Suppression::Alarm;
        let (from, to) = (Timestamp::EPOCH, Timestamp::from_secs(60));
        let mute = Mute { rule: "r".to_owned(), rule_arn: "arn:r".to_owned(), from, to, others: 0 };
        let detail = state_change(&key("all"), &alarm, &old, Some(&mute)).detail;
        for expected in [
            "\"actionsSuppressedBy\":\"Alarm\",\"actionsSuppressedReason\":\"Actions suppressed by Alarm\"},\"previousState\":",
            "\"configuration\":{\"alarmRule\":\"ALARM(a)\",\"actionsSuppressor\":\"s\",\"actionsSuppressorWaitPeriod\":60,\
             \"actionsSuppressorExtensionPeriod\":120}",
            "\"muteDetail\":{\"mutedByArn\":\"arn:r\",\"muteWindowStart\":\"1970-01-01T00:00:00.000+0000\",\
             \"muteWindowEnd\":\"1970-01-01T00:01:00.000+0000\"}}",
        ] {
            assert!(detail.contains(expected), "{detail}");
        }
    }

    #[test]
    fn configuration_changes_tell_both_definitions() {
        let new = |threshold| {
            let definition = definition().above(threshold).description("slow").build();
            Alarm::new(definition, Tags::default(), Timestamp::from_millis(1_767_323_000_001))
        };
        let at = Timestamp::from_millis(1_767_323_000_999);
        let event =
            configuration_change(&key("cpu"), Some(&new(1.0)), Some(&new(2.0)), at).expect("an event");
        let envelope = event.envelope(&key("cpu").scope);
        let metric_id = stable_uuid(&event.resource);
        let configuration = |threshold: &str| {
            format!(
                "{{\"evaluationPeriods\":1,\"threshold\":{threshold},\"comparisonOperator\":\"GreaterThanThreshold\",\
                 \"metrics\":[{{\"id\":\"{metric_id}\",\"metricStat\":{{\"metric\":{{\"namespace\":\"Shop\",\
                 \"name\":\"Latency\",\"dimensions\":{{\"Host\":\"a\"}}}},\"period\":60,\"stat\":\"Average\"}},\
                 \"returnData\":true}}],\"alarmName\":\"cpu\",\"description\":\"slow\",\"actionsEnabled\":true,\
                 \"timestamp\":\"2026-01-02T03:03:20.001+0000\",\"okActions\":[],\"alarmActions\":[],\
                 \"insufficientDataActions\":[]}}"
            )
        };
        assert_eq!(
            envelope,
            format!(
                "{{\"version\":\"0\",\"id\":\"{}\",\"detail-type\":\"CloudWatch Alarm Configuration Change\",\
                 \"source\":\"aws.cloudwatch\",\"account\":\"000000000000\",\"time\":\"2026-01-02T03:03:20Z\",\
                 \"region\":\"us-east-1\",\"resources\":[\"arn:aws:cloudwatch:us-east-1:000000000000:alarm:cpu\"],\
                 \"detail\":{{\"alarmName\":\"cpu\",\"operation\":\"update\",\"state\":{{\"value\":\
                 \"INSUFFICIENT_DATA\",\"timestamp\":\"2026-01-02T03:03:20.001+0000\"}},\"configuration\":{},\
                 \"previousConfiguration\":{}}}}}",
                event.id(),
                configuration("2.0"),
                configuration("1.0"),
            )
        );
    }
}
