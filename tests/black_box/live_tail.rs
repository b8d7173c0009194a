//! `StartLiveTail`, through the SDK's own reader of event streams.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::operation::start_live_tail::StartLiveTailOutput;
use aws_sdk_cloudwatchlogs::operation::start_live_tail::builders::StartLiveTailFluentBuilder;
use aws_sdk_cloudwatchlogs::types::StartLiveTailResponseStream as Event;
use aws_sdk_cloudwatchlogs::types::{InputLogEvent, LiveTailSessionUpdate, LogGroupClass};

use crate::harness::{ACCOUNT, Server};

/// Events of the moment: the server's clock is the machine's.
async fn put(logs: &Client, stream: &str, messages: &[&str]) {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_millis() as i64;
    let event = |message: &&str| InputLogEvent::builder().timestamp(now).message(*message).build();
    let events = messages.iter().map(|message| event(message).expect("complete")).collect();
    let put = logs.put_log_events().log_group_name("app").log_stream_name(stream);
    put.set_log_events(Some(events)).send().await.expect("stored");
}

/// Sends to the server itself: the SDK puts `stream-` in front of the host, which no resolver knows here.
async fn start(server: &Server, tail: StartLiveTailFluentBuilder) -> StartLiveTailOutput {
    try_start(server, tail).await.expect("a session")
}

async fn try_start(
    server: &Server,
    tail: StartLiveTailFluentBuilder,
) -> Result<StartLiveTailOutput, Box<aws_sdk_cloudwatchlogs::Error>> {
    let url = format!("{}/", server.url);
    let sent = tail.customize().mutate_request(move |request| {
        request.set_uri(url.clone()).expect("a URL");
    });
    sent.send().await.map_err(|error| Box::new(error.into()))
}

/// The next update that has events.
async fn next(output: &mut StartLiveTailOutput) -> LiveTailSessionUpdate {
    loop {
        match output.response_stream.recv().await.expect("the stream goes on") {
            Some(Event::SessionUpdate(update)) if !update.session_results().is_empty() => return update,
            Some(_) => {}
            None => panic!("the stream ended"),
        }
    }
}

fn messages(update: &LiveTailSessionUpdate) -> Vec<&str> {
    update.session_results().iter().filter_map(|result| result.message()).collect()
}

async fn server_with_group() -> (Server, Client) {
    let server = Server::start();
    let logs = server.logs();
    logs.create_log_group().log_group_name("app").send().await.expect("created");
    for stream in ["web-1", "web-2", "db"] {
        let create = logs.create_log_stream().log_group_name("app").log_stream_name(stream);
        create.send().await.expect("created");
    }
    (server, logs)
}

fn arn() -> String {
    format!("arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:app")
}

#[tokio::test]
async fn what_is_stored_is_seen_if_it_matches() {
    let (server, logs) = server_with_group().await;
    put(&logs, "db", &["ERROR before"]).await;
    let tail = logs.start_live_tail().log_group_identifiers(arn()).log_event_filter_pattern("ERROR");
    let mut output = start(&server, tail).await;
    match output.response_stream.recv().await.expect("no error") {
        Some(Event::SessionStart(start)) => {
            assert_eq!(start.log_event_filter_pattern(), Some("ERROR"));
            assert_eq!(start.log_group_identifiers(), [arn()]);
            assert!(start.session_id().is_some() && start.request_id().is_some());
        }
        other => panic!("{other:?} instead of the session's start"),
    }
    put(&logs, "web-1", &["ERROR live", "INFO live"]).await;
    let update = next(&mut output).await;
    assert_eq!(messages(&update), ["ERROR live"]);
    let result = &update.session_results()[0];
    assert_eq!(result.log_stream_name(), Some("web-1"));
    assert_eq!(result.log_group_identifier(), Some(format!("{ACCOUNT}:app").as_str()));
    assert_eq!(update.session_metadata().map(|metadata| metadata.sampled()), Some(false));
}

#[tokio::test]
async fn streams_are_chosen_by_name_or_prefix() {
    let (server, logs) = server_with_group().await;
    let tail = logs.start_live_tail().log_group_identifiers(arn());
    let mut by_prefix = start(&server, tail.clone().log_stream_name_prefixes("web-")).await;
    let mut by_name = start(&server, tail.clone().log_stream_names("db")).await;
    for stream in ["web-1", "db", "web-2"] {
        put(&logs, stream, &[&format!("of {stream}")]).await;
    }
    let mut seen = messages(&next(&mut by_prefix).await).join(", ");
    if !seen.contains("web-2") {
        seen = format!("{seen}, {}", messages(&next(&mut by_prefix).await).join(", "));
    }
    assert_eq!(seen, "of web-1, of web-2");
    assert_eq!(messages(&next(&mut by_name).await), ["of db"]);

    let both = tail.clone().log_stream_names("db").log_stream_name_prefixes("web-");
    let refused = try_start(&server, both).await.expect_err("they exclude each other");
    assert!(format!("{refused:?}").contains("InvalidParameterException"), "{refused:?}");
}

#[tokio::test]
async fn too_many_events_are_sampled() {
    let (server, logs) = server_with_group().await;
    let mut output = start(&server, logs.start_live_tail().log_group_identifiers(arn())).await;
    let many: Vec<String> = (0..2000).map(|number| format!("event {number}")).collect();
    put(&logs, "db", &many.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let update = next(&mut output).await;
    assert_eq!(update.session_results().len(), 500);
    assert_eq!(update.session_metadata().map(|metadata| metadata.sampled()), Some(true));
}

#[tokio::test]
async fn sessions_are_limited_and_end_with_their_client() {
    let (server, logs) = server_with_group().await;
    let tail = logs.start_live_tail().log_group_identifiers(arn());
    let mut sessions = Vec::new();
    for _ in 0..15 {
        sessions.push(start(&server, tail.clone()).await);
    }
    let refused = try_start(&server, tail.clone()).await.expect_err("15 are open");
    assert!(format!("{refused:?}").contains("LimitExceededException"), "{refused:?}");
    drop(sessions);
    // The server notices when it sends the next updates, two seconds later at most.
    let mut next = try_start(&server, tail.clone()).await;
    for _ in 0..5000 {
        if next.is_ok() {
            break;
        }
        put(&logs, "db", &["are you there?"]).await;
        next = try_start(&server, tail.clone()).await;
    }
    assert!(next.is_ok(), "{next:?}");
    drop(next);
    assert!(server.stop(), "a live tail does not hold the server up");
}

#[tokio::test]
async fn groups_must_exist_and_be_of_the_standard_class() {
    let (server, logs) = server_with_group().await;
    let missing = logs.start_live_tail().log_group_identifiers(arn().replace("app", "none"));
    let refused = try_start(&server, missing).await.expect_err("no such group");
    assert!(format!("{refused:?}").contains("ResourceNotFoundException"), "{refused:?}");
    let create = logs.create_log_group().log_group_name("cheap");
    create.log_group_class(LogGroupClass::InfrequentAccess).send().await.expect("created");
    let cheap = logs.start_live_tail().log_group_identifiers(arn().replace("app", "cheap"));
    let refused = try_start(&server, cheap).await.expect_err("not of the standard class");
    assert!(format!("{refused:?}").contains("InvalidOperationException"), "{refused:?}");
}
