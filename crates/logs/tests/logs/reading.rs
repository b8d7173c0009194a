//! `GetLogEvents`: what is on a page, and where its tokens lead.

use std::sync::Arc;

use groundwatch_api::logs::GetLogEventsInput;
use groundwatch_logs::StoreOptions;

use crate::support::{GROUP, NOW, STREAM, Service, assert_refused};

/// Where the events lie when reading begins.
#[derive(Clone, Copy, Debug)]
enum Placement {
    Memory,
    Segment,
    Both,
    /// Merged with other groups' events, as text.
    Merged,
    /// Merged into a file of the group, by shape.
    Shaped,
    AfterRestart,
}

/// A stream of one-letter events, given as `a1 b2`: the letter, then milliseconds after now. Each word is a
/// batch of its own; `a1,b2` are one batch.
async fn stream(events: &str, placement: Placement) -> Service {
    let own_file_bytes = if matches!(placement, Placement::Shaped) { 0 } else { u64::MAX };
    let options = StoreOptions { own_file_bytes, ..StoreOptions::default() };
    let mut service = Service::with_options(options).await;
    let batches: Vec<&str> = events.split_whitespace().collect();
    for (index, batch) in batches.iter().enumerate() {
        put(&service, batch).await;
        let merged = matches!(placement, Placement::Merged | Placement::Shaped);
        if merged || (matches!(placement, Placement::Both) && index == batches.len() / 2) {
            service.flush().await;
        }
    }
    match placement {
        Placement::Memory | Placement::Both => {}
        Placement::Segment => service.flush().await,
        Placement::Merged | Placement::Shaped => service.compact().await,
        Placement::AfterRestart => service.restart().await,
    }
    service
}

async fn put(service: &Service, batch: &str) {
    let events: Vec<(i64, &str)> =
        batch.split(',').map(|event| (event[1..].parse().expect("milliseconds"), &event[..1])).collect();
    service.put(GROUP, STREAM, &events).await.expect("stored");
}

/// Reads pages by a script, and tells their letters: `-` for an empty page.
///
/// `request` is made of `head` or `tail`, `limit=N`, `from=MS`, `to=MS`. It is the first page; the steps go
/// on from the page before: `f` and `b` follow its tokens, `+x9` puts an event, `!` flushes, `~` merges, `^`
/// restarts.
async fn walk(service: &mut Service, request: &str, steps: &str) -> String {
    let mut input = GetLogEventsInput::default();
    for part in request.split_whitespace() {
        let number = |text: &str| text.parse::<i64>().expect("a number");
        match part.split_once('=') {
            None => input.start_from_head = (part == "head").then_some(true),
            Some(("limit", limit)) => input.limit = Some(limit.parse().expect("a limit")),
            Some(("from", from)) => input.start_time = Some(NOW.as_millis() + number(from)),
            Some(("to", to)) => input.end_time = Some(NOW.as_millis() + number(to)),
            Some(_) => panic!("`{part}` is no part of a request"),
        }
    }
    let mut pages = Vec::new();
    let mut tokens = (String::new(), String::new());
    for step in ["first"].into_iter().chain(steps.split_whitespace()) {
        match step {
            "!" => service.flush().await,
            "~" => service.compact().await,
            "^" => service.restart().await,
            _ if step.starts_with('+') => put(service, &step[1..]).await,
            _ => {
                input.next_token = match step {
                    "f" => Some(tokens.0.clone()),
                    "b" => Some(tokens.1.clone()),
                    _ => None,
                };
                let page = service.get(input.clone()).await.expect("a page");
                tokens = (
                    page.next_forward_token.expect("always there"),
                    page.next_backward_token.expect("always there"),
                );
                let letters: String =
                    page.events.expect("a list").into_iter().filter_map(|event| event.message).collect();
                if letters.is_empty() {
                    let same = input.next_token.iter().all(|token| *token == tokens.0 || *token == tokens.1);
                    assert!(same, "the end answers the token that was passed: `{request}` `{steps}`");
                }
                pages.push(if letters.is_empty() { "-".to_owned() } else { letters });
            }
        }
    }
    pages.join(" ")
}

