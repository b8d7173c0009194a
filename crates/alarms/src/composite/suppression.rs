//! The actions suppressor: a state machine that says whether a composite alarm's actions are held back, by
//! what, and until when. Pure: the moment and the suppressor's state come from outside.
//!
//! The user guide's rules: a change of state waits up to WaitPeriod for the suppressor to go into ALARM;
//! while it is in ALARM actions are held back; for ExtensionPeriod after it has left ALARM they still are. A
//! change of state during the wait or the extension begins a new wait. What is held back in the end runs for
//! the state that the alarm then has.

use std::time::Duration;

use groundwatch_core::Timestamp;
use serde::{Deserialize, Serialize};

/// `ActionsSuppressor` with its two periods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressor {
    /// The suppressor's name or ARN, as the user wrote it.
    pub alarm: String,
    /// `ActionsSuppressorWaitPeriod`: how long a change of state waits for the suppressor, in seconds.
    pub wait_secs: u32,
    /// `ActionsSuppressorExtensionPeriod`: how long actions are held back after it, in seconds.
    pub extension_secs: u32,
}

/// Whether actions are held back, and by what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Suppression {
    /// They are not.
    #[default]
    None,
    /// The suppressor may still go into ALARM.
    WaitPeriod {
        /// When the wait ends.
        until: Timestamp,
    },
    /// The suppressor is in ALARM.
    Alarm,
    /// The suppressor has left ALARM.
    ExtensionPeriod {
        /// When the extension ends.
        until: Timestamp,
    },
}

impl Suppression {
    /// What it becomes at `now`, `in_alarm` telling whether the suppressor is in ALARM and `transitions`
    /// whether the composite alarm changes its state at this moment.
    pub fn next(self, suppressor: &Suppressor, in_alarm: bool, transitions: bool, now: Timestamp) -> Self {
        if in_alarm {
            return Self::Alarm;
        }
        let next = match self {
            _ if transitions => Self::WaitPeriod { until: now + secs(suppressor.wait_secs) },
            Self::Alarm => Self::ExtensionPeriod { until: now + secs(suppressor.extension_secs) },
            other => other,
        };
        if next.until().is_some_and(|until| until <= now) { Self::None } else { next }
    }

    /// When it ends by itself.
    pub fn until(self) -> Option<Timestamp> {
        match self {
            Self::WaitPeriod { until } | Self::ExtensionPeriod { until } => Some(until),
            Self::None | Self::Alarm => None,
        }
    }

    /// `ActionsSuppressedBy`.
    pub fn by(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::WaitPeriod { .. } => Some("WaitPeriod"),
            Self::Alarm => Some("Alarm"),
            Self::ExtensionPeriod { .. } => Some("ExtensionPeriod"),
        }
    }

    /// `ActionsSuppressedReason`.
    pub fn reason(self) -> Option<String> {
        self.by().map(|by| format!("Actions suppressed by {by}"))
    }

    /// Whether nothing is held back: the form in which it is not stored.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::None
    }
}

fn secs(secs: u32) -> Duration {
    Duration::from_secs(u64::from(secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays `steps` a minute apart with periods in minutes, and tells what holds after each.
    ///
    /// `c`: the composite changes its state. `S`, `s`: the suppressor goes into, leaves ALARM. `.`: nothing
    /// happens.
    fn check(wait_minutes: u32, extension_minutes: u32, steps: &str, expected: &str) {
        let suppressor = Suppressor {
            alarm: "s".to_owned(),
            wait_secs: wait_minutes * 60,
            extension_secs: extension_minutes * 60,
        };
        let (mut suppression, mut in_alarm, mut seen) = (Suppression::None, false, String::new());
        for (minute, step) in steps.chars().enumerate() {
            in_alarm = match step {
                'S' => true,
                's' => false,
                _ => in_alarm,
            };
            let now = Timestamp::from_secs(60 * minute as i64);
            suppression = suppression.next(&suppressor, in_alarm, step == 'c', now);
            seen.push(match suppression {
                Suppression::None => '-',
                Suppression::WaitPeriod { .. } => 'w',
                Suppression::Alarm => 'A',
                Suppression::ExtensionPeriod { .. } => 'x',
            });
        }
        assert_eq!(seen, expected, "{steps} with wait {wait_minutes} and extension {extension_minutes}");
    }

    /// The situations of the user guide's section on suppressing actions, and their combinations.
    #[test]
    fn suppression_follows_the_guide() {
        //    wait ext  what happens   what holds
        check(2, 3, ".c....", "-ww---"); // the suppressor never comes
        check(2, 3, ".cS...s....", "-wAAAAxxx--"); // it comes in time: the wait is discarded
        check(2, 3, ".c..S.s...", "-ww-AAxxx-"); // it comes too late: actions have run
        check(3, 0, ".c.c....", "-wwwww--"); // another change restarts the wait
        check(2, 3, "S.c.s...", "AAAAxxx-"); // a change under the suppressor does not wait
        check(2, 3, "S.s.c...", "AAxxww--"); // a change in the extension discards it and waits
        check(2, 3, "S.s.S.s...", "AAxxAAxxx-"); // back into ALARM during the extension
        check(2, 3, "S.s.cS.s...", "AAxxwAAxxx-"); // back into ALARM during that wait
        check(0, 0, ".c.S.s.", "---AA--"); // periods of zero hold nothing back by themselves
    }

    #[test]
    fn the_end_of_a_period_does_not_count_to_it() {
        let suppressor = Suppressor { alarm: "s".to_owned(), wait_secs: 60, extension_secs: 60 };
        let at = Timestamp::from_secs;
        let waiting = Suppression::None.next(&suppressor, false, true, at(0));
        assert_eq!(waiting.until(), Some(at(60)));
        assert_eq!(waiting.next(&suppressor, false, false, at(59)), waiting);
        assert_eq!(waiting.next(&suppressor, false, false, at(60)), Suppression::None);
        assert_eq!(waiting.reason().as_deref(), Some("Actions suppressed by WaitPeriod"));
    }
}
