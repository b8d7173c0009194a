//! `SetAlarmState`: gives an alarm a state by hand, actions included, until its next evaluation.

use groundwatch_api::cloudwatch::{SetAlarmState, SetAlarmStateInput, SetAlarmStateOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::Key;

use crate::alarm::StateValue;
use crate::alarms::Alarms;
use crate::error::AlarmError;
use crate::transition::{NewState, set_state};

impl Handle<SetAlarmState> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: SetAlarmStateInput,
    ) -> Result<SetAlarmStateOutput, Fault> {
        Ok(self.set_alarm_state(call, input).await?)
    }
}

impl Alarms {
    async fn set_alarm_state(
        &self,
        call: &Call,
        input: SetAlarmStateInput,
    ) -> Result<SetAlarmStateOutput, AlarmError> {
        let key = Key::new(call.scope(), input.alarm_name.unwrap_or_default());
        let new = NewState {
            value: input
                .state_value
                .and_then(|value| StateValue::from_name(value.as_str()))
                .expect("validated: required, and one of its values"),
            reason: input.state_reason.unwrap_or_default(),
            reason_data: reason_data(input.state_reason_data)?,
        };
        let now = self.clock.now();
        let events = self.store.emits_events();
        let found =
            self.store.update(&key, |alarm| Some(set_state(&key, alarm?, new.clone(), now, events))).await?;
        if found { Ok(SetAlarmStateOutput {}) } else { Err(AlarmError::NotFound) }
    }
}

/// Any JSON. An empty text is no data.
fn reason_data(text: Option<String>) -> Result<Option<String>, AlarmError> {
    let text = text.filter(|text| !text.is_empty());
    if let Some(text) = &text {
        serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|_| AlarmError::ReasonData)?;
    }
    Ok(text)
}
