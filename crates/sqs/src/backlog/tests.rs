use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn message(body: &str, group: Option<&str>) -> Arc<Message> {
    Arc::new(Message {
        id: Uuid::new_v4(),
        body: body.to_owned(),
        attributes: BTreeMap::new(),
        trace_header: None,
        group_id: group.map(str::to_owned),
        deduplication_id: None,
        sender_id: String::new(),
        sent: at(0),
        dead_letter_source_arn: None,
    })
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn demand(count_max: usize) -> Demand {
    Demand { count_max, visibility_timeout: Duration::from_secs(30), receives_max: None }
}

/// A queue with these messages, each `body` or `group/body`.
fn queue(messages: &[&str]) -> Backlog {
    let mut backlog = Backlog::new(messages.iter().any(|text| text.contains('/')));
    for text in messages {
        let (group, body) = text.split_once('/').map_or((None, *text), |(group, body)| (Some(group), body));
        let sequence = backlog.admit(message(body, group), 0);
        backlog.publish(sequence, None);
    }
    backlog
}

fn bodies(taken: &Taken) -> Vec<&str> {
    taken.received.iter().map(|received| received.message.body.as_str()).collect()
}

#[test]
fn a_received_message_is_hidden_until_its_timeout_ends() {
    let mut backlog = queue(&["a", "b"]);
    assert_eq!(bodies(&backlog.take(demand(1), at(0))), ["a"]);
    assert_eq!(backlog.counts(), Counts { visible: 1, in_flight: 1, delayed: 0 });
    assert_eq!(bodies(&backlog.take(demand(10), at(29))), ["b"]);
    assert_eq!(backlog.next_due(), Some(at(30)));
    let again = backlog.take(demand(10), at(30));
    assert_eq!((bodies(&again), again.received[0].receives), (vec!["a"], 2));
}

#[test]
fn a_held_message_cannot_be_received() {
    let mut backlog = queue(&[]);
    let sequence = backlog.admit(message("a", None), 0);
    assert!(bodies(&backlog.take(demand(1), at(0))).is_empty());
    backlog.publish(sequence, Some(at(5)));
    assert_eq!(backlog.counts().delayed, 1);
    assert!(bodies(&backlog.take(demand(1), at(4))).is_empty());
    assert_eq!(bodies(&backlog.take(demand(1), at(5))), ["a"]);
}

#[test]
fn a_receipt_is_good_until_its_timeout_ends_or_the_message_is_received_again() {
    let mut backlog = queue(&["a"]);
    let first = backlog.take(demand(1), at(0)).received[0].clone();
    assert_eq!(backlog.holding(first.sequence, 1, at(29)), Holding::InFlight { since: at(0) });
    assert_eq!(backlog.holding(first.sequence, 1, at(30)), Holding::Expired { is_last: true });
    backlog.take(demand(1), at(30));
    assert_eq!(backlog.holding(first.sequence, 1, at(31)), Holding::Superseded { since: at(30) });
    assert_eq!(backlog.holding(first.sequence, 2, at(31)), Holding::InFlight { since: at(30) });
    backlog.remove(first.sequence);
    assert_eq!(backlog.holding(first.sequence, 2, at(31)), Holding::Gone);
}

#[test]
fn groups_are_in_order_and_do_not_wait_for_each_other() {
    let mut backlog = queue(&["g/1", "h/1", "g/2", "h/2"]);
    assert_eq!(bodies(&backlog.take(demand(1), at(0))), ["1"]);
    let others = backlog.take(demand(10), at(0));
    assert_eq!(bodies(&others), ["1", "2"], "both of h, for g is in flight");
    assert!(others.received.iter().all(|received| received.message.group_id.as_deref() == Some("h")));
    assert!(bodies(&backlog.take(demand(10), at(1))).is_empty());
    backlog.remove(1);
    assert_eq!(bodies(&backlog.take(demand(10), at(1))), ["2"]);
}

#[test]
fn a_message_that_was_received_too_often_is_held_for_the_dead_letter_queue() {
    let mut backlog = queue(&["a", "b"]);
    let demand = Demand { receives_max: Some(1), ..demand(1) };
    assert_eq!(bodies(&backlog.take(demand, at(0))), ["a"]);
    let taken = backlog.take(demand, at(30));
    assert_eq!((bodies(&taken), taken.exhausted.len()), (vec!["b"], 1));
    assert_eq!(backlog.counts(), Counts { visible: 0, in_flight: 1, delayed: 0 });
}

#[test]
fn what_moves_at_once_is_bounded_in_count_and_bytes() {
    let large = "x".repeat(1 << 20);
    for (body, expected) in [("a", EXHAUSTED_AT_ONCE_MAX), (large.as_str(), 7)] {
        let mut backlog = queue(&vec![body; 150]);
        assert_eq!(backlog.take(demand(150), at(0)).received.len(), 150);
        let demand = Demand { receives_max: Some(1), ..demand(1) };
        assert_eq!(backlog.take(demand, at(30)).exhausted.len(), expected);
        let mut backlog = queue(&vec![body; 150]);
        assert_eq!(backlog.hold(EXHAUSTED_AT_ONCE_MAX, u64::MAX, at(0)).len(), expected);
    }
    let mut backlog = queue(&["x".repeat(2 * MOVED_BYTES_MAX).as_str()]);
    assert_eq!(backlog.hold(1, u64::MAX, at(0)).len(), 1, "one message moves however large it is");
}

#[test]
fn what_cannot_be_made_durable_is_put_back_as_it_was() {
    let mut backlog = queue(&["a"]);
    let taken = backlog.take(demand(1), at(0));
    backlog.put_back(&taken.received);
    let again = backlog.take(demand(1), at(1));
    assert_eq!((again.received[0].receives, again.received[0].first_received), (1, at(1)));
}

#[test]
fn old_messages_expire_and_purged_ones_are_gone_in_flight_or_not() {
    let mut backlog = queue(&["a", "b"]);
    backlog.take(demand(1), at(0));
    backlog.expire(Duration::from_secs(60), at(59));
    assert_eq!(backlog.entries().count(), 2);
    backlog.expire(Duration::from_secs(60), at(60));
    assert_eq!(backlog.entries().count(), 0);
    let mut backlog = queue(&["a", "b"]);
    backlog.take(demand(1), at(0));
    backlog.purge(backlog.last_sequence());
    assert!(backlog.entries().count() == 0 && backlog.memory_bytes() == 0 && backlog.next_due().is_none());
}

/// What may happen to a FIFO queue.
#[derive(Clone, Debug)]
enum Step {
    Send(u8),
    Receive(usize),
    Delete(usize),
    Release(usize),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3u8).prop_map(Step::Send),
        (1..4usize).prop_map(Step::Receive),
        (0..8usize).prop_map(Step::Delete),
        (0..8usize).prop_map(Step::Release),
        (1..40i64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// Whatever happens: no message is received while an earlier one of its group is there and was not handed
    /// out with it, and the indices agree with the entries.
    #[test]
    fn no_message_overtakes_another_of_its_group(steps in prop::collection::vec(step(), 1..80)) {
        let mut backlog = Backlog::new(true);
        let mut now = 0;
        let mut held: Vec<u64> = Vec::new();
        for step in steps {
            match step {
                Step::Send(group) => {
                    let sequence = backlog.admit(message("", Some(&group.to_string())), 0);
                    backlog.publish(sequence, None);
                }
                Step::Receive(count) => {
                    let before: Vec<(u64, Entry)> =
                        backlog.entries().map(|(sequence, entry)| (sequence, entry.clone())).collect();
                    let taken = backlog.take(demand(count), at(now));
                    let numbers: Vec<u64> = taken.received.iter().map(|one| one.sequence).collect();
                    for one in &taken.received {
                        for (earlier, entry) in before.iter().filter(|(sequence, _)| *sequence < one.sequence) {
                            let same_group = entry.message.group_id == one.message.group_id;
                            prop_assert!(!same_group || numbers.contains(earlier), "{} before {earlier}", one.sequence);
                        }
                    }
                    held.extend(numbers);
                }
                Step::Delete(index) if index < held.len() => {
                    backlog.remove(held[index]);
                }
                Step::Release(index) if index < held.len() => backlog.hide(held[index], at(now)),
                Step::Wait(secs) => now += secs,
                Step::Delete(_) | Step::Release(_) => {}
            }
            let Counts { visible, in_flight, delayed } = backlog.counts();
            prop_assert_eq!(visible + in_flight + delayed, backlog.entries().count());
        }
    }
}
