//! AWS's words for what goes wrong: the one place where the error texts of alarms are written.

use groundwatch_api::cloudwatch::errors;
use groundwatch_api::{Fault, common};
use groundwatch_core::{TagError, Tags};
use groundwatch_storage::StorageError;

use crate::definition::DefinitionError;
use crate::definition::math_query::MathQueryError;
use crate::effects::action_target::ActionTargetError;
use crate::error::AlarmError;
use crate::evaluation::wall_clock::PERIODS;

impl From<AlarmError> for Fault {
    fn from(error: AlarmError) -> Self {
        match error {
            AlarmError::Definition(error) => definition_fault(error),
            // Recorded 2025-09: without any message.
            AlarmError::NotFound => errors::RESOURCE_NOT_FOUND.bare(),
            AlarmError::OtherType { name } => validation(format!(
                "The alarm {name} exists and has another type; the type of an alarm cannot be changed."
            )),
            // Published errors of 2021-01 and 2022-09.
            AlarmError::ChildrenMissing { names } => validation(format!(
                "Could not save the composite alarm as alarms [{}] in the alarm rule do not exist",
                names.join(", ")
            )),
            AlarmError::SuppressorMissing { name } => validation(format!(
                "Could not save the composite alarm as the actions suppressor {name} does not exist"
            )),
            AlarmError::ParentsLimit { name, limit } => errors::LIMIT_EXCEEDED_FAULT
                .with(format!("The alarm {name} is in {limit} composite alarms, which is the maximum.")),
            AlarmError::SeveralComposites => {
                validation("Only one composite alarm can be deleted at a time.".to_owned())
            }
            AlarmError::Referenced { names } => validation(format!(
                "Cannot delete {} as there are composite alarm(s) depending on {}.",
                names.join(","),
                if names.len() == 1 { "it" } else { "them" }
            )),
            // The words are ours.
            AlarmError::NamedNotFound { name } => {
                errors::RESOURCE_NOT_FOUND_EXCEPTION.with(format!("Alarm {name} does not exist."))
            }
            AlarmError::MuteRuleNotFound { name } => {
                errors::RESOURCE_NOT_FOUND_EXCEPTION.with(format!("Alarm mute rule {name} does not exist."))
            }
            AlarmError::MuteTargetMissing { name } => {
                validation(format!("The alarm {name} in MuteTargets does not exist."))
            }
            AlarmError::MuteRulesLimit { limit } => errors::LIMIT_EXCEEDED_FAULT
                .with(format!("There are {limit} alarm mute rules, which is the maximum.")),
            AlarmError::MuteDates => validation("ExpireDate must be after StartDate.".to_owned()),
            AlarmError::Schedule(error) => validation(format!("The schedule is not valid: {error}.")),
            AlarmError::ReasonData => errors::INVALID_FORMAT_FAULT.with("StateReasonData is not valid JSON"),
            AlarmError::Excluded { parameter, other } => excluded(parameter, other),
            AlarmError::Range => errors::INVALID_PARAMETER_VALUE_EXCEPTION
                .with("The parameter StartDate must be less than or equal to the parameter EndDate."),
            AlarmError::NextToken => {
                errors::INVALID_NEXT_TOKEN.with("Request parameter NextToken is invalid")
            }
            AlarmError::Unsupported { parameter } => unsupported(parameter),
            AlarmError::Tags(TagError::TooMany) => errors::INVALID_PARAMETER_VALUE_EXCEPTION
                .with(format!("A resource can have at most {} tags.", Tags::COUNT_MAX)),
            AlarmError::Tags(TagError::Reserved { key }) => errors::INVALID_PARAMETER_VALUE_EXCEPTION
                .with(format!("The tag key {key} begins with the reserved prefix aws:.")),
            AlarmError::Storage(error) => storage_fault(&error),
        }
    }
}

fn math_fault(error: &MathQueryError) -> Fault {
    validation(match error {
        MathQueryError::TooMany { what, limit } => {
            format!("The parameter Metrics must not have more than {limit} {what}.")
        }
        MathQueryError::Repeated { id } => format!("The id {id} in the parameter Metrics is not unique."),
        // Published errors of 2021-05 and 2022-04: that is all AWS says.
        MathQueryError::Entry { .. } => "Invalid metrics list".to_owned(),
        // Published errors of 2023-03, and of 2025-05 for bands.
        MathQueryError::Returned { expected: 1 } => {
            "Exactly one element of the metrics list should return data.".to_owned()
        }
        MathQueryError::Returned { .. } => {
            "Exactly two elements of the metrics list should return data.".to_owned()
        }
        MathQueryError::Band => {
            "Metrics list must contain exactly one metric matching the ThresholdMetricId parameter".to_owned()
        }
        // Published errors of 2026-08.
        MathQueryError::Search => "SEARCH is not supported on Metric Alarms".to_owned(),
        MathQueryError::Periods => "Period must be the same for all metrics and expressions.".to_owned(),
        MathQueryError::Expression(error) => error.to_string(),
        MathQueryError::Query(error) => error.to_string(),
        MathQueryError::SeveralSeries { id } => {
            format!("The expression {id} must yield exactly one time series.")
        }
    })
}

fn excluded(parameter: &str, other: &str) -> Fault {
    errors::INVALID_PARAMETER_COMBINATION_EXCEPTION
        .with(format!("The parameter {parameter} cannot be used together with {other}."))
}

fn validation(text: String) -> Fault {
    errors::VALIDATION_EXCEPTION.with(text)
}

