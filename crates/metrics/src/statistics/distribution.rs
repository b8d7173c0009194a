//! Percentiles and trimmed statistics: what depends on every single value.
//!
//! **Percentiles** are interpolated linearly between the two closest ranks: with the samples in ascending
//! order on positions 0 … n−1, pN is the value at position N/100 × (n−1), so that p0 is the minimum, p50 the
//! median and p100 the maximum (R's type 7, the default of NumPy and spreadsheets). AWS documents that it
//! interpolates, not how, and its own pipeline approximates the distribution in buckets of ratio 1.1; every
//! choice of interpolation agrees with it within that error, and this one is what people check against. A
//! weight of k counts as k samples of that value. Where weights are below one the smallest weight takes the
//! place of one sample as the distance between two ranks.
//!
//! **Trimmed statistics with percent bounds** cut by mass: of a total weight W, what lies between W × low %
//! and W × high % of the sorted samples is kept, a sample on the border in part. That is why TC may be
//! fractional, and why TS = TM × TC always holds. Absolute bounds keep whole samples: above the lower bound,
//! up to and including the upper.

use super::summary::CompensatedSum;
use super::{Bounds, Measure};

/// The values of a period in ascending order, each with its weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// Distinct values, ascending.
    values: Vec<f64>,
    /// For each value the weight of all values up to and including it.
    weight_through: Vec<f64>,
    /// The distance between two neighbouring ranks: one sample, or the smallest weight if that is less.
    rank_width: f64,
}

impl Distribution {
    /// The distribution of `(value, weight)` pairs in any order; `None` if there are none.
    pub fn new(observations: impl Iterator<Item = (f64, f64)>) -> Option<Self> {
        let mut sorted: Vec<(f64, f64)> = observations.collect();
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.total_cmp(&b.1)));
        let mut values: Vec<f64> = Vec::with_capacity(sorted.len());
        let mut weight_through = Vec::with_capacity(sorted.len());
        let mut through = CompensatedSum::default();
        let mut rank_width = 1.0_f64;
        let mut through_previous = 0.0;
        for equal in sorted.chunk_by(|a, b| a.0 == b.0) {
            equal.iter().for_each(|(_, weight)| through.add(*weight));
            values.push(equal.first()?.0);
            weight_through.push(through.total());
            rank_width = rank_width.min(through.total() - through_previous);
            through_previous = through.total();
        }
        (!values.is_empty()).then_some(Self { values, weight_through, rank_width })
    }

    /// The value at `percent` (0 to 100), interpolated.
    pub fn percentile(&self, percent: f64) -> f64 {
        let position = percent / 100.0 * (self.weight() - self.rank_width);
        // A value of weight w covers the positions from the weight before it to that weight + w − one rank.
        let index = self.weight_through.partition_point(|through| through - self.rank_width < position);
        let index = index.min(self.values.len() - 1);
        let covers_from = self.weight_before(index);
        if position >= covers_from || index == 0 {
            return self.values[index];
        }
        let (below, above) = (self.values[index - 1], self.values[index]);
        let fraction = (position - (covers_from - self.rank_width)) / self.rank_width;
        below + (above - below) * fraction.clamp(0.0, 1.0)
    }

    /// TM, TC, TS, WM or PR within `bounds`; `None` where nothing is left to take the mean of.
    pub fn bounded(&self, measure: Measure, bounds: Bounds) -> Option<f64> {
        let kept = self.within(bounds);
        match measure {
            Measure::TrimmedMean => (kept.weight > 0.0).then(|| kept.sum / kept.weight),
            Measure::TrimmedCount => Some(kept.weight),
            Measure::TrimmedSum => Some(kept.sum),
            Measure::PercentileRank => Some(100.0 * kept.weight / self.weight()),
            Measure::WinsorizedMean => {
                let mut sum = CompensatedSum::default();
                sum.add(kept.sum);
                sum.add(kept.weight_below * kept.lowest);
                sum.add(kept.weight_above * kept.highest);
                Some(sum.total() / self.weight())
            }
        }
    }

    fn weight(&self) -> f64 {
        self.weight_through[self.weight_through.len() - 1]
    }

    fn weight_before(&self, index: usize) -> f64 {
        if index == 0 { 0.0 } else { self.weight_through[index - 1] }
    }

    fn within(&self, bounds: Bounds) -> Kept {
        match bounds {
            Bounds::Percent { low, high } => {
                let (low, high) = (low.unwrap_or(0.0), high.unwrap_or(100.0));
                let (from, through) = (self.weight() * low / 100.0, self.weight() * high / 100.0);
                let mut sum = CompensatedSum::default();
                for (index, value) in self.values.iter().enumerate() {
                    let weight =
                        self.weight_through[index].min(through) - self.weight_before(index).max(from);
                    sum.add(value * weight.max(0.0));
                }
                Kept {
                    weight: through - from,
                    sum: sum.total(),
                    weight_below: from,
                    lowest: self.percentile(low),
                    weight_above: self.weight() - through,
                    highest: self.percentile(high),
                }
            }
            Bounds::Absolute { low, high } => {
                let first = low.map_or(0, |low| self.values.partition_point(|value| *value <= low));
                let end = high
                    .map_or(self.values.len(), |high| self.values.partition_point(|value| *value <= high));
                let mut sum = CompensatedSum::default();
                for index in first..end {
                    sum.add(self.values[index] * (self.weight_through[index] - self.weight_before(index)));
                }
                let (from, through) = (self.weight_before(first), self.weight_before(end.max(first)));
                Kept {
                    weight: through - from,
                    sum: sum.total(),
                    weight_below: from,
                    lowest: low.unwrap_or(0.0),
                    weight_above: self.weight() - through,
                    highest: high.unwrap_or(0.0),
                }
            }
        }
    }
}

/// [`Distribution::percentile`] of positive values of weight 1, in any order; `None` if there are none. As
/// most periods have a handful of these, it does without a distribution.
pub(super) fn percentile_of_ones(values: &mut [f64], percent: f64) -> Option<f64> {
    let position = percent / 100.0 * (values.len() as f64 - 1.0);
    let rank = position as usize;
    let (below, above) = if rank + 2 == values.len() {
        // p99 of fewer than a hundred values: between the two largest, for which nothing need be sorted.
        values.iter().fold((0.0_f64, 0.0_f64), |(second, largest), value| {
            (second.max(largest.min(*value)), largest.max(*value))
        })
    } else {
        values.sort_unstable_by(f64::total_cmp);
        let below = *values.get(rank)?;
        (below, values.get(rank + 1).copied().unwrap_or(below))
    };
    Some(if position.fract() > 0.0 { below + (above - below) * position.fract() } else { below })
}

/// What lies within bounds, and what winsorizing puts in the place of the rest.
struct Kept {
    weight: f64,
    sum: f64,
    weight_below: f64,
    lowest: f64,
    weight_above: f64,
    highest: f64,
}
