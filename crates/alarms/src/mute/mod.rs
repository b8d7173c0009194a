//! Mute rules: windows of time in which the actions of alarms are withheld.
//!
//! Evaluation, history and events go on meanwhile. `cron` and `schedule` tell when a window begins and
//! ends (pure), `rule` is the document, `store` keeps all of them and answers whether an alarm is muted.

pub(crate) mod cron;
pub(crate) mod rule;
pub(crate) mod schedule;
mod store;

use groundwatch_core::Timestamp;

pub(crate) use store::MuteRules;

/// A window of a mute rule that withholds an alarm's actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mute {
    /// The rule's name: of several that mute at once, the one that was created last.
    pub rule: String,
    /// The rule's ARN.
    pub rule_arn: String,
    /// When the window begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// How many more rules mute the alarm at the same time.
    pub others: usize,
}
