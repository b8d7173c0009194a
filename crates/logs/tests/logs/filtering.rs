//! `FilterLogEvents`: which events of a group, in which order, page by page.

use groundwatch_api::logs::{FilterLogEventsInput, TestMetricFilter, TestMetricFilterInput};

use crate::support::{GROUP, NOW, STREAM, Service, assert_refused};

/// Streams `api`, `app` and `db` with events at milliseconds after now; the second half in memory, the first
/// in a segment.
async fn service() -> Service {
    let service = Service::new().await;
    for stream in ["api", "app", "db"] {
        service.create_stream(GROUP, stream).await.expect("created");
    }
    put(&service, "db", &[(1, "open"), (6, "ERROR disk full")]).await;
    put(&service, "api", &[(2, "GET /a"), (4, "ERROR timeout")]).await;
    service.flush().await;
    put(&service, "app", &[(2, "start"), (3, "GET inner"), (9, "ERROR by user timeout")]).await;
    put(&service, "api", &[(4, "GET /b"), (8, "stop")]).await;
    service
}

async fn put(service: &Service, stream: &str, events: &[(i64, &str)]) {
    service.put(GROUP, stream, events).await.expect("stored");
}

fn from_now(offset_ms: i64) -> Option<i64> {
    Some(NOW.as_millis() + offset_ms)
}

/// Follows tokens to the end, and tells the pages' messages, joined by `, `.
async fn pages(service: &Service, mut input: FilterLogEventsInput) -> Vec<String> {
    let mut pages = Vec::new();
    loop {
        let page = service.filter(input.clone()).await.expect("a page");
        assert_eq!(page.searched_log_streams, Some(Vec::new()));
        let messages = page.events.expect("a list").into_iter().filter_map(|event| event.message);
        pages.push(messages.collect::<Vec<_>>().join(", "));
        match page.next_token {
            Some(token) => input.next_token = Some(token),
            None => return pages,
        }
    }
}

/// Checks all messages that a request finds, whatever the size of its pages.
async fn check(input: FilterLogEventsInput, expected: &str) {
    let service = service().await;
    assert_eq!(pages(&service, input.clone()).await, [expected], "{input:?}");
    for limit in 1..=4 {
        let paged = pages(&service, FilterLogEventsInput { limit: Some(limit), ..input.clone() }).await;
        let messages: Vec<_> = paged.into_iter().filter(|page| !page.is_empty()).collect();
        assert_eq!(messages.join(", "), expected, "{limit} a page: {input:?}");
    }
}

fn pattern(pattern: &str) -> FilterLogEventsInput {
    FilterLogEventsInput { filter_pattern: Some(pattern.to_owned()), ..Default::default() }
}

const ALL: &str =
    "open, GET /a, start, GET inner, ERROR timeout, GET /b, ERROR disk full, stop, ERROR by user timeout";

#[tokio::test]
async fn streams_are_merged_by_time_and_arrival() {
    check(FilterLogEventsInput::default(), ALL).await;
    check(FilterLogEventsInput { interleaved: Some(false), ..Default::default() }, ALL).await;
    check(FilterLogEventsInput { start_from_head: Some(true), ..Default::default() }, ALL).await;
}

#[tokio::test]
async fn both_ends_of_the_range_are_in() {
    let range = |from, to| FilterLogEventsInput {
        start_time: from_now(from),
        end_time: from_now(to),
        ..Default::default()
    };
    check(range(2, 4), "GET /a, start, GET inner, ERROR timeout, GET /b").await;
    check(range(4, 4), "ERROR timeout, GET /b").await;
    check(range(9, 20), "ERROR by user timeout").await;
    check(range(5, 5), "").await;
    check(range(5, 4), "").await;
}

#[tokio::test]
async fn patterns_choose_events() {
    check(pattern("ERROR"), "ERROR timeout, ERROR disk full, ERROR by user timeout").await;
    check(pattern("ERROR timeout"), "ERROR timeout, ERROR by user timeout").await;
    check(pattern("ERROR -\"by user\""), "ERROR timeout, ERROR disk full").await;
    check(pattern("?start ?stop"), "start, stop").await;
    check(pattern("-ERROR -GET"), "open, start, stop").await;
    check(pattern("nothing"), "").await;
    check(pattern(" "), ALL).await;
}

#[tokio::test]
async fn streams_are_chosen_by_names_or_prefix() {
    let named = |names: &[&str]| FilterLogEventsInput {
        log_stream_names: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..Default::default()
    };
    let prefixed = |prefix: &str| FilterLogEventsInput {
        log_stream_name_prefix: Some(prefix.to_owned()),
        ..Default::default()
    };
    check(named(&["db"]), "open, ERROR disk full").await;
    check(named(&["db", "app"]), "open, start, GET inner, ERROR disk full, ERROR by user timeout").await;
    check(prefixed("ap"), &ALL.replace("open, ", "").replace("ERROR disk full, ", "")).await;
    check(prefixed("x"), "").await;
    let service = service().await;
    let text = "The specified log stream does not exist.";
    assert_refused(service.filter(named(&["db", "x"])).await, "ResourceNotFoundException", text);
    let both = FilterLogEventsInput { log_stream_name_prefix: Some("a".to_owned()), ..named(&["db"]) };
    let text = "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.";
    assert_refused(service.filter(both).await, "InvalidParameterException", text);
}

