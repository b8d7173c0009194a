//! What PutMetricAlarm says.

use groundwatch_api::OpenEnum as _;
use groundwatch_api::cloudwatch::{self as api, EvaluationWindow, PutMetricAlarmInput};
use groundwatch_core::Region;
use serde::{Deserialize, Serialize};

use super::{Actions, DefinitionError};
use crate::action_target::ActionKind;
use crate::condition::{Comparison, Condition, LowSamplePercentiles, MissingData};
use crate::math::MathQuery;
use crate::reader::{Dimension, MetricQuery, Statistic};
use crate::source::Source;

/// A metric alarm: what it watches, when it is breached, and what then happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricDefinition {
    /// `AlarmDescription`.
    pub description: Option<String>,
    /// What is watched.
    #[serde(rename = "metric")]
    pub source: Source,
    /// When it is breached.
    pub condition: Condition,
    /// What happens when the state changes.
    pub actions: Actions,
    /// Whether the user asked for the sliding window by name: it is the default, but shown only then.
    #[serde(default)]
    pub sliding_window_named: bool,
}

impl MetricDefinition {
    /// Reads `input`. `supports` tells whether an extended statistic can be computed.
    pub fn from_input(
        mut input: PutMetricAlarmInput,
        region: &Region,
        supports: impl Fn(&str) -> bool,
    ) -> Result<Self, DefinitionError> {
        refuse_unsupported(&input)?;
        let description = input.alarm_description.take();
        let sliding_window_named = input.evaluation_window.is_some();
        let condition = condition(&input)?;
        let actions = Actions::read(
            input.actions_enabled,
            [input.ok_actions.take(), input.alarm_actions.take(), input.insufficient_data_actions.take()],
            region,
        )?;
        let band = input.threshold_metric_id.take();
        let source = match input.metrics.take() {
            Some(entries) => {
                refuse_beside_metrics(&input)?;
                refuse_instance_actions(&actions)?;
                if band.is_some() {
                    refuse_scaling_actions(&actions)?;
                }
                Source::Math(MathQuery::read(entries, band, &supports)?)
            }
            None if band.is_some() => return Err(DefinitionError::Missing { parameter: "Metrics" }),
            None => Source::Metric(metric(input, &supports)?),
        };
        check_look_back(source.period_secs(), condition.evaluation_periods)?;
        Ok(Self { description, source, condition, actions, sliding_window_named })
    }

    /// What missing datapoints mean to this alarm.
    pub fn missing_data(&self) -> MissingData {
        let condition = &self.condition;
        let metric = self.source.as_metric();
        condition.treat_missing_data.unwrap_or(
            if metric.is_some_and(|metric| metric.namespace == "AWS/DynamoDB") {
                // The API reference says that these alarms always ignore missing data, the guide that they do by default.
                MissingData::Ignore
            } else {
                MissingData::default()
            },
        )
    }
}

/// Whether `text` belongs into `Statistic`: AWS does not take it as an ExtendedStatistic.
fn is_simple(text: &str) -> bool {
    api::Statistic::known(text).is_some()
}

/// The metric that the members beside `Metrics` describe.
fn metric(
    input: PutMetricAlarmInput,
    supports: &impl Fn(&str) -> bool,
) -> Result<MetricQuery, DefinitionError> {
    let statistic = match (input.statistic, input.extended_statistic) {
        (Some(statistic), None) => Statistic::Simple(statistic.as_str().to_owned()),
        (None, Some(text)) if !is_simple(&text) && supports(&text) => Statistic::Extended(text),
        (None, Some(value)) => {
            return Err(DefinitionError::Value { parameter: "ExtendedStatistic", value });
        }
        _ => {
            return Err(DefinitionError::NotExactlyOne { parameters: ["Statistic", "ExtendedStatistic"] });
        }
    };
    Ok(MetricQuery {
        namespace: input.namespace.ok_or(DefinitionError::Missing { parameter: "Namespace" })?,
        metric_name: input.metric_name.ok_or(DefinitionError::Missing { parameter: "MetricName" })?,
        dimensions: input.dimensions.unwrap_or_default().into_iter().map(Dimension::from).collect(),
        statistic,
        period_secs: period(input.period)?,
        unit: input.unit.map(|unit| unit.as_str().to_owned()),
    })
}

/// `Metrics` says all of this by itself.
fn refuse_beside_metrics(input: &PutMetricAlarmInput) -> Result<(), DefinitionError> {
    let refused = [
        ("MetricName", input.metric_name.is_some()),
        ("Namespace", input.namespace.is_some()),
        ("Period", input.period.is_some()),
        ("Statistic", input.statistic.is_some()),
        ("ExtendedStatistic", input.extended_statistic.is_some()),
        ("Dimensions", input.dimensions.as_ref().is_some_and(|dimensions| !dimensions.is_empty())),
        ("Unit", input.unit.is_some()),
    ];
    match refused.into_iter().find(|(_, present)| *present) {
        Some((other, _)) => Err(DefinitionError::Excluded { parameter: "Metrics", other }),
        None => Ok(()),
    }
}

