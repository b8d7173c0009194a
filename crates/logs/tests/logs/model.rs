//! The store against the most obvious one: a list that is sorted before it is read.

use groundwatch_api::logs::{FilterLogEventsInput, GetLogEventsInput};
use groundwatch_logs::StoreOptions;
use proptest::prelude::*;

use crate::support::{GROUP, NOW, Service};

const STREAMS: [&str; 3] = ["s0", "s1", "s2"];

/// What happens to the store.
#[derive(Clone, Debug)]
enum Event {
    Put {
        stream: usize,
        offsets_ms: Vec<i64>,
    },
    Flush,
    Compact,
    Restart,
    /// The group is deleted and created again.
    NewLife,
}

fn any_event() -> impl Strategy<Value = Event> {
    // Few different moments, so that many are equal; now and then hours apart, so that batches are wide.
    let offset_ms = prop_oneof![4 => -20..20_i64, 1 => -10_000_000..5_000_000_i64];
    let put = (0..STREAMS.len(), proptest::collection::vec(offset_ms, 1..8)).prop_map(
        |(stream, mut offsets_ms)| {
            offsets_ms.sort_unstable();
            Event::Put { stream, offsets_ms }
        },
    );
    prop_oneof![
        12 => put,
        2 => Just(Event::Flush),
        1 => Just(Event::Compact),
        1 => Just(Event::Restart),
        1 => Just(Event::NewLife)
    ]
}

/// An event as it should be read: its time, its place in the order of arrival, and its stream.
type Expected = (i64, usize, usize);

async fn run(events: Vec<Event>, own_file_bytes: u64, limit: i32, from_ms: i64, to_ms: i64) {
    let options = StoreOptions { own_file_bytes, ..StoreOptions::default() };
    let mut service = Service::with_options(options).await;
    new_life(&service).await;
    let (mut expected, mut arrived): (Vec<Expected>, usize) = (Vec::new(), 0);
    for event in events {
        match event {
            Event::Put { stream, offsets_ms } => {
                let texts: Vec<String> = (arrived..).take(offsets_ms.len()).map(|n| n.to_string()).collect();
                let batch: Vec<(i64, &str)> =
                    offsets_ms.iter().copied().zip(texts.iter().map(String::as_str)).collect();
                service.put(GROUP, STREAMS[stream], &batch).await.expect("stored");
                expected.extend(offsets_ms.iter().zip(arrived..).map(|(offset, n)| (*offset, n, stream)));
                arrived += offsets_ms.len();
            }
            Event::Flush => service.flush().await,
            Event::Compact => service.compact().await,
            Event::Restart => service.restart().await,
            Event::NewLife => {
                new_life(&service).await;
                expected.clear();
            }
        }
    }
    expected.sort_unstable();
    for stream in 0..STREAMS.len() {
        let in_range = |event: &&Expected| event.2 == stream && (from_ms..to_ms).contains(&event.0);
        let numbers: Vec<usize> = expected.iter().filter(in_range).map(|(_, number, _)| *number).collect();
        for from_head in [true, false] {
            assert_eq!(read(&service, stream, from_head, limit, from_ms, to_ms).await, numbers);
        }
    }
    for (pattern, digit) in [("", None), ("1", Some('1')), ("-1", None)] {
        let wanted = |number: &usize| match (pattern, digit) {
            ("-1", _) => !number.to_string().contains('1'),
            (_, Some(digit)) => number.to_string().contains(digit),
            _ => true,
        };
        let in_range = |event: &&Expected| (from_ms..=to_ms).contains(&event.0);
        let numbers: Vec<usize> =
            expected.iter().filter(in_range).map(|(_, number, _)| *number).filter(wanted).collect();
        for from_head in [true, false] {
            assert_eq!(
                filter(&service, pattern, from_head, limit, from_ms, to_ms).await,
                numbers,
                "{pattern}"
            );
        }
    }
}

async fn new_life(service: &Service) {
    service.delete_group(GROUP).await.expect("deleted");
    service.create_group(GROUP).await.expect("created");
    for stream in STREAMS {
        service.create_stream(GROUP, stream).await.expect("created");
    }
}

/// All events of a stream in the range, by pages from either end.
async fn read(
    service: &Service,
    stream: usize,
    from_head: bool,
    limit: i32,
    from_ms: i64,
    to_ms: i64,
) -> Vec<usize> {
    let mut input = GetLogEventsInput {
        log_stream_name: Some(STREAMS[stream].to_owned()),
        start_from_head: Some(from_head),
        limit: Some(limit),
        start_time: Some(NOW.as_millis() + from_ms),
        end_time: Some(NOW.as_millis() + to_ms),
        ..Default::default()
    };
    let mut read: Vec<usize> = Vec::new();
    loop {
        let page = service.get(input.clone()).await.expect("a page");
        let numbers: Vec<usize> =
            page.events.expect("a list").iter().map(|event| number(event.message.as_deref())).collect();
        if numbers.is_empty() {
            return read;
        }
        assert!(numbers.len() <= limit as usize);
        if from_head {
            read.extend(numbers);
        } else {
            read.splice(0..0, numbers);
        }
        input.next_token = if from_head { page.next_forward_token } else { page.next_backward_token };
    }
}

/// All events of the group in the range that match, by pages from either end.
async fn filter(
    service: &Service,
    pattern: &str,
    from_head: bool,
    limit: i32,
    from_ms: i64,
    to_ms: i64,
) -> Vec<usize> {
    let mut input = FilterLogEventsInput {
        filter_pattern: Some(pattern.to_owned()),
        start_from_head: Some(from_head),
        limit: Some(limit),
        start_time: Some(NOW.as_millis() + from_ms),
        end_time: Some(NOW.as_millis() + to_ms),
        ..Default::default()
    };
    let mut found: Vec<usize> = Vec::new();
    loop {
        let page = service.filter(input.clone()).await.expect("a page");
        found.extend(page.events.expect("a list").iter().map(|event| number(event.message.as_deref())));
        match page.next_token {
            Some(token) => input.next_token = Some(token),
            None => break,
        }
    }
    if !from_head {
        found.reverse();
    }
    found
}

fn number(message: Option<&str>) -> usize {
    message.and_then(|message| message.parse().ok()).expect("the messages are numbers")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_happens_reading_gives_what_was_written(
        events in proptest::collection::vec(any_event(), 1..40),
        own_file_bytes in prop_oneof![Just(0), Just(u64::MAX)],
        limit in 1..9_i32,
        from_ms in prop_oneof![-25..25_i64, Just(-20_000_000)],
        to_ms in prop_oneof![-25..25_i64, Just(10_000_000)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(run(events, own_file_bytes, limit, from_ms, to_ms));
    }
}
