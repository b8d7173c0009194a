//! Windows that follow the clock on the wall: where the minutes, hours, days and weeks of a time zone begin.
//!
//! Days and weeks begin at local midnight, whatever the clocks do meanwhile, so that some are an hour longer
//! or shorter. Shorter periods follow the offset from UTC that holds at the end of the window.
//!
//! source: CloudWatch API reference, WallClockWindow; user guide, "Alarm evaluation window".

use groundwatch_core::Timestamp;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

/// The periods that can be aligned to the clock, in seconds.
pub(crate) const PERIODS: [u32; 5] = [60, 300, 3600, DAY_SECS, WEEK_SECS];

const DAY_SECS: u32 = 86_400;
const WEEK_SECS: u32 = 7 * DAY_SECS;

/// What offsets from UTC are multiples of.
const OFFSET_STEP_MINUTES: i32 = 5;

/// `WallClockWindow`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WallClockText", into = "WallClockText")]
pub struct WallClock {
    timezone: Option<String>,
    zone: TimeZone,
}

/// As it is shown and stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct WallClockText {
    timezone: Option<String>,
}

/// A text that names no time zone, or one that AWS would not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time zone")]
pub struct UnknownTimezone(pub String);

impl WallClock {
    /// The clock of `timezone`, UTC if there is none: an IANA name, `Z`, `±hh:mm` or `UTC±hh:mm`.
    pub fn new(timezone: Option<String>) -> Result<Self, UnknownTimezone> {
        let zone = match &timezone {
            Some(text) => zone(text).ok_or_else(|| UnknownTimezone(text.clone()))?,
            None => TimeZone::UTC,
        };
        Ok(Self { timezone, zone })
    }

    /// As the user wrote it.
    pub fn timezone(&self) -> Option<&str> {
        self.timezone.as_deref()
    }

    /// Where periods of `period_secs` begin: the last such moment that is not after `at`, and `count` before
    /// it; ascending.
    pub(crate) fn boundaries(&self, period_secs: u32, at: Timestamp, count: usize) -> Vec<Timestamp> {
        let backs = (0..=i64::try_from(count).unwrap_or(i64::MAX)).rev();
        backs.map(|back| self.boundary(period_secs, at, back)).collect()
    }

    /// The first beginning of a period that is after `at`.
    pub(crate) fn next_boundary(&self, period_secs: u32, at: Timestamp) -> Timestamp {
        self.boundary(period_secs, at, -1)
    }

    /// The beginning so many periods before the last one that is not after `at`.
    fn boundary(&self, period_secs: u32, at: Timestamp, back: i64) -> Timestamp {
        let period = i64::from(period_secs);
        self.local_midnight(period_secs, at, back).unwrap_or_else(|| {
            let offset_secs = i64::from(self.zone.to_offset(instant(at)).seconds());
            let into = (at.as_secs() + offset_secs).rem_euclid(period);
            Timestamp::from_secs(at.as_secs() - into - back * period)
        })
    }

    /// The same of days and weeks, which begin on Mondays; `None` of shorter periods, and beyond the
    /// calendar.
    fn local_midnight(&self, period_secs: u32, at: Timestamp, back: i64) -> Option<Timestamp> {
        let today = instant(at).to_zoned(self.zone.clone()).date();
        let first = match period_secs {
            DAY_SECS => today.checked_sub(back.days()),
            WEEK_SECS => {
                let weekday = i64::from(today.weekday().to_monday_zero_offset());
                today.checked_sub((weekday + 7 * back).days())
            }
            _ => return None,
        };
        self.midnight(first.ok()?)
    }

    /// Where clocks skip midnight, the day begins right after that.
    fn midnight(&self, date: Date) -> Option<Timestamp> {
        let begin = self.zone.to_ambiguous_zoned(date.at(0, 0, 0, 0)).compatible().ok()?;
        Some(Timestamp::from_secs(begin.timestamp().as_second()))
    }
}

/// Moments beyond the calendar, to which no clock is ever set, count as its beginning.
fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at.as_secs()).unwrap_or_default()
}