/// An expression has no instance that could be stopped.
fn refuse_instance_actions(actions: &Actions) -> Result<(), DefinitionError> {
    actions.refuse("Metric math", |kind| kind == ActionKind::Instance)
}

/// A band has no one threshold whose breach a scaling policy could be told of.
fn refuse_scaling_actions(actions: &Actions) -> Result<(), DefinitionError> {
    actions.refuse("Anomaly detection", |kind| kind == ActionKind::ScalingPolicy)
}

fn refuse_unsupported(input: &PutMetricAlarmInput) -> Result<(), DefinitionError> {
    let refused = [
        ("EvaluationCriteria (PromQL)", input.evaluation_criteria.is_some()),
        ("EvaluationInterval (PromQL)", input.evaluation_interval.is_some()),
        ("WarmUpConfiguration", input.warm_up_configuration.is_some()),
        ("ActionConfiguration", input.action_configuration.is_some()),
        ("EvaluationWindow.WallClockWindow", input.evaluation_window.as_ref().is_some_and(is_wall_clock)),
    ];
    match refused.into_iter().find(|(_, present)| *present) {
        Some((what, _)) => Err(DefinitionError::Unsupported { what }),
        None => Ok(()),
    }
}

fn is_wall_clock(window: &EvaluationWindow) -> bool {
    window.wall_clock_window.is_some()
}

fn condition(input: &PutMetricAlarmInput) -> Result<Condition, DefinitionError> {
    let missing = |parameter| DefinitionError::Missing { parameter };
    let comparison = input.comparison_operator.as_ref().ok_or(missing("ComparisonOperator"))?;
    let unknown =
        || DefinitionError::Value { parameter: "ComparisonOperator", value: comparison.as_str().to_owned() };
    let comparison = Comparison::from_name(comparison.as_str()).ok_or_else(unknown)?;
    let threshold = threshold(input, comparison)?;
    let evaluation_periods = positive(input.evaluation_periods.ok_or(missing("EvaluationPeriods"))?);
    let datapoints_to_alarm = input.datapoints_to_alarm.map(positive);
    if datapoints_to_alarm.is_some_and(|needed| needed > evaluation_periods) {
        return Err(DefinitionError::TooManyNeeded);
    }
    Ok(Condition {
        comparison,
        threshold,
        evaluation_periods,
        datapoints_to_alarm,
        treat_missing_data: option(
            "TreatMissingData",
            input.treat_missing_data.as_deref(),
            &["breaching", "notBreaching", "ignore", "missing"],
            MissingData::from_name,
        )?,
        low_sample_percentiles: option(
            "EvaluateLowSampleCountPercentile",
            input.evaluate_low_sample_count_percentile.as_deref(),
            &["evaluate", "ignore"],
            LowSamplePercentiles::from_name,
        )?,
    })
}

/// The number that values are compared with; `None` if it is a band.
fn threshold(input: &PutMetricAlarmInput, comparison: Comparison) -> Result<Option<f64>, DefinitionError> {
    if input.threshold_metric_id.is_none() && !comparison.needs_band() {
        let threshold = input.threshold.ok_or(DefinitionError::Missing { parameter: "Threshold" })?;
        return threshold.is_finite().then_some(Some(threshold)).ok_or(DefinitionError::Threshold);
    }
    if input.threshold_metric_id.is_none() {
        return Err(DefinitionError::Missing { parameter: "ThresholdMetricId" });
    }
    if input.threshold.is_some() {
        return Err(DefinitionError::Excluded { parameter: "ThresholdMetricId", other: "Threshold" });
    }
    if !comparison.needs_band() {
        let value = comparison.name().to_owned();
        return Err(DefinitionError::Value { parameter: "ComparisonOperator", value });
    }
    Ok(None)
}

/// The constraint table has refused everything below 1.
fn positive(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(1).max(1)
}

fn option<T>(
    parameter: &'static str,
    value: Option<&str>,
    options: &'static [&'static str],
    from_name: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, DefinitionError> {
    let Some(value) = value else { return Ok(None) };
    let unknown = || DefinitionError::Option { parameter, value: value.to_owned(), options };
    from_name(value).map(Some).ok_or_else(unknown)
}

/// Reads a period: 10, 20, 30 or a multiple of 60 seconds.
pub(crate) fn period(period: Option<i32>) -> Result<u32, DefinitionError> {
    let period = period.ok_or(DefinitionError::Missing { parameter: "Period" })?;
    match u32::try_from(period) {
        Ok(secs) if matches!(secs, 10 | 20 | 30) || (secs > 0 && secs.is_multiple_of(60)) => Ok(secs),
        _ => Err(DefinitionError::Period { period_secs: i64::from(period) }),
    }
}

/// A week at most; a day at most for periods below an hour.
fn check_look_back(period_secs: u32, evaluation_periods: u32) -> Result<(), DefinitionError> {
    let limit_secs = if period_secs < 3600 { 86_400 } else { 604_800 };
    if u64::from(period_secs) * u64::from(evaluation_periods) > limit_secs {
        return Err(DefinitionError::LookBack { limit_secs });
    }
    Ok(())
}
