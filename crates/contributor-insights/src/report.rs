//! Reports: who contributed most, and what all contributed together, period by period.

use std::collections::{BTreeMap, HashMap};

use groundwatch_core::Timestamp;

use crate::InsightError;

/// Contributors of one report.
const CONTRIBUTORS_MAX: usize = 100_000;
/// Datapoints of all contributors of one report.
const POINTS_MAX: usize = 1_000_000;

/// What orders contributors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// What they contributed in all.
    Sum,
    /// What they contributed in their greatest period.
    Maximum,
}

/// What can be told of each period of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleMetric {
    /// How many contributors there were.
    UniqueContributors,
    /// What the one that contributed the most contributed.
    MaxContributorValue,
    /// How many events matched.
    SampleCount,
    /// What all contributed.
    Sum,
    /// The least that a single event contributed.
    Minimum,
    /// The most that a single event contributed.
    Maximum,
    /// What an event contributed on average.
    Average,
}

impl RuleMetric {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::UniqueContributors,
        Self::MaxContributorValue,
        Self::SampleCount,
        Self::Sum,
        Self::Minimum,
        Self::Maximum,
        Self::Average,
    ];

    /// What AWS calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::UniqueContributors => "UniqueContributors",
            Self::MaxContributorValue => "MaxContributorValue",
            Self::SampleCount => "SampleCount",
            Self::Sum => "Sum",
            Self::Minimum => "Minimum",
            Self::Maximum => "Maximum",
            Self::Average => "Average",
        }
    }

    /// The metric of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

/// What all contributors contributed in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Total {
    pub(crate) contributors: u64,
    pub(crate) samples: u64,
    pub(crate) sum: f64,
    /// Of single events; 0 without any.
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
    /// The most that one contributor contributed.
    pub(crate) contributor_max: f64,
}

impl Total {
    /// A metric of the period; 0 without any events.
    pub(crate) fn value(&self, metric: RuleMetric) -> f64 {
        match metric {
            RuleMetric::UniqueContributors => self.contributors as f64,
            RuleMetric::MaxContributorValue => self.contributor_max,
            RuleMetric::SampleCount => self.samples as f64,
            RuleMetric::Sum => self.sum,
            RuleMetric::Minimum => self.minimum,
            RuleMetric::Maximum => self.maximum,
            RuleMetric::Average if self.samples == 0 => 0.0,
            RuleMetric::Average => self.sum / self.samples as f64,
        }
    }
}

/// A contributor among the first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Contributor {
    pub(crate) keys: Vec<String>,
    pub(crate) value: f64,
    /// The periods in which it contributed, ascending.
    pub(crate) points: Vec<(Timestamp, f64)>,
}

/// Takes occurrences in any order.
#[derive(Debug)]
pub(crate) struct Report {
    period_secs: u32,
    contributors: HashMap<Vec<String>, BTreeMap<Timestamp, f64>>,
    totals: BTreeMap<Timestamp, Total>,
    points: usize,
}

impl Report {
    /// A report whose periods, of that length, begin at `start`: at multiples of the period.
    pub(crate) fn new(start: Timestamp, end: Timestamp, period_secs: u32) -> Self {
        let mut totals = BTreeMap::new();
        let mut at = start.floor_to(period_secs);
        while at < end {
            totals.insert(at, Total::default());
            at = Timestamp::from_millis(at.as_millis().saturating_add(i64::from(period_secs) * 1000));
        }
        Self { period_secs, contributors: HashMap::new(), totals, points: 0 }
    }

    /// Adds an occurrence.
    pub(crate) fn add(&mut self, at: Timestamp, keys: Vec<String>, value: f64) -> Result<(), InsightError> {
        let period = at.floor_to(self.period_secs);
        let Some(total) = self.totals.get_mut(&period) else { return Ok(()) };
        let points = self.contributors.entry(keys).or_default();
        let before = points.len();
        let sum = points.entry(period).or_default();
        *sum += value;
        self.points += points.len() - before;
        let first = total.samples == 0;
        total.minimum = if first { value } else { total.minimum.min(value) };
        total.maximum = if first { value } else { total.maximum.max(value) };
        total.samples += 1;
        total.sum += value;
        let too_much = |what, limit| Err(InsightError::TooMuch { what, limit });
        if self.contributors.len() > CONTRIBUTORS_MAX {
            return too_much("contributors", CONTRIBUTORS_MAX);
        }
        if self.points > POINTS_MAX {
            return too_much("datapoints of contributors", POINTS_MAX);
        }
        Ok(())
    }

