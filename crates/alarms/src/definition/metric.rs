//! What PutMetricAlarm says.

use groundwatch_api::OpenEnum as _;
use groundwatch_api::cloudwatch::{self as api, PutMetricAlarmInput};
use groundwatch_core::Scope;
use serde::{Deserialize, Serialize};

use super::{Actions, DefinitionError};
use crate::definition::math_query::MathQuery;
use crate::effects::action_target::ActionKind;
use crate::evaluation::condition::{Comparison, Condition, LowSamplePercentiles, MissingData};
use crate::evaluation::source::Source;
use crate::evaluation::wall_clock::{self, UnknownTimezone, WallClock};
use crate::evaluation::warm_up::WarmUp;
use crate::evaluation::window::EvaluationWindow;
use crate::reader::{Dimension, MetricQuery, Statistic};

/// How far back a query may look whose windows follow the clock, the running period included.
const QUERY_REACH_SECS_MAX: u64 = 3 * 3600;

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
    /// `EvaluationWindow`, if the user said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<EvaluationWindow>,
    /// `WarmUpConfiguration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<WarmUp>,
}

impl MetricDefinition {
    /// Reads `input`. `supports` tells whether an extended statistic can be computed.
    pub fn from_input(
        mut input: PutMetricAlarmInput,
        scope: &Scope,
        supports: impl Fn(&str) -> bool,
    ) -> Result<Self, DefinitionError> {
        refuse_unsupported(&input)?;
        let description = input.alarm_description.take();
        let window = input.evaluation_window.take().map(window).transpose()?;
        let warm_up = input.warm_up_configuration.as_ref().map(WarmUp::read);
        let condition = condition(&input)?;
        let actions = Actions::read(
            input.actions_enabled,
            [input.ok_actions.take(), input.alarm_actions.take(), input.insufficient_data_actions.take()],
            input.action_configuration.take(),
            &scope.region,
        )?;
        let band = input.threshold_metric_id.take();
        let source = match input.metrics.take() {
            Some(entries) => {
                refuse_beside_metrics(&input)?;
                refuse_instance_actions(&actions)?;
                if band.is_some() {
                    refuse_scaling_actions(&actions)?;
                }
                Source::Math(MathQuery::read(entries, band, scope.account, &supports)?)
            }
            None if band.is_some() => return Err(DefinitionError::Missing { parameter: "Metrics" }),
            None => {
                let metric = metric(input, &supports)?;
                refuse_actions_without_instance(&metric, &actions)?;
                Source::Metric(metric)
            }
        };
        check_look_back(source.period_secs(), condition.evaluation_periods)?;
        let definition = Self { description, source, condition, actions, window, warm_up };
        definition.check_window()?;
        Ok(definition)
    }

    /// The clock that its periods follow, if they follow one.
    pub fn wall_clock(&self) -> Option<&WallClock> {
        match self.window.as_ref()? {
            EvaluationWindow::WallClock(clock) => Some(clock),
            EvaluationWindow::Sliding => None,
        }
    }

    /// The guide: only some periods have boundaries on the clock, and a query must not reach back too far.
    fn check_window(&self) -> Result<(), DefinitionError> {
        let period_secs = self.source.period_secs();
        if self.wall_clock().is_none() {
            return Ok(());
        }
        if !wall_clock::PERIODS.contains(&period_secs) {
            return Err(DefinitionError::WallClockPeriod { period_secs });
        }
        let reach_secs = u64::from(period_secs) * (u64::from(self.condition.evaluation_periods) + 1);
        if self.source.as_insights().is_some() && reach_secs > QUERY_REACH_SECS_MAX {
            return Err(DefinitionError::QueryReach { limit_secs: QUERY_REACH_SECS_MAX });
        }
        Ok(())
    }

    /// What missing datapoints mean to this alarm.
    pub fn missing_data(&self) -> MissingData {
        let condition = &self.condition;
        let metric = self.source.as_metric();
        condition.treat_missing_data.unwrap_or(
            if metric.is_some_and(|metric| metric.namespace == "AWS/DynamoDB") {
                // The API reference says that these alarms always ignore missing data, the guide that they do
                // by default.
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
        Some((parameter, _)) => Err(DefinitionError::BesideMetrics { parameter }),
        None => Ok(()),
    }
}

/// EC2 is told the instance by the metric's dimension InstanceId.
fn refuse_actions_without_instance(metric: &MetricQuery, actions: &Actions) -> Result<(), DefinitionError> {
    let named = metric.dimensions.iter().any(|dimension| dimension.name == "InstanceId");
    if !named && actions.include(ActionKind::Instance)? {
        return Err(DefinitionError::NoInstance);
    }
    Ok(())
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
    ];
    match refused.into_iter().find(|(_, present)| *present) {
        Some((what, _)) => Err(DefinitionError::Unsupported { what }),
        None => Ok(()),
    }
}

fn window(window: api::EvaluationWindow) -> Result<EvaluationWindow, DefinitionError> {
    match (window.sliding_window, window.wall_clock_window) {
        (Some(_), None) => Ok(EvaluationWindow::Sliding),
        (None, Some(window)) => WallClock::new(window.timezone)
            .map(EvaluationWindow::WallClock)
            .map_err(|UnknownTimezone(value)| DefinitionError::Value { parameter: "Timezone", value }),
        _ => Err(DefinitionError::NotExactlyOne { parameters: ["SlidingWindow", "WallClockWindow"] }),
    }
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
        return Err(DefinitionError::BandMissing);
    }
    if input.threshold.is_some() {
        return Err(DefinitionError::TwoThresholds);
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
