//! A fair sample of more events than an update may carry.

use std::sync::Arc;

use super::TailedEvent;

/// How many events an update carries. Source: CloudWatch Logs API reference, StartLiveTail.
pub(crate) const EVENTS_MAX: usize = 500;

/// How many bytes of text an update carries. AWS states none; clients refuse frames of more than 24 MiB, and
/// JSON may make a text six times as long.
const BYTES_MAX: usize = 3 << 20;

/// What arrived since it was last taken: all of it, or each event with the same chance (reservoir sampling)
/// if that is too much.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// With the number under which it was offered.
    kept: Vec<(u64, Arc<TailedEvent>)>,
    bytes: usize,
    offered: u64,
    dice: u64,
}

impl Sample {
    /// Whether nothing arrived.
    pub(super) fn is_empty(&self) -> bool {
        self.offered == 0
    }

    /// Takes an event in, or not.
    pub(super) fn offer(&mut self, event: impl FnOnce() -> Arc<TailedEvent>) {
        let number = self.offered;
        self.offered += 1;
        if self.kept.len() < EVENTS_MAX {
            let event = event();
            if self.bytes + event.message.len() <= BYTES_MAX {
                self.bytes += event.message.len();
                self.kept.push((number, event));
            }
            return;
        }
        let place = (self.roll() % self.offered) as usize;
        if let Some(old) = self.kept.get_mut(place) {
            let event = event();
            let bytes = self.bytes - old.1.message.len() + event.message.len();
            if bytes <= BYTES_MAX {
                self.bytes = bytes;
                *old = (number, event);
            }
        }
    }

    /// The sample in the order of arrival, and whether anything is missing from it. It is empty afterwards.
    pub(super) fn take(&mut self) -> (Vec<Arc<TailedEvent>>, bool) {
        let sampled = self.offered > self.kept.len() as u64;
        let mut kept = std::mem::take(&mut self.kept);
        (self.bytes, self.offered) = (0, 0);
        kept.sort_unstable_by_key(|(number, _)| *number);
        (kept.into_iter().map(|(_, event)| event).collect(), sampled)
    }

    /// Splitmix64: chance that every run repeats.
    fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use groundwatch_core::Timestamp;

    use super::*;

    fn event(number: usize, message_bytes: usize) -> Arc<TailedEvent> {
        Arc::new(TailedEvent {
            group: "g".into(),
            stream: "s".into(),
            timestamp: Timestamp::from_millis(number as i64),
            ingested: Timestamp::EPOCH,
            message: "x".repeat(message_bytes),
        })
    }

    fn taken(count: usize, message_bytes: usize) -> (Vec<i64>, bool) {
        let mut sample = Sample::default();
        for number in 0..count {
            sample.offer(|| event(number, message_bytes));
        }
        let (events, sampled) = sample.take();
        assert!(sample.is_empty());
        (events.iter().map(|event| event.timestamp.as_millis()).collect(), sampled)
    }

    #[test]
    fn up_to_five_hundred_events_are_all_there_in_order() {
        let all: Vec<i64> = (0..500).collect();
        assert_eq!(taken(500, 1), (all, false));
    }

    #[test]
    fn of_more_events_a_fair_part_is_kept_in_order() {
        let (kept, sampled) = taken(5000, 1);
        assert!(sampled && kept.len() == EVENTS_MAX && kept.is_sorted());
        for tenth in 0..10 {
            let of_tenth = kept.iter().filter(|number| **number / 500 == tenth).count();
            assert!((25..=75).contains(&of_tenth), "{of_tenth} of about 50 in part {tenth}");
        }
    }

    #[test]
    fn large_events_are_bounded_by_their_bytes() {
        let (kept, sampled) = taken(10, 1 << 20);
        assert!(sampled && kept.len() == 3, "{kept:?}");
    }
}