fn zone(text: &str) -> Option<TimeZone> {
    match text.strip_prefix("UTC").unwrap_or(text) {
        "" | "Z" => Some(TimeZone::UTC),
        offset if offset.starts_with(['+', '-']) => offset_minutes(offset)
            .filter(|minutes| minutes % OFFSET_STEP_MINUTES == 0)
            .and_then(|minutes| Offset::from_seconds(minutes * 60).ok())
            .map(TimeZone::fixed),
        _ => TimeZone::get(text).ok(),
    }
}

/// `+05:30` in minutes.
fn offset_minutes(text: &str) -> Option<i32> {
    let number = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|_| is_number)
    };
    let (hours, minutes) = text[1..].split_once(':')?;
    let minutes = number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?;
    Some(if text.starts_with('-') { -minutes } else { minutes })
}

impl TryFrom<WallClockText> for WallClock {
    type Error = UnknownTimezone;

    fn try_from(text: WallClockText) -> Result<Self, UnknownTimezone> {
        Self::new(text.timezone)
    }
}

impl From<WallClock> for WallClockText {
    fn from(clock: WallClock) -> Self {
        Self { timezone: clock.timezone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_iso8601(text).expect("a moment")
    }

    #[track_caller]
    fn check(timezone: &str, period_secs: u32, now: &str, expected: [&str; 3]) {
        let clock = WallClock::new(Some(timezone.to_owned())).expect("a time zone");
        assert_eq!(clock.boundaries(period_secs, at(now), 2), expected.map(at));
        let next = clock.next_boundary(period_secs, at(now));
        assert_eq!(clock.boundaries(period_secs, next, 1), [at(expected[2]), next]);
    }

    #[test]
    fn periods_begin_where_the_local_clock_says() {
        let now = "2026-07-15T12:34:56Z";
        check("UTC", 300, now, ["2026-07-15T12:20:00Z", "2026-07-15T12:25:00Z", "2026-07-15T12:30:00Z"]);
        check("Z", 3600, now, ["2026-07-15T10:00:00Z", "2026-07-15T11:00:00Z", "2026-07-15T12:00:00Z"]);
        // Nepal is 5:45 ahead.
        check(
            "Asia/Kathmandu",
            3600,
            now,
            ["2026-07-15T10:15:00Z", "2026-07-15T11:15:00Z", "2026-07-15T12:15:00Z"],
        );
        check(
            "UTC-03:30",
            86_400,
            now,
            ["2026-07-13T03:30:00Z", "2026-07-14T03:30:00Z", "2026-07-15T03:30:00Z"],
        );
        // 2026-07-15 is a Wednesday.
        check(
            "+02:00",
            604_800,
            now,
            ["2026-06-28T22:00:00Z", "2026-07-05T22:00:00Z", "2026-07-12T22:00:00Z"],
        );
    }

    #[test]
    fn days_on_which_the_clocks_change_are_longer_or_shorter() {
        // Clocks in Berlin went ahead on 2026-03-29 and go back on 2026-10-25.
        check(
            "Europe/Berlin",
            86_400,
            "2026-03-30T12:00:00Z",
            ["2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
        );
        check(
            "Europe/Berlin",
            86_400,
            "2026-10-26T12:00:00Z",
            ["2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"],
        );
    }

    #[test]
    fn only_time_zones_are_taken() {
        for text in ["Mars/Olympus", "+25:00x", "+5:30", "+05:31", "UTC+05", "+", "-99:00", "+0a:00", "+1é"]
        {
            assert!(WallClock::new(Some(text.to_owned())).is_err(), "{text}");
        }
        for text in ["UTC", "Z", "America/New_York", "+05:30", "UTC+05:45", "-11:00"] {
            let clock = WallClock::new(Some(text.to_owned())).expect(text);
            let json = serde_json::to_string(&clock).expect("JSON");
            assert_eq!(serde_json::from_str::<WallClock>(&json).expect(text), clock);
        }
    }
}
