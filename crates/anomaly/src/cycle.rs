//! The level of a metric, and the cycle that repeats around it: of a day if there are two, else of an hour.
//!
//! The statistics are STL's (seasonal and trend decomposition by local regression), robust against outliers,
//! by `stlrs`.

use stlrs::Stl;

use crate::Configuration;
use crate::slots::{Grid, Slots, median};

/// How often outliers are weighted anew.
const ROBUST_LOOPS: usize = 4;

/// The part of the slots that must have points for a cycle to be learnt.
const FILLED_MIN: f64 = 0.3;

/// The smoother weighs cycles the less the further they are: so many of those in its reach count in full.
const WEIGHTY_PART: f64 = 0.6;

/// The end of a level that is a local line over `n` slots has a variance of about so many `n`ths of that of
/// the points, twice (in what is learnt from it is lacking, in what is to come it is added).
const LEVEL_FREEDOM: f64 = 8.0;

/// Without a cycle, slots whose median is the level at the end.
const LEVEL_SLOTS: usize = 288;

/// Level and cycle together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cycle {
    /// What each slot was expected to be.
    pub(crate) fitted: Vec<f64>,
    /// What is expected after the last slot, by the place in the cycle.
    pub(crate) next: Vec<f64>,
    /// What was expected before the first slot.
    pub(crate) before: f64,
    /// How many cycles it rests on; 0 if there is none.
    pub(crate) cycles: f64,
    /// How many slots the level is smoothed over.
    level_slots: f64,
}

impl Cycle {
    /// The cycle of `slots`.
    pub(crate) fn learn(slots: &Slots, grid: &Grid, configuration: &Configuration) -> Self {
        let lengths = [grid.slots_a_day(), grid.slots_an_hour()].map(|length| length as usize);
        let long_enough = |cycle: &usize| *cycle >= 2 && slots.len() >= 2 * *cycle;
        let cycle = lengths.into_iter().find(long_enough).filter(|_| slots.filled_part() >= FILLED_MIN);
        cycle
            .and_then(|cycle| Self::decompose(slots, cycle, configuration))
            .unwrap_or_else(|| Self::level(slots))
    }

    fn decompose(slots: &Slots, cycle: usize, configuration: &Configuration) -> Option<Self> {
        let series = filled(slots, cycle);
        let adaptation = configuration.adaptation;
        let mut parameters = Stl::params();
        let level_slots = adaptation.level_cycles() * cycle + 1;
        parameters.seasonal_length(adaptation.shape_cycles()).trend_length(level_slots);
        if !configuration.periodic_spikes {
            parameters.robust(true).outer_loops(ROBUST_LOOPS);
        }
        let parts = parameters.fit(&series, cycle).ok()?;
        let (level, season) = (parts.trend(), parts.seasonal());
        let (first, last) = (*level.first()?, *level.last()?);
        let mut next = vec![0.0; cycle];
        for index in slots.len() - cycle..slots.len() {
            next[slots.phase(index, cycle)] = last + season[index];
        }
        let fitted = level.iter().zip(season).map(|(level, season)| level + season).collect();
        let weighty = adaptation.shape_cycles() as f64 * WEIGHTY_PART;
        let cycles = (slots.len() as f64 / cycle as f64).min(weighty);
        Some(Self { fitted, next, before: first, cycles, level_slots: level_slots as f64 })
    }

    /// No cycle: a level, the same for all slots.
    fn level(slots: &Slots) -> Self {
        let recent = slots.means.iter().rev().take(LEVEL_SLOTS).flatten().copied();
        let level = median(&mut recent.collect::<Vec<_>>()).unwrap_or(0.0);
        Self {
            fitted: vec![level; slots.len()],
            next: vec![level],
            before: level,
            cycles: 0.0,
            level_slots: 1.0,
        }
    }

    /// What is expected in a slot, counted from the epoch, where `first` is the first that was learnt from.
    pub(crate) fn expected(&self, slot: i64, first: i64) -> f64 {
        if slot < first {
            return self.before;
        }
        let fitted = usize::try_from(slot - first).ok().and_then(|index| self.fitted.get(index));
        fitted.copied().unwrap_or_else(|| self.next[slot.rem_euclid(self.next.len() as i64) as usize])
    }

    /// How much further points to come are from what is expected than those that were learnt from: `c` cycles
    /// fix the mean of `c` values, whose own error makes these look closer and those further. So does that of
    /// the level at its end.
    pub(crate) fn widening(&self) -> f64 {
        if self.cycles < 2.0 {
            return 1.0;
        }
        let shape = (self.cycles + 1.0) / (self.cycles - 1.0);
        let level = 1.0 + LEVEL_FREEDOM / self.level_slots;
        (shape * level).sqrt()
    }
}

/// Every slot with a value: where points are missing, what other cycles have there.
fn filled(slots: &Slots, cycle: usize) -> Vec<f64> {
    let usual = slots.cycle_medians(cycle);
    let mut previous = slots.means.iter().flatten().next().copied().unwrap_or(0.0);
    let mut series = Vec::with_capacity(slots.len());
    for (index, mean) in slots.means.iter().enumerate() {
        previous = mean.or(usual[slots.phase(index, cycle)]).unwrap_or(previous);
        series.push(previous);
    }
    series
}
