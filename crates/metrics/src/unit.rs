//! The 27 units of CloudWatch.

use std::fmt;

/// A unit of measurement. Nothing is ever converted: data of two units stay apart (see the crate's front
/// page).
///
/// The discriminants are written to disk and never change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "AWS's names say it all")]
pub enum Unit {
    #[default]
    None = 0,
    Seconds = 1,
    Microseconds = 2,
    Milliseconds = 3,
    Bytes = 4,
    Kilobytes = 5,
    Megabytes = 6,
    Gigabytes = 7,
    Terabytes = 8,
    Bits = 9,
    Kilobits = 10,
    Megabits = 11,
    Gigabits = 12,
    Terabits = 13,
    Percent = 14,
    Count = 15,
    BytesPerSecond = 16,
    KilobytesPerSecond = 17,
    MegabytesPerSecond = 18,
    GigabytesPerSecond = 19,
    TerabytesPerSecond = 20,
    BitsPerSecond = 21,
    KilobitsPerSecond = 22,
    MegabitsPerSecond = 23,
    GigabitsPerSecond = 24,
    TerabitsPerSecond = 25,
    CountPerSecond = 26,
}

impl Unit {
    /// Every unit, in the order of its number.
    pub const ALL: [Self; 27] = [
        Self::None,
        Self::Seconds,
        Self::Microseconds,
        Self::Milliseconds,
        Self::Bytes,
        Self::Kilobytes,
        Self::Megabytes,
        Self::Gigabytes,
        Self::Terabytes,
        Self::Bits,
        Self::Kilobits,
        Self::Megabits,
        Self::Gigabits,
        Self::Terabits,
        Self::Percent,
        Self::Count,
        Self::BytesPerSecond,
        Self::KilobytesPerSecond,
        Self::MegabytesPerSecond,
        Self::GigabytesPerSecond,
        Self::TerabytesPerSecond,
        Self::BitsPerSecond,
        Self::KilobitsPerSecond,
        Self::MegabitsPerSecond,
        Self::GigabitsPerSecond,
        Self::TerabitsPerSecond,
        Self::CountPerSecond,
    ];

    /// AWS's spelling, such as `Bytes/Second`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Seconds => "Seconds",
            Self::Microseconds => "Microseconds",
            Self::Milliseconds => "Milliseconds",
            Self::Bytes => "Bytes",
            Self::Kilobytes => "Kilobytes",
            Self::Megabytes => "Megabytes",
            Self::Gigabytes => "Gigabytes",
            Self::Terabytes => "Terabytes",
            Self::Bits => "Bits",
            Self::Kilobits => "Kilobits",
            Self::Megabits => "Megabits",
            Self::Gigabits => "Gigabits",
            Self::Terabits => "Terabits",
            Self::Percent => "Percent",
            Self::Count => "Count",
            Self::BytesPerSecond => "Bytes/Second",
            Self::KilobytesPerSecond => "Kilobytes/Second",
            Self::MegabytesPerSecond => "Megabytes/Second",
            Self::GigabytesPerSecond => "Gigabytes/Second",
            Self::TerabytesPerSecond => "Terabytes/Second",
            Self::BitsPerSecond => "Bits/Second",
            Self::KilobitsPerSecond => "Kilobits/Second",
            Self::MegabitsPerSecond => "Megabits/Second",
            Self::GigabitsPerSecond => "Gigabits/Second",
            Self::TerabitsPerSecond => "Terabits/Second",
            Self::CountPerSecond => "Count/Second",
        }
    }

    /// The unit spelled exactly so; case matters.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.as_str() == text)
    }

    /// The number under which it is stored.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// The unit stored under that number.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// Alphabetical by AWS's spelling, which decides whose data GetMetricData returns when units are mixed.
impl Ord for Unit {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for Unit {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_lead_back_to_the_unit() {
        for unit in Unit::ALL {
            assert_eq!(Unit::from_code(unit.code()), Some(unit));
            assert_eq!(Unit::parse(unit.as_str()), Some(unit));
        }
        assert_eq!(Unit::from_code(27), None);
        assert_eq!(Unit::parse("seconds"), None);
    }

    #[test]
    fn order_is_alphabetical() {
        assert!(Unit::Count < Unit::Milliseconds && Unit::Milliseconds < Unit::Seconds);
    }
}
