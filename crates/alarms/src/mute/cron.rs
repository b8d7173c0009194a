//! The five fields of a mute rule's `cron(…)`: minute, hour, day of the month, month, day of the week.
//!
//! Not EventBridge's dialect: five fields instead of six, no year, no `?`. AWS documents `*`, `,` and `-` for
//! all fields and English names for months and weekdays; nothing else is taken. As in every cron of five
//! fields, a day must match either of the two day fields if both are restricted.

use jiff::civil::{Date, Weekday};

/// When a window begins, in local time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cron {
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

/// The allowed values of a field as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    allowed: u64,
    /// Whether it is `*`.
    any: bool,
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Cron {
    /// Reads the text between the parentheses of `cron(…)`; `None` if it is not five good fields.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split_ascii_whitespace();
        let cron = Self {
            minutes: Field::parse(fields.next()?, 0, 59, &[])?,
            hours: Field::parse(fields.next()?, 0, 23, &[])?,
            days: Field::parse(fields.next()?, 1, 31, &[])?,
            months: Field::parse(fields.next()?, 1, 12, &MONTHS)?,
            weekdays: Field::parse(fields.next()?, 0, 7, &WEEKDAYS)?.with_sunday(),
        };
        fields.next().is_none().then_some(cron)
    }

    /// Whether windows begin on `date`.
    pub(crate) fn matches(&self, date: Date) -> bool {
        let day = self.days.allows(date.day().unsigned_abs());
        let weekday = self.weekdays.allows(weekday(date.weekday()));
        let either = if self.days.any || self.weekdays.any { day && weekday } else { day || weekday };
        either && self.months.allows(date.month().unsigned_abs())
    }

    /// The times of day (hour, minute) at which windows begin, latest first.
    pub(crate) fn times_descending(&self) -> impl Iterator<Item = (i8, i8)> {
        let minutes = self.minutes;
        let hours = (0..24_i8).rev().filter(|hour| self.hours.allows(hour.unsigned_abs()));
        hours.flat_map(move |hour| {
            let allowed = (0..60_i8).rev().filter(move |minute| minutes.allows(minute.unsigned_abs()));
            allowed.map(move |minute| (hour, minute))
        })
    }
}

impl Field {
    /// Reads `*`, or numbers, names and ranges with commas between them. `names` stand for the numbers from
    /// `min` on.
    fn parse(text: &str, min: u32, max: u32, names: &[&str]) -> Option<Self> {
        if text == "*" {
            return Some(Self { allowed: u64::MAX, any: true });
        }
        let value = |text: &str| {
            let by_name = names.iter().position(|name| name.eq_ignore_ascii_case(text));
            let number = match by_name {
                Some(index) => min + u32::try_from(index).ok()?,
                None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
                None => return None,
            };
            (min..=max).contains(&number).then_some(number)
        };
        let mut allowed = 0;
        for part in text.split(',') {
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (value(first)?, value(last)?),
                None => (value(part)?, value(part)?),
            };
            if first > last {
                return None;
            }
            allowed |= (first..=last).fold(0, |bits, number| bits | 1 << number);
        }
        Some(Self { allowed, any: false })
    }

    fn allows(self, number: u8) -> bool {
        self.allowed >> number & 1 == 1
    }

    /// Sunday is 0 and 7.
    fn with_sunday(self) -> Self {
        Self { allowed: self.allowed | self.allowed >> 7 & 1, ..self }
    }
}

fn weekday(weekday: Weekday) -> u8 {
    weekday.to_sunday_zero_offset().unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_match_by_date_month_and_weekday() {
        // 2026-01-01 was a Thursday.
        for (cron, day, matches) in [
            ("0 2 * * *", date(2026, 1, 1), true),
            ("0 2 1 * *", date(2026, 1, 1), true),
            ("0 2 1 * *", date(2026, 1, 2), false),
            ("0 2 * * THU", date(2026, 1, 1), true),
            ("0 2 * * mon-wed,FRI", date(2026, 1, 1), false),
            ("0 2 * * 0", date(2026, 1, 4), true),
            ("0 2 * * 7", date(2026, 1, 4), true),
            ("0 2 * * 5-7", date(2026, 1, 4), true),
            ("0 2 * FEB-DEC *", date(2026, 1, 1), false),
            // Both day fields are restricted: one of them is enough.
            ("0 2 13 * FRI", date(2026, 1, 13), true),
            ("0 2 13 * FRI", date(2026, 1, 16), true),
            ("0 2 13 * FRI", date(2026, 1, 15), false),
        ] {
            assert_eq!(Cron::parse(cron).expect(cron).matches(day), matches, "{cron} on {day}");
        }
    }

    #[test]
    fn times_come_latest_first() {
        let cron = Cron::parse("0,30 8-9 * * *").expect("a cron");
        assert_eq!(cron.times_descending().collect::<Vec<_>>(), [(9, 30), (9, 0), (8, 30), (8, 0)]);
    }

    #[test]
    fn other_dialects_are_refused() {
        for text in [
            "",
            "0 2 * *",
            "0 2 * * * *",
            "0 2 ? * *",
            "*/5 * * * *",
            "60 * * * *",
            "0 24 * * *",
            "0 0 0 * *",
            "0 0 * 13 *",
            "0 0 * * 8",
            "5-1 * * * *",
            "0 0 * FOO *",
            "0 0 L * *",
            "1, * * * *",
            "+1 * * * *",
        ] {
            assert_eq!(Cron::parse(text), None, "{text}");
        }
    }
}
