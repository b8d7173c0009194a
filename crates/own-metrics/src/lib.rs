//! What services say about themselves: metrics in the namespaces `AWS/…`, by the minute.
//!
//! Owns what is the same for every service: counting ([`Tally`]), what a minute came to ([`Sample`]), and the
//! activity that publishes it ([`Publisher`]). Does not own what is counted (a service offers its [`Meters`])
//! or where samples go (the server puts a [`MetricSink`] in).
//!
//! The way through: a service counts, in memory → its minute ends → [`Meters::read`] → [`MetricSink::put`].
//!
//! What always holds: counting is an addition and no write, however much happens in a minute; what was counted
//! is published once; and an alarm that looks at the end of a minute sees it. A server that ends takes the
//! counts of its last minute with it.

mod publisher;
mod sample;
mod tally;

use std::time::Duration;

pub use publisher::{Meters, MetricSink, Publisher, SinkError};
pub use sample::{Sample, Statistics};
pub use tally::Tally;

use groundwatch_core::Timestamp;

/// The resolution of all metrics of services, in seconds.
const MINUTE_SECS: u32 = 60;
const MINUTE: Duration = Duration::from_secs(MINUTE_SECS as u64);
/// What is left of a minute when it is read.
const LAST_PART: Duration = Duration::from_millis(1);

/// The start of the minute that counts of `at` belong to. A minute is read in its last millisecond, so that it is
/// there for whoever looks at its end; from then on the next one counts.
pub fn minute_of(at: Timestamp) -> Timestamp {
    (at + LAST_PART).floor_to(MINUTE_SECS)
}

/// When the minute of `at` is read: the first reading after `at`.
pub fn reading_of(at: Timestamp) -> Timestamp {
    minute_of(at) + MINUTE - LAST_PART
}

/// The start of the last minute whose reading has come at `now`.
pub fn last_read(now: Timestamp) -> Timestamp {
    minute_of(now) - MINUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_read_in_its_last_millisecond() {
        let at = Timestamp::from_millis;
        for (now, reading, last) in
            [(0, 59_999, -60_000), (59_998, 59_999, -60_000), (59_999, 119_999, 0), (60_000, 119_999, 0)]
        {
            assert_eq!((reading_of(at(now)), last_read(at(now))), (at(reading), at(last)), "{now}");
        }
    }
}