#[tokio::test]
async fn the_tail_comes_first_if_asked_for() {
    let from_tail =
        FilterLogEventsInput { start_from_head: Some(false), start_time: from_now(3), ..Default::default() };
    let expected = "ERROR by user timeout, stop, ERROR disk full, GET /b, ERROR timeout, GET inner";
    check(from_tail.clone(), expected).await;
    let text = "startFromHead can be false only with a startTime of 2024-01-01T00:00:00Z or later.";
    let without_start = FilterLogEventsInput { start_time: None, ..from_tail };
    assert_refused(service().await.filter(without_start).await, "InvalidParameterException", text);
}

#[tokio::test]
async fn event_ids_are_unique_ordered_and_stay() {
    let mut service = service().await;
    let ids = async |service: &Service| -> Vec<String> {
        let page = service.filter(FilterLogEventsInput::default()).await.expect("a page");
        page.events.expect("a list").into_iter().filter_map(|event| event.event_id).collect()
    };
    let before = ids(&service).await;
    assert!(before.is_sorted_by(|a, b| a < b));
    assert!(before.iter().all(|id| id.len() == 56 && id.bytes().all(|byte| byte.is_ascii_digit())));
    service.restart().await;
    assert_eq!(ids(&service).await, before);
    service.flush().await;
    service.restart().await;
    assert_eq!(ids(&service).await, before);
}

#[tokio::test]
async fn every_form_of_pattern_selects_events() {
    let service = Service::new().await;
    let messages = ["{\"status\":404}", "{\"status\":200}", "GET / 404", "GET / 200"];
    let events: Vec<_> = (0..).zip(messages).collect();
    service.put(GROUP, STREAM, &events).await.expect("stored");
    for (text, expected) in [
        ("{ $.status = 404 }", vec![messages[0]]),
        ("[method = GET, path, status < 300]", vec![messages[3]]),
        ("%40[0-9]%", vec![messages[0], messages[2]]),
        ("-GET", vec![messages[0], messages[1]]),
    ] {
        let found = service.filter(pattern(text)).await.expect("found").events.expect("a list");
        let found: Vec<_> = found.into_iter().filter_map(|event| event.message).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[tokio::test]
async fn wrong_patterns_are_refused_with_reason_and_position() {
    let service = service().await;
    for (text, message) in [
        (
            "{ $.a ~ 1 }",
            "Invalid filter pattern: an operator (=, !=, <, <=, > or >=) is expected at character 7",
        ),
        ("[a, a]", "Invalid filter pattern: the field `a` is there twice at character 5"),
        (
            "ERROR %(x)%",
            "Invalid filter pattern: `(` is not supported in a regular expression at character 8",
        ),
        ("a=b", "Invalid filter pattern: `=` must stand in double quotes at character 2"),
    ] {
        assert_refused(service.filter(pattern(text)).await, "InvalidParameterException", message);
    }
}

#[tokio::test]
async fn a_pattern_can_be_tested_on_messages() {
    let input = TestMetricFilterInput {
        filter_pattern: Some("[level = ERROR, code]".to_owned()),
        log_event_messages: Some(["INFO 1", "ERROR 2", "ERROR 3"].map(str::to_owned).to_vec()),
    };
    let output = service().await.call::<TestMetricFilter>(input).await.expect("tested");
    let matches: Vec<_> = output
        .matches
        .expect("a list")
        .into_iter()
        .map(|record| {
            let code = record.extracted_values.and_then(|values| values.get("$code").cloned());
            (record.event_number, record.event_message, code)
        })
        .collect();
    let expected =
        |number, message: &str, code: &str| (Some(number), Some(message.to_owned()), Some(code.to_owned()));
    assert_eq!(matches, [expected(2, "ERROR 2", "2"), expected(3, "ERROR 3", "3")]);
}

#[tokio::test]
async fn tokens_of_other_requests_are_refused() {
    let service = service().await;
    service.create_group("other").await.expect("created");
    service.create_stream("other", "s").await.expect("created");
    let first = FilterLogEventsInput { limit: Some(1), ..Default::default() };
    let token = service.filter(first.clone()).await.expect("a page").next_token;
    assert!(token.is_some());
    for (group, token) in [("other", token), (GROUP, Some("invalid-token".to_owned()))] {
        let input = FilterLogEventsInput {
            log_group_name: Some(group.to_owned()),
            next_token: token,
            ..first.clone()
        };
        let text = "The specified nextToken is invalid.";
        assert_refused(service.filter(input).await, "InvalidParameterException", text);
    }
}
