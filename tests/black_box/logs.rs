//! Logs through the SDK: JSON 1.1.

use aws_sdk_cloudwatchlogs::types::InputLogEvent;

use crate::harness::Server;

/// 2026-01-01T00:00:00Z in milliseconds, where the manual clock stands.
const START_MS: i64 = 1_767_225_600_000;

fn event(offset_ms: i64, message: &str) -> InputLogEvent {
    InputLogEvent::builder().timestamp(START_MS + offset_ms).message(message).build().expect("complete")
}

async fn group_with_stream(server: &Server) -> aws_sdk_cloudwatchlogs::Client {
    let client = server.logs();
    client.create_log_group().log_group_name("/app").send().await.expect("created");
    client.create_log_stream().log_group_name("/app").log_stream_name("s").send().await.expect("created");
    client
}

#[tokio::test]
async fn events_come_back_exactly_and_in_order() {
    let server = Server::start_with_manual_clock().await;
    let client = group_with_stream(&server).await;
    let messages =
        ["plain", "tab\tquote\" \\ back", "grüße 🦀", "{\"json\": true}", " leading and trailing "];
    let put = client.put_log_events().log_group_name("/app").log_stream_name("s");
    let put = messages.iter().enumerate().fold(put, |put, (i, text)| put.log_events(event(i as i64, text)));
    let output = put.send().await.expect("accepted");
    assert!(output.rejected_log_events_info().is_none());

    let read = client
        .get_log_events()
        .log_group_name("/app")
        .log_stream_name("s")
        .start_from_head(true)
        .send()
        .await
        .expect("answered");
    let texts: Vec<_> = read.events().iter().filter_map(|event| event.message()).collect();
    assert_eq!(texts, messages);
    let again = client
        .get_log_events()
        .log_group_name("/app")
        .log_stream_name("s")
        .start_from_head(true)
        .set_next_token(read.next_forward_token().map(str::to_owned))
        .send()
        .await
        .expect("answered");
    assert!(again.events().is_empty());
    assert_eq!(again.next_forward_token(), read.next_forward_token(), "the end is told by the same token");
}

#[tokio::test]
async fn filters_find_terms_across_streams() {
    let server = Server::start_with_manual_clock().await;
    let client = group_with_stream(&server).await;
    client.create_log_stream().log_group_name("/app").log_stream_name("t").send().await.expect("created");
    for (stream, offset, text) in [
        ("s", 0, "ERROR disk full"),
        ("t", 1, "ERROR network"),
        ("s", 2, "INFO fine"),
        ("t", 3, "INFO ERRORCODE"),
    ] {
        client
            .put_log_events()
            .log_group_name("/app")
            .log_stream_name(stream)
            .log_events(event(offset, text))
            .send()
            .await
            .expect("accepted");
    }
    let find = async |pattern: &str| {
        let output = client
            .filter_log_events()
            .log_group_name("/app")
            .filter_pattern(pattern)
            .send()
            .await
            .expect("answered");
        output.events().iter().filter_map(|event| event.message().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(find("ERROR").await, ["ERROR disk full", "ERROR network", "INFO ERRORCODE"]);
    assert_eq!(find("ERROR -network").await, ["ERROR disk full", "INFO ERRORCODE"]);
    assert_eq!(find("\"disk full\"").await, ["ERROR disk full"]);
    assert_eq!(find("?fine ?network").await, ["ERROR network", "INFO fine"]);
    assert_eq!(find("").await.len(), 4);
}

#[tokio::test]
async fn too_old_and_too_new_events_are_told_and_the_rest_is_kept() {
    let server = Server::start_with_manual_clock().await;
    let client = group_with_stream(&server).await;
    let day_ms = 86_400_000;
    let output = client
        .put_log_events()
        .log_group_name("/app")
        .log_stream_name("s")
        .log_events(event(-15 * day_ms, "too old"))
        .log_events(event(0, "kept"))
        .log_events(event(3 * 3_600_000, "too new"))
        .send()
        .await
        .expect("accepted");
    let rejected = output.rejected_log_events_info().expect("told");
    assert_eq!(rejected.too_old_log_event_end_index(), Some(1));
    assert_eq!(rejected.too_new_log_event_start_index(), Some(2));
    let kept = client.filter_log_events().log_group_name("/app").send().await.expect("answered");
    assert_eq!(kept.events().len(), 1);
}

#[tokio::test]
async fn what_does_not_exist_is_said_in_aws_words() {
    let server = Server::start_with_manual_clock().await;
    let client = server.logs();
    let error = client
        .put_log_events()
        .log_group_name("/none")
        .log_stream_name("s")
        .log_events(event(0, "x"))
        .send()
        .await
        .expect_err("refused")
        .into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
    assert_eq!(error.meta().message(), Some("The specified log group does not exist."));
}

#[tokio::test]
async fn a_recreated_group_is_empty() {
    let server = Server::start_with_manual_clock().await;
    let client = group_with_stream(&server).await;
    let put = async |text: &str| {
        client
            .put_log_events()
            .log_group_name("/app")
            .log_stream_name("s")
            .log_events(event(0, text))
            .send()
            .await
            .expect("accepted")
    };
    put("old").await;
    client.delete_log_group().log_group_name("/app").send().await.expect("deleted");
    group_with_stream(&server).await;
    put("new").await;
    let kept = client.filter_log_events().log_group_name("/app").send().await.expect("answered");
    let texts: Vec<_> = kept.events().iter().filter_map(|event| event.message()).collect();
    assert_eq!(texts, ["new"]);
    let groups = client.describe_log_groups().send().await.expect("answered");
    assert_eq!(groups.log_groups().len(), 1);
    assert!(groups.log_groups()[0].arn().is_some_and(|arn| arn.ends_with(":log-group:/app:*")));
}
