//! Alarms on several series: each group of a Metrics Insights query is a contributor, which is in ALARM or OK
//! by itself. Pure.
//!
//! The user guide ("Alarms on multiple time series"): the alarm is in ALARM while any contributor is. A
//! contributor is never in INSUFFICIENT_DATA; one that vanishes is OK again; without any series the alarm is
//! in INSUFFICIENT_DATA, whatever it makes of missing data. Topics and functions are told of each
//! contributor, other actions run for the alarm. Up to 100 contributors in ALARM are tracked.
//!
//! While a mute rule withholds actions they are withheld for the alarm as a whole: when it ends, one
//! notification tells of the alarm's state.

use std::collections::BTreeMap;

use groundwatch_core::{Timestamp, stable_hash};
use groundwatch_storage::Key;
use serde::{Deserialize, Serialize};

use crate::alarm::{Alarm, State, StateValue, Withheld};
use crate::definition::MetricDefinition;
use crate::effects::action_target::{ActionKind, ActionTarget};
use crate::effects::delivery::{Delivery, Payload};
use crate::effects::event::contributor_state_change;
use crate::effects::history::HistoryItem;
use crate::effects::transition::{ActionContext, Change, NewState, action, advance};
use crate::evaluation::reason::{contributor_reason, reason_data};
use crate::evaluation::verdict::judge;
use crate::evaluation::window::Range;
use crate::reader::QuerySeries;

/// How many contributors in ALARM are tracked.
pub(crate) const CONTRIBUTORS_MAX: usize = 100;

/// Why a contributor is OK that is not there any more.
const VANISHED: &str = "No data was returned for this contributor";

/// Which series of an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContributorMark {
    /// `ContributorId`: 16 hexadecimal digits that follow from the attributes.
    pub id: String,
    /// `ContributorAttributes`: what the query groups by.
    pub attributes: BTreeMap<String, String>,
}

/// A series of an alarm that is in ALARM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contributor {
    /// What the query groups by.
    pub attributes: BTreeMap<String, String>,
    /// `StateReason`.
    pub reason: String,
    /// When it came into ALARM.
    pub transitioned: Timestamp,
}

impl ContributorMark {
    /// The mark of the series with these attributes.
    pub fn new(attributes: BTreeMap<String, String>) -> Self {
        let texts = attributes.iter().flat_map(|(name, value)| [name, value]);
        let bytes = texts.flat_map(|text| text.bytes().chain([0]));
        Self { id: format!("{:016x}", stable_hash(bytes)), attributes }
    }
}

/// What an evaluation makes of one series.
struct Judged {
    mark: ContributorMark,
    is_in_alarm: bool,
    reason: String,
    reason_data: String,
}

/// Takes `alarm` on to `now` by what its query has answered. `None` if nothing changes.
pub(crate) fn evaluate_contributors(
    key: &Key,
    alarm: &Alarm,
    definition: &MetricDefinition,
    series: Vec<QuerySeries>,
    range: &Range,
    context: &ActionContext,
    now: Timestamp,
) -> Option<Change> {
    let judged: Vec<Judged> =
        series.into_iter().map(|series| judge_series(alarm, definition, series, range, now)).collect();
    let next = tracked(alarm, &judged, now);
    let new = new_state(alarm, &judged).filter(|new| new.value != alarm.state.value);
    let is_new = new.is_some();
    let after = Alarm { contributors: next, ..alarm.clone() };
    let moved = moved(alarm, &after, &judged, now);
    if moved.is_empty() && !is_new {
        return None;
    }
    let change = advance(key, &after, new, context, now);
    let mut change = change.unwrap_or_else(|| Change {
        alarm: Some(after.clone()),
        at: now,
        history: Vec::new(),
        deliveries: Vec::new(),
    });
    tell(key, alarm, &mut change, moved, context, now);
    Some(change)
}

fn judge_series(
    alarm: &Alarm,
    definition: &MetricDefinition,
    series: QuerySeries,
    range: &Range,
    now: Timestamp,
) -> Judged {
    let mark = ContributorMark::new(series.attributes);
    let slots = range.slots(&series.points);
    let verdict = judge(&definition.condition, definition.missing_data(), None, &slots);
    // Where an alarm would keep its state, so does a contributor.
    let is_in_alarm = match verdict.state {
        Some(state) => state == StateValue::Alarm,
        None => alarm.contributors.contains_key(&mark.id),
    };
    let state = if is_in_alarm { StateValue::Alarm } else { StateValue::Ok };
    Judged {
        mark,
        is_in_alarm,
        reason: contributor_reason(&definition.condition, &verdict, state),
        reason_data: reason_data(definition, &verdict, &slots, now),
    }
}

