//! The observations of one period, and how they add up.

use super::ast::Function;

/// What is known of the observations of one period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Their total.
    pub sum: f64,
    /// How many they are; may be fractional, as counts of values may be.
    pub count: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Bucket {
    /// One observation.
    pub fn of(value: f64) -> Self {
        Self { sum: value, count: 1.0, min: value, max: value }
    }

    /// Adds the observations of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// What `function` makes of them; `None` if there are none.
    pub fn value(&self, function: Function) -> Option<f64> {
        let value = match function {
            Function::Avg => self.sum / self.count,
            Function::Count => self.count,
            Function::Max => self.max,
            Function::Min => self.min,
            Function::Sum => self.sum,
        };
        (self.count > 0.0).then_some(value)
    }
}

/// The buckets of a group: those of its series, added up by period.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    /// By the start of the period, ascending.
    buckets: Vec<(i64, Bucket)>,
}

impl Fold {
    /// A group without data.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the buckets of one series, each by the start of its period. Fastest if they come in ascending
    /// order and the series of a group have the same periods, which is the ordinary case.
    pub fn add(&mut self, series: impl IntoIterator<Item = (i64, Bucket)>) {
        let mut new = Vec::new();
        let mut at = 0;
        for (start, bucket) in series {
            while self.buckets.get(at).is_some_and(|(known, _)| *known < start) {
                at += 1;
            }
            match self.buckets.get_mut(at) {
                Some((known, total)) if *known == start => total.merge(&bucket),
                _ => new.push((start, bucket)),
            }
        }
        if !new.is_empty() {
            self.insert(new);
        }
    }

    /// Adds what another has, as if its series had been added to this one.
    pub fn merge(&mut self, other: Self) {
        if self.buckets.is_empty() { *self = other } else { self.add(other.buckets) }
    }

    /// Adds buckets of periods that may be new.
    fn insert(&mut self, new: Vec<(i64, Bucket)>) {
        self.buckets.extend(new);
        self.buckets.sort_by_key(|(start, _)| *start);
        self.buckets.dedup_by(|(later, bucket), (start, total)| {
            let same = later == start;
            if same {
                total.merge(bucket);
            }
            same
        });
    }

    /// What `function` makes of each period, ascending.
    pub(super) fn points(&self, function: Function) -> Vec<(i64, f64)> {
        let value = |(start, bucket): &(i64, Bucket)| Some((*start, bucket.value(function)?));
        self.buckets.iter().filter_map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn functions_are_over_observations() {
        let mut bucket = Bucket { sum: 30.0, count: 3.0, min: 5.0, max: 15.0 };
        bucket.merge(&Bucket::of(90.0));
        let values = [Function::Avg, Function::Count, Function::Max, Function::Min, Function::Sum]
            .map(|function| bucket.value(function));
        assert_eq!(values, [Some(30.0), Some(4.0), Some(90.0), Some(5.0), Some(120.0)]);
    }

    #[test]
    fn a_bucket_without_observations_has_no_value() {
        let empty = Bucket { sum: 0.0, count: 0.0, min: 0.0, max: 0.0 };
        assert_eq!(empty.value(Function::Avg), None);
        assert_eq!(empty.value(Function::Count), None);
    }

    proptest! {
        /// However series come, and in whatever order their periods.
        #[test]
        fn periods_add_up_in_any_order(series in prop::collection::vec(prop::collection::vec((0_i64..20, -9_i32..9), 0..15), 0..6)) {
            let (mut fold, mut merged) = (Fold::new(), Fold::new());
            let mut expected = std::collections::BTreeMap::new();
            for points in &series {
                let buckets = || points.iter().map(|(start, value)| (*start, Bucket::of(f64::from(*value))));
                fold.add(buckets());
                let mut other = Fold::new();
                other.add(buckets());
                merged.merge(other);
                for (start, value) in points {
                    *expected.entry(*start).or_insert(0.0) += f64::from(*value);
                }
            }
            prop_assert_eq!(merged.points(Function::Sum), fold.points(Function::Sum));
            prop_assert_eq!(fold.points(Function::Sum), expected.into_iter().collect::<Vec<_>>());
        }
    }
}
