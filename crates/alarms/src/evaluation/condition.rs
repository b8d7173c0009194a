//! When an alarm is breached: the comparison, how many of how many datapoints, and what a missing one means.

use serde::{Deserialize, Serialize};

use crate::reader::{Band, Point};

/// The part of a definition that turns datapoints into a state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// How a value is compared with `threshold`.
    pub comparison: Comparison,
    /// What a value is compared with. Finite. `None` for an anomaly band: each datapoint brings along its
    /// own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// N: how many of the newest datapoints count, at least 1.
    pub evaluation_periods: u32,
    /// M: how many of them must breach, 1 to N. `None` means N; AWS words its reasons otherwise then, and
    /// does not show the member.
    pub datapoints_to_alarm: Option<u32>,
    /// What a missing datapoint means, if the user said so.
    pub treat_missing_data: Option<MissingData>,
    /// Whether percentiles of too few samples count, if the user said so.
    pub low_sample_percentiles: Option<LowSamplePercentiles>,
}

impl Condition {
    /// M: how many datapoints must breach for the alarm to be in ALARM.
    pub fn needed(&self) -> usize {
        self.datapoints_to_alarm.unwrap_or(self.evaluation_periods) as usize
    }

    /// N: how many datapoints count.
    pub fn out_of(&self) -> usize {
        self.evaluation_periods as usize
    }

    /// Whether `point` breaches the threshold, or leaves its band.
    pub fn is_breached_by(&self, point: &Point) -> bool {
        let threshold = self.threshold.map(|threshold| Band { lower: threshold, upper: threshold });
        threshold.or(point.band).is_some_and(|band| self.comparison.holds(point.value, band))
    }
}

/// `ComparisonOperator`.
#[expect(clippy::enum_variant_names, reason = "the names are AWS's")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// `value >= threshold`
    GreaterThanOrEqualToThreshold,
    /// `value > threshold`
    GreaterThanThreshold,
    /// `value < threshold`
    LessThanThreshold,
    /// `value <= threshold`
    LessThanOrEqualToThreshold,
    /// Outside an anomaly band.
    LessThanLowerOrGreaterThanUpperThreshold,
    /// Below an anomaly band.
    LessThanLowerThreshold,
    /// Above an anomaly band.
    GreaterThanUpperThreshold,
}

/// What a comparison compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The alarm's threshold.
    Threshold,
    /// The lower bound of a band.
    Lower,
    /// The upper bound of a band.
    Upper,
}

impl Comparison {
    /// The comparison that AWS calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::GreaterThanOrEqualToThreshold,
            Self::GreaterThanThreshold,
            Self::LessThanThreshold,
            Self::LessThanOrEqualToThreshold,
            Self::LessThanLowerOrGreaterThanUpperThreshold,
            Self::LessThanLowerThreshold,
            Self::GreaterThanUpperThreshold,
        ]
        .into_iter()
        .find(|comparison| comparison.name() == name)
    }

    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::GreaterThanOrEqualToThreshold => "GreaterThanOrEqualToThreshold",
            Self::GreaterThanThreshold => "GreaterThanThreshold",
            Self::LessThanThreshold => "LessThanThreshold",
            Self::LessThanOrEqualToThreshold => "LessThanOrEqualToThreshold",
            Self::LessThanLowerOrGreaterThanUpperThreshold => "LessThanLowerOrGreaterThanUpperThreshold",
            Self::LessThanLowerThreshold => "LessThanLowerThreshold",
            Self::GreaterThanUpperThreshold => "GreaterThanUpperThreshold",
        }
    }

    /// How a StateReason words it, bound by bound: `was greater than the threshold`.
    pub fn phrases(self) -> &'static [(&'static str, Bound)] {
        match self {
            Self::GreaterThanOrEqualToThreshold => &[("greater than or equal to", Bound::Threshold)],
            Self::GreaterThanThreshold => &[("greater than", Bound::Threshold)],
            Self::LessThanThreshold => &[("less than", Bound::Threshold)],
            Self::LessThanOrEqualToThreshold => &[("less than or equal to", Bound::Threshold)],
            Self::LessThanLowerOrGreaterThanUpperThreshold => {
                &[("less than", Bound::Lower), ("greater than", Bound::Upper)]
            }
            Self::LessThanLowerThreshold => &[("less than", Bound::Lower)],
            Self::GreaterThanUpperThreshold => &[("greater than", Bound::Upper)],
        }
    }

    /// Whether it is about an anomaly band.
    pub fn needs_band(self) -> bool {
        self.phrases().iter().any(|(_, bound)| *bound != Bound::Threshold)
    }

    /// A threshold is a band whose bounds are one.
    fn holds(self, value: f64, Band { lower, upper }: Band) -> bool {
        match self {
            Self::GreaterThanOrEqualToThreshold => value >= upper,
            Self::GreaterThanThreshold | Self::GreaterThanUpperThreshold => value > upper,
            Self::LessThanThreshold | Self::LessThanLowerThreshold => value < lower,
            Self::LessThanOrEqualToThreshold => value <= lower,
            Self::LessThanLowerOrGreaterThanUpperThreshold => value < lower || value > upper,
        }
    }
}

