//! For how long data can be read at which period.

use std::str::FromStr;
use std::time::Duration;

use groundwatch_core::Timestamp;

use super::Period;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Which periods can be read at which age, and with that how fine samples have to be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retention {
    /// Everything, at every period, as long as it is stored.
    #[default]
    Forever,
    /// As AWS does: asking an old range with too fine a period is no error, that part of the answer is just
    /// empty.
    Aws,
    /// As AWS does, with other ages.
    Ages(Ages),
}

/// Up to which age points can be read, by their period. Ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ages {
    /// Periods below a minute.
    pub seconds: Duration,
    /// Periods that are a multiple of 60 seconds.
    pub minutes: Duration,
    /// Periods that are a multiple of 300 seconds.
    pub five_minutes: Duration,
    /// Periods that are a multiple of 3,600 seconds. Samples that are older are deleted.
    pub hours: Duration,
}

impl Ages {
    /// Those of AWS: three hours, 15, 63 and 455 days.
    pub const AWS: Self =
        Self { seconds: HOUR.saturating_mul(3), minutes: days(15), five_minutes: days(63), hours: days(455) };
}

const fn days(days: u32) -> Duration {
    DAY.saturating_mul(days)
}

impl Retention {
    /// Whether the point of `period` that begins at `start` can be read at `now`.
    pub fn offers(self, period: Period, start: Timestamp, now: Timestamp) -> bool {
        let Some(ages) = self.ages() else { return true };
        let age_max = match period.as_secs() {
            secs if secs % 3600 == 0 => ages.hours,
            secs if secs % 300 == 0 => ages.five_minutes,
            secs if secs % 60 == 0 => ages.minutes,
            _ => ages.seconds,
        };
        now.since(start) <= age_max
    }

    /// From which age on samples can be rolled up to how many seconds, because no finer period is offered any
    /// more.
    pub(crate) fn roll_ups(self) -> impl Iterator<Item = (Duration, u32)> {
        let ages = self.ages();
        ages.into_iter().flat_map(|ages| [(ages.seconds, 60), (ages.minutes, 300), (ages.five_minutes, 3600)])
    }

    /// From which age on nothing is offered; `None` if there is no such age.
    pub(crate) fn keeps(self) -> Option<Duration> {
        self.ages().map(|ages| ages.hours)
    }

    fn ages(self) -> Option<Ages> {
        match self {
            Self::Forever => None,
            Self::Aws => Some(Ages::AWS),
            Self::Ages(ages) => Some(ages),
        }
    }
}

/// Text that names no retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it must be `forever`, `aws`, or four ages such as `3h,15d,63d,455d`, none before a shorter one: up to which age points \
     of seconds, minutes, five minutes and hours are kept"
)]
pub struct InvalidRetention;

/// `forever`, `aws`, or four ages in hours or days, as in `3h,15d,63d,455d`.
impl FromStr for Retention {
    type Err = InvalidRetention;

    fn from_str(text: &str) -> Result<Self, InvalidRetention> {
        match text {
            "forever" => return Ok(Self::Forever),
            "aws" => return Ok(Self::Aws),
            _ => {}
        }
        let ages: Option<Vec<Duration>> = text.split(',').map(age).collect();
        match ages.filter(|ages| ages.is_sorted()).as_deref() {
            Some(&[seconds, minutes, five_minutes, hours]) => {
                Ok(Self::Ages(Ages { seconds, minutes, five_minutes, hours }))
            }
            _ => Err(InvalidRetention),
        }
    }
}

/// A number of hours or days, from an hour to about a century.
fn age(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    let age = unit.checked_mul(number.parse().ok()?)?;
    (HOUR..=days(36_525)).contains(&age).then_some(age)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(period_secs: i64, age: Duration, offered: bool) {
        let period = Period::from_secs(period_secs).expect("a period");
        let now = Timestamp::from_secs(1_767_323_040);
        assert_eq!(Retention::Aws.offers(period, now - age, now), offered, "{period_secs} s, {age:?}");
        assert!(Retention::Forever.offers(period, now - age, now));
    }

    #[test]
    fn fine_periods_end_first() {
        let second = Duration::from_secs(1);
        check(1, HOUR * 3, true);
        check(1, HOUR * 3 + second, false);
        check(30, HOUR * 4, false);
        check(60, HOUR * 4, true);
        check(60, DAY * 15, true);
        check(60, DAY * 15 + second, false);
        check(120, DAY * 16, false);
        check(300, DAY * 16, true);
        check(600, DAY * 63, true);
        check(300, DAY * 63 + second, false);
        check(3600, DAY * 64, true);
        check(86_400, DAY * 455, true);
        check(86_400, DAY * 455 + second, false);
    }

    #[test]
    fn retentions_are_read_from_text() {
        assert_eq!("forever".parse(), Ok(Retention::Forever));
        assert_eq!("aws".parse(), Ok(Retention::Aws));
        assert_eq!("3h,15d,63d,455d".parse(), Ok(Retention::Ages(Ages::AWS)));
        for invalid in [
            "",
            "never",
            "3h",
            "3h,15d,63d,455d,1d",
            "15d,3h,63d,455d",
            "0h,1d,2d,3d",
            "1h,1d,1d,9999999d",
            "1é,1d,1d,1d",
        ] {
            assert_eq!(invalid.parse::<Retention>(), Err(InvalidRetention), "{invalid}");
        }
    }
}
