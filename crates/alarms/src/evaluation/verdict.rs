//! Datapoints to state: the rules of the user guide's section on missing data, as a pure function.
//!
//! Of the range's slots the newest N real datapoints count, reaching back over gaps. Only if there are fewer
//! than N does TreatMissingData say something about the rest.

use crate::alarm::StateValue;
use crate::evaluation::condition::{Condition, LowSamplePercentiles, MissingData};
use crate::evaluation::window::Slot;
use crate::reader::{Point, Statistic};

/// What an evaluation says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// The state that the alarm should have; `None` keeps whatever it has.
    pub state: Option<StateValue>,
    /// The real datapoints that counted, oldest first; at most N.
    pub real: Vec<Point>,
    /// How many missing datapoints were filled in to make up N.
    pub filled: usize,
    /// What those were taken for.
    pub treatment: MissingData,
}

/// Judges `slots` (oldest first), `treatment` being what missing datapoints mean to this alarm.
pub(crate) fn judge(
    condition: &Condition,
    treatment: MissingData,
    statistic: Option<&Statistic>,
    slots: &[Slot],
) -> Verdict {
    let mut real: Vec<Point> = counted(condition, slots).copied().collect();
    real.reverse();
    let filled = condition.out_of() - real.len();
    Verdict { state: state(condition, treatment, statistic, slots), real, filled, treatment }
}

/// The state that [`judge`] gives to `slots`, for whoever needs no more than that.
pub(crate) fn state(
    condition: &Condition,
    treatment: MissingData,
    statistic: Option<&Statistic>,
    slots: &[Slot],
) -> Option<StateValue> {
    if has_too_few_samples(condition, statistic, slots) {
        return None;
    }
    let (mut real, mut breaching) = (0, 0);
    for point in counted(condition, slots) {
        real += 1;
        breaching += usize::from(condition.is_breached_by(point));
    }
    let filled = condition.out_of() - real;
    let by_count = |breaching: usize| {
        Some(if breaching >= condition.needed() { StateValue::Alarm } else { StateValue::Ok })
    };
    match treatment {
        _ if filled == 0 => by_count(breaching),
        MissingData::Breaching => by_count(breaching + filled),
        MissingData::NotBreaching => by_count(breaching),
        MissingData::Missing if real == 0 => Some(StateValue::InsufficientData),
        MissingData::Ignore if real == 0 => None,
        // Enough breaches, or at least one good datapoint: missing ones would change nothing.
        _ if breaching >= condition.needed() || breaching < real => by_count(breaching),
        MissingData::Missing if oldest_real_age(slots) >= condition.needed() => Some(StateValue::Alarm),
        // All breach but they are too few and too young ("premature"), or missing data are ignored.
        MissingData::Missing | MissingData::Ignore => None,
    }
}

/// The real datapoints that count, newest first; at most N.
fn counted<'a>(condition: &Condition, slots: &'a [Slot]) -> impl Iterator<Item = &'a Point> {
    slots.iter().rev().filter_map(|slot| slot.point.as_ref()).take(condition.out_of())
}

/// The age of the oldest real datapoint in slots; the newest slot's is 1.
fn oldest_real_age(slots: &[Slot]) -> usize {
    slots.iter().position(|slot| slot.point.is_some()).map_or(0, |index| slots.len() - index)
}

