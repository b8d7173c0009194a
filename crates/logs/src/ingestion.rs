//! Which events of one `PutLogEvents` are taken, and which batch is refused as a whole. Pure: the clock's
//! time and the group's retention are arguments.

use std::ops::Range;
use std::time::Duration;

use groundwatch_core::{Timestamp, intake};

/// What AWS adds to the UTF-8 length of every message when it counts bytes.
pub(crate) const EVENT_OVERHEAD_BYTES: usize = 26;
/// The largest batch, by that count.
pub(crate) const BATCH_BYTES_MAX: usize = 1_048_576;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SPAN_MAX: Duration = DAY;

/// Why a batch is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Messages plus overhead exceed [`BATCH_BYTES_MAX`].
    #[error("batch of {size_bytes} bytes is too large")]
    TooLarge {
        /// The batch's size as AWS counts it.
        size_bytes: usize,
    },
    /// An event is older than the one before it.
    #[error("events are not in chronological order")]
    NotChronological,
    /// The events that would be taken lie more than 24 hours apart.
    #[error("events span more than 24 hours")]
    SpanTooLong,
}

/// Which events of a batch are taken. The others are reported to the caller, who gets a success all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The events that are stored.
    pub accepted: Range<usize>,
    /// The first event that is more than 2 hours ahead; all from here on are rejected.
    pub too_new_start: Option<usize>,
    /// The end (exclusive) of the events older than 14 days.
    pub too_old_end: Option<usize>,
    /// The end (exclusive) of the events that the group's retention has already expired.
    pub expired_end: Option<usize>,
}

impl Verdict {
    /// Whether every event was taken.
    pub(crate) fn takes_all(&self) -> bool {
        self.too_new_start.is_none() && self.too_old_end.is_none() && self.expired_end.is_none()
    }
}

/// The size of a batch as AWS counts it.
pub(crate) fn batch_size_bytes(message_bytes: usize, events: usize) -> usize {
    message_bytes + events * EVENT_OVERHEAD_BYTES
}

/// Judges a batch whose events have `timestamps` (in the order sent) and `size_bytes` in all.
pub(crate) fn judge(
    timestamps: &[i64],
    size_bytes: usize,
    now: Timestamp,
    retention: Option<Duration>,
) -> Result<Verdict, BatchError> {
    if size_bytes > BATCH_BYTES_MAX {
        return Err(BatchError::TooLarge { size_bytes });
    }
    if !timestamps.is_sorted() {
        return Err(BatchError::NotChronological);
    }
    let older_than = |limit: Timestamp| timestamps.partition_point(|millis| *millis < limit.as_millis());
    let too_old = older_than(now - intake::AGE_MAX);
    let expired = retention.map_or(0, |retention| older_than(now - retention)).max(too_old);
    let too_new = timestamps.partition_point(|millis| *millis <= (now + intake::AHEAD_MAX).as_millis());
    let accepted = expired..too_new.max(expired);
    if let [first, .., last] = timestamps[accepted.clone()]
        && last.saturating_sub(first) > SPAN_MAX.as_millis() as i64
    {
        return Err(BatchError::SpanTooLong);
    }
    Ok(Verdict {
        too_new_start: (too_new < timestamps.len()).then_some(too_new),
        too_old_end: (too_old > 0).then_some(too_old),
        expired_end: (expired > too_old).then_some(expired),
        accepted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;
    const DAY_MS: i64 = 24 * HOUR_MS;
    const NOW: Timestamp = Timestamp::from_secs(1_767_323_045);

    /// Judges events at `offsets_ms` from now, in a group that keeps events for `retention_days`.
    fn judged(offsets_ms: &[i64], retention_days: Option<u64>) -> Result<Verdict, BatchError> {
        let timestamps: Vec<i64> = offsets_ms.iter().map(|offset| NOW.as_millis() + offset).collect();
        let retention = retention_days.map(|days| DAY * u32::try_from(days).expect("few days"));
        judge(&timestamps, 100, NOW, retention)
    }

    /// `expected`: accepted range, too new start, too old end, expired end.
    fn check(
        offsets_ms: &[i64],
        retention_days: Option<u64>,
        expected: (Range<usize>, Option<usize>, Option<usize>, Option<usize>),
    ) {
        let (accepted, too_new_start, too_old_end, expired_end) = expected;
        let expected = Verdict { accepted, too_new_start, too_old_end, expired_end };
        assert_eq!(judged(offsets_ms, retention_days), Ok(expected), "{offsets_ms:?} {retention_days:?}");
    }

    #[test]
    fn events_are_taken_from_14_days_ago_to_2_hours_ahead() {
        check(&[0], None, (0..1, None, None, None));
        check(&[2 * HOUR_MS], None, (0..1, None, None, None));
        check(&[2 * HOUR_MS + 1], None, (0..0, Some(0), None, None));
        check(&[-14 * DAY_MS], None, (0..1, None, None, None));
        check(&[-14 * DAY_MS - 1], None, (1..1, None, Some(1), None));
        check(&[-20 * DAY_MS, -15 * DAY_MS, -1, 0, 3 * HOUR_MS], None, (2..4, Some(4), Some(2), None));
    }

    #[test]
    fn expired_events_are_told_apart_from_too_old_ones() {
        check(&[-3 * DAY_MS, 0], Some(1), (1..2, None, None, Some(1)));
        check(&[-20 * DAY_MS, -3 * DAY_MS, 0], Some(1), (2..3, None, Some(1), Some(2)));
        check(&[-20 * DAY_MS, 0], Some(1), (1..2, None, Some(1), None));
        check(&[-20 * DAY_MS, 0], Some(30), (1..2, None, Some(1), None));
    }

    #[test]
    fn everything_may_be_rejected() {
        check(&[-20 * DAY_MS, 3 * HOUR_MS], None, (1..1, Some(1), Some(1), None));
    }

    #[test]
    fn only_taken_events_count_for_the_span() {
        check(&[-DAY_MS, 0], None, (0..2, None, None, None));
        assert_eq!(judged(&[-DAY_MS - 1, 0], None), Err(BatchError::SpanTooLong));
        check(&[-20 * DAY_MS, 0, 0], None, (1..3, None, Some(1), None));
    }

    #[test]
    fn order_is_checked_before_age() {
        assert_eq!(judged(&[0, -1], None), Err(BatchError::NotChronological));
        assert_eq!(judged(&[-20 * DAY_MS, -21 * DAY_MS], None), Err(BatchError::NotChronological));
        check(&[0, 0, 0], None, (0..3, None, None, None));
    }

    #[test]
    fn size_counts_26_bytes_an_event() {
        assert_eq!(batch_size_bytes(BATCH_BYTES_MAX - 26, 1), BATCH_BYTES_MAX);
        let check = |size_bytes| judge(&[NOW.as_millis()], size_bytes, NOW, None).map(|_| ());
        assert_eq!(check(BATCH_BYTES_MAX), Ok(()));
        assert_eq!(check(BATCH_BYTES_MAX + 1), Err(BatchError::TooLarge { size_bytes: BATCH_BYTES_MAX + 1 }));
    }
}
