//! What tells the hours of a week apart: a level for each, in which two weeks agree.
//!
//! Two weeks are few, so an hour's level is what both have in common: their mean where they differ by no more
//! than weeks do, else the smaller of two deviations in the same direction, none if they are opposed. An
//! incident in one of the weeks is therefore not learnt; the mean would keep half of it. And what is less
//! than the weeks usually disagree by is noise, which would make the past look too well understood.

use crate::slots::{Grid, NORMAL_MAD, Slots, median};

const HOURS: usize = 7 * 24;

/// Below this correlation of the two weeks there is no weekly season: noise agrees by chance.
const AGREEMENT_MIN: f64 = 0.3;

/// Of the hours of a week, how many both weeks must have points in.
const HOURS_MIN: usize = HOURS * 4 / 5;

/// Weeks that differ by no more than so many times what they usually do agree: two standard deviations.
const AGREED: f64 = 2.0;

/// A level for each hour of a week, besides what all days have in common.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weekly {
    levels: Vec<f64>,
    /// How many slots an hour has: so many values of each week a level is of.
    slots_an_hour: f64,
}

impl Weekly {
    /// The season of `slots`; `None` if they are less than two weeks, or the weeks disagree.
    pub(crate) fn learn(slots: &Slots, grid: &Grid) -> Option<Self> {
        let week = (7 * grid.slots_a_day()) as usize;
        if grid.slots_an_hour() == 0 || slots.len() < 2 * week - week / 7 {
            return None;
        }
        // Two weeks back from the end; the last day of a second week may lack points.
        let from = slots.len().saturating_sub(2 * week);
        let both = Slots { first: slots.first + from as i64, means: slots.means[from..].to_vec() };
        let both = without_growth(&both, week);
        let daily = both.cycle_medians(grid.slots_a_day() as usize);
        let mut weeks = [vec![Vec::new(); HOURS], vec![Vec::new(); HOURS]];
        for (index, mean) in both.means.iter().enumerate() {
            let phase = both.phase(index, daily.len());
            if let (Some(mean), Some(usual)) = (mean, daily[phase]) {
                let hour = hour_of_week(grid.hour_of_slot(both.first + index as i64));
                weeks[index / week][hour].push(mean - usual);
            }
        }
        let [first, second] = weeks.map(|hours| {
            hours.into_iter().map(|mut values| median(&mut values)).collect::<Vec<Option<f64>>>()
        });
        let pairs: Vec<(f64, f64)> =
            first.iter().zip(&second).filter_map(|(a, b)| Some(((*a)?, (*b)?))).collect();
        if pairs.len() < HOURS_MIN || agreement(&pairs) < AGREEMENT_MIN {
            return None;
        }
        let mut disagreement: Vec<f64> = pairs.iter().map(|(a, b)| (a - b).abs()).collect();
        let noise = median(&mut disagreement).unwrap_or(0.0) * NORMAL_MAD;
        let level = |(a, b): (Option<f64>, Option<f64>)| common(a.unwrap_or(0.0), b.unwrap_or(0.0), noise);
        let levels = first.into_iter().zip(second).map(level).collect();
        Some(Self { levels, slots_an_hour: grid.slots_an_hour() as f64 })
    }

    /// The level of an hour, counted from the epoch.
    pub(crate) fn level(&self, hour: i64) -> f64 {
        self.levels[hour_of_week(hour)]
    }

    /// What is left of a deviation at an hour after it was learnt from, as a part of it: a mean of `n` values
    /// is drawn towards each.
    pub(crate) fn part_unlearnt(&self, hour: i64) -> f64 {
        (1.0 - self.error(hour)).sqrt()
    }

    /// How much further points to come are from a level than its own error of none would have them.
    pub(crate) fn widening(&self, hour: i64) -> f64 {
        (1.0 + self.error(hour)).sqrt()
    }

    /// The variance of an hour's level, as a part of that of the points.
    fn error(&self, hour: i64) -> f64 {
        if self.level(hour) == 0.0 { 0.0 } else { 1.0 / (2.0 * self.slots_an_hour) }
    }
}

/// The slots less the line through the medians of both weeks: growth is no season.
fn without_growth(slots: &Slots, week: usize) -> Slots {
    let level =
        |week: &[Option<f64>]| median(&mut week.iter().flatten().copied().collect::<Vec<_>>()).unwrap_or(0.0);
    let (first, second) = slots.means.split_at(week.min(slots.len()));
    let (first, second) = (level(first), level(second));
    let line = |index: usize| first + (second - first) * (index as f64 / week as f64 - 0.5);
    let means = slots.means.iter().enumerate();
    let means = means.map(|(index, mean)| mean.map(|mean| mean - line(index)));
    Slots { first: slots.first, means: means.collect() }
}

fn hour_of_week(hour: i64) -> usize {
    hour.rem_euclid(HOURS as i64) as usize
}

/// The correlation of the two weeks; 0 if one of them is constant.
fn agreement(pairs: &[(f64, f64)]) -> f64 {
    let count = pairs.len() as f64;
    let (a, b) = pairs.iter().fold((0.0, 0.0), |(a, b), pair| (a + pair.0 / count, b + pair.1 / count));
    let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|pair| of(pair.0 - a, pair.1 - b)).sum::<f64>();
    let spread = (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
    if spread > 0.0 { sum(&|a, b| a * b) / spread } else { 0.0 }
}

fn common(a: f64, b: f64, noise: f64) -> f64 {
    let least = a.abs().min(b.abs());
    match a.signum() == b.signum() && least > noise {
        true if (a - b).abs() <= AGREED * noise => f64::midpoint(a, b),
        true => a.signum() * least,
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_have_in_common_what_points_the_same_way() {
        let check = |a: f64, b: f64, expected: f64| assert_eq!(common(a, b, 1.0), expected, "{a} {b}");
        check(3.0, 5.0, 4.0);
        check(3.0, 5.5, 3.0);
        check(0.5, 5.0, 0.0);
        check(-3.0, -5.0, -4.0);
        check(-3.0, -9.0, -3.0);
        check(-3.0, 5.0, 0.0);
        check(0.0, 5.0, 0.0);
    }

    #[test]
    fn agreement_is_a_correlation() {
        assert!((agreement(&[(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]) - 1.0).abs() < 1e-12);
        assert!((agreement(&[(1.0, 6.0), (2.0, 4.0), (3.0, 2.0)]) + 1.0).abs() < 1e-12);
        assert_eq!(agreement(&[(1.0, 2.0), (1.0, 4.0)]), 0.0);
    }
}