fn definition_fault(error: DefinitionError) -> Fault {
    let invalid = |text: String| errors::INVALID_PARAMETER_VALUE_EXCEPTION.with(text);
    match error {
        DefinitionError::Unsupported { what } => unsupported(what),
        // Published errors of 2019 to 2023, for MetricName and Period.
        DefinitionError::Missing { parameter } => validation(format!("{parameter} must not be null")),
        // Published errors of 2020-07 and 2020-01.
        DefinitionError::BandMissing => {
            validation("ComparisonOperators for ranges require ThresholdMetricId to be set".to_owned())
        }
        DefinitionError::TwoThresholds => {
            validation("Threshold and ThresholdMetricId cannot both be set".to_owned())
        }
        // Published errors of 2019-01 and 2020-01, for Statistic and Unit.
        DefinitionError::BesideMetrics { parameter } => {
            validation(format!("{parameter} should not be set if list of Metrics is set."))
        }
        // A published error of 2018-10.
        DefinitionError::NoInstance => validation(
            "Invalid use of EC2 action. An EC2 action can only be used if the alarm is monitoring an EC2 instance."
                .to_owned(),
        ),
        DefinitionError::NotExactlyOne { parameters: [one, other] } => {
            errors::INVALID_PARAMETER_COMBINATION_EXCEPTION
                .with(format!("Exactly one of the parameters {one} and {other} must be specified."))
        }
        DefinitionError::Value { parameter, value } => {
            invalid(format!("The value {value} for parameter {parameter} is not supported."))
        }
        DefinitionError::Option { parameter, value, options } => {
            let (last, others) = options.split_last().expect("every parameter has options");
            let others = others.join(", ");
            validation(format!(
                "Option {value} is not supported. Supported options for parameter {parameter} are {others} and {last}."
            ))
        }
        DefinitionError::Period { .. } => {
            validation("Period must be 10, 20, 30 or a multiple of 60".to_owned())
        }
        DefinitionError::LookBack { limit_secs } => {
            let days = if limit_secs == 86_400 {
                "a day".to_owned()
            } else {
                format!("{} days", limit_secs / 86_400)
            };
            validation(format!(
                "Metrics cannot be checked across more than {days} (EvaluationPeriods * Period must be <= {limit_secs})."
            ))
        }
        // The words are ours.
        DefinitionError::WallClockPeriod { .. } => {
            let periods: Vec<String> = PERIODS.iter().map(u32::to_string).collect();
            validation(format!("Period must be one of {} with a WallClockWindow.", periods.join(", ")))
        }
        DefinitionError::QueryReach { limit_secs } => validation(format!(
            "Metrics Insights queries cannot be checked across more than {} hours ((EvaluationPeriods + 1) * Period \
             must be <= {limit_secs}).",
            limit_secs / 3600
        )),
        DefinitionError::TooManyNeeded => {
            validation("DatapointsToAlarm must be less than or equal to EvaluationPeriods".to_owned())
        }
        DefinitionError::Threshold => invalid("The parameter Threshold must be a finite number.".to_owned()),
        DefinitionError::Action(ActionTargetError::Syntax { arn }) => {
            validation(format!("Invalid arn syntax: {arn}"))
        }
        DefinitionError::ActionKind { alarms, kind } => {
            validation(format!("{alarms} alarms do not support {kind} actions."))
        }
        DefinitionError::Excluded { parameter, other } => excluded(parameter, other),
        DefinitionError::Math(error) => math_fault(&error),
        // Published errors of 2021-04 and 2025-06.
        DefinitionError::Rule(error) => validation(format!("Error in AlarmRule [{error}]")),
        // A published error of 2022-12.
        DefinitionError::RuleBlanks => {
            validation("AlarmRule must not contain leading or trailing whitespace or be null".to_owned())
        }
        DefinitionError::Foreign { arn } => {
            validation(format!("{arn} must be an alarm of the same account and region."))
        }
        DefinitionError::SuppressorPeriods => errors::INVALID_PARAMETER_COMBINATION_EXCEPTION.with(
            "The parameters ActionsSuppressor, ActionsSuppressorWaitPeriod and \
             ActionsSuppressorExtensionPeriod must be specified together.",
        ),
        DefinitionError::Negative { parameter } => {
            invalid(format!("The parameter {parameter} must be greater than or equal to 0."))
        }
        DefinitionError::Action(ActionTargetError::Region { found, expected }) => {
            validation(format!("Invalid region {found} specified. Only {expected} is supported."))
        }
    }
}

/// AWS would do it; the text says that it is us who do not.
fn unsupported(what: &str) -> Fault {
    errors::VALIDATION_EXCEPTION.with(format!("Groundwatch does not support {what} yet."))
}

fn storage_fault(error: &StorageError) -> Fault {
    match error {
        StorageError::Overloaded => common::THROTTLING.with("Rate exceeded"),
        StorageError::Full { .. } | StorageError::Io { .. } | StorageError::Closed { .. } => {
            tracing::error!(error = error as &dyn std::error::Error, "alarms cannot be read or written");
            common::SERVICE_UNAVAILABLE.with("The service cannot store data at the moment.")
        }
        // The alarm kept changing while the request was decided; SDKs try again.
        StorageError::Conflict { .. } => common::THROTTLING.with("Rate exceeded"),
        _ => {
            tracing::error!(error = error as &dyn std::error::Error, "alarms cannot be read or written");
            common::INTERNAL_FAILURE.with("An internal error occurred.")
        }
    }
}
