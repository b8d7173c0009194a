//! Foresight: how far days were from what had been expected of them, by models that knew the days before
//! only.
//!
//! How far points are from a model that learnt from them says little where a level wanders or where there are
//! few cycles; here it is measured on points that were not learnt from (rolling-origin validation).

use crate::Configuration;
use crate::cycle::Cycle;
use crate::slots::{Grid, Slots, median, quantile};
use crate::spread::{NORMAL_95, Spread, cutoff};

/// Days that are foreseen, the last ones first. A day of an incident is one of several, and the median leaves
/// it out. Days of few points need more of them; each takes as long as a training.
const DAYS_MAX: usize = 5;
const DAYS_MIN: usize = 2;
const POINTS_ENOUGH: usize = 120;

/// A day with fewer points says nothing.
const POINTS_MIN: usize = 12;

/// How many times `spread` a band of one standard deviation has to be to hold what is to come. `points` are
/// slots with their values, ascending, and `slots` are their means. `None` if there are too few days.
pub(crate) fn widening(
    points: &[(i64, f64)],
    slots: &Slots,
    spread: &Spread,
    grid: &Grid,
    configuration: &Configuration,
) -> Option<f64> {
    let day = grid.slots_a_day() as usize;
    let (mut days, mut seen): (Vec<Vec<f64>>, usize) = (Vec::new(), 0);
    for number in 1..=DAYS_MAX {
        if days.len() > DAYS_MIN && seen >= POINTS_ENOUGH {
            break;
        }
        // Before it there must be two days to learn from.
        let Some(known) = slots.len().checked_sub(number * day).filter(|known| *known >= 2 * day) else {
            break;
        };
        let before = Slots { first: slots.first, means: slots.means[..known].to_vec() };
        let cycle = Cycle::learn(&before, grid, configuration);
        let begin = slots.first + known as i64;
        let from = points.partition_point(|(slot, _)| *slot < begin);
        let until = points.partition_point(|(slot, _)| *slot < begin + day as i64);
        let deviation = |(slot, value): &(i64, f64)| {
            let expected = cycle.expected(*slot, slots.first);
            (value - expected).abs() / spread.at(grid.hour_of_slot(*slot))
        };
        let deviations: Vec<f64> = points[from..until].iter().map(deviation).collect();
        seen += deviations.len();
        if deviations.len() >= POINTS_MIN {
            days.push(deviations);
        }
    }
    if days.len() < DAYS_MIN {
        return None;
    }
    let cutoff = cutoff(&mut days.concat(), configuration);
    let factor = |mut day: Vec<f64>| {
        day.retain(|deviation| *deviation <= cutoff);
        quantile(&mut day, 0.95).map(|usual| usual / NORMAL_95)
    };
    median(&mut days.into_iter().filter_map(factor).collect::<Vec<_>>())
}
