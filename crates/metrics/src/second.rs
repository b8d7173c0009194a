//! The store's resolution: whole seconds, unsigned, in four bytes.

use groundwatch_core::Timestamp;

/// A whole second since the epoch, from 1970 to 2106. CloudWatch takes milliseconds and stores no finer than
/// seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Second(pub u32);

impl Second {
    /// The first second that can be stored.
    pub const MIN: Self = Self(0);
    /// The last second that can be stored.
    pub const MAX: Self = Self(u32::MAX);

    /// The second that `timestamp` lies in; `None` outside 1970 to 2106.
    pub fn containing(timestamp: Timestamp) -> Option<Self> {
        u32::try_from(timestamp.as_secs()).ok().map(Self)
    }

    /// The second that `timestamp` lies in, or the nearest that can be stored.
    pub fn nearest(timestamp: Timestamp) -> Self {
        Self(timestamp.as_secs().clamp(0, i64::from(u32::MAX)) as u32)
    }

    /// The last multiple of `period_secs` that is not after this second.
    pub const fn floor_to(self, period_secs: u32) -> Self {
        Self(self.0 - self.0 % period_secs)
    }

    /// This second's beginning.
    pub const fn timestamp(self) -> Timestamp {
        Timestamp::from_secs(self.0 as i64)
    }
}
