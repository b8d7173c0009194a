//! Merging: what goes from file to file as it is, what is written anew, and what is left behind.

use groundwatch_api::logs::{DeleteLogStreamInput, GetLogEventsInput};
use groundwatch_logs::StoreOptions;

use crate::support::{GROUP, STREAM, Service};

/// So many files of one group are merged at once.
const FILES: i64 = 8;
/// Events of a file: few, and so large that their row group is worth keeping as it is.
const EVENTS: i64 = 6;

fn text(number: i64) -> String {
    format!("event {number} {}", "0123456789abcdef".repeat(12_500 + number as usize))
}

/// A store that has written `FILES` files of the group, each with events of two streams.
async fn with_files() -> Service {
    let options = StoreOptions { own_file_bytes: 0, ..StoreOptions::default() };
    let service = Service::with_options(options).await;
    service.create_stream(GROUP, "other").await.expect("created");
    for file in 0..FILES {
        for number in file * EVENTS..(file + 1) * EVENTS {
            let stream = if number % 2 == 0 { STREAM } else { "other" };
            service.put(GROUP, stream, &[(number, &text(number))]).await.expect("stored");
        }
        service.flush().await;
    }
    service
}

async fn read(service: &Service, stream: &str) -> Vec<String> {
    read_of(service, GROUP, stream).await
}

async fn read_of(service: &Service, group: &str, stream: &str) -> Vec<String> {
    let (mut texts, mut next_token) = (Vec::new(), None);
    loop {
        let input = GetLogEventsInput {
            log_group_name: Some(group.to_owned()),
            log_stream_name: Some(stream.to_owned()),
            start_from_head: Some(true),
            next_token: next_token.clone(),
            ..Default::default()
        };
        let page = service.get(input).await.expect("read");
        texts.extend(page.events.into_iter().flatten().filter_map(|event| event.message));
        if page.next_forward_token == next_token {
            return texts;
        }
        next_token = page.next_forward_token;
    }
}

fn expected(rest: i64) -> Vec<String> {
    (0..FILES * EVENTS).filter(|number| number % 2 == rest).map(text).collect()
}

#[tokio::test]
async fn row_groups_that_go_from_file_to_file_keep_every_event() {
    let mut service = with_files().await;
    assert_eq!(service.segments() as i64, FILES);
    service.compact().await;
    assert_eq!(service.segments(), 1);
    for (stream, rest) in [(STREAM, 0), ("other", 1)] {
        assert_eq!(read(&service, stream).await, expected(rest));
    }
    service.restart().await;
    assert_eq!(read(&service, STREAM).await, expected(0));
}

#[tokio::test]
async fn a_row_group_that_holds_a_deleted_stream_is_written_anew_without_it() {
    let mut service = with_files().await;
    let input = DeleteLogStreamInput {
        log_group_name: Some(GROUP.to_owned()),
        log_stream_name: Some("other".to_owned()),
    };
    service.call::<groundwatch_api::logs::DeleteLogStream>(input).await.expect("deleted");
    service.compact().await;
    service.restart().await;
    assert_eq!(read(&service, STREAM).await, expected(0));
}

/// Small groups share row groups, in which some are dead, and some streams of others.
#[tokio::test]
async fn small_groups_are_merged_by_the_bunch() {
    const GROUPS: usize = 40;
    let mut service = Service::new().await;
    let name = |number: usize| format!("small-{number}");
    for group in 0..GROUPS {
        service.create_group(&name(group)).await.expect("created");
        for stream in ["a", "b"] {
            service.create_stream(&name(group), stream).await.expect("created");
        }
    }
    for file in 0..3 {
        // Not every group is in every file.
        for group in (0..GROUPS).filter(|group| group % 4 != file) {
            for (stream, number) in [("a", 1), ("b", 2), ("a", 3)] {
                let text = format!("{group} {stream} {file} {number}");
                service
                    .put(&name(group), stream, &[(file as i64 * 10 + number, &text)])
                    .await
                    .expect("stored");
            }
        }
        service.flush().await;
    }
    for group in (0..GROUPS).filter(|group| group % 5 == 0) {
        service.delete_group(&name(group)).await.expect("deleted");
    }
    for group in (0..GROUPS).filter(|group| group % 5 == 1) {
        let input =
            DeleteLogStreamInput { log_group_name: Some(name(group)), log_stream_name: Some("b".to_owned()) };
        service.call::<groundwatch_api::logs::DeleteLogStream>(input).await.expect("deleted");
    }
    service.compact().await;
    assert_eq!(service.segments(), 1);
    service.restart().await;
    for group in (0..GROUPS).filter(|group| group % 5 != 0) {
        let of = |stream: &str, numbers: &[i64]| -> Vec<String> {
            let files = (0..3).filter(|file| group % 4 != *file);
            let texts = files.flat_map(|file| numbers.iter().map(move |number| (file, *number)));
            texts.map(|(file, number)| format!("{group} {stream} {file} {number}")).collect()
        };
        assert_eq!(read_of(&service, &name(group), "a").await, of("a", &[1, 3]));
        if group % 5 != 1 {
            assert_eq!(read_of(&service, &name(group), "b").await, of("b", &[2]));
        }
    }
}
