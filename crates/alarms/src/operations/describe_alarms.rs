//! `DescribeAlarms`: alarms by name, prefix, state or action, a page at a time, by name.

use std::sync::Arc;

use groundwatch_api::cloudwatch::{
    self as api, DescribeAlarms, DescribeAlarmsInput, DescribeAlarmsOutput, MetricAlarm,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, page_token};
use groundwatch_storage::Key;

use crate::alarm::{Alarm, StateValue, arn};
use crate::alarms::Alarms;
use crate::error::AlarmError;
use crate::reader::{Dimension, Statistic};

/// What this listing's paging tokens are called.
const LISTING: &str = "DescribeAlarms";

/// How many alarms a page holds unless the request says otherwise.
const PAGE_DEFAULT: usize = 50;

/// How many alarms are looked at in one go while a filter is searched for.
const CHUNK: usize = 1000;

impl Handle<DescribeAlarms> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DescribeAlarmsInput,
    ) -> Result<DescribeAlarmsOutput, Fault> {
        Ok(self.describe_alarms(call, input)?)
    }
}

impl Alarms {
    fn describe_alarms(
        &self,
        call: &Call,
        input: DescribeAlarmsInput,
    ) -> Result<DescribeAlarmsOutput, AlarmError> {
        refuse_combinations(&input)?;
        let after = match &input.next_token {
            Some(token) => Some(page_token::decode(LISTING, token).ok_or(AlarmError::NextToken)?),
            None => None,
        };
        let limit = input.max_records.and_then(|count| usize::try_from(count).ok()).unwrap_or(PAGE_DEFAULT);
        let mut found = if asks_for_metric_alarms(&input) {
            // One more than fits tells whether there is another page.
            self.select(call.scope(), &Filter::from(input), after, limit + 1)
        } else {
            Vec::new()
        };
        let has_more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| has_more);
        Ok(DescribeAlarmsOutput {
            next_token: last.map(|(name, _)| page_token::encode(LISTING, name)),
            metric_alarms: Some(found.iter().map(|(name, alarm)| shape(call.scope(), name, alarm)).collect()),
            // Recorded: empty lists, never null.
            composite_alarms: Some(Vec::new()),
            log_alarms: Some(Vec::new()),
        })
    }

    /// Up to `limit` alarms that `filter` lets through, by name, from after the name `after` on.
    fn select(
        &self,
        scope: &Scope,
        filter: &Filter,
        mut after: Option<String>,
        limit: usize,
    ) -> Vec<(String, Arc<Alarm>)> {
        let mut found = Vec::new();
        if let Some(names) = &filter.names {
            let names = names.iter().filter(|name| after.as_ref().is_none_or(|after| *name > after));
            let alarms = names.filter_map(|name| {
                let (_, alarm) = self.store.get(&Key::new(scope, name.as_str()))?;
                filter.admits(&alarm).then(|| (name.clone(), alarm))
            });
            return alarms.take(limit).collect();
        }
        loop {
            let chunk = self.store.list(scope, &filter.prefix, after.as_deref(), CHUNK);
            let is_last = chunk.len() < CHUNK;
            after = chunk.last().map(|(name, _)| name.clone());
            found.extend(
                chunk.into_iter().filter(|(_, alarm)| filter.admits(alarm)).take(limit - found.len()),
            );
            if is_last || found.len() == limit {
                return found;
            }
        }
    }
}

/// Without `AlarmTypes` only metric alarms are meant. Composite alarms do not exist yet, so nothing has children or
/// parents.
fn asks_for_metric_alarms(input: &DescribeAlarmsInput) -> bool {
    let types = input.alarm_types.as_deref().unwrap_or_default();
    let by_relation = input.children_of_alarm_name.is_some() || input.parents_of_alarm_name.is_some();
    !by_relation && (types.is_empty() || types.contains(&api::AlarmType::MetricAlarm))
}

