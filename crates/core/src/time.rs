//! A moment in time, in the one resolution that all of CloudWatch shares.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment: milliseconds since 1970-01-01T00:00:00Z, which may be negative.
///
/// CloudWatch mixes seconds and milliseconds in its APIs; inside Groundwatch there is only this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// Earlier than every moment that an API can name.
    pub const MIN: Self = Self(i64::MIN);
    /// Later than every moment that an API can name.
    pub const MAX: Self = Self(i64::MAX);

    /// The moment `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The moment `secs` seconds after the epoch, saturating.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// The moment nearest to a fractional number of seconds after the epoch; `None` for NaN and infinities.
    pub fn from_secs_f64(secs: f64) -> Option<Self> {
        secs.is_finite().then(|| Self((secs * 1000.0).round() as i64))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded towards the past.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The last multiple of `period_secs` (counted from the epoch) that is not after this moment.
    pub const fn floor_to(self, period_secs: u32) -> Self {
        let period_ms = period_secs as i64 * 1000;
        Self(self.0.saturating_sub(self.0.rem_euclid(period_ms)))
    }

    /// The first multiple of `period_secs` (counted from the epoch) that is not before this moment.
    pub const fn ceil_to(self, period_secs: u32) -> Self {
        let floor = self.floor_to(period_secs);
        if floor.0 == self.0 { floor } else { Self(floor.0.saturating_add(period_secs as i64 * 1000)) }
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// When something is due that waits for `wait` from this moment on: at `now` if this moment is still
    /// ahead, because the clock was set back. Otherwise it would wait for as long as the clock had jumped.
    pub fn due_after(self, wait: Duration, now: Self) -> Self {
        if self > now { now } else { self + wait }
    }

    /// `2026-01-02T03:04:05Z`, with milliseconds only if there are any: the form of the query protocol.
    pub fn to_iso8601(self) -> String {
        let format =
            if self.clamped_millis() % 1000 == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S.%3fZ" };
        self.strftime(format)
    }

    /// `2026-01-02T03:04:05.678+0000`: the form inside StateReasonData, HistoryData and SNS alarm messages.
    pub fn to_aws_json_text(self) -> String {
        self.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000")
    }

    /// Formats in UTC with `strftime` directives.
    pub fn strftime(self, format: &str) -> String {
        self.civil().strftime(format).to_string()
    }

    /// Reads ISO 8601 with or without fraction, with `Z`, an offset, or nothing (which means UTC).
    pub fn parse_iso8601(text: &str) -> Result<Self, InvalidTimestamp> {
        let invalid = || InvalidTimestamp { text: text.chars().take(64).collect() };
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(moment.as_millisecond()));
        }
        // `+0000` without a colon is what AWS itself writes in JSON texts.
        if let Ok(moment) = jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text) {
            return Ok(Self(moment.as_millisecond()));
        }
        let civil: jiff::civil::DateTime = text.parse().map_err(|_| invalid())?;
        let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| invalid())?;
        Ok(Self(zoned.timestamp().as_millisecond()))
    }

    /// Cut to the years 0000 to 9999: what four digits can show.
    const fn clamped_millis(self) -> i64 {
        match self.0 {
            ..-62_167_219_200_000 => -62_167_219_200_000,
            253_402_207_200_000.. => 253_402_207_200_000,
            millis => millis,
        }
    }

    fn civil(self) -> jiff::civil::DateTime {
        let moment =
            jiff::Timestamp::from_millisecond(self.clamped_millis()).expect("clamped to jiff's range");
        jiff::tz::TimeZone::UTC.to_datetime(moment)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_iso8601())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// A text that is not a moment in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an ISO 8601 timestamp")]
pub struct InvalidTimestamp {
    /// The text, cut to 64 characters.
    pub text: String,
}

/// Kept in documents as a number of milliseconds. On AWS's wires a timestamp is another thing, which
/// `groundwatch-api` owns.
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso8601_in_every_form_that_clients_send() {
        let moment = Timestamp::from_millis(1_767_323_045_678);
        for text in [
            "2026-01-02T03:04:05.678Z",
            "2026-01-02T03:04:05.678",
            "2026-01-02T04:04:05.678+01:00",
            "2026-01-02T03:04:05.678+0000",
            "2026-01-02 03:04:05.678",
        ] {
            assert_eq!(Timestamp::parse_iso8601(text), Ok(moment), "{text}");
        }
        assert!(Timestamp::parse_iso8601("yesterday").is_err());
    }

    #[test]
    fn milliseconds_show_only_when_there_are_any() {
        assert_eq!(Timestamp::from_secs(1_767_323_045).to_iso8601(), "2026-01-02T03:04:05Z");
        assert_eq!(Timestamp::from_millis(1_767_323_045_670).to_iso8601(), "2026-01-02T03:04:05.670Z");
        assert_eq!(
            Timestamp::from_millis(1_767_323_045_678).to_aws_json_text(),
            "2026-01-02T03:04:05.678+0000"
        );
    }

    #[test]
    fn rounding_goes_towards_the_past_before_1970_too() {
        assert_eq!(Timestamp::from_millis(-1).floor_to(60), Timestamp::from_secs(-60));
        assert_eq!(Timestamp::from_millis(60_001).ceil_to(60), Timestamp::from_secs(120));
        assert_eq!(Timestamp::from_secs(120).ceil_to(60), Timestamp::from_secs(120));
    }

    #[test]
    fn far_moments_format_without_panic() {
        assert!(Timestamp::MAX.to_iso8601().starts_with("9999-12-"));
        assert_eq!(Timestamp::MIN.to_iso8601(), "0000-01-01T00:00:00Z");
    }
}
