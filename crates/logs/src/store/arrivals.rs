//! Lets batches become visible in the order of their sequence numbers, though the journal answers them in any
//! order.
//!
//! A batch gets its number before it goes to the journal. When the journal has answered, it waits until all
//! that began before it are answered too, then all that are ready appear at once. Two things rest on this:
//!
//!  - a reader that has seen an event never finds a new one before it with the same timestamp, so following a
//!    stream by tokens misses nothing of what writers in parallel put at one moment;
//!  - what is visible is exactly what has a number up to [`Arrivals::visible_through`], so a segment that
//!    holds all that is visible makes exactly those records redundant, wherever they lie in the journal.
//!
//! The wait is short: who began earlier is in the same group commit or an earlier one.

use std::collections::VecDeque;

use groundwatch_storage::Position;

/// The batches between their number and their appearance.
#[derive(Debug)]
pub(super) struct Arrivals<T> {
    /// From the oldest that has not appeared to the newest that has a number.
    waiting: VecDeque<Waiting<T>>,
    /// The number of the first one in `waiting`, or of the next batch if that is empty.
    first: u64,
    /// The number of the last batch that has appeared.
    visible: u64,
    /// The highest position that the journal has answered.
    highest: Position,
}

#[derive(Debug)]
struct Waiting<T> {
    /// `highest` when it began: its own position can only be above.
    floor: Position,
    state: State<T>,
}

#[derive(Debug)]
enum State<T> {
    Unanswered,
    Durable(T),
    Failed,
}

impl<T> Arrivals<T> {
    /// The next batch gets number `next`; the journal has answered up to `highest`.
    pub(super) fn new(next: u64, highest: Position) -> Self {
        Self { waiting: VecDeque::new(), first: next, visible: next - 1, highest }
    }

    /// The number for a batch that goes to the journal after this. It must be settled exactly once.
    pub(super) fn begin(&mut self) -> u64 {
        self.waiting.push_back(Waiting { floor: self.highest, state: State::Unanswered });
        self.first + self.waiting.len() as u64 - 1
    }

    /// Notes that batch `sequence` is durable at `position`. Returns what becomes visible by that, in order.
    pub(super) fn durable(&mut self, sequence: u64, position: Position, batch: T) -> Vec<T> {
        self.highest = self.highest.max(position);
        self.settle(sequence, State::Durable(batch))
    }

    /// Notes that batch `sequence` will never appear. Returns what becomes visible by that, in order.
    pub(super) fn failed(&mut self, sequence: u64) -> Vec<T> {
        self.settle(sequence, State::Failed)
    }

    /// The last batch that is visible. Those that failed behind it do not count: after a restart, their
    /// numbers are given to others.
    pub(super) fn visible_through(&self) -> u64 {
        self.visible
    }

    /// No record up to this position belongs to a batch that has yet to appear.
    pub(super) fn settled_through(&self) -> Position {
        self.waiting.front().map_or(self.highest, |oldest| oldest.floor)
    }

    fn settle(&mut self, sequence: u64, state: State<T>) -> Vec<T> {
        self.waiting[(sequence - self.first) as usize].state = state;
        let mut visible = Vec::new();
        while let Some(settled) =
            self.waiting.pop_front_if(|oldest| !matches!(oldest.state, State::Unanswered))
        {
            if let State::Durable(batch) = settled.state {
                self.visible = self.first;
                visible.push(batch);
            }
            self.first += 1;
        }
        visible
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn later_batches_wait_for_earlier_ones() {
        let mut arrivals = Arrivals::new(10, Position(0));
        let (a, b, c) = (arrivals.begin(), arrivals.begin(), arrivals.begin());
        assert_eq!((a, b, c), (10, 11, 12));
        assert!(arrivals.durable(c, Position(3), 'c').is_empty());
        assert_eq!(arrivals.durable(a, Position(1), 'a'), ['a']);
        assert_eq!(arrivals.visible_through(), 10);
        assert_eq!(arrivals.failed(b), ['c']);
        assert_eq!((arrivals.visible_through(), arrivals.settled_through()), (12, Position(3)));
    }

    #[test]
    fn what_failed_last_is_not_passed_over() {
        let mut arrivals = Arrivals::new(10, Position(0));
        let (a, b) = (arrivals.begin(), arrivals.begin());
        arrivals.durable(a, Position(1), 'a');
        arrivals.failed(b);
        assert_eq!(arrivals.visible_through(), a);
        let c = arrivals.begin();
        arrivals.durable(c, Position(2), 'c');
        assert_eq!((c, arrivals.visible_through()), (12, 12));
    }

    #[test]
    fn a_record_that_is_not_visible_is_never_called_settled() {
        let mut arrivals = Arrivals::new(1, Position(0));
        let (a, b) = (arrivals.begin(), arrivals.begin());
        // The journal wrote b before a, and a's answer is still under way.
        arrivals.durable(b, Position(1), 'b');
        assert_eq!(arrivals.settled_through(), Position(0));
        arrivals.durable(a, Position(2), 'a');
        assert_eq!(arrivals.settled_through(), Position(2));
    }

    proptest! {
        /// Any order of answers: everything appears once, in order, and `settled_through` keeps its promise.
        #[test]
        fn whatever_the_order_of_answers(choices in proptest::collection::vec(any::<prop::sample::Index>(), 1..200)) {
            let mut arrivals = Arrivals::new(1, Position(0));
            let (mut in_flight, mut visible, mut written, mut position) = (Vec::new(), Vec::new(), Vec::new(), 0);
            for choice in choices {
                if in_flight.is_empty() || choice.index(2) == 0 {
                    in_flight.push(arrivals.begin());
                } else {
                    // Those in flight together get their positions in any order.
                    let sequence = in_flight.swap_remove(choice.index(in_flight.len()));
                    position += 1;
                    written.push((sequence, Position(position)));
                    visible.extend(arrivals.durable(sequence, Position(position), sequence));
                }
                prop_assert_eq!(arrivals.visible_through(), visible.len() as u64);
                for (sequence, position) in &written {
                    prop_assert!(*position > arrivals.settled_through() || *sequence <= arrivals.visible_through());
                }
            }
            prop_assert!(visible.iter().copied().eq(1..=visible.len() as u64));
        }
    }
}
