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

/// The message groups of a FIFO queue.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: HashMap<String, Group>,
    /// The groups whose first message can be received, by the number of that message.
    ready: BTreeMap<u64, String>,
}

#[derive(Debug, Default)]
struct Group {
    /// Messages that are not in flight, and whether they are visible.
    waiting: BTreeMap<u64, bool>,
    in_flight: BTreeSet<u64>,
    /// Under which number the group is in [`Groups::ready`].
    ready: Option<u64>,
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
            Self::Fifo(groups) => groups.ready.keys().next().copied(),
        }
    }

    /// In a FIFO queue, the message to be received together with the one before, of the same group: AWS hands
    /// out as many of a group as it can.
    pub(crate) fn next_in(&self, group: Option<&str>) -> Option<u64> {
        let Self::Fifo(groups) = self else { return None };
        let (sequence, is_visible) = groups.groups.get(group?)?.waiting.first_key_value()?;
        is_visible.then_some(*sequence)
    }
}

impl Groups {
    fn put(&mut self, sequence: u64, name: &str, standing: Option<Standing>) {
        if !self.groups.contains_key(name) {
            self.groups.insert(name.to_owned(), Group::default());
        }
        let Some(group) = self.groups.get_mut(name) else { return };
        group.waiting.remove(&sequence);
        group.in_flight.remove(&sequence);
        match standing {
            Some(Standing::InFlight) => {
                group.in_flight.insert(sequence);
            }
            Some(standing) => {
                group.waiting.insert(sequence, standing == Standing::Visible);
            }
            None => {}
        }
        if let Some(ready) = group.ready.take() {
            self.ready.remove(&ready);
        }
        if group.waiting.is_empty() && group.in_flight.is_empty() {
            self.groups.remove(name);
            return;
        }
        if let (true, Some((&first, true))) = (group.in_flight.is_empty(), group.waiting.first_key_value()) {
            group.ready = Some(first);
            self.ready.insert(first, name.to_owned());
        }
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
        assert_eq!(order.next(), Some(1));
        order.put(1, Some("a"), Some(Standing::InFlight));
        assert_eq!((order.next(), order.next_in(Some("a"))), (Some(3), Some(2)));
        order.put(1, Some("a"), None);
        assert_eq!(order.next(), Some(2));
    }

    #[test]
    fn a_standard_queue_takes_the_oldest_visible_one() {
        let mut order = Order::new(false);
        order.put(2, None, Some(Standing::Visible));
        order.put(1, None, Some(Standing::Waiting));
        assert_eq!((order.next(), order.next_in(None)), (Some(2), None));
        order.put(2, None, Some(Standing::InFlight));
        assert_eq!(order.next(), None);
    }
}
