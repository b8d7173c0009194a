//! An alarm as events and functions are told of it: the JSON that both share.

use std::collections::BTreeMap;

use groundwatch_storage::Key;
use serde::Serialize;
use uuid::Uuid;

use crate::alarm::{Alarm, State, StateValue, arn};
use crate::composite::suppression::Suppression;
use crate::definition::math_query::{MathEntry, Term};
use crate::definition::{CompositeDefinition, Definition};
use crate::effects::metric_json::{Case, SuppressorJson};
use crate::evaluation::source::Source;
use crate::reader::MetricQuery;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StateShape<'a> {
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

impl<'a> StateShape<'a> {
    /// `state` of an alarm that a suppressor holds back so.
    pub(crate) fn of(state: &'a State, suppression: &Suppression) -> Self {
        Self {
            value: state.value,
            reason: &state.reason,
            reason_data: state.reason_data.as_deref(),
            timestamp: state.updated.to_aws_json_text(),
            actions_suppressed_by: suppression.by(),
            actions_suppressed_reason: suppression.reason(),
        }
    }
}

/// `AlarmTagsStatus`: tags are kept with the alarm, so that they are always found.
pub(crate) const TAGS_FOUND: &str = "SUCCESS";

/// The guide has an object here, unlike in notifications, so that event patterns are easy to write.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TagsShape<'a> {
    alarm_tags: BTreeMap<&'a str, &'a str>,
    alarm_tags_status: &'static str,
}

impl<'a> TagsShape<'a> {
    /// The tags that go along with what `alarm` sends, if any do.
    pub(crate) fn of(alarm: &'a Alarm) -> Option<Self> {
        let alarm_tags = alarm.propagated_tags()?;
        Some(Self { alarm_tags, alarm_tags_status: TAGS_FOUND })
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum ConfigurationShape<'a> {
    Metric(MetricConfiguration<'a>),
    Composite(CompositeConfiguration<'a>),
}

impl<'a> ConfigurationShape<'a> {
    /// What the alarm `key` is defined as.
    pub(crate) fn of(key: &Key, definition: &'a Definition) -> Self {
        match definition {
            Definition::Metric(definition) => Self::Metric(MetricConfiguration {
                description: definition.description.as_deref(),
                metrics: MetricEntry::all(key, &definition.source),
            }),
            Definition::Composite(definition) => Self::Composite(CompositeConfiguration::of(definition)),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CompositeConfiguration<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    alarm_rule: &'a str,
    #[serde(flatten)]
    suppressor: SuppressorJson<'a>,
}

impl<'a> CompositeConfiguration<'a> {
    pub(crate) fn without_description(self) -> Self {
        Self { description: None, ..self }
    }

    pub(crate) fn of(definition: &'a CompositeDefinition) -> Self {
        Self {
            description: definition.description.as_deref(),
            alarm_rule: definition.rule.text(),
            suppressor: SuppressorJson(Case::Camel, definition.suppressor.as_ref()),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct MetricConfiguration<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    metrics: Vec<MetricEntry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MetricEntry<'a> {
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
    /// The metrics of an alarm, in AWS's order.
    pub(crate) fn all(key: &Key, source: &'a Source) -> Vec<Self> {
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

/// AWS gives the metric of a simple alarm a UUID. Ours comes from the alarm's ARN, so that it stays the same.
pub(crate) fn stable_uuid(text: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes()).to_string()
}
