//! When a mute rule's windows begin and end: pure arithmetic on the calendar of a time zone.

use std::time::Duration;

use groundwatch_core::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, ToSpan};
use serde::{Deserialize, Serialize};

use super::cron::Cron;

/// The shortest and longest window that AWS takes.
const DURATION_MIN: Duration = Duration::from_secs(60);
const DURATION_MAX: Duration = Duration::from_secs(15 * 86_400);

/// `Schedule`, as it is shown and stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScheduleText {
    /// `cron(…)`, the five fields alone, or `at(…)`.
    pub expression: String,
    /// ISO 8601, from `PT1M` to `P15D`.
    pub duration: String,
    /// An IANA time zone; UTC if there is none.
    pub timezone: Option<String>,
}

/// A schedule, and what it means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ScheduleText", into = "ScheduleText")]
pub(crate) struct Schedule {
    text: ScheduleText,
    when: When,
    duration: Duration,
    zone: TimeZone,
}

/// When windows begin, in local time.
#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    At(DateTime),
    Cron(Cron),
}

/// A window: its end does not belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
}

/// Which part of a schedule cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Neither `cron(…)` with five fields nor `at(yyyy-MM-ddThh:mm)`.
    #[error("`{0}` is not a schedule expression")]
    Expression(String),
    /// Not an ISO 8601 duration from a minute to 15 days.
    #[error("`{0}` is not a duration from PT1M to P15D")]
    Duration(String),
    /// Not a time zone.
    #[error("`{0}` is not a time zone")]
    Timezone(String),
}

impl Schedule {
    /// As the user wrote it.
    pub(crate) fn text(&self) -> &ScheduleText {
        &self.text
    }

    /// Whether it has one window only.
    pub(crate) fn is_one_time(&self) -> bool {
        matches!(self.when, When::At(_))
    }

    /// The window that `now` lies in; of several the one that began last, which also ends last.
    pub(crate) fn window_at(&self, now: Timestamp) -> Option<Window> {
        let from = self.latest_start(now)?;
        let to = from + self.duration;
        (now < to).then_some(Window { from, to })
    }

    /// Whether no window will ever lie after `now`.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        match &self.when {
            When::At(local) => self.moment(*local).is_some_and(|start| start + self.duration <= now),
            When::Cron(_) => false,
        }
    }

    /// The last start that is not after `now`, among those whose window could still hold `now`.
    fn latest_start(&self, now: Timestamp) -> Option<Timestamp> {
        let cron = match &self.when {
            When::At(local) => return self.moment(*local).filter(|start| *start <= now),
            When::Cron(cron) => cron,
        };
        let local_now = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?.to_zoned(self.zone.clone());
        // A day more than the longest window: offsets from UTC change.
        let days_back = self.duration.as_secs() / 86_400 + 2;
        (0..=days_back)
            .filter_map(|back| local_now.date().checked_sub(i64::try_from(back).ok()?.days()).ok())
            .filter(|date| cron.matches(*date))
            .flat_map(|date| cron.times_descending().map(move |(hour, minute)| date.at(hour, minute, 0, 0)))
            .filter(|local| *local <= local_now.datetime())
            .filter_map(|local| self.moment(local))
            .find(|start| *start <= now)
    }

    /// A local time that the clocks skip is as long after the skip as it would have been after its beginning;
    /// of one that comes twice the first counts.
    fn moment(&self, local: DateTime) -> Option<Timestamp> {
        let zoned = self.zone.to_ambiguous_zoned(local).compatible().ok()?;
        Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
    }
}

impl TryFrom<ScheduleText> for Schedule {
    type Error = ScheduleError;

    fn try_from(text: ScheduleText) -> Result<Self, ScheduleError> {
        let when =
            when(&text.expression).ok_or_else(|| ScheduleError::Expression(text.expression.clone()))?;
        let duration =
            duration(&text.duration).ok_or_else(|| ScheduleError::Duration(text.duration.clone()))?;
        let zone = match &text.timezone {
            Some(name) => TimeZone::get(name).map_err(|_| ScheduleError::Timezone(name.clone()))?,
            None => TimeZone::UTC,
        };
        Ok(Self { text, when, duration, zone })
    }
}

impl From<Schedule> for ScheduleText {
    fn from(schedule: Schedule) -> Self {
        schedule.text
    }
}

/// AWS's reference writes `cron(0 2 * * *)`, its guide also `0 2 * * *`.
fn when(expression: &str) -> Option<When> {
    let inside = |name: &str| expression.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    match inside("at") {
        Some(local) => DateTime::strptime("%Y-%m-%dT%H:%M", local).ok().map(When::At),
        None => Cron::parse(inside("cron").unwrap_or(expression)).map(When::Cron),
    }
}