    /// How many contributors there are.
    pub(crate) fn contributors(&self) -> usize {
        self.contributors.len()
    }

    /// What all contributed.
    pub(crate) fn sum(&self) -> f64 {
        self.totals.values().map(|total| total.sum).sum()
    }

    /// All periods, also those without occurrences, ascending.
    pub(crate) fn totals(&self) -> Vec<(Timestamp, Total)> {
        let mut totals = self.totals.clone();
        for (period, value) in self.contributors.values().flatten() {
            if let Some(total) = totals.get_mut(period) {
                total.contributor_max =
                    if total.contributors == 0 { *value } else { total.contributor_max.max(*value) };
                total.contributors += 1;
            }
        }
        totals.into_iter().collect()
    }

    /// The first contributors, the greatest first; among equals by their keys.
    pub(crate) fn first(&self, count: usize, order: Order) -> Vec<Contributor> {
        let value = |points: &BTreeMap<Timestamp, f64>| match order {
            Order::Sum => points.values().sum(),
            Order::Maximum => points.values().copied().fold(f64::NEG_INFINITY, f64::max),
        };
        let mut ranks: Vec<(f64, &Vec<String>, &BTreeMap<Timestamp, f64>)> =
            self.contributors.iter().map(|(keys, points)| (value(points), keys, points)).collect();
        ranks.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let contributor =
            |(value, keys, points): (f64, &Vec<String>, &BTreeMap<Timestamp, f64>)| Contributor {
                keys: keys.clone(),
                value,
                points: points.iter().map(|(at, value)| (*at, *value)).collect(),
            };
        ranks.into_iter().take(count).map(contributor).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::new(Timestamp::from_secs(60), Timestamp::from_secs(240), 60);
        for (at, key, value) in [
            (70, "a", 1.0),
            (80, "b", 5.0),
            (130, "a", 2.0),
            (140, "a", 4.0),
            (239, "c", 3.0),
            (300, "d", 9.0),
        ] {
            report.add(Timestamp::from_secs(at), vec![key.to_owned()], value).expect("little");
        }
        report
    }

    #[test]
    fn contributors_are_ranked_by_sum_or_by_their_greatest_period() {
        let names = |order| -> Vec<(String, f64)> {
            let first = report().first(2, order).into_iter();
            first.map(|contributor| (contributor.keys.concat(), contributor.value)).collect()
        };
        assert_eq!(names(Order::Sum), [("a".to_owned(), 7.0), ("b".to_owned(), 5.0)]);
        assert_eq!(names(Order::Maximum), [("a".to_owned(), 6.0), ("b".to_owned(), 5.0)]);
        assert_eq!((report().contributors(), report().sum()), (3, 15.0));
    }

    #[test]
    fn every_period_has_a_total() {
        let totals = report().totals();
        let total = |contributors, samples, sum, minimum, maximum, contributor_max| Total {
            contributors,
            samples,
            sum,
            minimum,
            maximum,
            contributor_max,
        };
        let expected = [
            (60, total(2, 2, 6.0, 1.0, 5.0, 5.0)),
            (120, total(1, 2, 6.0, 2.0, 4.0, 6.0)),
            (180, total(1, 1, 3.0, 3.0, 3.0, 3.0)),
        ];
        assert_eq!(totals, expected.map(|(at, total)| (Timestamp::from_secs(at), total)));
        let empty = Report::new(Timestamp::from_secs(0), Timestamp::from_secs(61), 60).totals();
        assert_eq!(empty, [0, 60].map(|at| (Timestamp::from_secs(at), Total::default())));
    }

    #[test]
    fn too_many_contributors_are_refused() {
        let mut report = Report::new(Timestamp::from_secs(0), Timestamp::from_secs(60), 60);
        let mut add = |number: usize| report.add(Timestamp::EPOCH, vec![number.to_string()], 1.0);
        assert!((0..CONTRIBUTORS_MAX).all(|number| add(number).is_ok()));
        assert!(add(CONTRIBUTORS_MAX).is_err());
    }
}
