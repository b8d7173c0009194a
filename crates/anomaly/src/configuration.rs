//! What users can say about how a model is trained: AWS's `AnomalyDetectorConfiguration` and
//! `MetricCharacteristics`.

use std::ops::Range;

use jiff::tz::TimeZone;

/// How a model is trained.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// `ExcludedTimeRanges`: points in these ranges, in seconds since the epoch, teach nothing.
    pub excluded_secs: Vec<Range<i64>>,
    /// `MetricTimezone`: whose days and hours the seasons are of.
    pub time_zone: TimeZone,
    /// `AdaptationSpeed`
    pub adaptation: AdaptationSpeed,
    /// `OutlierFilteringStrength`
    pub outlier_filtering: OutlierFiltering,
    /// `PeriodicSpikes`: spikes are usual, so they are learnt rather than filtered out.
    pub periodic_spikes: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            excluded_secs: Vec::new(),
            time_zone: TimeZone::UTC,
            adaptation: AdaptationSpeed::default(),
            outlier_filtering: OutlierFiltering::default(),
            periodic_spikes: false,
        }
    }
}

/// How soon a lasting change becomes what is expected. AWS gives no figures; these are ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdaptationSpeed {
    /// The level follows one day, the cycle the last seven.
    Fast,
    /// The level follows two days, the cycle both weeks, later days more than earlier ones.
    #[default]
    Normal,
    /// The level follows a week, the cycle is the same on all days.
    Slow,
}

impl AdaptationSpeed {
    /// How many cycles the level is smoothed over.
    pub(crate) fn level_cycles(self) -> usize {
        match self {
            Self::Fast => 1,
            Self::Normal => 2,
            Self::Slow => 7,
        }
    }

    /// How many cycles the shape of a cycle is smoothed over, at most.
    pub(crate) fn shape_cycles(self) -> usize {
        match self {
            Self::Fast => 7,
            Self::Normal => 21,
            Self::Slow => 10_001,
        }
    }
}

/// From where on a point counts as an outlier, which says nothing about how far points usually are from what
/// is expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutlierFiltering {
    /// Only the most extreme points are left out.
    Minimal,
    /// AWS's default.
    #[default]
    Moderate,
    /// Also moderate outliers are left out, for a tighter band.
    Strict,
}

impl OutlierFiltering {
    /// In robust standard deviations. AWS gives no figures; these are ours.
    pub(crate) fn cutoff(self) -> f64 {
        match self {
            Self::Minimal => 12.0,
            Self::Moderate => 6.0,
            Self::Strict => 3.5,
        }
    }

    /// What part of the points can be outliers: what is more frequent is usual.
    pub(crate) fn part_max(self) -> f64 {
        match self {
            Self::Minimal => 0.01,
            Self::Moderate => 0.05,
            Self::Strict => 0.1,
        }
    }
}

/// A time zone that is not in the tz database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTimeZone;

/// The time zone of that name in the tz database, such as `Europe/Berlin`.
pub fn time_zone(name: &str) -> Result<TimeZone, UnknownTimeZone> {
    TimeZone::get(name).map_err(|_| UnknownTimeZone)
}
