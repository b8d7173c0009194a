//! A state to its effects, as a pure function: what is written, what the history tells, what is sent, what is
//! withheld.

use groundwatch_core::Timestamp;
use groundwatch_storage::Key;

use crate::alarm::{Alarm, AlarmType, State, StateValue, Withheld};
use crate::composite::suppression::Suppression;
use crate::effects::action_request::ActionRequest;
use crate::effects::action_target::is_topic;
use crate::effects::delivery::{Delivery, Payload};
use crate::effects::event::{configuration_change, state_change};
use crate::effects::history::{ConfigurationChange, HistoryItem};
use crate::effects::message::{message, subject};
use crate::mute::Mute;

/// All that one change of an alarm writes: it becomes visible together, or not at all.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    /// The alarm as it is from now on; `None` if it is deleted.
    pub alarm: Option<Alarm>,
    /// When that is.
    pub at: Timestamp,
    /// What the history tells of it.
    pub history: Vec<HistoryItem>,
    /// What is to be sent, in order.
    pub deliveries: Vec<Delivery>,
}

impl Change {
    /// At `at` the alarm `old` comes to be defined as `new`; one of both may be missing, as it is created or
    /// deleted. With `events` somebody listens to events.
    pub(crate) fn of_configuration(
        key: &Key,
        old: Option<&Alarm>,
        new: Option<Alarm>,
        at: Timestamp,
        events: bool,
    ) -> Self {
        let described = new.as_ref().or(old);
        let kind = match (old, &new) {
            (None, _) => ConfigurationChange::Create,
            (Some(_), Some(_)) => ConfigurationChange::Update,
            (Some(_), None) => ConfigurationChange::Delete,
        };
        let history = described.map(|alarm| HistoryItem::configuration(key, alarm, kind));
        let alarm_type = described.map_or(AlarmType::MetricAlarm, |alarm| alarm.definition.alarm_type());
        let event = if events { configuration_change(key, old, new.as_ref(), at) } else { None };
        let deliveries = event.map(|event| Delivery::new(&key.name, alarm_type, Payload::Event(event), at));
        Self {
            alarm: new,
            at,
            history: history.into_iter().collect(),
            deliveries: deliveries.into_iter().collect(),
        }
    }
}

/// A state that an alarm is given, by an evaluation or by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewState {
    /// The state.
    pub value: StateValue,
    /// `StateReason`.
    pub reason: String,
    /// `StateReasonData`: a JSON text.
    pub reason_data: Option<String>,
}

/// What decides, besides the alarm itself, whether its actions run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ActionContext {
    /// Whether somebody listens to events.
    pub events: bool,
    /// The mute rule that withholds the alarm's actions at the moment.
    pub mute: Option<Mute>,
    /// Whether the alarm's suppressor is in ALARM.
    pub suppressor_in_alarm: bool,
}

/// Takes `alarm` on to `now`: gives it the state `new`, if there is one, and runs or withholds actions.
/// `None` if nothing changes.
///
/// Only another state than before makes history, runs actions and is an event. The same state changes its
/// reason and the time of its update, nothing more. Actions that were withheld run, for the state that the
/// alarm is in, once nothing withholds them any more.
pub(crate) fn advance(
    key: &Key,
    alarm: &Alarm,
    new: Option<NewState>,
    context: &ActionContext,
    now: Timestamp,
) -> Option<Change> {
    let transitions = new.as_ref().is_some_and(|new| new.value != alarm.state.value);
    let mut changed = alarm.clone();
    if let Some(new) = new {
        changed.state = next_state(&alarm.state, new, now);
        changed.set_by_hand = None;
    }
    changed.suppression = suppression(alarm, context, transitions, now);

    let owed = match transitions {
        // What happens during the warm-up is never acted on.
        true if changed.warming_up_until(now).is_some() => None,
        true => newly_owed(&changed, &alarm.state),
        false => alarm.withheld.clone(),
    };
    let mut history = Vec::new();
    let mut deliveries = Vec::new();
    if transitions {
        history.push(HistoryItem::state(changed.definition.alarm_type(), &alarm.state, &changed.state));
    }
    changed.withheld = match (owed, &context.mute) {
        (Some(owed), Some(mute)) => {
            if transitions {
                history.push(HistoryItem::muted(&changed, mute));
            }
            Some(Withheld { by_mute_rule: true, ..owed })
        }
        (Some(owed), None) if !changed.suppression.is_none() => Some(owed),
        (Some(owed), None) => {
            deliveries = actions(key, &changed, &owed, now);
            None
        }
        (None, _) => None,
    };
    if transitions && context.events {
        let event = Payload::Event(state_change(key, &changed, alarm, context.mute.as_ref()));
        deliveries.push(Delivery::new(&key.name, changed.definition.alarm_type(), event, now));
    }
    (changed != *alarm || !deliveries.is_empty()).then_some(Change {
        alarm: Some(changed),
        at: now,
        history,
        deliveries,
    })
}

