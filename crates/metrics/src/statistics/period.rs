//! One period's samples, and any statistic over them.

use super::distribution::percentile_of_ones;
use super::{Distribution, Statistic, Summary};
use crate::sample::{Observation, SetSample};

/// Percentiles of up to so many values are taken without allocating.
const FEW: usize = 64;
/// Most periods have no more values: five minutes of one a minute.
const HANDFUL: usize = 8;

/// The samples that fall into one period.
#[derive(Clone, Copy, Debug)]
pub struct PeriodSamples<'a> {
    /// Single values that count in every statistic.
    pub plain: &'a [Observation],
    /// Values that describe the distribution of sets which came with them.
    pub shapes: &'a [Observation],
    /// Statistic sets.
    pub sets: &'a [SetSample],
}

impl PeriodSamples<'_> {
    /// The five simple statistics; `None` if the period is empty.
    pub fn summary(&self) -> Option<Summary> {
        Summary::of(self.plain, self.sets)
    }

    /// The distribution of single values; `None` where CloudWatch has no percentiles: the period is empty,
    /// holds a statistic set whose values are unknown, or any negative value.
    pub fn distribution(&self) -> Option<Distribution> {
        let values_unknown = self.sets.iter().any(|sample| !sample.described);
        let negative = |observation: &Observation| observation.value < 0.0;
        if values_unknown
            || self.plain.iter().any(negative)
            || self.shapes.iter().any(negative)
            || self.sets.iter().any(|sample| sample.set.minimum < 0.0)
        {
            return None;
        }
        Distribution::new(self.plain.iter().chain(self.shapes).map(|seen| (seen.value, seen.weight)))
    }

    /// `statistic` over this period; `None` means that there is no data point.
    pub fn evaluate(&self, statistic: &Statistic) -> Option<f64> {
        match statistic {
            Statistic::SampleCount => self.summary().map(|summary| summary.sample_count),
            Statistic::Average => self.summary().map(|summary| summary.average()),
            Statistic::Sum => self.summary().map(|summary| summary.sum),
            Statistic::Minimum => self.summary().map(|summary| summary.minimum),
            Statistic::Maximum => self.summary().map(|summary| summary.maximum),
            Statistic::Percentile(percent) => self.percentile(*percent),
            Statistic::Bounded(measure, bounds) => self.distribution()?.bounded(*measure, *bounds),
        }
    }

    fn percentile(&self, percent: f64) -> Option<f64> {
        // Minus zero is not among them: all ways to put such values in order agree.
        let is_one = |seen: &Observation| seen.weight == 1.0 && seen.value.is_sign_positive();
        let are_ones = self.shapes.is_empty() && self.sets.is_empty() && self.plain.iter().all(is_one);
        match self.plain.len() {
            0..=HANDFUL if are_ones => self.percentile_of_ones::<HANDFUL>(percent),
            0..=FEW if are_ones => self.percentile_of_ones::<FEW>(percent),
            _ => Some(self.distribution()?.percentile(percent)),
        }
    }

    /// The percentile of up to `N` values of weight 1.
    fn percentile_of_ones<const N: usize>(&self, percent: f64) -> Option<f64> {
        let mut values = [0.0; N];
        let values = values.get_mut(..self.plain.len())?;
        values.iter_mut().zip(self.plain).for_each(|(value, seen)| *value = seen.value);
        percentile_of_ones(values, percent)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::Second;

    proptest! {
        #[test]
        fn a_percentile_of_few_values_is_that_of_their_distribution(
            values in vec(prop_oneof![0.0..1e3f64, (0..5u32).prop_map(f64::from)], 1..FEW + 2),
            percent in prop_oneof![Just(0.0), Just(50.0), Just(100.0), 0.0..100.0f64],
        ) {
            let seen = |value: &f64| Observation { second: Second(0), value: *value, weight: 1.0 };
            let plain: Vec<Observation> = values.iter().map(seen).collect();
            let period = PeriodSamples { plain: &plain, shapes: &[], sets: &[] };
            let expected = period.distribution().map(|distribution| distribution.percentile(percent));
            let found = period.evaluate(&Statistic::Percentile(percent));
            let close = found.zip(expected).is_some_and(|(a, b)| (a - b).abs() <= 1e-12 * b.abs());
            prop_assert!(close, "{:?} {:?}", found, expected);
        }
    }
}
