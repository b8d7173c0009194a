//! A state to its effects, as a pure function: what is written, what the history tells, what is sent.

use groundwatch_core::Timestamp;
use groundwatch_storage::Key;

use crate::alarm::{Alarm, State, StateValue};
use crate::delivery::{Delivery, Payload};
use crate::event::state_change;
use crate::history::HistoryItem;
use crate::message::{message, subject};

/// All that one change of an alarm writes: it becomes visible together, or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The alarm as it is from now on; `None` if it is deleted.
    pub alarm: Option<Alarm>,
    /// What the history tells of it, and when that was.
    pub history: Option<(Timestamp, HistoryItem)>,
    /// What is to be sent, in order.
    pub deliveries: Vec<Delivery>,
}

/// A state that an alarm is given, by an evaluation or by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewState {
    /// The state.
    pub value: StateValue,
    /// `StateReason`.
    pub reason: String,
    /// `StateReasonData`: a JSON text.
    pub reason_data: Option<String>,
}

/// Gives `alarm` a state at `now`.
///
/// Only another state than before makes history, runs actions and, if somebody listens to `events`, is an event. The
/// same state changes its reason and the time of its update, nothing more.
pub fn set_state(key: &Key, alarm: &Alarm, new: NewState, now: Timestamp, events: bool) -> Change {
    let old = &alarm.state;
    let transitions = new.value != old.value;
    let mut changed = alarm.clone();
    changed.state = State {
        value: new.value,
        reason: new.reason,
        reason_data: new.reason_data,
        updated: now,
        transitioned: if transitions { now } else { old.transitioned },
    };
    if !transitions {
        return Change { alarm: Some(changed), history: None, deliveries: Vec::new() };
    }
    let history = Some((now, HistoryItem::state(old, &changed.state)));
    let mut deliveries = actions(key, &changed, old, now);
    if events {
        let event = Payload::Event(state_change(key, &changed, old));
        deliveries.push(Delivery::new(&key.name, event, now));
    }
    Change { alarm: Some(changed), history, deliveries }
}

fn actions(key: &Key, alarm: &Alarm, old: &State, now: Timestamp) -> Vec<Delivery> {
    let actions = &alarm.definition.actions;
    let arns = actions.of(alarm.state.value);
    if !actions.enabled || arns.is_empty() {
        return Vec::new();
    }
    let (subject, message) = (subject(key, alarm.state.value), message(key, alarm, old));
    arns.iter()
        .map(|arn| {
            let (arn, subject, message) = (arn.clone(), subject.clone(), message.clone());
            Delivery::new(&key.name, Payload::Action { arn, subject, message }, now)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Actions;
    use crate::testing::{definition, key};
    use std::collections::BTreeMap;

    const CREATED: Timestamp = Timestamp::from_secs(1000);
    const NOW: Timestamp = Timestamp::from_secs(2000);

    fn alarm(enabled: bool) -> Alarm {
        let actions = Actions {
            enabled,
            ok: vec!["arn:ok".to_owned()],
            alarm: vec!["arn:a".to_owned(), "arn:b".to_owned()],
            insufficient_data: Vec::new(),
        };
        Alarm::new(definition().actions(actions).build(), BTreeMap::new(), CREATED)
    }

    fn to(value: StateValue) -> NewState {
        NewState { value, reason: "because".to_owned(), reason_data: None }
    }

    /// The ARNs of actions, and the kinds of events, in order.
    fn sent(change: &Change) -> Vec<&str> {
        let deliveries = change.deliveries.iter();
        deliveries
            .map(|delivery| match &delivery.payload {
                Payload::Action { arn, .. } => arn.as_str(),
                Payload::Event(event) => event.detail_type.as_str(),
            })
            .collect()
    }

    #[test]
    fn another_state_runs_the_actions_of_that_state_in_order() {
        let change = |value| set_state(&key("cpu"), &alarm(true), to(value), NOW, false);
        assert_eq!(sent(&change(StateValue::Alarm)), ["arn:a", "arn:b"]);
        assert_eq!(sent(&change(StateValue::Ok)), ["arn:ok"]);
    }

    #[test]
    fn the_same_state_changes_reason_and_update_time_only() {
        let change = set_state(&key("cpu"), &alarm(true), to(StateValue::InsufficientData), NOW, true);
        assert_eq!((change.history, change.deliveries), (None, Vec::new()));
        let state = change.alarm.expect("still there").state;
        assert_eq!((state.updated, state.transitioned, state.reason.as_str()), (NOW, CREATED, "because"));
    }

    #[test]
    fn disabled_actions_leave_history_and_event() {
        let change = set_state(&key("cpu"), &alarm(false), to(StateValue::Alarm), NOW, true);
        assert_eq!(sent(&change), ["CloudWatch Alarm State Change"]);
        assert_eq!(
            change.history.expect("an item").1.summary,
            "Alarm updated from INSUFFICIENT_DATA to ALARM"
        );
    }
}
