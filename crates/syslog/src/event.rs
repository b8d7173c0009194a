//! What is read from a message: when, from whom. The text is kept as it came.

use chrono::{DateTime, Datelike as _, Utc};
use groundwatch_core::{Timestamp, intake};
use syslog_loose::{IncompleteDate, Variant, parse_message_with_year_tz};

/// The longest host or program name that is taken.
const NAME_CHARACTERS_MAX: usize = 128;

/// A message as a log event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened by its own account; when it came, if it does not say, or says something absurd.
    pub at: Timestamp,
    /// The host that it names, of letters, digits and `.-_`; `-` if none.
    pub host: String,
    /// The program that it names, as `host`.
    pub program: String,
    /// The whole message, as it came.
    pub text: String,
}

impl Event {
    /// Reads a message of RFC 5424 or RFC 3164; anything else is a text without host and program. Times
    /// without a zone are UTC, and times without a year lie near `received`.
    pub fn read(message: &[u8], received: Timestamp) -> Self {
        let text = String::from_utf8_lossy(message).into_owned();
        let parsed = parse_message_with_year_tz(
            &text,
            |date| nearest_year(date, received),
            Some(Utc),
            Variant::Either,
        );
        let at = parsed.timestamp.map(|at| Timestamp::from_millis(at.timestamp_millis()));
        let at = at.filter(|at| is_plausible(*at, received));
        Self { at: at.unwrap_or(received), host: name(parsed.hostname), program: name(parsed.appname), text }
    }
}

/// Events outside of what is taken would be refused.
fn is_plausible(at: Timestamp, received: Timestamp) -> bool {
    (received - intake::AGE_MAX..=received + intake::AHEAD_MAX).contains(&at)
}

/// December's messages may come in January, and the other way round where clocks differ.
fn nearest_year((month, ..): IncompleteDate, received: Timestamp) -> i32 {
    let now = DateTime::from_timestamp_millis(received.as_millis()).unwrap_or_default();
    match (month, now.month()) {
        (12, 1) => now.year() - 1,
        (1, 12) => now.year() + 1,
        _ => now.year(),
    }
}

/// A name that can be part of a stream's.
fn name(name: Option<&str>) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_') { letter } else { '_' }
    };
    let name: String = name.unwrap_or_default().chars().take(NAME_CHARACTERS_MAX).map(plain).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-01-02T03:04:05Z.
    const NOW: Timestamp = Timestamp::from_secs(1_767_323_045);

    #[track_caller]
    fn check(message: &str, at_after_now_secs: i64, host: &str, program: &str) {
        let event = Event::read(message.as_bytes(), NOW);
        let expected = Event {
            at: Timestamp::from_secs(NOW.as_secs() + at_after_now_secs),
            host: host.into(),
            program: program.into(),
            text: message.into(),
        };
        assert_eq!(event, expected);
    }

    #[test]
    fn both_rfcs_are_read() {
        check("<34>1 2026-01-02T03:04:00Z web-1 nginx 71 ID47 - GET /", -5, "web-1", "nginx");
        check("<34>1 2026-01-02T05:04:05+02:00 web-1 nginx - - [a@1 b=\"c\"] x", 0, "web-1", "nginx");
        check("<13>Jan  2 03:04:03 db postgres[7]: started", -2, "db", "postgres");
        check("<13>Jan 2 03:04:03 db kernel: x", -2, "db", "kernel");
    }

    #[test]
    fn a_year_is_added_that_is_near() {
        check("<13>Dec 31 23:59:59 db cron: x", -(24 + 3) * 3600 - 4 * 60 - 6, "db", "cron");
    }

    #[test]
    fn what_is_not_said_or_absurd_is_when_it_came() {
        check("just a text", 0, "-", "-");
        check("<34>1 - - - - - - x", 0, "-", "-");
        check("<34>1 2031-01-02T03:04:00Z web-1 nginx - - - x", 0, "web-1", "nginx");
        check("<34>1 2019-01-02T03:04:00Z web-1 nginx - - - x", 0, "web-1", "nginx");
    }

    #[test]
    fn names_are_made_fit_for_streams() {
        check("<34>1 2026-01-02T03:04:05Z a:b*c/d x:y - - - x", 0, "a_b_c_d", "x_y");
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_event(message: Vec<u8>) {
            let event = Event::read(&message, NOW);
            prop_assert!(!event.host.is_empty() && !event.program.is_empty());
        }

        #[test]
        fn anything_like_a_message_is_an_event(message in "<[0-9]{1,4}>[0-9]? ?[A-Za-z0-9:+TZ. \\[\\]=\"-]{0,60}") {
            prop_assert_eq!(Event::read(message.as_bytes(), NOW).text, message);
        }
    }
}
