//! From the states of children to the state of a composite alarm, with the reason in AWS's words: pure.

use groundwatch_core::Timestamp;
use groundwatch_storage::Key;
use serde::{Deserialize, Serialize};

use crate::alarm::{Alarm, StateValue, arn};
use crate::definition::CompositeDefinition;
use crate::effects::transition::NewState;

/// An alarm that a rule names, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Child {
    /// Its name.
    pub name: String,
    /// Its state; `None` if there is no such alarm.
    pub state: Option<ChildState>,
}

/// The state of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChildState {
    /// The state.
    pub value: StateValue,
    /// When it became that.
    pub transitioned: Timestamp,
}

/// What `children` make of the composite alarm `key`; `None` leaves its state alone.
///
/// A state that was set by hand stays until a child has another state than it had then.
pub(crate) fn judge(
    key: &Key,
    alarm: &Alarm,
    definition: &CompositeDefinition,
    children: &[Child],
) -> Option<NewState> {
    if alarm.set_by_hand.as_ref().is_some_and(|then| *then == values(children)) {
        return None;
    }
    let state_of = |name: &str| {
        let child = children.binary_search_by(|child| child.name.as_str().cmp(name)).ok()?;
        children[child].state.map(|state| state.value)
    };
    let holds = definition.rule.expression().holds(&state_of);
    let value = if holds { StateValue::Alarm } else { StateValue::Ok };
    if value == alarm.state.value {
        return None;
    }
    Some(new_state(key, alarm, value, children))
}

/// The states of `children` alone, in their order.
pub(crate) fn values(children: &[Child]) -> Vec<Option<StateValue>> {
    children.iter().map(|child| child.state.map(|state| state.value)).collect()
}

fn new_state(key: &Key, alarm: &Alarm, value: StateValue, children: &[Child]) -> NewState {
    let latest = children.iter().filter_map(|child| Some((child, child.state?)));
    // Of those that changed last, one that is itself in the new state explains most; then the first by name.
    let trigger = latest.rev().max_by_key(|(_, state)| (state.transitioned, state.value == value));
    let (reason, triggering) = match trigger {
        _ if alarm.is_unchecked() => (configured(key, "created", value), Vec::new()),
        Some((child, state)) if state.transitioned >= alarm.configured => {
            let arn = arn(&Key::new(&key.scope, child.name.as_str()));
            let when = state.transitioned.strftime("%A %d %B, %Y %H:%M:%S UTC");
            let reason = format!("{arn} transitioned to {} at {when}", state.value);
            let timestamp = state.transitioned.to_aws_json_text();
            (reason, vec![TriggeringAlarm { arn, state: TriggeringState { value: state.value, timestamp } }])
        }
        _ => (configured(key, "updated", value), Vec::new()),
    };
    let data = ReasonData { triggering_alarms: triggering };
    NewState { value, reason, reason_data: Some(data.to_json()) }
}

fn configured(key: &Key, verb: &str, value: StateValue) -> String {
    format!("{} was {verb} and its alarm rule evaluates to {value}", arn(key))
}

/// A composite alarm's StateReasonData (recorded).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReasonData {
    /// The children that caused the state.
    pub triggering_alarms: Vec<TriggeringAlarm>,
}

/// A child that caused a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TriggeringAlarm {
    /// Its ARN.
    pub arn: String,
    /// The state that it went to.
    pub state: TriggeringState,
}

/// The state that a child went to, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TriggeringState {
    /// The state.
    pub value: StateValue,
    /// When, as AWS's JSON texts write it.
    pub timestamp: String,
}

impl ReasonData {
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text and lists always have a JSON form")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{composite, key};
    use groundwatch_core::Tags;

    const AT: Timestamp = Timestamp::from_millis(1_658_505_465_000);

    fn child(name: &str, value: StateValue, transitioned: Timestamp) -> Child {
        Child { name: name.to_owned(), state: Some(ChildState { value, transitioned }) }
    }

    fn alarm(rule: &str, value: Option<StateValue>) -> Alarm {
        let configured = Timestamp::from_secs(1000);
        let mut alarm = Alarm::new(composite(rule), Tags::default(), configured);
        if let Some(value) = value {
            alarm.state.value = value;
            alarm.state.reason = "before".to_owned();
        }
        alarm
    }

    fn judged(alarm: &Alarm, children: &[Child]) -> Option<NewState> {
        let definition = alarm.definition.as_composite().expect("a composite alarm");
        judge(&key("all"), alarm, definition, children)
    }

    #[test]
    fn a_new_alarm_is_ok_or_alarm_at_once() {
        let new = judged(&alarm("ALARM(a)", None), &[child("a", StateValue::InsufficientData, AT)]);
        let new = new.expect("a state");
        assert_eq!(new.value, StateValue::Ok);
        assert_eq!(
            new.reason,
            "arn:aws:cloudwatch:us-east-1:000000000000:alarm:all was created and its alarm rule evaluates to OK"
        );
        assert_eq!(new.reason_data.as_deref(), Some("{\"triggeringAlarms\":[]}"));
    }

    #[test]
    fn the_child_that_changed_last_is_the_reason() {
        let children =
            [child("a", StateValue::Alarm, AT), child("b", StateValue::Alarm, Timestamp::from_secs(2000))];
        let new = judged(&alarm("ALARM(a) AND ALARM(b)", Some(StateValue::Ok)), &children).expect("a state");
        assert_eq!(new.value, StateValue::Alarm);
        assert_eq!(
            new.reason,
            "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a transitioned to ALARM at \
             Friday 22 July, 2022 15:57:45 UTC"
        );
        assert_eq!(
            new.reason_data.as_deref(),
            Some(
                "{\"triggeringAlarms\":[{\"arn\":\"arn:aws:cloudwatch:us-east-1:000000000000:alarm:a\",\
                 \"state\":{\"value\":\"ALARM\",\"timestamp\":\"2022-07-22T15:57:45.000+0000\"}}]}"
            )
        );
    }

    #[test]
    fn of_those_that_changed_together_one_in_the_new_state_is_the_reason() {
        let children = [child("a", StateValue::Ok, AT), child("b", StateValue::Alarm, AT)];
        let new = judged(&alarm("ALARM(a) OR ALARM(b)", Some(StateValue::Ok)), &children).expect("a state");
        assert!(new.reason.contains(":alarm:b transitioned to ALARM"), "{}", new.reason);
    }

    #[test]
    fn a_changed_rule_is_the_reason_itself() {
        let mut alarm = alarm("TRUE", Some(StateValue::Ok));
        alarm.configured = AT;
        let new = judged(&alarm, &[]).expect("a state");
        assert!(new.reason.ends_with("was updated and its alarm rule evaluates to ALARM"), "{}", new.reason);
    }

    #[test]
    fn a_state_set_by_hand_stays_until_a_child_changes() {
        let mut alarm = alarm("ALARM(a)", Some(StateValue::Alarm));
        let fine = [child("a", StateValue::Ok, AT)];
        alarm.set_by_hand = Some(values(&fine));
        assert_eq!(judged(&alarm, &fine), None);
        let unknown = [child("a", StateValue::InsufficientData, AT)];
        assert_eq!(judged(&alarm, &unknown).map(|new| new.value), Some(StateValue::Ok));
    }

    #[test]
    fn the_same_state_is_left_alone() {
        assert_eq!(judged(&alarm("FALSE", Some(StateValue::Ok)), &[]), None);
    }
}
