//! One evaluation, from datapoints to the state that the alarm is given: pure, so that it can be repeated,
//! tested and tried on other data.

use groundwatch_core::Timestamp;

use crate::alarm::StateValue;
use crate::definition::MetricDefinition;
use crate::effects::transition::NewState;
use crate::evaluation::reason::{reason, reason_data};
use crate::evaluation::verdict::judge;
use crate::evaluation::window::Slot;

/// What an evaluation of `slots` at `now` makes of an alarm that is in the state `current`; `None` leaves it
/// alone.
///
/// An alarm that stays in its state keeps the reason for which it came there, as in AWS.
pub(crate) fn evaluate(
    definition: &MetricDefinition,
    current: StateValue,
    slots: &[Slot],
    now: Timestamp,
) -> Option<NewState> {
    let verdict =
        judge(&definition.condition, definition.missing_data(), definition.source.statistic(), slots);
    let value = verdict.state.filter(|value| *value != current)?;
    Some(NewState {
        value,
        reason: reason(&definition.condition, &verdict, value),
        reason_data: Some(reason_data(definition, &verdict, slots, now)),
    })
}
