//! What a series is made of: single values with weights, and statistic sets.

use std::collections::BTreeMap;

use crate::Second;

/// A value that was observed `weight` times at one second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// When; for standard resolution always a whole minute.
    pub second: Second,
    /// Finite.
    pub value: f64,
    /// Above zero; may be fractional.
    pub weight: f64,
}

/// `StatisticValues`: what a client has aggregated itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StatisticSet {
    /// How many observations it stands for; above zero, may be fractional.
    pub sample_count: f64,
    /// Their sum.
    pub sum: f64,
    /// The smallest of them.
    pub minimum: f64,
    /// The largest of them.
    pub maximum: f64,
}

impl StatisticSet {
    /// The one value that all observations must have had, if the set says so much: only then do statistic
    /// sets count in percentiles (user guide, "Percentiles": `SampleCount` is 1 and the three others are
    /// equal, or minimum and maximum are equal and the sum is minimum times count).
    pub fn sole_value(&self) -> Option<f64> {
        let sole = self.minimum == self.maximum && self.sum == self.minimum * self.sample_count;
        sole.then_some(self.minimum)
    }
}

/// A statistic set as it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetSample {
    /// When.
    pub second: Second,
    /// What was sent.
    pub set: StatisticSet,
    /// Whether `Values` and `Counts` came in the same datum: they then describe the distribution that the set
    /// sums up, and are kept as [`Samples::shapes`].
    pub described: bool,
}

/// Samples of one series and one unit, by their part in statistics.
///
/// The CloudWatch agent sends a statistic set *and* `Values`/`Counts` in one datum: the set is exact and
/// counts in sums, the values are bucket midpoints and count in percentiles. So there are three kinds and not
/// two.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Count in every statistic.
    pub plain: Vec<Observation>,
    /// Count in statistics over the distribution only.
    pub shapes: Vec<Observation>,
    /// Count in SampleCount, Sum, Average, Minimum and Maximum only.
    pub sets: Vec<SetSample>,
}

impl Samples {
    /// Whether there is no sample of any kind.
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.shapes.is_empty() && self.sets.is_empty()
    }

    /// How many samples there are, of all kinds.
    pub fn len(&self) -> usize {
        self.plain.len() + self.shapes.len() + self.sets.len()
    }

    /// The earliest and the latest second; `None` if there is no sample.
    pub fn span(&self) -> Option<(Second, Second)> {
        let observations = self.plain.iter().chain(&self.shapes).map(|observation| observation.second);
        let seconds = observations.chain(self.sets.iter().map(|sample| sample.second));
        seconds.fold(None, |span, second| match span {
            None => Some((second, second)),
            Some((first, last)) => Some((second.min(first), second.max(last))),
        })
    }

    /// The samples of each stretch of `secs` seconds since the epoch that has any. To be called on sorted
    /// samples.
    pub(crate) fn split(self, secs: u32) -> Vec<Self> {
        let stretch = |second: Second| second.0 / secs;
        match self.span() {
            None => return Vec::new(),
            Some((first, last)) if stretch(first) == stretch(last) => return vec![self],
            Some(_) => {}
        }
        let mut parts: BTreeMap<u32, Self> = BTreeMap::new();
        for observation in self.plain {
            parts.entry(stretch(observation.second)).or_default().plain.push(observation);
        }
        for observation in self.shapes {
            parts.entry(stretch(observation.second)).or_default().shapes.push(observation);
        }
        for sample in self.sets {
            parts.entry(stretch(sample.second)).or_default().sets.push(sample);
        }
        parts.into_values().collect()
    }

    /// Brings the samples into the one order that does not depend on how they arrived, so that sums over them
    /// come out the same to the last bit whether a sample was late, shuffled, or read from a block.
    pub fn sort(&mut self) {
        let by_observation = |a: &Observation, b: &Observation| {
            a.second
                .cmp(&b.second)
                .then_with(|| a.value.total_cmp(&b.value))
                .then_with(|| a.weight.total_cmp(&b.weight))
        };
        self.plain.sort_by(by_observation);
        self.shapes.sort_by(by_observation);
        self.sets.sort_by(|a, b| {
            a.second
                .cmp(&b.second)
                .then_with(|| a.set.sum.total_cmp(&b.set.sum))
                .then_with(|| a.set.sample_count.total_cmp(&b.set.sample_count))
                .then_with(|| a.set.minimum.total_cmp(&b.set.minimum))
                .then_with(|| a.set.maximum.total_cmp(&b.set.maximum))
                .then_with(|| a.described.cmp(&b.described))
        });
    }
}
