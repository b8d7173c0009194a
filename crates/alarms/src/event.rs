//! The 'CloudWatch Alarm State Change' event, as rules on the event bus see it.

use groundwatch_core::{BoxFuture, Scope, Timestamp};
use groundwatch_storage::Key;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::alarm::{Alarm, StateValue, arn};
use crate::definition::{CompositeDefinition, Definition};
use crate::math::{MathEntry, Term};
use crate::mute::Mute;
use crate::reader::MetricQuery;
use crate::source::Source;

/// An event for the bus, which adds the envelope's id, account and region.
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

/// Takes events of alarms.
pub trait EventSink: Send + Sync + 'static {
    /// Hands over an event. `Ok` means that the sink keeps it; after an error it is offered again.
    fn publish<'a>(
        &'a self,
        scope: &'a Scope,
        event: &'a AlarmEvent,
    ) -> BoxFuture<'a, Result<(), EventSinkError>>;
}

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
#[error("the event was not taken")]
pub struct EventSinkError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The event that `alarm` went from the state that it had as `old` to the one that it has now, under the mute rule `mute`.
/// It is sent even if actions are disabled or withheld.
pub fn state_change(key: &Key, alarm: &Alarm, old: &Alarm, mute: Option<&Mute>) -> AlarmEvent {
    let detail = Detail {
        alarm_name: &key.name,
        state: EventState::of(alarm),
        previous_state: EventState::of(old),
        configuration: match &alarm.definition {
            Definition::Metric(definition) => Configuration::Metric(MetricConfiguration {
                description: definition.description.as_deref(),
                metrics: MetricEntry::all(key, &definition.source),
            }),
            Definition::Composite(definition) => {
                Configuration::Composite(CompositeConfiguration::of(definition))
            }
        },
        mute_detail: mute.map(|mute| MuteDetail {
            muted_by_arn: &mute.rule_arn,
            mute_window_start: mute.from.to_aws_json_text(),
            mute_window_end: mute.to.to_aws_json_text(),
        }),
    };
    AlarmEvent {
        detail_type: "CloudWatch Alarm State Change".to_owned(),
        time: alarm.state.updated,
        resource: arn(key),
        detail: serde_json::to_string(&detail).expect("text, numbers and lists always have a JSON form"),
    }
}

/// AWS gives the metric of a simple alarm a UUID. Ours comes from the alarm's ARN, so that it stays the same.
fn stable_uuid(text: &str) -> String {
    // FNV-1a of 128 bits.
    let hash = text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    let digits = format!("{hash:032x}");
    let (a, b, c, d, e) = (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
    format!("{a}-{b}-{c}-{d}-{e}")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    alarm_name: &'a str,
    state: EventState<'a>,
    previous_state: EventState<'a>,
    configuration: Configuration<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mute_detail: Option<MuteDetail<'a>>,
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
struct EventState<'a> {
    value: StateValue,
    reason: &'a str,
    /// A string, unlike in the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_data: Option<&'a str>,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions_suppressed_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions_suppressed_reason: Option<String>,
}

impl<'a> EventState<'a> {
    fn of(alarm: &'a Alarm) -> Self {
        let state = &alarm.state;
        Self {
            value: state.value,
            reason: &state.reason,
            reason_data: state.reason_data.as_deref(),
            timestamp: state.updated.to_aws_json_text(),
            actions_suppressed_by: alarm.suppression.by(),
            actions_suppressed_reason: alarm.suppression.reason(),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Configuration<'a> {
    Metric(MetricConfiguration<'a>),
    Composite(CompositeConfiguration<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CompositeConfiguration<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    alarm_rule: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions_suppressor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions_suppressor_wait_period: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions_suppressor_extension_period: Option<u32>,
}

impl<'a> CompositeConfiguration<'a> {
    fn of(definition: &'a CompositeDefinition) -> Self {
        let suppressor = definition.suppressor.as_ref();
        Self {
            description: definition.description.as_deref(),
            alarm_rule: definition.rule.text(),
            actions_suppressor: suppressor.map(|suppressor| suppressor.alarm.as_str()),
            actions_suppressor_wait_period: suppressor.map(|suppressor| suppressor.wait_secs),
            actions_suppressor_extension_period: suppressor.map(|suppressor| suppressor.extension_secs),
        }
    }
}

#[derive(Serialize)]
struct MetricConfiguration<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    metrics: Vec<MetricEntry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MetricEntry<'a> {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric_stat: Option<MetricStat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    return_data: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<u32>,
}

impl<'a> MetricEntry<'a> {
    fn all(key: &Key, source: &'a Source) -> Vec<Self> {
        match source {
            Source::Metric(metric) => vec![Self {
                id: stable_uuid(&arn(key)),
                metric_stat: Some(MetricStat::of(metric)),
                expression: None,
                label: None,
                return_data: true,
                period: None,
            }],
            Source::Math(math) => math.entries.iter().map(Self::of).collect(),
        }
    }

    fn of(entry: &'a MathEntry) -> Self {
        let (metric_stat, expression) = match &entry.term {
            Term::Metric(metric) => (Some(MetricStat::of(metric)), None),
            Term::Expression(text) => (None, Some(text.as_str())),
        };
        Self {
            id: entry.id.clone(),
            metric_stat,
            expression,
            label: entry.label.as_deref(),
            return_data: entry.returned,
            period: entry.period_secs,
        }
    }
}

#[derive(Serialize)]
struct MetricStat<'a> {
    metric: Metric<'a>,
    period: u32,
    stat: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
}

impl<'a> MetricStat<'a> {
    fn of(metric: &'a MetricQuery) -> Self {
        let dimensions = metric.dimensions.iter();
        Self {
            metric: Metric {
                namespace: &metric.namespace,
                name: &metric.metric_name,
                dimensions: dimensions
                    .map(|dimension| (dimension.name.as_str(), dimension.value.as_str()))
                    .collect(),
            },
            period: metric.period_secs,
            stat: metric.statistic.as_str(),
            unit: metric.unit.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct Metric<'a> {
    namespace: &'a str,
    name: &'a str,
    dimensions: BTreeMap<&'a str, &'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composite::suppression::{Suppression, Suppressor};
    use crate::testing::{composite, definition, key};

    #[test]
    fn events_read_as_recorded() {
        let definition = definition().description("slow").build();
        let mut alarm = Alarm::new(definition, BTreeMap::new(), Timestamp::from_millis(1_767_323_000_001));
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
        let mut alarm = Alarm::new(definition, BTreeMap::new(), Timestamp::EPOCH);
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
}
