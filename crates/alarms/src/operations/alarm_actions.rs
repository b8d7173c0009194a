//! `EnableAlarmActions` and `DisableAlarmActions`: the same alarms with their actions on or off. Names that
//! do not exist are ignored.

use groundwatch_api::cloudwatch::{
    DisableAlarmActions, DisableAlarmActionsInput, DisableAlarmActionsOutput, EnableAlarmActions,
    EnableAlarmActionsInput, EnableAlarmActionsOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp};
use groundwatch_storage::Key;

use crate::alarm::Alarm;
use crate::effects::transition::Change;
use crate::error::AlarmError;
use crate::service::Alarms;

impl Handle<EnableAlarmActions> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: EnableAlarmActionsInput,
    ) -> Result<EnableAlarmActionsOutput, Fault> {
        self.set_actions_enabled(call, input.alarm_names, true).await?;
        Ok(EnableAlarmActionsOutput {})
    }
}

impl Handle<DisableAlarmActions> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DisableAlarmActionsInput,
    ) -> Result<DisableAlarmActionsOutput, Fault> {
        self.set_actions_enabled(call, input.alarm_names, false).await?;
        Ok(DisableAlarmActionsOutput {})
    }
}

impl Alarms {
    async fn set_actions_enabled(
        &self,
        call: &Call,
        names: Option<Vec<String>>,
        enabled: bool,
    ) -> Result<(), AlarmError> {
        let (now, events) = (self.clock.now(), self.store.has_event_sink(call.scope()));
        for name in names.unwrap_or_default() {
            let key = Key::new(call.scope(), name);
            self.store.update(&key, |alarm| switch(&key, alarm?, enabled, now, events)).await?;
        }
        Ok(())
    }
}

/// `None` if the actions are as they should be.
fn switch(key: &Key, alarm: &Alarm, enabled: bool, now: Timestamp, events: bool) -> Option<Change> {
    if alarm.definition.actions().enabled == enabled {
        return None;
    }
    let mut switched = Alarm { configured: now, ..alarm.clone() };
    switched.definition.actions_mut().enabled = enabled;
    Some(Change::of_configuration(key, Some(alarm), Some(switched), now, events))
}
