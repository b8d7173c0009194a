//! Roll-up: samples become coarser in time, and their statistics stay.
//!
//! Each sample moves to the beginning of its stretch of 60, 300 or 3,600 seconds; equal values become one
//! with the sum of their weights, statistic sets become one. Count, sum, minimum and maximum of every period
//! that is a multiple of the stretch are as before, and so are its percentiles: the values themselves are
//! kept.
//!
//! Only where a stretch has more than [`VALUES_MAX`] distinct values they fold into a sketch: count, sum,
//! minimum and maximum stay exact, as a statistic set, and the distribution is kept in buckets whose bounds
//! have the ratio 101 ÷ 99, so that each value is at most 1 % from what stands for it. Buckets are the same
//! everywhere, so folding what is folded changes nothing, and periods of several stretches have the same
//! error. (Own code: sketches of libraries do not give their buckets out as values with weights, which is
//! what is stored and read here.)

use std::collections::BTreeMap;

use crate::Second;
use crate::query::{Period, Window, periods};
use crate::sample::{Observation, Samples, SetSample, StatisticSet};
use crate::statistics::{PeriodSamples, Summary};

/// Up to so many distinct values of a stretch are kept as they are.
const VALUES_MAX: usize = 128;
/// How far from a value that which stands for it may be, as a part of it.
const ERROR_MAX: f64 = 0.01;

/// `samples`, sorted, at a resolution of `resolution_secs`.
pub(super) fn roll_up(samples: Samples, resolution_secs: u32) -> Samples {
    let (Some((first, last)), Some(period)) =
        (samples.span(), Period::from_secs(i64::from(resolution_secs)).filter(|_| resolution_secs > 1))
    else {
        return samples;
    };
    let from = first.floor_to(resolution_secs);
    let window = Window { from, until: Second(last.0.saturating_add(1)), period };
    let mut rolled = Samples::default();
    for (start, stretch) in periods(&samples, window) {
        push_stretch(&mut rolled, start, &stretch);
    }
    rolled.sort();
    rolled
}

fn push_stretch(rolled: &mut Samples, start: Second, stretch: &PeriodSamples<'_>) {
    let plain = merged(stretch.plain, |value| value);
    let shapes = merged(stretch.shapes, |value| value);
    let (described, undescribed): (Vec<SetSample>, Vec<SetSample>) =
        stretch.sets.iter().partition(|sample| sample.described);
    let folds = plain.len() + shapes.len() > VALUES_MAX;
    let (counted, mut in_sets) = if folds { (&[][..], stretch.plain) } else { (stretch.plain, &[][..]) };
    if !counted.is_empty() {
        rolled.plain.extend(observations(start, &plain));
    }
    if folds {
        let all: Vec<Observation> = stretch.plain.iter().chain(stretch.shapes).copied().collect();
        rolled.shapes.extend(observations(start, &merged(&all, bucket)));
    } else {
        rolled.shapes.extend(observations(start, &shapes));
    }
    for (sets, is_described) in [(described, true), (undescribed, false)] {
        let values = if is_described { std::mem::take(&mut in_sets) } else { &[] };
        let Some(summary) = Summary::of(values, &sets) else { continue };
        let Summary { sample_count, sum, minimum, maximum } = summary;
        let set = StatisticSet { sample_count, sum, minimum, maximum };
        rolled.sets.push(SetSample { second: start, set, described: is_described });
    }
}

fn observations(second: Second, merged: &[(f64, f64)]) -> impl Iterator<Item = Observation> {
    merged.iter().map(move |(value, weight)| Observation { second, value: *value, weight: *weight })
}

/// The distinct values of `key` with their weights, ascending.
fn merged(observations: &[Observation], key: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let mut weights: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for Observation { value, weight, .. } in observations {
        let value = key(*value);
        weights.entry(value.to_bits()).or_insert((value, 0.0)).1 += weight;
    }
    weights.into_values().collect()
}

