//! How often an alarm is evaluated, at which moment, and up to when it then looks.
//!
//! AWS evaluates alarms with periods below a minute every ten seconds, others every minute, and those that
//! look back over more than a day every hour. Each alarm has its own second of the minute, and keeps it
//! (published histories show all transitions of an alarm at, say, `:51.29`). The window ends at the last full
//! step of that grid: an alarm with a period of 5 minutes that is evaluated at 12:16:38 reads the periods
//! that begin at 12:11, 12:06, 12:01, … A period that is still running never counts: half a period's sum
//! would breach `LessThanThreshold` every minute.
//!
//! AWS leaves some alarms a minute more than others because samples reach them late. Here a sample is
//! readable once it is acknowledged, so an alarm waits only [`Timing::settle`] for those that are under way;
//! one that comes later still is seen by the next evaluation, since that reads more than the newest periods.

use std::time::Duration;

use groundwatch_core::{Timestamp, stable_hash};

use crate::definition::MetricDefinition;

/// The longest look-back that is still evaluated every minute, in seconds.
const DAY_SECS: u64 = 86_400;

/// How often an alarm is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    /// Periods below one minute.
    TenSeconds,
    /// All others that look back over at most a day.
    Minute,
    /// Those that look back over more than a day; they see data up to the last full hour.
    Hour,
}

impl Cadence {
    /// The cadence of an alarm so defined.
    pub fn of(definition: &MetricDefinition) -> Self {
        let period_secs = u64::from(definition.source.period_secs());
        let look_back_secs = period_secs * u64::from(definition.condition.evaluation_periods);
        if period_secs < 60 {
            Self::TenSeconds
        } else if look_back_secs <= DAY_SECS {
            Self::Minute
        } else {
            Self::Hour
        }
    }

    /// The time between two evaluations, in seconds.
    pub fn secs(self) -> u32 {
        match self {
            Self::TenSeconds => 10,
            Self::Minute => 60,
            Self::Hour => 3600,
        }
    }
}

/// When, after the last full step of its cadence, an alarm is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long the samples of a full period have to arrive.
    pub settle: Duration,
    /// Over which part of their cadence alarms are spread, in thousandths. 0: all at the same moment.
    pub spread_permille: u32,
}

impl Timing {
    /// For a clock that runs by itself: one second for samples that are under way, and then spread over a
    /// twentieth of the cadence (half a second of ten, three seconds of a minute).
    pub const LIVE: Self = Self { settle: Duration::from_secs(1), spread_permille: 50 };

    /// For a clock that is moved by hand: the moment that a period is full, all that it will hold is there.
    pub const EXACT: Self = Self { settle: Duration::ZERO, spread_permille: 0 };

    /// The first moment after `now` at which the alarm named `name` is evaluated.
    pub fn next_moment(self, cadence: Cadence, name: &str, now: Timestamp) -> Timestamp {
        let step_ms = i64::from(cadence.secs()) * 1000;
        let spread_ms = u64::from(cadence.secs()) * u64::from(self.spread_permille);
        // An alarm keeps its moment over restarts and versions.
        let own_ms = stable_hash(name.bytes()).checked_rem(spread_ms).unwrap_or(0);
        let phase = self.settle + Duration::from_millis(own_ms);
        let last_step = (now - phase).floor_to(cadence.secs()) + phase;
        // `last_step` is at most `now`, and less than one step before it.
        debug_assert!(last_step <= now && now.as_millis().saturating_sub(last_step.as_millis()) < step_ms);
        last_step + Duration::from_secs(u64::from(cadence.secs()))
    }

    /// The first moment at which the window of the alarm named `name` can end at `end`.
    pub fn first_look_at(self, cadence: Cadence, name: &str, end: Timestamp) -> Timestamp {
        self.next_moment(cadence, name, end + self.settle - Duration::from_millis(1))
    }

    /// Where the window of an evaluation at `now` ends.
    pub fn window_end(self, cadence: Cadence, now: Timestamp) -> Timestamp {
        (now - self.settle).floor_to(cadence.secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::definition;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_iso8601(&format!("2026-01-02T{text}Z")).expect("a time of day")
    }

    #[test]
    fn cadence_follows_period_and_look_back() {
        for (period_secs, periods, cadence) in [
            (10, 1, Cadence::TenSeconds),
            (30, 100, Cadence::TenSeconds),
            (60, 1, Cadence::Minute),
            (300, 288, Cadence::Minute),
            (86_400, 1, Cadence::Minute),
            (3600, 25, Cadence::Hour),
            (86_400, 7, Cadence::Hour),
        ] {
            let definition = definition().period(period_secs).out_of(periods).build();
            assert_eq!(Cadence::of(&definition), cadence, "{period_secs} s × {periods}");
        }
    }

    #[test]
    fn the_window_ends_at_the_last_full_step() {
        for (cadence, now, end) in [
            (Cadence::Minute, "12:16:38", "12:16:00"),
            (Cadence::Minute, "12:16:00", "12:16:00"),
            (Cadence::TenSeconds, "12:16:38", "12:16:30"),
            (Cadence::Hour, "12:16:38", "12:00:00"),
        ] {
            assert_eq!(Timing::EXACT.window_end(cadence, at(now)), at(end), "{now}");
        }
        // Within the time to settle the step is not full yet.
        assert_eq!(Timing::LIVE.window_end(Cadence::Minute, at("12:16:00.900")), at("12:15:00"));
    }

    #[test]
    fn an_alarm_keeps_its_moment() {
        for timing in [Timing::LIVE, Timing::EXACT] {
            for cadence in [Cadence::TenSeconds, Cadence::Minute, Cadence::Hour] {
                let first = timing.next_moment(cadence, "cpu", at("12:16:38.123"));
                let second = timing.next_moment(cadence, "cpu", first);
                assert_eq!(second.since(first), Duration::from_secs(u64::from(cadence.secs())));
                // Everything that it waits for has settled by then.
                assert_eq!(timing.window_end(cadence, first), first.floor_to(cadence.secs()));
            }
        }
        assert_eq!(Timing::EXACT.next_moment(Cadence::Minute, "cpu", at("12:16:00")), at("12:17:00"));
    }
}
