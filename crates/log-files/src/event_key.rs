//! Where an event stands: the total order of all events, and the 56 digits that show it to clients.

use groundwatch_core::Timestamp;

/// The place of one event among all others: by time, then by arrival.
///
/// `sequence` numbers the accepted batches in the order in which they became visible, over the whole store
/// and over restarts; it is never used twice. So a key is unique, and stays the same wherever the event is
/// kept.
///
/// A key is also a *boundary*: the gap just before the event that has it, whether or not there is one. That
/// is how ranges and paging tokens use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey {
    /// The event's own time; 1970 or later, as the API demands.
    pub timestamp: Timestamp,
    /// The batch that brought it.
    pub sequence: u64,
    /// Its place in that batch, from 0.
    pub index: u32,
}

/// How many digits each part takes: 20 hold every `u64`, and the rest pads to AWS's length.
const TIMESTAMP_DIGITS: usize = 20;
const SEQUENCE_DIGITS: usize = 20;
const INDEX_DIGITS: usize = 16;

impl EventKey {
    /// Before every event.
    pub const MIN: Self = Self::before(Timestamp::EPOCH);
    /// After every event.
    pub const MAX: Self = Self::before(Timestamp::MAX);

    /// The boundary before all events of `moment`.
    pub const fn before(moment: Timestamp) -> Self {
        Self { timestamp: moment, sequence: 0, index: 0 }
    }

    /// The boundary after all events of `moment`.
    pub const fn after(moment: Timestamp) -> Self {
        Self::before(Timestamp::from_millis(moment.as_millis().saturating_add(1)))
    }

    /// The boundary just after the event that has this key.
    pub const fn successor(self) -> Self {
        Self { index: self.index + 1, ..self }
    }

    /// The `eventId`: 56 decimal digits whose order as text is the order of keys.
    pub fn to_digits(self) -> String {
        let Self { timestamp, sequence, index } = self;
        let millis = timestamp.as_millis().max(0);
        format!("{millis:0TIMESTAMP_DIGITS$}{sequence:0SEQUENCE_DIGITS$}{index:0INDEX_DIGITS$}")
    }

    /// Reads what [`Self::to_digits`] wrote; `None` for anything else.
    pub fn from_digits(digits: &str) -> Option<Self> {
        let well_formed = digits.len() == TIMESTAMP_DIGITS + SEQUENCE_DIGITS + INDEX_DIGITS
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !well_formed {
            return None;
        }
        let (timestamp, rest) = digits.split_at(TIMESTAMP_DIGITS);
        let (sequence, index) = rest.split_at(SEQUENCE_DIGITS);
        Some(Self {
            timestamp: Timestamp::from_millis(timestamp.parse().ok()?),
            sequence: sequence.parse().ok()?,
            // One is kept free for `successor`.
            index: index.parse().ok().filter(|index| *index < u32::MAX)?,
        })
    }
}

/// The events from one boundary (inclusive) to another (exclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key that may be in.
    pub from: EventKey,
    /// The first key that is not.
    pub to: EventKey,
}

impl KeyRange {
    /// Every event.
    pub const ALL: Self = Self { from: EventKey::MIN, to: EventKey::MAX };

    /// Whether no key can be in.
    pub fn is_empty(&self) -> bool {
        self.from >= self.to
    }

    /// Whether any of the keys from `first` to `last`, both inclusive, is in.
    pub fn overlaps(&self, first: EventKey, last: EventKey) -> bool {
        first < self.to && last >= self.from
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_key() -> impl Strategy<Value = EventKey> {
        (0..=i64::MAX, any::<u64>(), 0..u32::MAX).prop_map(|(millis, sequence, index)| EventKey {
            timestamp: Timestamp::from_millis(millis),
            sequence,
            index,
        })
    }

    proptest! {
        #[test]
        fn digits_round_trip_and_keep_the_order(a in any_key(), b in any_key()) {
            prop_assert_eq!(a.to_digits().len(), 56);
            prop_assert_eq!(EventKey::from_digits(&a.to_digits()), Some(a));
            prop_assert_eq!(a.cmp(&b), a.to_digits().cmp(&b.to_digits()));
        }
    }

    #[test]
    fn foreign_digits_are_no_key() {
        let too_late = format!("{}{:036}", "9".repeat(20), 0);
        let no_successor = format!("{:040}{:016}", 0, u32::MAX);
        for text in ["", "5", "x", &"+".repeat(56), &"1".repeat(57), &too_late, &no_successor] {
            assert_eq!(EventKey::from_digits(text), None, "{text}");
        }
    }
}
