//! Alarms as AWS's shapes, which several operations answer with.

use groundwatch_api::cloudwatch::{self as api, CompositeAlarm, MetricAlarm, MetricDataQuery, MetricStat};
use groundwatch_core::Timestamp;
use groundwatch_storage::Key;

use crate::alarm::{Alarm, arn};
use crate::definition::math_query::{MathEntry, Term};
use crate::definition::{CompositeDefinition, MetricDefinition, TagPropagation};
use crate::evaluation::source::Source;
use crate::evaluation::warm_up::{IN_WARM_UP, WarmUp};
use crate::evaluation::window::EvaluationWindow;
use crate::reader::{Dimension, MetricQuery, Statistic};

/// An alarm as AWS shows it: lists are always there, optional members only if they were set (recorded 2025-09
/// and 2026-02). Terraform takes any other answer for a change that it must undo.
pub(super) fn metric_alarm(
    key: &Key,
    alarm: &Alarm,
    definition: &MetricDefinition,
    now: Timestamp,
) -> MetricAlarm {
    let Alarm { configured, state, .. } = alarm;
    let (condition, actions) = (&definition.condition, &definition.actions);
    MetricAlarm {
        alarm_name: Some(key.name.clone()),
        alarm_arn: Some(arn(key)),
        alarm_description: definition.description.clone(),
        alarm_configuration_updated_timestamp: Some((*configured).into()),
        actions_enabled: Some(actions.enabled),
        ok_actions: Some(actions.ok.clone()),
        alarm_actions: Some(actions.alarm.clone()),
        insufficient_data_actions: Some(actions.insufficient_data.clone()),
        state_value: Some(api::StateValue::from(state.value.name())),
        state_reason: Some(state.reason.clone()),
        state_reason_data: state.reason_data.clone(),
        state_updated_timestamp: Some(state.updated.into()),
        state_transitioned_timestamp: Some(state.transitioned.into()),
        evaluation_periods: Some(integer(condition.evaluation_periods)),
        datapoints_to_alarm: condition.datapoints_to_alarm.map(integer),
        threshold: condition.threshold,
        threshold_metric_id: definition.source.threshold_metric_id().map(str::to_owned),
        comparison_operator: Some(api::ComparisonOperator::from(condition.comparison.name())),
        treat_missing_data: condition.treat_missing_data.map(|treatment| treatment.name().to_owned()),
        evaluate_low_sample_count_percentile: condition
            .low_sample_percentiles
            .map(|option| option.name().to_owned()),
        evaluation_window: definition.window.as_ref().map(window),
        evaluation_state: alarm.warming_up_until(now).map(|_| api::EvaluationState::from(IN_WARM_UP)),
        warm_up_configuration: definition.warm_up.as_ref().map(WarmUp::shape),
        action_configuration: actions.tags.as_ref().map(TagPropagation::shape),
        ..watching(&definition.source)
    }
}

fn window(window: &EvaluationWindow) -> api::EvaluationWindow {
    let (sliding, wall_clock) = match window {
        EvaluationWindow::Sliding => (Some(api::SlidingWindow {}), None),
        EvaluationWindow::WallClock(clock) => {
            (None, Some(api::WallClockWindow { timezone: clock.timezone().map(str::to_owned) }))
        }
    };
    api::EvaluationWindow { sliding_window: sliding, wall_clock_window: wall_clock }
}

/// The members that tell what an alarm watches.
fn watching(source: &Source) -> MetricAlarm {
    match source {
        Source::Metric(metric) => {
            let (statistic, extended_statistic) = match &metric.statistic {
                Statistic::Simple(text) => (Some(api::Statistic::from(text.as_str())), None),
                Statistic::Extended(text) => (None, Some(text.clone())),
            };
            MetricAlarm {
                metric_name: Some(metric.metric_name.clone()),
                namespace: Some(metric.namespace.clone()),
                statistic,
                extended_statistic,
                dimensions: Some(metric.dimensions.iter().map(dimension).collect()),
                period: Some(integer(metric.period_secs)),
                unit: metric.unit.as_deref().map(api::StandardUnit::from),
                ..MetricAlarm::default()
            }
        }
        Source::Math(math) => MetricAlarm {
            metrics: Some(math.entries.iter().map(entry).collect()),
            // Empty, never null, as all lists.
            dimensions: Some(Vec::new()),
            ..MetricAlarm::default()
        },
    }
}

fn entry(entry: &MathEntry) -> MetricDataQuery {
    let (metric_stat, expression) = match &entry.term {
        Term::Metric(metric) => (Some(metric_stat(metric)), None),
        Term::Expression(text) => (None, Some(text.clone())),
    };
    MetricDataQuery {
        id: Some(entry.id.clone()),
        metric_stat,
        expression,
        label: entry.label.clone(),
        return_data: Some(entry.returned),
        period: entry.period_secs.map(integer),
        account_id: entry.account_id.clone(),
    }
}

fn metric_stat(metric: &MetricQuery) -> MetricStat {
    MetricStat {
        metric: Some(api::Metric {
            namespace: Some(metric.namespace.clone()),
            metric_name: Some(metric.metric_name.clone()),
            dimensions: Some(metric.dimensions.iter().map(dimension).collect()),
        }),
        period: Some(integer(metric.period_secs)),
        stat: Some(metric.statistic.as_str().to_owned()),
        unit: metric.unit.as_deref().map(api::StandardUnit::from),
    }
}

/// A composite alarm, in the same manner.
pub(super) fn composite_alarm(key: &Key, alarm: &Alarm, definition: &CompositeDefinition) -> CompositeAlarm {
    let Alarm { configured, state, suppression, .. } = alarm;
    let (actions, suppressor) = (&definition.actions, definition.suppressor.as_ref());
    CompositeAlarm {
        alarm_name: Some(key.name.clone()),
        alarm_arn: Some(arn(key)),
        alarm_description: definition.description.clone(),
        alarm_configuration_updated_timestamp: Some((*configured).into()),
        alarm_rule: Some(definition.rule.text().to_owned()),
        actions_enabled: Some(actions.enabled),
        ok_actions: Some(actions.ok.clone()),
        alarm_actions: Some(actions.alarm.clone()),
        insufficient_data_actions: Some(actions.insufficient_data.clone()),
        state_value: Some(api::StateValue::from(state.value.name())),
        state_reason: Some(state.reason.clone()),
        state_reason_data: state.reason_data.clone(),
        state_updated_timestamp: Some(state.updated.into()),
        state_transitioned_timestamp: Some(state.transitioned.into()),
        actions_suppressed_by: suppression.by().map(api::ActionsSuppressedBy::from),
        actions_suppressed_reason: suppression.reason(),
        actions_suppressor: suppressor.map(|suppressor| suppressor.alarm.clone()),
        actions_suppressor_wait_period: suppressor.map(|suppressor| integer(suppressor.wait_secs)),
        actions_suppressor_extension_period: suppressor.map(|suppressor| integer(suppressor.extension_secs)),
        action_configuration: actions.tags.as_ref().map(TagPropagation::shape),
    }
}

fn dimension(dimension: &Dimension) -> api::Dimension {
    api::Dimension { name: Some(dimension.name.clone()), value: Some(dimension.value.clone()) }
}

/// What came as a positive `i32`.
fn integer(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