/// `TreatMissingData`: what the alarm makes of a period without a datapoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissingData {
    /// Neither good nor bad; nothing but missing data is INSUFFICIENT_DATA. The default.
    #[default]
    Missing,
    /// Neither good nor bad; nothing but missing data keeps the state.
    Ignore,
    /// As if it breached.
    Breaching,
    /// As if it did not breach.
    NotBreaching,
}

impl MissingData {
    /// The treatment that AWS calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Missing, Self::Ignore, Self::Breaching, Self::NotBreaching]
            .into_iter()
            .find(|treatment| treatment.name() == name)
    }

    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Ignore => "ignore",
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
        }
    }

    /// How a StateReason names what missing datapoints were treated as; `None` where they count for nothing.
    pub fn treated_as(self) -> Option<&'static str> {
        match self {
            Self::Missing | Self::Ignore => None,
            Self::Breaching => Some("Breaching"),
            Self::NotBreaching => Some("NonBreaching"),
        }
    }
}

/// `EvaluateLowSampleCountPercentile`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LowSamplePercentiles {
    /// A percentile counts however few samples it is made of. The default.
    #[default]
    Evaluate,
    /// While a percentile has too few samples to mean anything, the state stays.
    Ignore,
}

impl LowSamplePercentiles {
    /// The option that AWS calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Evaluate, Self::Ignore].into_iter().find(|option| option.name() == name)
    }

    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Evaluate => "evaluate",
            Self::Ignore => "ignore",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_differ_at_the_threshold() {
        for (comparison, below, at, above) in [
            (Comparison::GreaterThanThreshold, false, false, true),
            (Comparison::GreaterThanOrEqualToThreshold, false, true, true),
            (Comparison::LessThanThreshold, true, false, false),
            (Comparison::LessThanOrEqualToThreshold, true, true, false),
        ] {
            let threshold = Band { lower: 2.0, upper: 2.0 };
            let holds = [1.0, 2.0, 3.0].map(|value| comparison.holds(value, threshold));
            assert_eq!(holds, [below, at, above], "{comparison:?}");
            assert_eq!(Comparison::from_name(comparison.name()), Some(comparison));
        }
    }

    #[test]
    fn a_band_is_left_beyond_its_bounds() {
        for (comparison, expected) in [
            (Comparison::LessThanLowerOrGreaterThanUpperThreshold, [true, false, false, false, true]),
            (Comparison::LessThanLowerThreshold, [true, false, false, false, false]),
            (Comparison::GreaterThanUpperThreshold, [false, false, false, false, true]),
        ] {
            let band = Band { lower: 2.0, upper: 4.0 };
            let holds = [1.0, 2.0, 3.0, 4.0, 5.0].map(|value| comparison.holds(value, band));
            assert_eq!(holds, expected, "{comparison:?}");
            assert_eq!(Comparison::from_name(comparison.name()), Some(comparison));
        }
    }
}
