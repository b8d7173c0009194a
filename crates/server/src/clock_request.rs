//! The body of `POST /_groundwatch/clock`.

use std::time::Duration;

use groundwatch_core::Timestamp;
use serde::Deserialize;

/// The furthest that one call moves the clock. Every due time on the way is stopped at, so this bounds the
/// work.
const ADVANCE_MAX: Duration = Duration::from_secs(400 * 86_400);

/// Where a manual clock is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockMove {
    /// On by this much.
    Advance(Duration),
    /// To this moment, which may be in the past.
    Set(Timestamp),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    advance: Option<String>,
    set: Option<String>,
}

impl ClockMove {
    /// Reads `{"advance":"PT20M"}` or `{"set":"2026-01-01T00:00:00Z"}`; an error says what is wrong.
    pub(crate) fn parse(body: &[u8], now: Timestamp) -> Result<Self, String> {
        let body: Body = serde_json::from_slice(body).map_err(|error| {
            format!(r#"expected {{"advance":"PT20M"}} or {{"set":"2026-01-01T00:00:00Z"}}: {error}"#)
        })?;
        let go = match (body.advance, body.set) {
            (Some(text), None) => Self::Advance(parse_duration(&text)?),
            (None, Some(text)) => {
                Self::Set(Timestamp::parse_iso8601(&text).map_err(|error| error.to_string())?)
            }
            _ => return Err(r#"expected exactly one of "advance" and "set""#.to_owned()),
        };
        let distance = match go {
            Self::Advance(duration) => duration,
            Self::Set(target) => target.since(now),
        };
        // Setting a clock that was never moved yet may leap any distance back, but not run centuries of
        // alarms.
        if distance > ADVANCE_MAX {
            return Err(format!(
                "one call moves the clock by at most {} days",
                ADVANCE_MAX.as_secs() / 86_400
            ));
        }
        Ok(go)
    }
}

/// An ISO 8601 duration (or the friendlier `20m`) of weeks, days (24 hours), hours, minutes and seconds.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration such as PT20M, PT1H30M or P1D");
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let signed = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    Duration::try_from(signed).map_err(|_| format!("`{text}` is negative; use \"set\" to go back"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_iso_8601_writes_them() {
        for (text, secs) in [
            ("PT20M", 1200),
            ("PT1H30M", 5400),
            ("P1D", 86_400),
            ("P1W", 604_800),
            ("PT0.5S", 0),
            ("20m", 1200),
        ] {
            assert_eq!(parse_duration(text).map(|duration| duration.as_secs()), Ok(secs), "{text}");
        }
        for text in ["", "soon", "-PT1M", "P1Y", "P1M", "PT"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn exactly_one_of_advance_and_set() {
        let now = Timestamp::from_secs(0);
        assert_eq!(
            ClockMove::parse(br#"{"set":"1970-01-01T00:01:00Z"}"#, now),
            Ok(ClockMove::Set(Timestamp::from_secs(60)))
        );
        assert!(ClockMove::parse(br#"{"set":"1970-01-01T00:01:00Z","advance":"PT1M"}"#, now).is_err());
        assert!(ClockMove::parse(br#"{"advance":"P9999D"}"#, now).is_err());
        assert!(ClockMove::parse(br#"{"later":"PT1M"}"#, now).is_err());
    }
}
