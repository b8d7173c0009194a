//! Which datapoints an evaluation looks at.
//!
//! AWS reads more periods than `EvaluationPeriods`, so that a gap or a late sample does not decide at once.
//! Its guide gives one example (3 periods: 5 are read); a published measurement agrees with two more than
//! asked for: an alarm of 1 period of 900 s left ALARM 46 min 20 s after its last sample, when that had slid
//! out of three periods.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::definition::MetricDefinition;
use crate::evaluation::cadence::{Cadence, Timing};
use crate::evaluation::wall_clock::WallClock;
use crate::reader::Point;

/// How many periods are read beyond `EvaluationPeriods`.
const EXTRA_PERIODS: usize = 2;

/// `EvaluationWindow`: where the periods of an alarm begin, if the user said so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EvaluationWindow {
    /// So that the newest ends at the last full step of the alarm's cadence. The default.
    Sliding,
    /// Where a clock on the wall says.
    WallClock(WallClock),
}

/// The evaluation range: consecutive periods, the newest of which is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// When the oldest period begins.
    pub from: Timestamp,
    /// When the newest period ends.
    pub to: Timestamp,
    period: Duration,
    periods: usize,
    /// Where the periods begin, if some are longer or shorter than others.
    uneven: Option<Arc<[Timestamp]>>,
}

/// Consecutive periods of one length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) period_secs: u32,
}

impl Range {
    /// What an evaluation at `now` reads.
    pub(crate) fn of(definition: &MetricDefinition, timing: Timing, now: Timestamp) -> Self {
        let period = Duration::from_secs(u64::from(definition.source.period_secs()));
        let periods = definition.condition.out_of() + EXTRA_PERIODS;
        let to = timing.window_end(Cadence::of(definition), now);
        if let Some(clock) = definition.wall_clock() {
            return Self::along(clock, definition.source.period_secs(), periods, to);
        }
        let length = period.saturating_mul(u32::try_from(periods).unwrap_or(u32::MAX));
        Self { from: to - length, to, period, periods, uneven: None }
    }

    /// The last `periods` periods of a clock on the wall that are over at `end`.
    fn along(clock: &WallClock, period_secs: u32, periods: usize, end: Timestamp) -> Self {
        let boundaries = clock.boundaries(period_secs, end, periods);
        let (from, to) = (boundaries[0], boundaries[periods]);
        let period = Duration::from_secs(u64::from(period_secs));
        let is_even = boundaries.windows(2).all(|pair| pair[1].since(pair[0]) == period);
        let uneven = (!is_even).then(|| boundaries[..periods].into());
        Self { from, to, period, periods, uneven }
    }

    /// The same range so many steps of `step_secs` later.
    pub(crate) fn later(&self, step_secs: u32, steps: u32) -> Self {
        let by = Duration::from_secs(u64::from(step_secs)).saturating_mul(steps);
        Self { from: self.from + by, to: self.to + by, ..self.clone() }
    }

    /// The range in parts, ascending, each of periods of one length.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let even = Run { from: self.from, to: self.to, period_secs: secs(self.period) };
        let Some(starts) = &self.uneven else { return vec![even] };
        let ends = starts.iter().skip(1).chain([&self.to]);
        let mut runs: Vec<Run> = Vec::new();
        for (from, to) in starts.iter().zip(ends) {
            let period_secs = secs(to.since(*from));
            match runs.last_mut() {
                Some(run) if run.period_secs == period_secs => run.to = *to,
                _ => runs.push(Run { from: *from, to: *to, period_secs }),
            }
        }
        runs
    }

    /// The length of each period; of days, 24 hours.
    pub(crate) fn period(&self) -> Duration {
        self.period
    }

    /// How many periods it has.
    pub(crate) fn periods(&self) -> usize {
        self.periods
    }

    /// Puts `points` into the range's slots, oldest first. Points that begin elsewhere are left out.
    pub(crate) fn slots(&self, points: &[Point]) -> Vec<Slot> {
        let mut slots = Vec::new();
        self.lay_out(&mut slots);
        for point in points {
            if let Ok(index) = slots.binary_search_by_key(&point.timestamp, |slot| slot.start) {
                slots[index].point = Some(*point);
            }
        }
        slots
    }

    /// Makes `slots` those of the range, oldest first, all of them empty.
    pub(crate) fn lay_out(&self, slots: &mut Vec<Slot>) {
        slots.clear();
        slots.reserve(self.periods);
        if let Some(starts) = &self.uneven {
            slots.extend(starts.iter().map(|start| Slot { start: *start, point: None }));
            return;
        }
        let mut start = self.from;
        for _ in 0..self.periods {
            slots.push(Slot { start, point: None });
            start = start + self.period;
        }
    }
}

fn secs(length: Duration) -> u32 {
    u32::try_from(length.as_secs()).unwrap_or(u32::MAX)
}

/// One period of the range, with its datapoint or without.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slot {
    /// When the period begins.
    pub start: Timestamp,
    /// Its datapoint; `None` if it has no samples.
    pub point: Option<Point>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::definition;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_iso8601(&format!("2026-01-02T{text}Z")).expect("a time of day")
    }

    /// The guide's example: the window slides by the minute, it is not aligned to the clock.
    #[test]
    fn five_minute_periods_slide_by_the_minute() {
        let definition = definition().period(300).out_of(3).build();
        let range = Range::of(&definition, Timing::EXACT, at("12:16:40"));
        let starts: Vec<_> = range.slots(&[]).iter().map(|slot| slot.start).collect();
        assert_eq!(starts, ["11:51:00", "11:56:00", "12:01:00", "12:06:00", "12:11:00"].map(at));
        assert_eq!((range.from, range.to), (at("11:51:00"), at("12:16:00")));
    }

    #[test]
    fn windows_along_a_clock_hold_whole_local_days() {
        let clock = WallClock::new(Some("Europe/Berlin".to_owned())).expect("a time zone");
        let mut definition = definition().period(86_400).out_of(1).build();
        definition.window = Some(EvaluationWindow::WallClock(clock));
        let moment = |text: &str| Timestamp::parse_iso8601(text).expect("a moment");
        let range = Range::of(&definition, Timing::EXACT, moment("2026-03-30T12:34:00Z"));
        let starts: Vec<_> = range.slots(&[]).iter().map(|slot| slot.start).collect();
        let days = ["2026-03-26T23:00:00Z", "2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z"].map(moment);
        assert_eq!(starts, days);
        // The 29th had 23 hours.
        let end = moment("2026-03-29T22:00:00Z");
        assert_eq!(
            range.runs(),
            [
                Run { from: days[0], to: days[2], period_secs: 86_400 },
                Run { from: days[2], to: end, period_secs: 82_800 },
            ]
        );
        assert_eq!(range.to, end);
    }

    #[test]
    fn points_find_their_slot_in_any_order() {
        let range = Range::of(&definition().period(60).out_of(1).build(), Timing::EXACT, at("12:03:00"));
        let point = |time: &str, value| Point { timestamp: at(time), value, sample_count: 1.0, band: None };
        let slots = range.slots(&[point("12:02:00", 2.0), point("12:00:00", 1.0), point("12:00:30", 9.0)]);
        let values: Vec<_> = slots.iter().map(|slot| slot.point.map(|point| point.value)).collect();
        assert_eq!(values, [Some(1.0), None, Some(2.0)]);
    }
}
