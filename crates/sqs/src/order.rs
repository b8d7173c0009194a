//! Which message is next: any for a standard queue, the first of a free group for a FIFO queue.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where a message stands, as far as order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not to be received yet: delayed, or not durable yet.
    Waiting,
    /// To be received.
    Visible,
    /// Received.
    InFlight,
}

/// Messages by sequence number, in the order in which they are received.
#[derive(Debug)]
pub(crate) enum Order {
    /// The oldest visible one first, as well as it goes: AWS promises no order.
    Standard(BTreeSet<u64>),
    /// In each group one after the other.
    Fifo(Groups),
}

/// The message groups of a FIFO queue. Recorded from AWS: a group can be received from as long as its first
/// message is visible, also while a later one is in flight; and a group that becomes free stands behind those
/// that are free already.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: HashMap<String, Group>,
    /// The free groups, by when they became so.
    free: BTreeMap<u64, String>,
    /// The first message of each free group.
    firsts: BTreeSet<u64>,
    /// How many groups have messages in flight.
    in_flight: usize,
    next_turn: u64,
}

#[derive(Debug, Default)]
struct Group {
    messages: BTreeMap<u64, Standing>,
    /// How many of them are in flight.
    in_flight: usize,
    /// While its first message is visible: its place in [`Groups::free`], and that message.
    free: Option<(u64, u64)>,
}

impl Order {
    pub(crate) fn new(is_fifo: bool) -> Self {
        if is_fifo { Self::Fifo(Groups::default()) } else { Self::Standard(BTreeSet::new()) }
    }

    /// Says where a message stands now; `None` means that it is gone.
    pub(crate) fn put(&mut self, sequence: u64, group: Option<&str>, standing: Option<Standing>) {
        match self {
            Self::Standard(visible) => {
                if standing == Some(Standing::Visible) {
                    visible.insert(sequence);
                } else {
                    visible.remove(&sequence);
                }
            }
            Self::Fifo(groups) => groups.put(sequence, group.unwrap_or_default(), standing),
        }
    }

    /// The message to be received next.
    pub(crate) fn next(&self) -> Option<u64> {
        match self {
            Self::Standard(visible) => visible.first().copied(),
            Self::Fifo(groups) => {
                let (_, name) = groups.free.first_key_value()?;
                groups.groups.get(name)?.first_visible()
            }
        }
    }

    /// How many groups have messages in flight; none in a standard queue.
    pub(crate) fn groups_in_flight(&self) -> usize {
        match self {
            Self::Standard(_) => 0,
            Self::Fifo(groups) => groups.in_flight,
        }
    }

    /// The oldest of all messages that can be received.
    pub(crate) fn oldest(&self) -> Option<u64> {
        match self {
            Self::Standard(visible) => visible.first().copied(),
            Self::Fifo(groups) => groups.firsts.first().copied(),
        }
    }

    /// In a FIFO queue, the message to be received together with `previous`, of the same group: AWS hands out
    /// as many of a group as it can.
    pub(crate) fn next_in(&self, group: Option<&str>, previous: u64) -> Option<u64> {
        let Self::Fifo(groups) = self else { return None };
        let (sequence, standing) = groups.groups.get(group?)?.messages.range(previous + 1..).next()?;
        (*standing == Standing::Visible).then_some(*sequence)
    }
}

impl Groups {
    fn put(&mut self, sequence: u64, name: &str, standing: Option<Standing>) {
        if !self.groups.contains_key(name) {
            self.groups.insert(name.to_owned(), Group::default());
        }
        let Some(group) = self.groups.get_mut(name) else { return };
        let stood = match standing {
            Some(standing) => group.messages.insert(sequence, standing),
            None => group.messages.remove(&sequence),
        };
        self.in_flight -= usize::from(group.in_flight > 0);
        group.in_flight -= usize::from(stood == Some(Standing::InFlight));
        group.in_flight += usize::from(standing == Some(Standing::InFlight));
        self.in_flight += usize::from(group.in_flight > 0);
        let before = group.free.take();
        if let Some((_, first)) = before {
            self.firsts.remove(&first);
        }
        match (group.first_visible(), before) {
            (Some(first), Some((turn, _))) => group.free = Some((turn, first)),
            (Some(first), None) => {
                group.free = Some((self.next_turn, first));
                self.free.insert(self.next_turn, name.to_owned());
                self.next_turn += 1;
            }
            (None, Some((turn, _))) => {
                self.free.remove(&turn);
            }
            (None, None) => {}
        }
        self.firsts.extend(group.free.map(|(_, first)| first));
        if group.messages.is_empty() {
            self.groups.remove(name);
        }
    }
}

impl Group {
    fn first_visible(&self) -> Option<u64> {
        let (sequence, standing) = self.messages.first_key_value()?;
        (*standing == Standing::Visible).then_some(*sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_waits_for_its_first_message() {
        let mut order = Order::new(true);
        order.put(1, Some("a"), Some(Standing::Waiting));
        order.put(2, Some("a"), Some(Standing::Visible));
        order.put(3, Some("b"), Some(Standing::Visible));
        assert_eq!(order.next(), Some(3));
        order.put(1, Some("a"), Some(Standing::Visible));
        assert_eq!((order.next(), order.oldest()), (Some(3), Some(1)), "b was free before a");
        order.put(3, Some("b"), None);
        order.put(1, Some("a"), Some(Standing::InFlight));
        assert_eq!((order.next(), order.next_in(Some("a"), 1)), (None, Some(2)));
        assert_eq!(order.groups_in_flight(), 1);
        order.put(1, Some("a"), None);
        assert_eq!((order.next(), order.groups_in_flight()), (Some(2), 0));
    }

    #[test]
    fn a_group_is_free_though_a_later_message_is_in_flight() {
        let mut order = Order::new(true);
        order.put(1, Some("a"), Some(Standing::Visible));
        order.put(2, Some("a"), Some(Standing::InFlight));
        order.put(3, Some("a"), Some(Standing::Visible));
        assert_eq!(order.next(), Some(1));
        order.put(1, Some("a"), Some(Standing::InFlight));
        assert_eq!((order.next(), order.next_in(Some("a"), 1)), (None, None));
    }

    #[test]
    fn a_standard_queue_takes_the_oldest_visible_one() {
        let mut order = Order::new(false);
        order.put(2, None, Some(Standing::Visible));
        order.put(1, None, Some(Standing::Waiting));
        assert_eq!((order.next(), order.next_in(None, 2)), (Some(2), None));
        order.put(2, None, Some(Standing::InFlight));
        assert_eq!(order.next(), None);
    }
}
