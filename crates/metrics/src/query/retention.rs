//! For how long data can be read at which period.

use std::time::Duration;

use groundwatch_core::Timestamp;

use super::Period;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Which periods can be read at which age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retention {
    /// Everything, at every period, as long as it is stored.
    #[default]
    Forever,
    /// As AWS does: asking an old range with too fine a period is no error, that part of the answer is just empty.
    Aws,
}

impl Retention {
    /// Whether the point of `period` that begins at `start` can be read at `now`.
    pub fn offers(self, period: Period, start: Timestamp, now: Timestamp) -> bool {
        let age_max = match period.as_secs() {
            secs if secs % 3600 == 0 => DAY * 455,
            secs if secs % 300 == 0 => DAY * 63,
            secs if secs % 60 == 0 => DAY * 15,
            _ => HOUR * 3,
        };
        self == Self::Forever || now.since(start) <= age_max
    }
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
}
