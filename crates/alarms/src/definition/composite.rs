//! What PutCompositeAlarm says.

use groundwatch_api::cloudwatch::PutCompositeAlarmInput;
use groundwatch_core::{Arn, Scope};
use serde::{Deserialize, Serialize};

use super::{Actions, DefinitionError};
use crate::composite::rule::Rule;
use crate::composite::rule::ast::Reference;
use crate::composite::suppression::Suppressor;
use crate::effects::action_target::ActionKind;

/// A composite alarm: which states of other alarms it stands for, and what happens when that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompositeDefinition {
    /// `AlarmDescription`.
    pub description: Option<String>,
    /// `AlarmRule`.
    pub rule: Rule,
    /// What happens when the state changes.
    pub actions: Actions,
    /// `ActionsSuppressor`, with its periods.
    pub suppressor: Option<Suppressor>,
}

impl CompositeDefinition {
    /// Reads `input` for an alarm in `scope`. Whether the alarms that it names exist is not checked here.
    pub fn from_input(input: PutCompositeAlarmInput, scope: &Scope) -> Result<Self, DefinitionError> {
        let actions = Actions::read(
            input.actions_enabled,
            [input.ok_actions, input.alarm_actions, input.insufficient_data_actions],
            input.action_configuration,
            &scope.region,
        )?;
        refuse_machine_actions(&actions)?;
        let rule = input.alarm_rule.unwrap_or_default();
        if rule.trim() != rule {
            return Err(DefinitionError::RuleBlanks);
        }
        let definition = Self {
            description: input.alarm_description,
            rule: Rule::parse(&rule)?,
            actions,
            suppressor: suppressor(
                input.actions_suppressor,
                input.actions_suppressor_wait_period,
                input.actions_suppressor_extension_period,
            )?,
        };
        definition.refuse_foreign_alarms(scope)?;
        Ok(definition)
    }

    /// The names of the alarms that the rule is about: sorted, each once.
    pub fn children(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.rule.expression().references().into_iter().map(|alarm| alarm.name().to_owned()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The suppressor's name.
    pub fn suppressor_name(&self) -> Option<String> {
        let suppressor = self.suppressor.as_ref()?;
        Some(Reference(suppressor.alarm.clone()).name().to_owned())
    }

    fn refuse_foreign_alarms(&self, scope: &Scope) -> Result<(), DefinitionError> {
        let suppressor = self.suppressor.as_ref().map(|suppressor| Reference(suppressor.alarm.clone()));
        let mut named = self.rule.expression().references().into_iter().chain(&suppressor);
        let is_foreign =
            |arn: Arn<'_>| arn.region != scope.region.as_str() || arn.account != scope.account.to_string();
        match named.find(|alarm| alarm.arn().is_some_and(is_foreign)) {
            Some(alarm) => Err(DefinitionError::Foreign { arn: alarm.0.clone() }),
            None => Ok(()),
        }
    }
}

/// Composite alarms stand for no instance and no group of them: they can neither stop nor scale any.
fn refuse_machine_actions(actions: &Actions) -> Result<(), DefinitionError> {
    actions.refuse("Composite", |kind| matches!(kind, ActionKind::Instance | ActionKind::ScalingPolicy))
}

fn suppressor(
    alarm: Option<String>,
    wait: Option<i32>,
    extension: Option<i32>,
) -> Result<Option<Suppressor>, DefinitionError> {
    let (alarm, wait, extension) = match (alarm, wait, extension) {
        (Some(alarm), Some(wait), Some(extension)) => (alarm, wait, extension),
        (None, None, None) => return Ok(None),
        _ => return Err(DefinitionError::SuppressorPeriods),
    };
    let secs = |parameter, period| u32::try_from(period).map_err(|_| DefinitionError::Negative { parameter });
    Ok(Some(Suppressor {
        alarm,
        wait_secs: secs("ActionsSuppressorWaitPeriod", wait)?,
        extension_secs: secs("ActionsSuppressorExtensionPeriod", extension)?,
    }))
}