/// A day is 24 hours here, also where the clocks change.
fn duration(text: &str) -> Option<Duration> {
    let span: Span = text.strip_prefix('P').and_then(|_| text.parse().ok())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok().filter(|duration| (DURATION_MIN..=DURATION_MAX).contains(duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(expression: &str, duration: &str, zone: Option<&str>) -> Result<Schedule, ScheduleError> {
        Schedule::try_from(ScheduleText {
            expression: expression.to_owned(),
            duration: duration.to_owned(),
            timezone: zone.map(str::to_owned),
        })
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_iso8601(text).expect("a moment")
    }

    /// At `now` the window is `from` to `to`, or there is none.
    fn check(schedule: (&str, &str, &str), now: &str, window: Option<(&str, &str)>) {
        let (expression, duration, zone) = schedule;
        let found = read(expression, duration, Some(zone)).expect(expression).window_at(at(now));
        let expected = window.map(|(from, to)| Window { from: at(from), to: at(to) });
        assert_eq!(found, expected, "{schedule:?} at {now}");
    }

    #[test]
    fn windows_begin_and_end() {
        let nightly = ("cron(0 2 * * *)", "PT2H", "UTC");
        let window = Some(("2026-01-02T02:00Z", "2026-01-02T04:00Z"));
        check(nightly, "2026-01-02T01:59:59Z", None);
        check(nightly, "2026-01-02T02:00:00Z", window);
        check(nightly, "2026-01-02T03:59:59Z", window);
        check(nightly, "2026-01-02T04:00:00Z", None);

        // The API reference's weekend: from Friday 18:00 to Monday 06:00. 2026-01-02 was a Friday.
        let weekend = ("0 18 * * FRI", "P2DT12H", "UTC");
        check(weekend, "2026-01-05T05:59:59Z", Some(("2026-01-02T18:00Z", "2026-01-05T06:00Z")));
        check(weekend, "2026-01-05T06:00:00Z", None);

        let once = ("at(2026-01-02T14:00)", "PT1H", "UTC");
        check(once, "2026-01-02T14:30:00Z", Some(("2026-01-02T14:00Z", "2026-01-02T15:00Z")));
        check(once, "2026-01-03T14:30:00Z", None);

        // Windows that overlap continue each other.
        let hourly = ("cron(0 * * * *)", "PT90M", "UTC");
        check(hourly, "2026-01-02T02:15:00Z", Some(("2026-01-02T02:00Z", "2026-01-02T03:30Z")));
        let monthly = ("cron(0 1 1 * *)", "P15D", "UTC");
        check(monthly, "2026-01-15T12:00:00Z", Some(("2026-01-01T01:00Z", "2026-01-16T01:00Z")));
    }

    #[test]
    fn windows_follow_the_clocks_of_their_zone() {
        let nightly = ("cron(30 2 * * *)", "PT1H", "Europe/Berlin");
        check(nightly, "2026-01-02T01:45:00Z", Some(("2026-01-02T01:30Z", "2026-01-02T02:30Z")));
        check(nightly, "2026-07-02T00:45:00Z", Some(("2026-07-02T00:30Z", "2026-07-02T01:30Z")));
        // 2026-03-29: 02:30 does not exist, the window begins at 03:30 summer time.
        check(nightly, "2026-03-29T01:45:00Z", Some(("2026-03-29T01:30Z", "2026-03-29T02:30Z")));
        // 2026-10-25: 02:30 comes twice, the window begins at the first.
        check(nightly, "2026-10-25T00:45:00Z", Some(("2026-10-25T00:30Z", "2026-10-25T01:30Z")));
        check(nightly, "2026-10-25T01:45:00Z", None);
        // Tokyo's morning is the day before in UTC.
        check(
            ("cron(0 5 * * MON)", "PT1H", "Asia/Tokyo"),
            "2026-01-04T20:30:00Z",
            Some(("2026-01-04T20:00Z", "2026-01-04T21:00Z")),
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let check = |expression: &str, duration: &str, zone: Option<&str>, message: &str| {
            let error = read(expression, duration, zone).expect_err(message);
            assert_eq!(error.to_string(), message);
        };
        check("rate(1 hour)", "PT1H", None, "`rate(1 hour)` is not a schedule expression");
        check("at(2026-13-01T00:00)", "PT1H", None, "`at(2026-13-01T00:00)` is not a schedule expression");
        check("at(2026-01-01)", "PT1H", None, "`at(2026-01-01)` is not a schedule expression");
        for duration in ["PT59S", "P15DT1S", "1H", "P1M", "-PT1H", "PT", ""] {
            let message = format!("`{duration}` is not a duration from PT1M to P15D");
            check("cron(0 2 * * *)", duration, None, &message);
        }
        check("cron(0 2 * * *)", "PT1H", Some("Mars/Olympus"), "`Mars/Olympus` is not a time zone");
    }

    #[test]
    fn one_time_schedules_end() {
        let once = read("at(2026-01-02T14:00)", "PT1H", None).expect("a schedule");
        assert!(once.is_one_time());
        assert!(!once.is_over(at("2026-01-02T14:59:59Z")));
        assert!(once.is_over(at("2026-01-02T15:00:00Z")));
        assert!(
            !read("cron(0 2 * * *)", "PT1H", None)
                .expect("a schedule")
                .is_over(Timestamp::from_secs(4_000_000_000))
        );
    }
}