/// Whether a percentile that counts rests on too few samples, in an alarm that minds.
///
/// The guide's bound: 10 / (1 - p) samples from p50 on, 10 / p below it.
fn has_too_few_samples(condition: &Condition, statistic: Option<&Statistic>, slots: &[Slot]) -> bool {
    if condition.low_sample_percentiles != Some(LowSamplePercentiles::Ignore) {
        return false;
    }
    let samples_min = match statistic.and_then(Statistic::percentile) {
        Some(percent) if (50.0..100.0).contains(&percent) => 1000.0 / (100.0 - percent),
        Some(percent) if percent > 0.0 && percent < 50.0 => 1000.0 / percent,
        _ => return false,
    };
    // 1000 / (100 - 99.9) is a little more than 10,000 in binary; 10,000 samples are enough.
    counted(condition, slots).any(|point| point.sample_count < samples_min * (1.0 - 1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{definition, slots};
    use groundwatch_core::Timestamp;

    const TREATMENTS: [MissingData; 4] =
        [MissingData::Missing, MissingData::Ignore, MissingData::Breaching, MissingData::NotBreaching];
    const OK: Option<StateValue> = Some(StateValue::Ok);
    const ALARM: Option<StateValue> = Some(StateValue::Alarm);
    const NODATA: Option<StateValue> = Some(StateValue::InsufficientData);
    const KEEP: Option<StateValue> = None;

    /// `picture` is the range, oldest first: `0` fine, `X` breaching, `-` missing.
    fn check(needed: u32, out_of: u32, picture: &str, filled: usize, expected: [Option<StateValue>; 4]) {
        let definition = definition().needs(needed).out_of(out_of).build();
        for (treatment, state) in TREATMENTS.into_iter().zip(expected) {
            let verdict =
                judge(&definition.condition, treatment, definition.source.statistic(), &slots(picture));
            assert_eq!(verdict.state, state, "{picture} {needed} of {out_of} {treatment:?}");
            assert_eq!(verdict.filled, filled, "{picture} {needed} of {out_of}");
        }
    }

    /// The user guide's table for 3 out of 3.
    #[test]
    fn missing_data_three_of_three() {
        //                        filled  missing ignore breaching notBreaching
        check(3, 3, "0 - X - X", 0, [OK, OK, OK, OK]);
        check(3, 3, "0 - - - -", 2, [OK, OK, OK, OK]);
        check(3, 3, "- - - - -", 3, [NODATA, KEEP, ALARM, OK]);
        check(3, 3, "0 X X - X", 0, [ALARM, ALARM, ALARM, ALARM]);
        check(3, 3, "- - X - -", 2, [ALARM, KEEP, ALARM, OK]);
    }

    /// The user guide's table for 2 out of 3.
    #[test]
    fn missing_data_two_of_three() {
        check(2, 3, "0 - X - X", 0, [ALARM, ALARM, ALARM, ALARM]);
        check(2, 3, "0 0 X 0 X", 0, [ALARM, ALARM, ALARM, ALARM]);
        check(2, 3, "0 - X - -", 1, [OK, OK, ALARM, OK]);
        check(2, 3, "- - - - 0", 2, [OK, OK, ALARM, OK]);
        check(2, 3, "- - - X -", 2, [ALARM, KEEP, ALARM, OK]);
    }

    /// "Avoiding premature transitions": breaching datapoints that are too young do not move the alarm.
    #[test]
    fn young_breaches_among_missing_data_keep_the_state() {
        check(3, 3, "- - - X -", 2, [KEEP, KEEP, ALARM, OK]);
        check(3, 3, "- - - - X", 2, [KEEP, KEEP, ALARM, OK]);
        check(3, 3, "- - - X X", 1, [KEEP, KEEP, ALARM, OK]);
        check(2, 3, "- - - - X", 2, [KEEP, KEEP, ALARM, OK]);
        check(3, 3, "- - X X -", 1, [ALARM, KEEP, ALARM, OK]);
        check(3, 3, "X - - - X", 1, [ALARM, KEEP, ALARM, OK]);
    }

    #[test]
    fn enough_breaches_need_no_filling() {
        check(1, 3, "- - - - X", 2, [ALARM, ALARM, ALARM, ALARM]);
        check(1, 1, "- - X", 0, [ALARM, ALARM, ALARM, ALARM]);
        check(1, 1, "X - -", 0, [ALARM, ALARM, ALARM, ALARM]);
        check(1, 1, "- X 0", 0, [OK, OK, OK, OK]);
        check(2, 5, "- - X - - X -", 3, [ALARM, ALARM, ALARM, ALARM]);
        check(1, 1, "- - -", 1, [NODATA, KEEP, ALARM, OK]);
    }

    #[test]
    fn only_the_newest_real_datapoints_count() {
        check(3, 3, "X X 0 0 0", 0, [OK, OK, OK, OK]);
        check(3, 3, "0 0 X X X", 0, [ALARM, ALARM, ALARM, ALARM]);
        check(2, 3, "X X 0 0 X", 0, [OK, OK, OK, OK]);
        check(3, 5, "X 0 X 0 X 0 0", 0, [OK, OK, OK, OK]);
        check(3, 5, "0 0 X 0 X 0 X", 0, [ALARM, ALARM, ALARM, ALARM]);
    }

    #[test]
    fn percentiles_of_few_samples_keep_the_state_where_asked() {
        let check = |statistic: &str, samples: f64, option, expected| {
            let mut definition = definition().percentile(statistic).build();
            definition.condition.low_sample_percentiles = option;
            let slot = Slot {
                start: Timestamp::EPOCH,
                point: Some(Point {
                    timestamp: Timestamp::EPOCH,
                    value: 9.0,
                    sample_count: samples,
                    band: None,
                }),
            };
            let statistic = definition.source.statistic();
            let verdict = judge(&definition.condition, MissingData::Missing, statistic, &[slot]);
            assert_eq!(verdict.state, expected, "{statistic:?} of {samples}");
        };
        let ignore = Some(LowSamplePercentiles::Ignore);
        check("p90", 99.0, ignore, KEEP);
        check("p90", 100.0, ignore, ALARM);
        check("p99", 999.0, ignore, KEEP);
        check("p99", 1000.0, ignore, ALARM);
        check("p99.9", 9_999.0, ignore, KEEP);
        check("p99.9", 10_000.0, ignore, ALARM);
        check("p50", 19.0, ignore, KEEP);
        check("p50", 20.0, ignore, ALARM);
        check("p10", 99.0, ignore, KEEP);
        check("p10", 100.0, ignore, ALARM);
        check("p100", 1.0, ignore, ALARM);
        check("p90", 1.0, None, ALARM);
        check("p90", 1.0, Some(LowSamplePercentiles::Evaluate), ALARM);
    }
}