/// Checks a table of (request, steps, pages) on the same events in every placement.
async fn check(events: &str, table: &[(&str, &str, &str)]) {
    for placement in [
        Placement::Memory,
        Placement::Segment,
        Placement::Both,
        Placement::Merged,
        Placement::Shaped,
        Placement::AfterRestart,
    ] {
        let mut service = stream(events, placement).await;
        for (request, steps, pages) in table {
            assert!(!steps.contains(['+', '!', '~', '^']), "shared by all lines: use check_changing");
            let walked = walk(&mut service, request, steps).await;
            assert_eq!(walked, *pages, "`{request}` `{steps}` on {events} in {placement:?}");
        }
    }
}

/// Checks lines whose steps change the stream: each on a stream of its own.
async fn check_changing(events: &str, table: &[(&str, &str, &str)]) {
    for placement in [Placement::Memory, Placement::Segment, Placement::Shaped] {
        for (request, steps, pages) in table {
            let mut service = stream(events, placement).await;
            let walked = walk(&mut service, request, steps).await;
            assert_eq!(walked, *pages, "`{request}` `{steps}` on {events} in {placement:?}");
        }
    }
}

#[tokio::test]
async fn without_a_token_a_page_is_the_tail_unless_the_head_is_asked_for() {
    check(
        "a1 b2,c2,d2 e5",
        &[
            ("tail", "", "abcde"),
            ("head", "", "abcde"),
            ("tail limit=2", "", "de"),
            ("head limit=2", "", "ab"),
            ("tail limit=1", "", "e"),
            ("head limit=5", "", "abcde"),
            ("tail limit=6", "", "abcde"),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_start_is_in_and_the_end_is_out() {
    check(
        "a1 b2,c2,d2 e5",
        &[
            ("tail from=2", "", "bcde"),
            ("head from=2", "", "bcde"),
            ("head from=3", "", "e"),
            ("head from=5", "", "e"),
            ("head from=6", "", "-"),
            ("head to=1", "", "-"),
            ("head to=2", "", "a"),
            ("tail to=2", "", "a"),
            ("tail to=3", "", "abcd"),
            ("tail to=3 limit=2", "", "cd"),
            ("head from=2 to=2", "", "-"),
            ("head from=2 to=3", "", "bcd"),
            ("head from=1 to=5 limit=3", "", "abc"),
            ("tail from=1 to=5 limit=3", "", "bcd"),
            ("head from=5 to=2", "", "-"),
        ],
    )
    .await;
}

#[tokio::test]
async fn tokens_walk_both_ways_without_gap_or_repetition() {
    check(
        "a1 b2,c2,d2 e5",
        &[
            ("head limit=2", "f f f", "ab cd e -"),
            ("tail limit=2", "b b b", "de bc a -"),
            ("head limit=2", "f b", "ab cd ab"),
            ("tail limit=2", "b f", "de bc de"),
            ("head limit=2", "f f b b", "ab cd e cd ab"),
            ("tail limit=2", "b b f f", "de bc a bc de"),
            ("head limit=1", "f f f f f", "a b c d e -"),
            ("tail limit=1", "b b b b b", "e d c b a -"),
        ],
    )
    .await;
}

#[tokio::test]
async fn both_ends_answer_the_same_token_again() {
    check(
        "a1 b2,c2,d2 e5",
        &[
            ("tail", "f", "abcde -"),
            ("tail", "f f f", "abcde - - -"),
            ("head", "b b", "abcde - -"),
            ("tail limit=2", "f b", "de - de"),
            ("head limit=2", "b f", "ab - ab"),
            ("head limit=2", "f f f b", "ab cd e - de"),
            ("tail limit=2", "b b b f", "de bc a - ab"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_range_may_be_repeated_with_the_token() {
    check(
        "a1 b2,c2,d2 e5",
        &[
            ("head limit=1 from=2 to=3", "f f f", "b c d -"),
            ("tail limit=1 from=2 to=3", "b b b", "d c b -"),
            ("tail limit=1 from=2 to=3", "b b f f f", "d c b c d -"),
            ("head limit=2 from=2", "f f", "bc de -"),
            ("tail limit=3 to=5", "b b", "bcd a -"),
        ],
    )
    .await;
}

#[tokio::test]
async fn equal_timestamps_stand_in_the_order_of_arrival() {
    check(
        "a1 b1 c1,d1 e1",
        &[
            ("head", "", "abcde"),
            ("head limit=2", "f f f", "ab cd e -"),
            ("tail limit=2", "b b b", "de bc a -"),
        ],
    )
    .await;
}

#[tokio::test]
async fn late_batches_are_sorted_in() {
    check(
        "e5,g7 a1,f6 b2,c3,d4",
        &[
            ("head", "", "abcdefg"),
            ("head limit=2", "f f f f", "ab cd ef g -"),
            ("tail limit=2", "b b b b", "fg de bc a -"),
            ("tail limit=1", "b b", "g f e"),
            ("head from=3 to=6", "", "cde"),
            ("tail from=3 to=6 limit=2", "b", "de c"),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_is_written_meanwhile_is_found_by_going_on() {
    check_changing(
        "a1 b2,c2,d2 e5",
        &[
            ("tail", "+x6 f f", "abcde x -"),
            ("tail", "f +x6 f", "abcde - x"),
            // At the last moment that was seen: it arrived later, so it stands behind.
            ("tail", "+x5 f", "abcde x"),
            ("tail", "f +x5 +y5 f", "abcde - xy"),
            // Before the place where the reader is: it does not turn back.
            ("tail", "+x4 f", "abcde -"),
            ("tail limit=2", "+x1 b b", "de bc ax"),
            ("tail limit=2", "+x9 b", "de bc"),
            ("head limit=2", "+x9 f f f", "ab cd ex -"),
            ("head limit=2", "f +x2 f f", "ab cd xe -"),
            ("head limit=2", "f +x2 b", "ab cd ab"),
        ],
    )
    .await;
}

#[tokio::test]
async fn flushes_merges_and_restarts_do_not_move_a_reader() {
    check_changing(
        "a1 b2,c2,d2 e5",
        &[
            ("head limit=2", "! f ^ f f", "ab cd e -"),
            ("tail limit=2", "^ b ! b b", "de bc a -"),
            ("tail", "f ! +x5 ^ f f", "abcde - x -"),
            ("tail", "+x6 ! +y6 f ^ +z6 f", "abcde xy z"),
            ("head limit=2", "! ~ f f f", "ab cd e -"),
            ("tail limit=2", "! b ~ b b", "de bc a -"),
            ("tail", "+x6 ! +y6 ! ~ f +z6 ! ~ ^ f", "abcde xy z"),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_empty_stream_has_both_tokens_and_can_be_followed() {
    check_changing(
        "",
        &[
            ("tail", "f b", "- - -"),
            ("head", "f b", "- - -"),
            ("tail", "+x3 f f", "- x -"),
            ("tail", "f f +x3 f b", "- - - x -"),
            ("tail from=5", "+x3 f +y5 f", "- - y"),
            ("head to=5", "+x3 +y5 f", "- x"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_page_ends_before_a_megabyte() {
    let mut service = Service::new().await;
    let text = "x".repeat(300_000);
    for offset in 0..8 {
        service.put(GROUP, STREAM, &[(offset, &text)]).await.expect("stored");
        if offset == 4 {
            service.flush().await;
        }
    }
    let lengths = |pages: String| pages.split(' ').map(|page| page.len() / 300_000).collect::<Vec<_>>();
    assert_eq!(lengths(walk(&mut service, "head", "f f f").await), [3, 3, 2, 0]);
    assert_eq!(lengths(walk(&mut service, "tail", "b b b").await), [3, 3, 2, 0]);
}

#[tokio::test]
async fn the_largest_event_fits_a_page() {
    let service = Service::new().await;
    let text = "x".repeat(1_048_576 - 26);
    service.put(GROUP, STREAM, &[(0, &text)]).await.expect("stored");
    service.flush().await;
    let page = service.get(GetLogEventsInput::default()).await.expect("a page");
    assert_eq!(page.events.expect("a list")[0].message.as_deref(), Some(text.as_str()));
}

#[tokio::test]
async fn other_tokens_are_refused() {
    let service = Service::new().await;
    for token in ["x", "f/0/s", "n/00000000000000000000000000000000000000000000000000000000/s"] {
        let input = GetLogEventsInput { next_token: Some(token.to_owned()), ..Default::default() };
        let refused = service.get(input).await;
        assert_refused(refused, "InvalidParameterException", "The specified nextToken is invalid.");
    }
}

#[tokio::test]
async fn a_stream_is_found_by_its_groups_identifier() {
    let service = stream("a1", Placement::Memory).await;
    for identifier in [GROUP, "arn:aws:logs:us-east-1:000000000000:log-group:group"] {
        let input =
            GetLogEventsInput { log_group_identifier: Some(identifier.to_owned()), ..Default::default() };
        assert_eq!(
            service.get(input).await.expect("a page").events.expect("a list").len(),
            1,
            "{identifier}"
        );
    }
    let both = GetLogEventsInput {
        log_group_name: Some(GROUP.to_owned()),
        log_group_identifier: Some(GROUP.to_owned()),
        ..Default::default()
    };
    let text = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
    assert_refused(service.get(both).await, "ValidationException", text);
    let missing = GetLogEventsInput { log_stream_name: Some("x".to_owned()), ..Default::default() };
    let text = "The specified log stream does not exist.";
    assert_refused(service.get(missing).await, "ResourceNotFoundException", text);
}

/// Writers in parallel put events of one and the same moment; who follows the stream by its forward token
/// gets each event once, in the order that a later reader sees.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_follower_misses_nothing_of_parallel_writers() {
    const WRITERS: usize = 8;
    const EVENTS: usize = 40;
    let service = Arc::new(Service::new().await);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let service = service.clone();
        writers.spawn(async move {
            for event in 0..EVENTS {
                let text = format!("{writer}.{event}");
                service.put(GROUP, STREAM, &[(0, &text)]).await.expect("stored");
                if writer == 0 && event % 16 == 0 {
                    service.flush_while_writing().await;
                }
            }
        });
    }
    let mut followed: Vec<String> = Vec::new();
    let mut token = None;
    while followed.len() < WRITERS * EVENTS {
        // Only a page that was asked for after the last writer was done can be the end.
        while let Some(done) = writers.try_join_next() {
            done.expect("no panic");
        }
        let writers_are_done = writers.is_empty();
        let input =
            GetLogEventsInput { next_token: token, start_from_head: Some(true), ..Default::default() };
        let page = service.get(input).await.expect("a page");
        token = page.next_forward_token;
        let events = page.events.expect("a list");
        if events.is_empty() && writers_are_done {
            break;
        }
        followed.extend(events.into_iter().filter_map(|event| event.message));
    }
    while let Some(done) = writers.join_next().await {
        done.expect("no panic");
    }
    assert_eq!(followed.len(), WRITERS * EVENTS);
    assert_eq!(followed, all_messages(&service).await);
    // Some records are in a segment and in the journal: the flushes ran between their acknowledgements.
    let mut service = Arc::into_inner(service).expect("no writer is left");
    service.restart().await;
    assert_eq!(followed, all_messages(&service).await);
}

async fn all_messages(service: &Service) -> Vec<String> {
    let input = GetLogEventsInput { start_from_head: Some(true), ..Default::default() };
    let events = service.get(input).await.expect("a page").events.expect("a list");
    events.into_iter().filter_map(|event| event.message).collect()
}
