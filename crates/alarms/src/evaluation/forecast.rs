//! When an alarm can next come to another state, if no further samples come: pure arithmetic on the samples
//! that are known.
//!
//! As the window slides, samples move from slot to slot, enter at the newest and leave at the oldest. Between
//! two such moments the slots hold the same samples, so the alarm keeps its state. At such a moment the known
//! periods are put into their new slots and judged. Where samples that were one period come to lie in two, or
//! those of two in one, nothing is known of the new periods' statistics: the alarm has to read, and the
//! forecast ends.
//!
//! So an alarm reads when samples come and when its state may change, and not once a minute. Rejected: to
//! keep each alarm's periods in memory from reading to reading; a forecast from what was just read is as
//! good, and holds nothing.

use groundwatch_core::Timestamp;

use crate::alarm::StateValue;
use crate::definition::MetricDefinition;
use crate::evaluation::cadence::Cadence;
use crate::evaluation::source::{ReadPoints, Source};
use crate::evaluation::verdict;
use crate::evaluation::window::{Range, Slot};
use crate::reader::{KnownPeriods, Point};

/// How far ahead samples are read that are there already, in periods. They can be there two hours ahead of
/// their time.
const AHEAD_PERIODS: u32 = 128;

/// How many periods a forecast looks at in all before it ends.
const VISITS_MAX: usize = 4096;

/// What is known of each metric that is read, with its id, from the beginning of the range to [`horizon`].
pub(crate) type KnownSamples<'a> = Vec<(&'a str, KnownPeriods)>;

/// Up to when samples are read for a forecast from `range`.
pub(crate) fn horizon(range: &Range) -> Timestamp {
    range.to + range.period().saturating_mul(AHEAD_PERIODS)
}

/// After how many steps of its cadence an alarm in `state` must be evaluated, at least 1; `None` if only when
/// further samples come.
pub(crate) fn next_look(
    definition: &MetricDefinition,
    state: StateValue,
    range: &Range,
    sight: &KnownSamples<'_>,
) -> Option<u32> {
    if definition.source.depends_on_time() {
        return Some(1);
    }
    let step_secs = Cadence::of(definition).secs();
    let last_known = (horizon(range).since(range.to).as_secs() / u64::from(step_secs)) as u32;
    let outlooks = || sight.iter().map(|(_, outlook)| outlook);
    let ends = outlooks().all(|outlook| outlook.is_last);
    let (mut steps, mut visits, mut slots) = (0, 0, Vec::new());
    loop {
        let later = range.later(step_secs, steps);
        let Some(wait) = outlooks().filter_map(|outlook| steps_to_move(outlook, &later, step_secs)).min()
        else {
            return if ends { None } else { Some(last_known + 1) };
        };
        steps += wait;
        if steps > last_known && !ends {
            return Some(last_known + 1);
        }
        let later = range.later(step_secs, steps);
        visits += later.periods() + outlooks().map(|outlook| outlook.periods.len()).sum::<usize>();
        let stays = visits <= VISITS_MAX
            && fill(&mut slots, &definition.source, &later, sight)
            && verdict_on(definition, &slots).is_none_or(|value| value == state);
        if !stays {
            return Some(steps);
        }
    }
}

/// After how many steps the first sample that is in `range`, or is yet to come into it, crosses the boundary
/// of a slot.
fn steps_to_move(outlook: &KnownPeriods, range: &Range, step_secs: u32) -> Option<u32> {
    let period_secs = range.period().as_secs() as i64;
    let mut least: Option<i64> = None;
    for filled in &outlook.periods {
        let age_secs = filled.oldest.as_secs() - range.from.as_secs();
        let is_to_come = filled.oldest >= range.to;
        let way_secs = match is_to_come {
            true => filled.oldest.as_secs() - range.to.as_secs(),
            false if age_secs < 0 => continue,
            false => age_secs % period_secs,
        };
        least = Some(least.map_or(way_secs, |least| least.min(way_secs)));
        if is_to_come {
            break;
        }
    }
    // A sample at a boundary belongs to what follows it: it is crossed by the first step beyond.
    least.map(|way_secs| u32::try_from(way_secs / i64::from(step_secs)).unwrap_or(u32::MAX - 1) + 1)
}

/// Makes `slots` what an evaluation of `range` surely sees; `false` if that is not known.
fn fill(slots: &mut Vec<Slot>, source: &Source, range: &Range, sight: &KnownSamples<'_>) -> bool {
    match (source, &sight[..]) {
        // Nearly all alarms, and several dozen steps an evaluation: nothing is allocated.
        (Source::Metric(_), [(_, outlook)]) => {
            range.lay_out(slots);
            place(outlook, range, |slot, point| slots[slot].point = Some(point))
        }
        _ => {
            let mut read = ReadPoints::new();
            for (id, outlook) in sight {
                let mut points = Vec::with_capacity(range.periods());
                if !place(outlook, range, |_, point| points.push(point)) {
                    return false;
                }
                read.push((id, points));
            }
            let Ok(points) = source.points(read, range.from, range.to) else { return false };
            *slots = range.slots(&points);
            true
        }
    }
}

