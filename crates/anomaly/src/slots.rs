//! Points on a grid of local time: as many slots a day as the cycle has, each with the mean of its points.

use jiff::Timestamp;

use crate::Configuration;

pub(crate) const DAY_SECS: i64 = 24 * 60 * 60;
const HOUR_SECS: i64 = 60 * 60;

/// The median of absolute deviations times this is the standard deviation, if deviations are normal.
pub(crate) const NORMAL_MAD: f64 = 1.4826;

/// Lengths of slots: parts of a day. The shortest makes two weeks 4,032 slots.
const SLOT_SECS: [i64; 9] = [300, 600, 900, 1_800, 3_600, 10_800, 21_600, 43_200, DAY_SECS];

/// One datapoint of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// The start of its period, in seconds since the epoch.
    pub at_secs: i64,
    /// Its value. What is not finite is not looked at.
    pub value: f64,
}

/// Where moments lie on the grid of local time.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    slot_secs: i64,
    time_zone: jiff::tz::TimeZone,
}

impl Grid {
    /// The grid for points of that period.
    pub(crate) fn new(period_secs: u32, configuration: &Configuration) -> Self {
        let fits = |slot: &i64| *slot >= i64::from(period_secs);
        let slot_secs = SLOT_SECS.into_iter().find(fits).unwrap_or(DAY_SECS);
        Self { slot_secs, time_zone: configuration.time_zone.clone() }
    }

    pub(crate) fn slots_a_day(&self) -> i64 {
        DAY_SECS / self.slot_secs
    }

    /// 0 if a slot is longer than an hour.
    pub(crate) fn slots_an_hour(&self) -> i64 {
        HOUR_SECS / self.slot_secs
    }

    /// Seconds since the epoch as a clock there shows them. A day has 24 hours also when the clock is
    /// changed.
    pub(crate) fn local_secs(&self, at_secs: i64) -> i64 {
        let offset = match Timestamp::from_second(at_secs) {
            Ok(at) => self.time_zone.to_offset(at).seconds(),
            // Beyond the year 9999 no clock has been agreed on.
            Err(_) => 0,
        };
        at_secs.saturating_add(i64::from(offset))
    }

    /// The number of the slot, counted from the epoch.
    pub(crate) fn slot(&self, local_secs: i64) -> i64 {
        local_secs.div_euclid(self.slot_secs)
    }

    pub(crate) fn hour_of_slot(&self, slot: i64) -> i64 {
        slot.saturating_mul(self.slot_secs).div_euclid(HOUR_SECS)
    }
}

/// Consecutive slots, some without points.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    /// The number of the first.
    pub(crate) first: i64,
    pub(crate) means: Vec<Option<f64>>,
}

impl Slots {
    /// The slots of `points`, which ascend and are not empty: the slot of each, and its value.
    pub(crate) fn new(points: &[(i64, f64)]) -> Self {
        let (first, last) = (points[0].0, points[points.len() - 1].0);
        let mut sums = vec![(0.0, 0_u32); (last - first + 1) as usize];
        for (slot, value) in points {
            let (sum, count) = &mut sums[(slot - first) as usize];
            *sum += value;
            *count += 1;
        }
        let mean = |(sum, count): (f64, u32)| (count > 0).then(|| sum / f64::from(count));
        Self { first, means: sums.into_iter().map(mean).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.means.len()
    }

    /// The part of the slots that have points.
    pub(crate) fn filled_part(&self) -> f64 {
        self.means.iter().flatten().count() as f64 / self.len() as f64
    }

    /// The medians of the slots at the same place of a cycle: `None` at places that no cycle has points at.
    pub(crate) fn cycle_medians(&self, cycle: usize) -> Vec<Option<f64>> {
        let mut by_phase = vec![Vec::new(); cycle];
        for (index, mean) in self.means.iter().enumerate() {
            by_phase[self.phase(index, cycle)].extend(*mean);
        }
        by_phase.into_iter().map(|mut values| median(&mut values)).collect()
    }

    /// The place of a slot in its cycle.
    pub(crate) fn phase(&self, index: usize, cycle: usize) -> usize {
        (self.first + index as i64).rem_euclid(cycle as i64) as usize
    }
}

/// The middle of the values, which it puts in another order.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The value below which that part of further values is to be expected: of `n` values the `k`th has on
/// average `k` of `n + 1` parts below it.
pub(crate) fn quantile(values: &mut [f64], part: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let rank = ((values.len() + 1) as f64 * part - 1.0).clamp(0.0, last as f64);
    let lower = rank.floor() as usize;
    let (_, low, above) = values.select_nth_unstable_by(lower, f64::total_cmp);
    let low = *low;
    let next = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    Some(low + (next - low) * (rank - lower as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_values() {
        let check = |values: &[f64], part: f64, expected: Option<f64>| {
            assert_eq!(quantile(&mut values.to_vec(), part), expected);
        };
        check(&[], 0.5, None);
        check(&[3.0], 0.9, Some(3.0));
        check(&[4.0, 1.0, 2.0, 3.0], 0.5, Some(2.5));
        check(&[4.0, 1.0, 2.0, 3.0, 5.0], 0.5, Some(3.0));
        check(&[0.0, 10.0], 0.95, Some(10.0));
        check(&[0.0, 10.0, 20.0], 0.7, Some(18.0));
    }

    #[test]
    fn slots_are_parts_of_a_day_no_shorter_than_the_period() {
        let slot = |period| Grid::new(period, &Configuration::default()).slot_secs;
        assert_eq!(
            [1, 60, 300, 420, 3600, 7200, 604_800].map(slot),
            [300, 300, 300, 600, 3600, 10_800, 86_400]
        );
    }

    #[test]
    fn local_time_follows_the_change_of_clocks() {
        let time_zone = crate::time_zone("Europe/Berlin").expect("in the database");
        let grid = Grid::new(300, &Configuration { time_zone, ..Configuration::default() });
        // 2026-03-29T01:00:00Z: from 02:00 to 03:00.
        assert_eq!(grid.local_secs(1_774_745_999) - 1_774_745_999, 3600);
        assert_eq!(grid.local_secs(1_774_746_000) - 1_774_746_000, 7200);
        assert_eq!(grid.local_secs(i64::MAX), i64::MAX);
    }
}
