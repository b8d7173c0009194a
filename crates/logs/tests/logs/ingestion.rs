//! `PutLogEvents`: what is taken, what is refused, and what the store's budget says.

use std::time::Duration;

use groundwatch_api::logs::{CreateLogGroupInput, GetLogEventsInput, LogGroupClass, RejectedLogEventsInfo};
use groundwatch_logs::StoreOptions;

use crate::support::{GROUP, STREAM, Service, assert_refused};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

async fn messages(service: &Service) -> Vec<String> {
    let input = GetLogEventsInput { start_from_head: Some(true), ..Default::default() };
    let page = service.get(input).await.expect("a page");
    page.events.expect("a list").into_iter().filter_map(|event| event.message).collect()
}

#[tokio::test]
async fn a_token_of_56_digits_is_still_answered() {
    let service = Service::new().await;
    let output = service.put(GROUP, STREAM, &[(0, "a")]).await.expect("stored");
    let token = output.next_sequence_token.expect("a token");
    assert!(token.len() == 56 && token.bytes().all(|byte| byte.is_ascii_digit()), "{token}");
    assert_eq!(output.rejected_log_events_info, None);
}

#[tokio::test]
async fn rejected_events_are_told_and_the_rest_is_stored() {
    let service = Service::new().await;
    let events = [(-15 * DAY_MS, "old"), (-1, "a"), (0, "b"), (3 * HOUR_MS, "new")];
    let output = service.put(GROUP, STREAM, &events).await.expect("stored");
    let expected = RejectedLogEventsInfo {
        too_old_log_event_end_index: Some(1),
        too_new_log_event_start_index: Some(3),
        expired_log_event_end_index: None,
    };
    assert_eq!(output.rejected_log_events_info, Some(expected));
    assert_eq!(messages(&service).await, ["a", "b"]);
    let output = service.put(GROUP, STREAM, &[(3 * HOUR_MS, "new")]).await.expect("answered");
    assert!(output.rejected_log_events_info.is_some());
    assert_eq!(messages(&service).await, ["a", "b"]);
}

#[tokio::test]
async fn whole_batches_are_refused_with_the_words_of_aws() {
    let service = Service::new().await;
    for (group, stream, events, shape, message) in [
        ("x", STREAM, vec![(0, "a")], "ResourceNotFoundException", "The specified log group does not exist."),
        (GROUP, "x", vec![(0, "a")], "ResourceNotFoundException", "The specified log stream does not exist."),
        (
            GROUP,
            STREAM,
            vec![(1, "a"), (0, "b")],
            "InvalidParameterException",
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        (
            GROUP,
            STREAM,
            vec![(-DAY_MS - 1, "a"), (0, "b")],
            "InvalidParameterException",
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
    ] {
        assert_refused(service.put(group, stream, &events).await, shape, message);
    }
    let half = "x".repeat(524_288 - 25);
    let text = "Upload too large: 1048578 bytes exceeds limit of 1048576";
    let refused = service.put(GROUP, STREAM, &[(0, &half), (0, &half)]).await;
    assert_refused(refused, "InvalidParameterException", text);
    assert!(messages(&service).await.is_empty());
}

#[tokio::test]
async fn exact_bytes_come_back_from_memory_journal_and_segment() {
    let mut service = Service::new().await;
    let texts = ["\u{0}\u{1}\t\r\n", "zwölf 🦀", " ", "{\"a\": \"\\u00e9\"}", "\u{feff}bom"];
    let events: Vec<(i64, &str)> = texts.iter().map(|text| (0, *text)).collect();
    service.put(GROUP, STREAM, &events).await.expect("stored");
    assert_eq!(messages(&service).await, texts);
    service.restart().await;
    assert_eq!(messages(&service).await, texts);
    service.flush().await;
    assert_eq!(messages(&service).await, texts);
}

#[tokio::test]
async fn classes_without_reading_refuse_it() {
    let service = Service::new().await;
    let input = CreateLogGroupInput {
        log_group_name: Some("cheap".to_owned()),
        log_group_class: Some(LogGroupClass::InfrequentAccess),
        ..Default::default()
    };
    service.call::<groundwatch_api::logs::CreateLogGroup>(input).await.expect("created");
    service.create_stream("cheap", STREAM).await.expect("created");
    service.put("cheap", STREAM, &[(0, "a")]).await.expect("stored");
    let input = GetLogEventsInput { log_group_name: Some("cheap".to_owned()), ..Default::default() };
    let text = "GetLogEvents is not supported for log groups of this log group class.";
    assert_refused(service.get(input).await, "InvalidOperationException", text);
}

#[tokio::test]
async fn over_its_budget_the_store_throttles_until_a_flush() {
    let options = StoreOptions {
        flush_bytes: 4_000,
        head_bytes_max: 8_000,
        room_wait: Duration::ZERO,
        ..StoreOptions::default()
    };
    let service = Service::with_options(options).await;
    let text = "x".repeat(1_000);
    let mut stored = 0;
    let refused = loop {
        match service.put(GROUP, STREAM, &[(stored, &text)]).await {
            Ok(_) => stored += 1,
            Err(fault) => break fault,
        }
    };
    assert!((3..8).contains(&stored), "{stored} events of 1 kB fit 8 kB");
    assert_eq!(refused.shape.shape, "ThrottlingException");
    service.flush().await;
    service.put(GROUP, STREAM, &[(stored, &text)]).await.expect("room again");
    assert_eq!(messages(&service).await.len() as i64, stored + 1);
}
