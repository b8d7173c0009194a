//! Periods, and how the beginning of a range is rounded.

use std::time::Duration;

use groundwatch_core::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The length of a period in seconds: 1, 5, 10, 20, 30 or a multiple of 60.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(u32);

impl Period {
    /// The ordinary one.
    pub const MINUTE: Self = Self(60);

    /// The period of that many seconds, if CloudWatch has one.
    pub fn from_secs(secs: i64) -> Option<Self> {
        let valid = matches!(secs, 1 | 5 | 10 | 20 | 30) || (secs > 0 && secs % 60 == 0);
        u32::try_from(secs).ok().filter(|_| valid).map(Self)
    }

    /// Its length in seconds.
    pub const fn as_secs(self) -> u32 {
        self.0
    }

    /// Whether only data of resolution 1 can fill all of its points.
    pub const fn is_high_resolution(self) -> bool {
        self.0 < 60
    }
}

/// `start` rounded down as AWS documents it for `StartTime`: ranges that begin up to 15 days ago to a whole
/// minute (with a sub-minute period to a multiple of that), up to 63 days ago to five minutes, and older ones
/// to the hour.
pub fn round_start(start: Timestamp, now: Timestamp, period: Period) -> Timestamp {
    let age = now.since(start);
    start.floor_to(if age > DAY * 63 {
        3600
    } else if age >= DAY * 15 {
        300
    } else {
        period.as_secs().min(60)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_aws_periods_are_periods() {
        for secs in [1, 5, 10, 20, 30, 60, 120, 300, 3600, 86_400, 604_800] {
            assert!(Period::from_secs(secs).is_some(), "{secs}");
        }
        for secs in [i64::MIN, -60, 0, 2, 15, 45, 59, 61, 90, i64::from(u32::MAX), i64::MAX] {
            assert!(Period::from_secs(secs).is_none(), "{secs}");
        }
    }

    #[track_caller]
    fn check(start: &str, period_secs: i64, rounded: &str) {
        let moment = |text| Timestamp::parse_iso8601(text).expect("a timestamp");
        let period = Period::from_secs(period_secs).expect("a period");
        let now = moment("2026-03-31T12:00:00Z");
        assert_eq!(round_start(moment(start), now, period), moment(rounded));
    }

    #[test]
    fn start_is_rounded_by_age() {
        check("2026-03-31T11:07:59Z", 60, "2026-03-31T11:07:00Z");
        check("2026-03-31T11:07:59Z", 300, "2026-03-31T11:07:00Z");
        check("2026-03-31T11:07:59.999Z", 1, "2026-03-31T11:07:59Z");
        check("2026-03-31T11:07:59Z", 5, "2026-03-31T11:07:55Z");
        check("2026-03-31T11:07:59Z", 10, "2026-03-31T11:07:50Z");
        check("2026-03-31T11:07:59Z", 20, "2026-03-31T11:07:40Z");
        check("2026-03-31T11:07:59Z", 30, "2026-03-31T11:07:30Z");
        check("2026-03-16T12:00:01Z", 60, "2026-03-16T12:00:00Z");
        check("2026-03-16T12:00:00Z", 60, "2026-03-16T12:00:00Z");
        check("2026-03-16T11:59:59Z", 60, "2026-03-16T11:55:00Z");
        check("2026-03-01T11:32:27Z", 60, "2026-03-01T11:30:00Z");
        check("2026-01-27T12:04:00Z", 60, "2026-01-27T12:00:00Z");
        check("2026-01-27T11:59:59Z", 60, "2026-01-27T11:00:00Z");
        check("2025-06-01T10:59:59Z", 300, "2025-06-01T10:00:00Z");
        check("2026-04-01T00:00:30Z", 60, "2026-04-01T00:00:00Z");
    }
}
