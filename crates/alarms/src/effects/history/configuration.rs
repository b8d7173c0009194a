//! `HistoryData` of changed configurations: an alarm's definition and state in camel case.

use groundwatch_core::JavaDouble;
use groundwatch_storage::Key;
use serde::Serialize;

use super::ConfigurationChange;
use crate::alarm::{Alarm, StateValue, arn};
use crate::definition::{CompositeDefinition, Definition, MetricDefinition};
use crate::effects::metric_json::{Case, EntryJson, LowerCaseDimension, SuppressorJson};
use crate::evaluation::source::Source;
use crate::reader::{MetricQuery, Statistic};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigurationData<'a> {
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

impl<'a> ConfigurationData<'a> {
    /// `change`, with what the alarm `key` is now, or was last.
    pub(super) fn whole(key: &'a Key, alarm: &'a Alarm, change: ConfigurationChange) -> Self {
        let configuration = Some(Configuration::of(key, alarm));
        let brief = Self::brief(change);
        match change {
            ConfigurationChange::Create => Self { created_alarm: configuration, ..brief },
            ConfigurationChange::Update => Self { updated_alarm: configuration, ..brief },
            ConfigurationChange::Delete => Self { deleted_alarm: configuration, ..brief },
        }
    }

    /// `change`, and nothing of the alarm.
    pub(super) fn brief(change: ConfigurationChange) -> Self {
        let kind = match change {
            ConfigurationChange::Create => "Create",
            ConfigurationChange::Update => "Update",
            ConfigurationChange::Delete => "Delete",
        };
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
    #[serde(flatten)]
    suppressor: SuppressorJson<'a>,
    state_value: StateValue,
    state_updated_timestamp: String,
    actions_enabled: bool,
    alarm_actions: &'a [String],
    insufficient_data_actions: &'a [String],
    okactions: &'a [String],
}

impl<'a> CompositeConfiguration<'a> {
    fn of(key: &'a Key, alarm: &'a Alarm, definition: &'a CompositeDefinition) -> Self {
        Self {
            alarm_name: &key.name,
            alarm_description: definition.description.as_deref(),
            alarm_arn: arn(key),
            alarm_configuration_updated_timestamp: alarm.configured.to_aws_json_text(),
            alarm_rule: definition.rule.text(),
            suppressor: SuppressorJson(Case::Camel, definition.suppressor.as_ref()),
            state_value: alarm.state.value,
            state_updated_timestamp: alarm.state.updated.to_aws_json_text(),
            actions_enabled: definition.actions.enabled,
            alarm_actions: &definition.actions.alarm,
            insufficient_data_actions: &definition.actions.insufficient_data,
            okactions: &definition.actions.ok,
        }
    }
}
