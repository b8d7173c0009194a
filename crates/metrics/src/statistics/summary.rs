//! The five simple statistics.

use crate::sample::{Observation, SetSample};

/// Count, sum, minimum and maximum of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Σ of weights and of the sets' counts.
    pub sample_count: f64,
    /// Σ of value × weight and of the sets' sums.
    pub sum: f64,
    /// The smallest value or minimum.
    pub minimum: f64,
    /// The largest value or maximum.
    pub maximum: f64,
}

impl Summary {
    /// The summary of all that count; `None` if nothing does.
    pub fn of(plain: &[Observation], sets: &[SetSample]) -> Option<Self> {
        if plain.is_empty() && sets.is_empty() {
            return None;
        }
        let mut count = CompensatedSum::default();
        let mut sum = CompensatedSum::default();
        let (mut minimum, mut maximum) = (f64::INFINITY, f64::NEG_INFINITY);
        for observation in plain {
            count.add(observation.weight);
            sum.add(observation.value * observation.weight);
            minimum = minimum.min(observation.value);
            maximum = maximum.max(observation.value);
        }
        for SetSample { set, .. } in sets {
            count.add(set.sample_count);
            sum.add(set.sum);
            minimum = minimum.min(set.minimum);
            maximum = maximum.max(set.maximum);
        }
        Some(Self { sample_count: count.total(), sum: sum.total(), minimum, maximum })
    }

    /// Sum ÷ SampleCount.
    pub fn average(&self) -> f64 {
        self.sum / self.sample_count
    }
}

/// A sum that carries along what rounding lost (Neumaier's variant of Kahan's algorithm): its error does not
/// grow with the number of terms.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CompensatedSum {
    sum: f64,
    lost: f64,
}

impl CompensatedSum {
    pub(super) fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.lost +=
            if self.sum.abs() >= term.abs() { (self.sum - sum) + term } else { (term - sum) + self.sum };
        self.sum = sum;
    }

    pub(super) fn total(&self) -> f64 {
        self.sum + self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(terms: &[f64]) -> f64 {
        let mut sum = CompensatedSum::default();
        terms.iter().for_each(|term| sum.add(*term));
        sum.total()
    }

    #[test]
    fn sums_keep_what_plain_addition_loses() {
        assert_eq!(total(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(total(&[0.1; 10]), 1.0);
        assert_eq!(total(&[1.0, 1e100, 1.0, -1e100]), 2.0);
    }
}
