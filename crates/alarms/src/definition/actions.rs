//! What an alarm does when its state changes.

use groundwatch_api::cloudwatch::ActionConfiguration;
use groundwatch_core::Region;
use serde::{Deserialize, Serialize};

use super::{DefinitionError, TagPropagation};
use crate::alarm::StateValue;
use crate::effects::action_target::{ActionKind, ActionTarget, ActionTargetError};

/// What happens when the state changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actions {
    /// `ActionsEnabled`: whether anything happens at all.
    pub enabled: bool,
    /// `OKActions`: ARNs, in the user's order.
    pub ok: Vec<String>,
    /// `AlarmActions`.
    pub alarm: Vec<String>,
    /// `InsufficientDataActions`.
    pub insufficient_data: Vec<String>,
    /// `ActionConfiguration`: which of the alarm's tags go along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<TagPropagation>,
}

impl Actions {
    /// Reads the members `ActionsEnabled`, the actions for OK, ALARM and INSUFFICIENT_DATA, and
    /// `ActionConfiguration`.
    pub(super) fn read(
        enabled: Option<bool>,
        [ok, alarm, insufficient_data]: [Option<Vec<String>>; 3],
        configuration: Option<ActionConfiguration>,
        region: &Region,
    ) -> Result<Self, DefinitionError> {
        let checked = |arns: Option<Vec<String>>| -> Result<Vec<String>, ActionTargetError> {
            let arns = arns.unwrap_or_default();
            arns.iter().try_for_each(|arn| ActionTarget::parse(arn)?.check_region(region))?;
            Ok(arns)
        };
        Ok(Self {
            enabled: enabled.unwrap_or(true),
            ok: checked(ok)?,
            alarm: checked(alarm)?,
            insufficient_data: checked(insufficient_data)?,
            tags: TagPropagation::read(configuration)?,
        })
    }

    /// Refuses actions of kinds that alarms of the kind called `alarms` cannot have.
    pub(super) fn refuse(
        &self,
        alarms: &'static str,
        refused: impl Fn(ActionKind) -> bool,
    ) -> Result<(), DefinitionError> {
        for arn in self.all() {
            let kind = ActionTarget::parse(arn)?.kind;
            if refused(kind) {
                return Err(DefinitionError::ActionKind { alarms, kind: kind.name() });
            }
        }
        Ok(())
    }

    /// Whether any of them is of `kind`.
    pub(super) fn include(&self, kind: ActionKind) -> Result<bool, DefinitionError> {
        for arn in self.all() {
            if ActionTarget::parse(arn)?.kind == kind {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The actions of a state.
    pub fn of(&self, state: StateValue) -> &[String] {
        match state {
            StateValue::Ok => &self.ok,
            StateValue::Alarm => &self.alarm,
            StateValue::InsufficientData => &self.insufficient_data,
        }
    }

    /// The actions of all states.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.ok.iter().chain(&self.alarm).chain(&self.insufficient_data)
    }
}