fn refuse_combinations(input: &DescribeAlarmsInput) -> Result<(), AlarmError> {
    let excluded = |parameter, other| Err(AlarmError::Excluded { parameter, other });
    let relation = match (&input.children_of_alarm_name, &input.parents_of_alarm_name) {
        (Some(_), Some(_)) => return excluded("ChildrenOfAlarmName", "ParentsOfAlarmName"),
        (Some(_), None) => Some("ChildrenOfAlarmName"),
        (None, Some(_)) => Some("ParentsOfAlarmName"),
        (None, None) => None,
    };
    // Those two allow nothing but paging besides.
    let others = [
        ("AlarmNames", input.alarm_names.is_some()),
        ("AlarmNamePrefix", input.alarm_name_prefix.is_some()),
        ("AlarmTypes", input.alarm_types.is_some()),
        ("StateValue", input.state_value.is_some()),
        ("ActionPrefix", input.action_prefix.is_some()),
    ];
    if let (Some(relation), Some((other, _))) = (relation, others.into_iter().find(|(_, given)| *given)) {
        return excluded(relation, other);
    }
    if input.alarm_names.is_some() && input.alarm_name_prefix.is_some() {
        return excluded("AlarmNames", "AlarmNamePrefix");
    }
    Ok(())
}

/// Which alarms are asked for.
struct Filter {
    /// These only, sorted, each once.
    names: Option<Vec<String>>,
    prefix: String,
    state: Option<StateValue>,
    action_prefix: Option<String>,
}

impl From<DescribeAlarmsInput> for Filter {
    fn from(input: DescribeAlarmsInput) -> Self {
        // An empty list asks for nothing in particular.
        let names = input.alarm_names.filter(|names| !names.is_empty()).map(|mut names| {
            names.sort_unstable();
            names.dedup();
            names
        });
        Self {
            names,
            prefix: input.alarm_name_prefix.unwrap_or_default(),
            state: input.state_value.and_then(|state| StateValue::from_name(state.as_str())),
            action_prefix: input.action_prefix,
        }
    }
}

impl Filter {
    fn admits(&self, alarm: &Alarm) -> bool {
        let acts_on = |prefix: &String| alarm.definition.actions.all().any(|arn| arn.starts_with(prefix));
        self.state.is_none_or(|state| alarm.state.value == state)
            && self.action_prefix.as_ref().is_none_or(acts_on)
    }
}

/// An alarm as AWS shows it: lists are always there, optional members only if they were set (recorded 2025-09 and
/// 2026-02). Terraform takes any other answer for a change that it must undo.
fn shape(scope: &Scope, name: &str, alarm: &Alarm) -> MetricAlarm {
    let Alarm { definition, configured, state, .. } = alarm;
    let (metric, condition, actions) = (&definition.metric, &definition.condition, &definition.actions);
    let (statistic, extended_statistic) = match &metric.statistic {
        Statistic::Simple(text) => (Some(api::Statistic::from(text.as_str())), None),
        Statistic::Extended(text) => (None, Some(text.clone())),
    };
    MetricAlarm {
        alarm_name: Some(name.to_owned()),
        alarm_arn: Some(arn(&Key::new(scope, name))),
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
        metric_name: Some(metric.metric_name.clone()),
        namespace: Some(metric.namespace.clone()),
        statistic,
        extended_statistic,
        dimensions: Some(metric.dimensions.iter().map(dimension).collect()),
        period: Some(integer(metric.period_secs)),
        unit: metric.unit.as_deref().map(api::StandardUnit::from),
        evaluation_periods: Some(integer(condition.evaluation_periods)),
        datapoints_to_alarm: condition.datapoints_to_alarm.map(integer),
        threshold: Some(condition.threshold),
        comparison_operator: Some(api::ComparisonOperator::from(condition.comparison.name())),
        treat_missing_data: condition.treat_missing_data.map(|treatment| treatment.name().to_owned()),
        evaluate_low_sample_count_percentile: condition
            .low_sample_percentiles
            .map(|option| option.name().to_owned()),
        evaluation_window: definition.sliding_window_named.then(|| api::EvaluationWindow {
            sliding_window: Some(api::SlidingWindow {}),
            ..api::EvaluationWindow::default()
        }),
        ..MetricAlarm::default()
    }
}

fn dimension(dimension: &Dimension) -> api::Dimension {
    api::Dimension { name: Some(dimension.name.clone()), value: Some(dimension.value.clone()) }
}

/// What came as a positive `i32`.
fn integer(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
