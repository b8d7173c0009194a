//! A time series as metric math sees it.

use std::num::NonZeroU32;
use std::sync::Arc;

/// One value at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The start of its period, in seconds since the epoch.
    pub timestamp_secs: i64,
    /// Finite.
    pub value: f64,
}

/// Points at distinct moments, ascending, and what labels can say about where they are from. Cheap to clone:
/// points are shared.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    label: Arc<str>,
    period_secs: NonZeroU32,
    points: Arc<Vec<Point>>,
    roll_up: RollUp,
    origin: Option<Arc<Origin>>,
}

/// The metric that a series was read from, for dynamic labels such as `${PROP('Dim.InstanceId')}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Twelve digits.
    pub account_id: String,
    /// `us-east-1`
    pub region: String,
    /// `AWS/EC2`
    pub namespace: String,
    /// `CPUUtilization`
    pub metric_name: String,
    /// Names and values, sorted by name.
    pub dimensions: Vec<(String, String)>,
    /// `Average`, `p99` …
    pub stat: String,
}

/// How points of a shorter period become one of a longer period, where series of different periods meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RollUp {
    /// The mean of the points: exact if they rest on equally many samples. Also for percentiles and computed
    /// series.
    #[default]
    Average,
    /// Their sum, for Sum and SampleCount.
    Sum,
    /// The least, for Minimum.
    Minimum,
    /// The greatest, for Maximum.
    Maximum,
}

impl RollUp {
    /// The one that fits a statistic, named as in `MetricStat.Stat`.
    pub fn of_statistic(stat: &str) -> Self {
        match stat {
            "Sum" | "SampleCount" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => Self::Average,
        }
    }

    /// That of the series with every value multiplied: the least becomes the greatest by a negative factor.
    pub(crate) fn scaled(self, factor: f64) -> Self {
        match self {
            Self::Minimum if factor < 0.0 => Self::Maximum,
            Self::Maximum if factor < 0.0 => Self::Minimum,
            same => same,
        }
    }

    /// One value for all of `values`, which is not empty.
    pub(crate) fn of(self, values: impl Iterator<Item = f64> + Clone) -> f64 {
        match self {
            Self::Average => values.clone().sum::<f64>() / values.count() as f64,
            Self::Sum => values.sum(),
            Self::Minimum => values.fold(f64::INFINITY, f64::min),
            Self::Maximum => values.fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

impl Series {
    /// A series of these points. They are sorted if they are not, the last of several at one moment counts,
    /// and values that are not finite are left out.
    pub fn new(label: impl Into<Arc<str>>, period_secs: NonZeroU32, mut points: Vec<Point>) -> Self {
        points.retain(|point| point.value.is_finite());
        if !points.is_sorted_by(|earlier, later| earlier.timestamp_secs < later.timestamp_secs) {
            // Backwards, because the first of equals is what `dedup` keeps.
            points.reverse();
            points.sort_by_key(|point| point.timestamp_secs);
            points.dedup_by_key(|point| point.timestamp_secs);
        }
        Self {
            label: label.into(),
            period_secs,
            points: Arc::new(points),
            roll_up: RollUp::default(),
            origin: None,
        }
    }

    /// Says how it is brought to a longer period.
    #[must_use]
    pub fn with_roll_up(self, roll_up: RollUp) -> Self {
        Self { roll_up, ..self }
    }

    /// Says which metric it was read from.
    #[must_use]
    pub fn with_origin(self, origin: Arc<Origin>) -> Self {
        Self { origin: Some(origin), ..self }
    }

    /// Under another label.
    #[must_use]
    pub fn with_label(self, label: impl Into<Arc<str>>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// What a legend calls it. Empty for a series computed from several.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The distance of its points where none is missing.
    pub fn period_secs(&self) -> NonZeroU32 {
        self.period_secs
    }

    /// Ascending, each moment once, all values finite.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The metric that it was read from, or that an operation on one series started from.
    pub fn origin(&self) -> Option<&Arc<Origin>> {
        self.origin.as_ref()
    }

    pub(crate) fn roll_up(&self) -> RollUp {
        self.roll_up
    }

    /// A series computed from several: without a label or an origin. `points` are ascending.
    /// A series computed from several: without a label or an origin.
    pub(crate) fn computed(period_secs: NonZeroU32, points: Vec<Point>) -> Self {
        Self::of_operation(Arc::from(""), period_secs, points)
    }

    /// What an operation makes of this series alone: label and origin stay.
    pub(crate) fn derived(&self, period_secs: NonZeroU32, points: Vec<Point>) -> Self {
        Self { origin: self.origin.clone(), ..Self::of_operation(self.label.clone(), period_secs, points) }
    }

    /// The series with each value changed, in place if nobody else holds its points.
    pub(crate) fn map(self, change: impl Fn(f64) -> f64) -> Self {
        let changed = |point: &Point| Point { value: change(point.value), ..*point };
        let points = match Arc::try_unwrap(self.points) {
            Ok(mut owned) => {
                owned.iter_mut().for_each(|point| *point = changed(point));
                owned
            }
            Err(shared) => shared.iter().map(changed).collect(),
        };
        Self { origin: self.origin, ..Self::of_operation(self.label, self.period_secs, points) }
    }

    /// The series with each value multiplied. Unlike after any other operation, a sum stays a sum.
    pub(crate) fn scale(self, factor: f64) -> Self {
        let roll_up = self.roll_up.scaled(factor);
        Self { roll_up, ..self.map(|value| value * factor) }
    }

    /// `points` are ascending; what is not finite is left out.
    fn of_operation(label: Arc<str>, period_secs: NonZeroU32, mut points: Vec<Point>) -> Self {
        points.retain(|point| point.value.is_finite());
        debug_assert!(
            points.is_sorted_by(|earlier, later| earlier.timestamp_secs < later.timestamp_secs),
            "operations keep the order of points"
        );
        Self { label, period_secs, points: Arc::new(points), roll_up: RollUp::default(), origin: None }
    }
}
