//! `start`, `end` and `timezone` of a widget.

use groundwatch_core::Timestamp;
use jiff::{Span, tz::TimeZone};

/// Longer ranges than this have no data in CloudWatch: 15 months, and some days to be kind.
pub(super) const RANGE_DAYS_MAX: i64 = 500;

/// Reads a moment: ISO 8601, or a duration (`-PT3H`, `P3D`; the sign is a matter of taste) before `now`.
pub(super) fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(moment) = Timestamp::parse_iso8601(text) {
        return Some(moment);
    }
    let span: Span = text.trim_start_matches('-').parse().ok()?;
    let now = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?;
    // Months and days need a calendar.
    let then = now.to_zoned(TimeZone::UTC).checked_sub(span).ok()?;
    Some(Timestamp::from_millis(then.timestamp().as_millisecond()))
}

/// Reads `+0130`, `-08:00` or `Z`: seconds ahead of UTC.
pub(super) fn offset_secs(text: &str) -> Option<i32> {
    if matches!(text, "Z" | "UTC") {
        return Some(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|digit| *digit != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_absolute_or_before_now() {
        let now = Timestamp::parse_iso8601("2026-03-31T12:00:00Z").expect("a moment");
        for (text, moment_text) in [
            ("2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05Z"),
            ("-PT3H", "2026-03-31T09:00:00Z"),
            ("PT3H", "2026-03-31T09:00:00Z"),
            ("-PT0H", "2026-03-31T12:00:00Z"),
            ("-P3D", "2026-03-28T12:00:00Z"),
            ("-P1W", "2026-03-24T12:00:00Z"),
            ("-P1M", "2026-02-28T12:00:00Z"),
        ] {
            assert_eq!(moment(text, now).map(Timestamp::to_iso8601).as_deref(), Some(moment_text), "{text}");
        }
        for text in ["", "yesterday", "-P", "-P99999Y", "P-", "--"] {
            assert_eq!(moment(text, now), None, "{text}");
        }
    }

    #[test]
    fn offsets_are_hours_and_minutes() {
        for (text, secs) in [
            ("+0130", Some(5400)),
            ("-08:00", Some(-28_800)),
            ("Z", Some(0)),
            ("+1500", None),
            ("0130", None),
            ("+ü30", None),
        ] {
            assert_eq!(offset_secs(text), secs, "{text}");
        }
    }
}