/// What stands for `value`: the point of its bucket that is nowhere further than the error from the bucket's
/// values.
fn bucket(value: f64) -> f64 {
    if value == 0.0 || !value.is_normal() {
        return value;
    }
    let ratio = (1.0 + ERROR_MAX) / (1.0 - ERROR_MAX);
    let number = (value.abs().ln() / ratio.ln()).ceil();
    let upper = (number * ratio.ln()).exp();
    (upper * 2.0 / (ratio + 1.0)).copysign(value)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::Statistic;

    fn seen(second: u32, value: f64) -> Observation {
        Observation { second: Second(second), value, weight: 1.0 }
    }

    fn evaluate(samples: &Samples, statistic: &Statistic) -> Vec<(u32, Option<f64>)> {
        let period = Period::from_secs(3600).expect("a period");
        let window = Window { from: Second(0), until: Second(7200), period };
        periods(samples, window).map(|(start, part)| (start.0, part.evaluate(statistic))).collect()
    }

    #[test]
    fn equal_values_become_one_and_distinct_ones_stay() {
        let plain = vec![seen(3600, 5.0), seen(3660, 7.0), seen(3720, 5.0), seen(7200, 5.0)];
        let rolled = roll_up(Samples { plain, ..Samples::default() }, 3600);
        let weighted = |second, value, weight| Observation { weight, ..seen(second, value) };
        assert_eq!(
            rolled.plain,
            [weighted(3600, 5.0, 2.0), weighted(3600, 7.0, 1.0), weighted(7200, 5.0, 1.0)]
        );
        assert!(rolled.shapes.is_empty() && rolled.sets.is_empty());
    }

    #[test]
    fn many_distinct_values_fold_into_buckets_once() {
        let plain: Vec<_> = (0..3600).map(|second| seen(second, 1.0 + f64::from(second))).collect();
        let rolled = roll_up(Samples { plain, ..Samples::default() }, 3600);
        assert!(rolled.plain.is_empty());
        assert!(rolled.shapes.len() < 420, "{}", rolled.shapes.len());
        assert_eq!(rolled.sets.len(), 1);
        assert_eq!(roll_up(rolled.clone(), 3600), rolled);
    }

    fn samples() -> impl Strategy<Value = Samples> {
        let value = prop_oneof![0.0..1e3f64, (0..50u32).prop_map(f64::from), 1e-9..1e-6f64];
        let observation = (0..7200u32, value).prop_map(|(second, value)| seen(second, value));
        let set = (0..7200u32, 1.0..9f64).prop_map(|(second, sample_count)| SetSample {
            second: Second(second),
            set: StatisticSet { sample_count, sum: 3.0 * sample_count, minimum: 1.0, maximum: 4.0 },
            described: false,
        });
        (vec(observation, 0..600), vec(set, 0..3)).prop_map(|(plain, sets)| {
            let mut samples = Samples { plain, sets, ..Samples::default() };
            samples.sort();
            samples
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn simple_statistics_stay_and_percentiles_are_near(samples in samples(), steps in 0..3usize) {
            let mut rolled = samples.clone();
            for resolution_secs in &[60, 300, 3600][..=steps] {
                rolled = roll_up(rolled, *resolution_secs);
            }
            for statistic in [Statistic::SampleCount, Statistic::Sum, Statistic::Minimum, Statistic::Maximum] {
                for (before, after) in evaluate(&samples, &statistic).into_iter().zip(evaluate(&rolled, &statistic)) {
                    let (expected, found) = (before.1.expect("a value"), after.1.expect("a value"));
                    prop_assert_eq!(before.0, after.0);
                    prop_assert!((expected - found).abs() <= 1e-12 * expected.abs(), "{}: {} {}", statistic, expected, found);
                }
            }
            for percent in [0.0, 50.0, 99.0, 100.0] {
                let statistic = Statistic::Percentile(percent);
                for (before, after) in evaluate(&samples, &statistic).into_iter().zip(evaluate(&rolled, &statistic)) {
                    let (Some(expected), Some(found)) = (before.1, after.1) else {
                        prop_assert_eq!(before.1, after.1);
                        continue;
                    };
                    prop_assert!((expected - found).abs() <= 0.0101 * expected, "p{}: {} {}", percent, expected, found);
                }
            }
        }
    }
}
