//! One period's samples, and any statistic over them.

use super::{Distribution, Statistic, Summary};
use crate::sample::{Observation, SetSample};

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

    /// The distribution of single values; `None` where CloudWatch has no percentiles: the period is empty, holds a
    /// statistic set whose values are unknown, or any negative value.
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
            Statistic::Percentile(percent) => Some(self.distribution()?.percentile(*percent)),
            Statistic::Bounded(measure, bounds) => self.distribution()?.bounded(*measure, *bounds),
        }
    }
}