fn next_state(old: &State, new: NewState, now: Timestamp) -> State {
    State {
        value: new.value,
        reason: new.reason,
        reason_data: new.reason_data,
        updated: now,
        transitioned: if new.value == old.value { old.transitioned } else { now },
    }
}

fn suppression(alarm: &Alarm, context: &ActionContext, transitions: bool, now: Timestamp) -> Suppression {
    match alarm.definition.as_composite().and_then(|definition| definition.suppressor.as_ref()) {
        Some(suppressor) => alarm.suppression.next(suppressor, context.suppressor_in_alarm, transitions, now),
        None => Suppression::None,
    }
}

/// The actions that a transition from `previous` is to run, if there are any.
fn newly_owed(alarm: &Alarm, previous: &State) -> Option<Withheld> {
    let actions = alarm.definition.actions();
    let any = actions.enabled && !actions.of(alarm.state.value).is_empty();
    any.then(|| Withheld { previous: previous.clone(), by_mute_rule: false })
}

fn actions(key: &Key, alarm: &Alarm, owed: &Withheld, now: Timestamp) -> Vec<Delivery> {
    let actions = alarm.definition.actions();
    // They may have been disabled, or taken away, since they were withheld.
    if newly_owed(alarm, &owed.previous).is_none() {
        return Vec::new();
    }
    actions.of(alarm.state.value).iter().map(|arn| action(key, alarm, owed, arn, now)).collect()
}