fn verdict_on(definition: &MetricDefinition, slots: &[Slot]) -> Option<StateValue> {
    verdict::state(&definition.condition, definition.missing_data(), definition.source.statistic(), slots)
}

/// Puts each datapoint of `range` into its slot; `false` if a slot has samples that were not one period by
/// themselves.
fn place(outlook: &KnownPeriods, range: &Range, mut put: impl FnMut(usize, Point)) -> bool {
    let period_secs = range.period().as_secs() as i64;
    let slot = |at: Timestamp| (at.as_secs() - range.from.as_secs()).div_euclid(period_secs);
    let mut last = None;
    for filled in &outlook.periods {
        if filled.oldest >= range.to {
            break;
        }
        let (oldest, newest) = (slot(filled.oldest), slot(filled.newest));
        let Ok(index) = usize::try_from(newest) else { continue };
        if oldest != newest || last == Some(oldest) {
            return false;
        }
        last = Some(oldest);
        let begin = Timestamp::from_secs(range.from.as_secs() + oldest * period_secs);
        if let Some(point) = filled.point_at(begin) {
            put(index, point);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::cadence::Timing;
    use crate::evaluation::condition::MissingData;
    use crate::reader::FilledPeriod;
    use crate::testing::{DefinitionBuilder, definition};

    const NOW: Timestamp = Timestamp::from_secs(1_767_355_200);

    fn minutes(count: i64) -> Timestamp {
        Timestamp::from_secs(NOW.as_secs() + 60 * count)
    }

    /// Looks from [`NOW`] at samples of 9 at these minutes after it; periods are those of the alarm's range.
    fn check(alarm: DefinitionBuilder, state: StateValue, samples: &[i64], expected: Option<u32>) {
        let definition = alarm.build();
        let range = Range::of(&definition, Timing::EXACT, NOW);
        let period_secs = i64::from(definition.source.period_secs());
        let mut periods: Vec<FilledPeriod> = Vec::new();
        for at in samples.iter().map(|minute| minutes(*minute)) {
            let into = (at.as_secs() - range.from.as_secs()).rem_euclid(period_secs);
            let begin = Timestamp::from_secs(at.as_secs() - into);
            match periods.last_mut().filter(|period| period.timestamp == begin) {
                Some(period) => period.newest = at,
                None => periods.push(FilledPeriod {
                    timestamp: begin,
                    value: Some(9.0),
                    sample_count: 1.0,
                    oldest: at,
                    newest: at,
                }),
            }
        }
        let sight = vec![("", KnownPeriods { periods, is_last: true })];
        let found = next_look(&definition, state, &range, &sight);
        assert_eq!(found, expected, "{samples:?}");
    }

    #[test]
    fn without_samples_nothing_changes_until_some_come() {
        check(definition(), StateValue::InsufficientData, &[], None);
        check(definition().missing(MissingData::NotBreaching), StateValue::Ok, &[], None);
    }

    #[test]
    fn the_last_sample_leaves_the_range_after_three_periods() {
        check(definition(), StateValue::Alarm, &[-1], Some(3));
        check(definition().period(300), StateValue::Alarm, &[-5], Some(11));
        check(definition().period(300), StateValue::Alarm, &[-1], Some(15));
        check(definition().missing(MissingData::Ignore), StateValue::Alarm, &[-1], None);
        check(definition().missing(MissingData::Breaching), StateValue::Alarm, &[-1], None);
    }

    #[test]
    fn a_sample_that_is_there_ahead_of_its_time_counts_when_its_period_is_over() {
        check(definition(), StateValue::InsufficientData, &[5], Some(6));
        check(definition().missing(MissingData::NotBreaching), StateValue::Ok, &[5, 6], Some(6));
        check(definition().missing(MissingData::NotBreaching).above(10.0), StateValue::Ok, &[5, 6], None);
    }

    #[test]
    fn steady_samples_are_followed_to_their_end() {
        let samples: Vec<i64> = (-3..30).collect();
        check(definition(), StateValue::Alarm, &samples, Some(33));
        check(definition().above(10.0), StateValue::Ok, &samples, Some(33));
    }

    #[test]
    fn periods_that_split_or_merge_have_to_be_read() {
        // Minutes 0 to 4 are one period at first; at the next step the window ends within them.
        check(
            definition().period(300).missing(MissingData::Breaching),
            StateValue::Alarm,
            &[0, 1, 2],
            Some(1),
        );
        // Two samples four minutes apart, in two periods now, come into one.
        check(definition().period(300), StateValue::Alarm, &[-6, -2], Some(4));
    }
}