/// The contributors that are in ALARM from now on. Those that were tracked stay so before others take their
/// place.
fn tracked(alarm: &Alarm, judged: &[Judged], now: Timestamp) -> BTreeMap<String, Contributor> {
    let (known, others): (Vec<&Judged>, Vec<&Judged>) = judged
        .iter()
        .filter(|judged| judged.is_in_alarm)
        .partition(|judged| alarm.contributors.contains_key(&judged.mark.id));
    let entry = |judged: &Judged| {
        let contributor = match alarm.contributors.get(&judged.mark.id) {
            Some(contributor) => contributor.clone(),
            None => Contributor {
                attributes: judged.mark.attributes.clone(),
                reason: judged.reason.clone(),
                transitioned: now,
            },
        };
        (judged.mark.id.clone(), contributor)
    };
    known.into_iter().chain(others).take(CONTRIBUTORS_MAX).map(entry).collect()
}

/// What the alarm is by its series: `6 out of 6 time series evaluated to ALARM`.
fn new_state(alarm: &Alarm, judged: &[Judged]) -> Option<NewState> {
    let in_alarm = judged.iter().filter(|judged| judged.is_in_alarm).count();
    let value = match (judged.is_empty(), in_alarm) {
        (true, _) => StateValue::InsufficientData,
        (false, 0) => StateValue::Ok,
        (false, _) => StateValue::Alarm,
    };
    let reason = match value {
        // The words are ours.
        StateValue::InsufficientData => "Insufficient Data: no time series were returned.".to_owned(),
        _ if in_alarm > CONTRIBUTORS_MAX => {
            format!("{CONTRIBUTORS_MAX}+ time series evaluated to ALARM")
        }
        _ => format!("{in_alarm} out of {} time series evaluated to ALARM", judged.len()),
    };
    (value != alarm.state.value).then_some(NewState { value, reason, reason_data: None })
}

/// The contributors that changed, each as an alarm that tells of it, with the state that it came from.
fn moved(alarm: &Alarm, after: &Alarm, judged: &[Judged], now: Timestamp) -> Vec<(Alarm, StateValue)> {
    let state = |value, reason: &str, reason_data: Option<&str>| State {
        value,
        reason: reason.to_owned(),
        reason_data: reason_data.map(str::to_owned),
        updated: now,
        transitioned: now,
    };
    let telling = |mark: ContributorMark, state| Alarm {
        state,
        contributor: Some(mark),
        contributors: BTreeMap::new(),
        ..alarm.clone()
    };
    let find = |id: &str| judged.iter().find(|judged| judged.mark.id == id);
    let mut moved = Vec::new();
    for (id, contributor) in &alarm.contributors {
        if !after.contributors.contains_key(id) {
            let mark = ContributorMark { id: id.clone(), attributes: contributor.attributes.clone() };
            let ended = match find(id) {
                Some(judged) => state(StateValue::Ok, &judged.reason, Some(&judged.reason_data)),
                None => state(StateValue::Ok, VANISHED, None),
            };
            moved.push((telling(mark, ended), StateValue::Alarm));
        }
    }
    for judged in judged {
        let id = &judged.mark.id;
        if after.contributors.contains_key(id) && !alarm.contributors.contains_key(id) {
            let begun = state(StateValue::Alarm, &judged.reason, Some(&judged.reason_data));
            moved.push((telling(judged.mark.clone(), begun), StateValue::Ok));
        }
    }
    moved
}

/// Adds to `change` what the contributors that `moved` make known, instead of what the alarm would by itself.
fn tell(
    key: &Key,
    before: &Alarm,
    change: &mut Change,
    moved: Vec<(Alarm, StateValue)>,
    context: &ActionContext,
    now: Timestamp,
) {
    let Some(alarm) = &mut change.alarm else { return };
    let actions = alarm.definition.actions().clone();
    if alarm.state.value != StateValue::InsufficientData {
        change.deliveries.retain(|delivery| !is_told_of_contributors(delivery));
    }
    for (telling, previous) in moved {
        let alarm_type = telling.definition.alarm_type();
        let previous = State { value: previous, reason_data: None, ..before.state.clone() };
        let mark = telling.contributor.clone();
        change
            .history
            .push(HistoryItem::state(alarm_type, &previous, &telling.state).of_contributor(mark.as_ref()));
        if context.events {
            let event = Payload::Event(contributor_state_change(key, &telling));
            change.deliveries.push(Delivery::new(&key.name, alarm_type, event, now));
        }
        let arns = actions.of(telling.state.value).iter().filter(|arn| is_per_contributor(arn));
        if !actions.enabled {
            continue;
        }
        let owed = Withheld { previous, by_mute_rule: context.mute.is_some() };
        if context.mute.is_none() {
            change.deliveries.extend(arns.map(|arn| action(key, &telling, &owed, arn, now)));
        } else if telling.state.value == alarm.state.value && arns.count() > 0 {
            alarm.withheld.get_or_insert(owed);
        }
    }
}

fn is_told_of_contributors(delivery: &Delivery) -> bool {
    match &delivery.payload {
        Payload::Action { arn, .. } => is_per_contributor(arn),
        Payload::Request(request) => is_per_contributor(&request.arn),
        Payload::Event(_) => false,
    }
}

fn is_per_contributor(arn: &str) -> bool {
    ActionTarget::parse(arn)
        .is_ok_and(|target| matches!(target.kind, ActionKind::Topic | ActionKind::Function))
}
