//! `PutLogEvents` in JSON: a short head that names group and stream, and a long tail of events that is
//! encoded ahead.

use bytes::Bytes;
use groundwatch_core::Timestamp;

use super::{BodyWriter, StampForm, StampedBody};
use crate::corpus::logs::Event;

/// AWS's bound on a batch: the sum of message bytes and 26 for each event.
pub const BATCH_BYTES_MAX: usize = 1_048_576;
/// What each event counts besides its message.
pub const EVENT_OVERHEAD_BYTES: usize = 26;
/// AWS's bound on the number of events in a batch.
pub const BATCH_EVENTS_MAX: usize = 10_000;

/// Takes events from `next` until a batch of at most `batch_bytes` is full, by AWS's way of counting.
///
/// The batch has at least one event. The event that did not fit any more is lost.
pub fn full_batch(batch_bytes: usize, mut next: impl FnMut() -> Event) -> Vec<Event> {
    let mut events = vec![next()];
    let mut size_bytes = counted_bytes(&events[0]);
    while events.len() < BATCH_EVENTS_MAX {
        let event = next();
        size_bytes += counted_bytes(&event);
        if size_bytes > batch_bytes {
            break;
        }
        events.push(event);
    }
    events
}

fn counted_bytes(event: &Event) -> usize {
    event.message.len() + EVENT_OVERHEAD_BYTES
}

/// The body up to the events.
pub fn head(group: &str, stream: &str) -> Bytes {
    let mut head = BodyWriter::new(StampForm::Millis);
    head.text(r#"{"logGroupName":"#);
    head.json_string(group);
    head.text(r#","logStreamName":"#);
    head.json_string(stream);
    head.text(r#","logEvents":["#);
    head.bytes.into()
}

/// The body from the first event on. The last event has the newest timestamp.
pub fn tail(events: &[Event]) -> StampedBody {
    let newest = events.last().map_or(Timestamp::EPOCH, |event| event.timestamp);
    let mut tail = BodyWriter::new(StampForm::Millis);
    for (index, event) in events.iter().enumerate() {
        tail.text(if index == 0 { r#"{"timestamp":"# } else { r#",{"timestamp":"# });
        let age_ms = newest.since(event.timestamp).as_millis();
        tail.stamp(u32::try_from(age_ms).unwrap_or(u32::MAX));
        tail.text(r#","message":"#);
        tail.json_string(&event.message);
        tail.text("}");
    }
    tail.text("]}");
    tail.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::corpus::logs::Generator;

    #[test]
    fn head_and_tail_make_a_request_with_the_messages_unchanged() {
        let events: Vec<Event> = Generator::new(1).take(300).collect();
        let moment = Timestamp::from_millis(1_767_323_045_678);
        let body = [head("/a", "b"), tail(&events).stamped(moment)].concat();
        let read: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!((&read["logGroupName"], &read["logStreamName"]), (&"/a".into(), &"b".into()));
        let read = read["logEvents"].as_array().expect("a list");
        assert_eq!(read.len(), 300);
        let newest = events[299].timestamp;
        for (event, read) in events.iter().zip(read) {
            assert_eq!(read["message"], event.message);
            assert_eq!(read["timestamp"], (moment - newest.since(event.timestamp)).as_millis());
        }
    }

    #[test]
    fn full_batch_is_just_below_aws_s_bound() {
        let mut generator = Generator::new(1);
        let events = full_batch(BATCH_BYTES_MAX, || generator.event_in(3));
        let size_bytes: usize = events.iter().map(counted_bytes).sum();
        assert!((BATCH_BYTES_MAX - 6_000..=BATCH_BYTES_MAX).contains(&size_bytes), "{size_bytes}");
    }

    #[test]
    fn batch_of_small_events_stops_at_ten_thousand() {
        let mut generator = Generator::new(1);
        let events =
            full_batch(BATCH_BYTES_MAX, || Event { message: "x".to_owned(), ..generator.event_in(0) });
        assert_eq!(events.len(), BATCH_EVENTS_MAX);
    }
}
