//! The model: what it expects at a moment, and how far from that is still usual.

use crate::cycle::Cycle;
use crate::foresight;
use crate::slots::{DAY_SECS, Grid, Slots};
use crate::spread::Spread;
use crate::weekly::Weekly;
use crate::{Configuration, Observation};

/// How far back a model looks from its last point, in seconds: two weeks, as AWS's guide says.
pub const TRAINING_SECS: i64 = 14 * DAY_SECS;

/// Fewer points teach nothing.
const POINTS_MIN: usize = 12;

/// Spreads below this part of the greatest value are rounding errors.
const LEAST_SPREAD: f64 = 1e-6;

/// How much a model knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maturity {
    /// Too few points for a daily cycle: less than two days. The band, if there is one, is around a level, or
    /// an hourly cycle.
    InsufficientData,
    /// At least two days: a daily cycle; from two weeks on a weekly one too.
    Trained,
}

/// What is still usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Finite.
    pub lower: f64,
    /// Finite; not below `lower`.
    pub upper: f64,
}

/// What a metric is expected to be.
#[derive(Clone, Debug)]
pub struct Model {
    grid: Grid,
    maturity: Maturity,
    learnt: Option<Learnt>,
}

/// In units of `scale`.
#[derive(Clone, Debug)]
struct Learnt {
    scale: f64,
    first_slot: i64,
    cycle: Cycle,
    weekly: Option<Weekly>,
    spread: Spread,
}

impl Model {
    /// Learns from `points`, in any order, of which the two weeks before the last one count. Takes some tens
    /// of milliseconds.
    pub fn train(points: &[Observation], period_secs: u32, configuration: &Configuration) -> Self {
        let grid = Grid::new(period_secs, configuration);
        let points = usable(points, configuration);
        if points.len() < POINTS_MIN {
            return Self { grid, maturity: Maturity::InsufficientData, learnt: None };
        }
        // Values are brought to -1..1, so that no sum and no square is beyond what a float holds.
        let scale = points.iter().map(|point| point.value.abs()).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        let placed =
            points.iter().map(|point| (grid.slot(grid.local_secs(point.at_secs)), point.value / scale));
        let mut placed: Vec<(i64, f64)> = placed.collect();
        // A clock that is set back shows an hour twice.
        placed.sort_by_key(|(slot, _)| *slot);
        let slots = Slots::new(&placed);

        let weekly = Weekly::learn(&slots, &grid);
        let weekly_level =
            |slot: i64| weekly.as_ref().map_or(0.0, |weekly| weekly.level(grid.hour_of_slot(slot)));
        let rest = slots.means.iter().zip(slots.first..);
        let rest = rest.map(|(mean, slot)| mean.map(|mean| mean - weekly_level(slot)));
        let rest = Slots { first: slots.first, means: rest.collect() };
        let cycle = Cycle::learn(&rest, &grid, configuration);

        // From here on without what the weeks have in common.
        placed.iter_mut().for_each(|(slot, value)| *value -= weekly_level(*slot));
        let deviation = |(slot, value): &(i64, f64)| {
            let hour = grid.hour_of_slot(*slot);
            let known = weekly.as_ref().map_or(1.0, |weekly| weekly.part_unlearnt(hour));
            (hour, (value - cycle.expected(*slot, slots.first)) / known)
        };
        let deviations: Vec<(i64, f64)> = placed.iter().map(deviation).collect();
        let spread = Spread::learn(&deviations, configuration, LEAST_SPREAD);
        let foreseen = foresight::widening(&placed, &rest, &spread, &grid, configuration);
        let spread = spread.widened(cycle.widening().max(foreseen.unwrap_or(1.0)));
        let days = slots.len() as i64 / grid.slots_a_day();
        let maturity = if days >= 2 { Maturity::Trained } else { Maturity::InsufficientData };
        let learnt = Some(Learnt { scale, first_slot: slots.first, cycle, weekly, spread });
        Self { grid, maturity, learnt }
    }

    /// How much it knows.
    pub fn maturity(&self) -> Maturity {
        self.maturity
    }

    /// The band of `deviations` standard deviations at a moment, in seconds since the epoch; `None` if
    /// nothing was learnt.
    pub fn band(&self, at_secs: i64, deviations: f64) -> Option<Band> {
        let learnt = self.learnt.as_ref()?;
        let slot = self.grid.slot(self.grid.local_secs(at_secs));
        let hour = self.grid.hour_of_slot(slot);
        let weekly = learnt.weekly.as_ref();
        let level = weekly.map_or(0.0, |weekly| weekly.level(hour));
        let expected = learnt.cycle.expected(slot, learnt.first_slot) + level;
        let spread = learnt.spread.at(hour) * weekly.map_or(1.0, |weekly| weekly.widening(hour));
        let width = (deviations.max(0.0) * spread).min(f64::MAX);
        let finite = |bound: f64| (bound * learnt.scale).clamp(f64::MIN, f64::MAX);
        Some(Band { lower: finite(expected - width), upper: finite(expected + width) })
    }
}

/// The points that teach something, ascending.
fn usable(points: &[Observation], configuration: &Configuration) -> Vec<Observation> {
    let is_excluded = |point: &Observation| {
        configuration.excluded_secs.iter().any(|excluded| excluded.contains(&point.at_secs))
    };
    let finite = points.iter().filter(|point| point.value.is_finite());
    let mut usable: Vec<Observation> = finite.copied().collect();
    usable.sort_by_key(|point| point.at_secs);
    if let Some(last) = usable.last().map(|point| point.at_secs) {
        usable.retain(|point| last.saturating_sub(point.at_secs) < TRAINING_SECS && !is_excluded(point));
    }
    usable
}