/// The action `arn` of `alarm`'s state.
pub(crate) fn action(key: &Key, alarm: &Alarm, owed: &Withheld, arn: &str, now: Timestamp) -> Delivery {
    let payload = match is_topic(arn) {
        true => Payload::Action {
            arn: arn.to_owned(),
            subject: subject(key, alarm.state.value),
            message: message(key, alarm, owed),
        },
        false => Payload::Request(ActionRequest::new(key, alarm, &owed.previous, arn)),
    };
    let delivery = Delivery::new(&key.name, alarm.definition.alarm_type(), payload, now);
    Delivery { contributor: alarm.contributor.clone(), ..delivery }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composite::suppression::Suppressor;
    use crate::definition::Actions;
    use crate::testing::{composite, definition, key};
    use groundwatch_core::Tags;
    use std::time::Duration;

    const CREATED: Timestamp = Timestamp::from_secs(1000);
    const NOW: Timestamp = Timestamp::from_secs(2000);

    fn alarm(enabled: bool) -> Alarm {
        let actions = Actions {
            enabled,
            ok: vec!["arn:aws:sns:us-east-1:1:ok".to_owned()],
            alarm: vec!["arn:aws:sns:us-east-1:1:a".to_owned(), "arn:aws:sns:us-east-1:1:b".to_owned()],
            ..Actions::default()
        };
        Alarm::new(definition().actions(actions).build(), Tags::default(), CREATED)
    }

    fn set_in(alarm: &Alarm, value: StateValue, context: &ActionContext) -> Change {
        let new = NewState { value, reason: "because".to_owned(), reason_data: None };
        advance(&key("cpu"), alarm, Some(new), context, NOW).expect("a change")
    }

    fn set(alarm: &Alarm, value: StateValue, events: bool) -> Change {
        set_in(alarm, value, &ActionContext { events, ..ActionContext::default() })
    }

    /// The ARNs of actions, and the kinds of events, in order.
    fn sent(change: &Change) -> Vec<&str> {
        let deliveries = change.deliveries.iter();
        deliveries
            .map(|delivery| match &delivery.payload {
                Payload::Action { arn, .. } => arn.as_str(),
                Payload::Request(request) => request.arn.as_str(),
                Payload::Event(event) => event.detail_type.as_str(),
            })
            .collect()
    }

    #[test]
    fn another_state_runs_the_actions_of_that_state_in_order() {
        let change = |value| set(&alarm(true), value, false);
        assert_eq!(
            sent(&change(StateValue::Alarm)),
            ["arn:aws:sns:us-east-1:1:a", "arn:aws:sns:us-east-1:1:b"]
        );
        assert_eq!(sent(&change(StateValue::Ok)), ["arn:aws:sns:us-east-1:1:ok"]);
    }

    #[test]
    fn the_same_state_changes_reason_and_update_time_only() {
        let change = set(&alarm(true), StateValue::InsufficientData, true);
        assert_eq!((change.history, change.deliveries), (Vec::new(), Vec::new()));
        let state = change.alarm.expect("still there").state;
        assert_eq!((state.updated, state.transitioned, state.reason.as_str()), (NOW, CREATED, "because"));
    }

    #[test]
    fn disabled_actions_leave_history_and_event() {
        let change = set(&alarm(false), StateValue::Alarm, true);
        assert_eq!(sent(&change), ["CloudWatch Alarm State Change"]);
        assert_eq!(
            change.history.first().expect("an item").summary,
            "Alarm updated from INSUFFICIENT_DATA to ALARM"
        );
    }

    fn muted() -> ActionContext {
        let (from, to) = (CREATED, NOW + Duration::from_secs(60));
        ActionContext {
            mute: Some(Mute {
                rule: "night".to_owned(),
                rule_arn: "arn:rule".to_owned(),
                from,
                to,
                others: 1,
            }),
            ..ActionContext::default()
        }
    }

    #[test]
    fn muted_actions_run_when_the_mute_ends_and_say_so() {
        let change = set_in(&alarm(true), StateValue::Alarm, &muted());
        assert!(sent(&change).is_empty());
        let summaries: Vec<_> = change.history.iter().map(|item| item.summary.as_str()).collect();
        assert_eq!(
            summaries,
            [
                "Alarm updated from INSUFFICIENT_DATA to ALARM",
                "Actions muted by alarm mute rule night and 1 other"
            ]
        );
        let withheld = change.alarm.expect("still there");
        assert_eq!(advance(&key("cpu"), &withheld, None, &muted(), NOW), None, "as long as it is muted");
        let released =
            advance(&key("cpu"), &withheld, None, &ActionContext::default(), NOW).expect("a change");
        assert_eq!(sent(&released), ["arn:aws:sns:us-east-1:1:a", "arn:aws:sns:us-east-1:1:b"]);
        assert!(released.history.is_empty());
        let Payload::Action { message, .. } = &released.deliveries[0].payload else { panic!("an action") };
        assert!(message.contains("\"OldStateValue\":\"INSUFFICIENT_DATA\""), "{message}");
        assert!(message.contains("\"ActionExecutedAfterMuteWindow\":true"), "{message}");
        let free = released.alarm.expect("still there");
        assert_eq!(advance(&key("cpu"), &free, None, &ActionContext::default(), NOW), None, "only once");
    }

    #[test]
    fn withheld_actions_are_those_of_the_state_at_the_end() {
        let alarm = set_in(&alarm(true), StateValue::Alarm, &muted()).alarm.expect("still there");
        let alarm = set_in(&alarm, StateValue::Ok, &muted()).alarm.expect("still there");
        let released = advance(&key("cpu"), &alarm, None, &ActionContext::default(), NOW).expect("a change");
        assert_eq!(sent(&released), ["arn:aws:sns:us-east-1:1:ok"]);
    }

    #[test]
    fn actions_that_were_disabled_meanwhile_do_not_run() {
        let mut alarm = set_in(&alarm(true), StateValue::Alarm, &muted()).alarm.expect("still there");
        alarm.definition.actions_mut().enabled = false;
        let released = advance(&key("cpu"), &alarm, None, &ActionContext::default(), NOW).expect("a change");
        assert!(sent(&released).is_empty());
    }

    #[test]
    fn suppressed_actions_run_when_the_wait_ends() {
        let mut definition = composite("FALSE");
        definition.actions.ok = vec!["arn:aws:sns:us-east-1:1:ok".to_owned()];
        definition.suppressor = Some(Suppressor { alarm: "s".to_owned(), wait_secs: 60, extension_secs: 60 });
        let alarm = Alarm::new(definition, Tags::default(), CREATED);
        let waiting = set(&alarm, StateValue::Ok, false);
        assert!(sent(&waiting).is_empty());
        let waiting = waiting.alarm.expect("still there");
        assert_eq!(waiting.suppression.by(), Some("WaitPeriod"));
        let end = NOW + Duration::from_secs(60);
        let released =
            advance(&key("all"), &waiting, None, &ActionContext::default(), end).expect("a change");
        assert_eq!(sent(&released), ["arn:aws:sns:us-east-1:1:ok"]);
    }
}
