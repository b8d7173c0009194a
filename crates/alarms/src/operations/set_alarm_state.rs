//! `SetAlarmState`: gives an alarm a state by hand, actions included, until its next evaluation.

use groundwatch_api::cloudwatch::{SetAlarmState, SetAlarmStateInput, SetAlarmStateOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp};
use groundwatch_storage::Key;

use crate::alarm::Alarm;
use crate::alarm::StateValue;
use crate::composite::judgement::values;
use crate::effects::transition::{Change, NewState, advance};
use crate::error::AlarmError;
use crate::service::Alarms;

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
        // That nothing changes is no failure: the same state may be set twice at one time of the clock.
        self.store.update(&key, |alarm| self.set(&key, alarm?, new.clone(), now)).await?;
        let (_, alarm) = self.store.get(&key).ok_or(AlarmError::NotFound)?;
        if let Some(definition) = alarm.definition.as_metric() {
            self.evaluator.due_next(&key, definition);
        }
        Ok(SetAlarmStateOutput {})
    }
}

impl Alarms {
    /// A composite alarm keeps the state until a child changes, a metric alarm until its next evaluation.
    fn set(&self, key: &Key, alarm: &Alarm, new: NewState, now: Timestamp) -> Option<Change> {
        let mut change = advance(key, alarm, Some(new), &self.store.context(key, now), now)?;
        if let Some(alarm) = change.alarm.as_mut().filter(|alarm| alarm.definition.as_composite().is_some()) {
            alarm.set_by_hand = Some(values(&self.store.children(key)));
        }
        Some(change)
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
