//! `CreateLogStream` and `DescribeLogStreams`.

use groundwatch_api::logs::{self as api, DescribeLogStreams, DescribeLogStreamsInput, OrderBy};

use crate::support::{GROUP, NOW, STREAM, Service, assert_refused};

fn request() -> DescribeLogStreamsInput {
    DescribeLogStreamsInput { log_group_name: Some(GROUP.to_owned()), ..Default::default() }
}

async fn describe(
    service: &Service,
    input: DescribeLogStreamsInput,
) -> (Vec<api::LogStream>, Option<String>) {
    let output = service.call::<DescribeLogStreams>(input).await.expect("described");
    (output.log_streams.expect("a list"), output.next_token)
}

async fn describe_one(service: &Service) -> api::LogStream {
    let (mut streams, _) = describe(service, request()).await;
    assert_eq!(streams.len(), 1);
    streams.remove(0)
}

/// Checks the names of all pages, for pages of any size.
async fn check(service: &Service, input: DescribeLogStreamsInput, expected: &[&str]) {
    for limit in [None, Some(1), Some(2), Some(3)] {
        let mut input = DescribeLogStreamsInput { limit, ..input.clone() };
        let mut names = Vec::new();
        loop {
            let (streams, token) = describe(service, input.clone()).await;
            names.extend(streams.into_iter().filter_map(|stream| stream.log_stream_name));
            input.next_token = token;
            if input.next_token.is_none() {
                break;
            }
        }
        assert_eq!(names, expected, "{input:?}");
    }
}

#[tokio::test]
async fn streams_are_listed_by_name() {
    let service = Service::new().await;
    for stream in ["b", "a", "A", "a/1", "a/2"] {
        service.create_stream(GROUP, stream).await.expect("created");
    }
    service.create_group("group2").await.expect("created");
    service.create_stream("group2", "other").await.expect("created");
    check(&service, request(), &["A", "a", "a/1", "a/2", "b", "stream"]).await;
    let descending = DescribeLogStreamsInput { descending: Some(true), ..request() };
    check(&service, descending.clone(), &["stream", "b", "a/2", "a/1", "a", "A"]).await;
    let prefix = Some("a".to_owned());
    let prefixed = DescribeLogStreamsInput { log_stream_name_prefix: prefix.clone(), ..request() };
    check(&service, prefixed, &["a", "a/1", "a/2"]).await;
    let prefixed = DescribeLogStreamsInput { log_stream_name_prefix: prefix, ..descending };
    check(&service, prefixed, &["a/2", "a/1", "a"]).await;
}

#[tokio::test]
async fn streams_are_listed_by_their_last_event() {
    let mut service = Service::new().await;
    for (stream, at) in [("b", 5), ("a", 9), ("c", 5), ("d", 1)] {
        service.create_stream(GROUP, stream).await.expect("created");
        service.put(GROUP, stream, &[(at, "x")]).await.expect("stored");
        if stream == "a" {
            service.flush().await;
        }
    }
    let by_time = DescribeLogStreamsInput { order_by: Some(OrderBy::LastEventTime), ..request() };
    let descending = DescribeLogStreamsInput { descending: Some(true), ..by_time.clone() };
    for _ in 0..2 {
        check(&service, by_time.clone(), &["d", "b", "c", "a", STREAM]).await;
        check(&service, descending.clone(), &["a", "c", "b", "d", STREAM]).await;
        service.restart().await;
    }
    let prefixed = DescribeLogStreamsInput { log_stream_name_prefix: Some("a".to_owned()), ..by_time };
    let text = "Cannot order by LastEventTime with a logStreamNamePrefix.";
    assert_refused(service.call::<DescribeLogStreams>(prefixed).await, "InvalidParameterException", text);
}

#[tokio::test]
async fn what_is_known_of_a_stream_outlives_memory() {
    let mut service = Service::new().await;
    let arn = "arn:aws:logs:us-east-1:000000000000:log-group:group:log-stream:stream";
    let mut expected = api::LogStream {
        log_stream_name: Some(STREAM.to_owned()),
        creation_time: Some(NOW.as_millis()),
        arn: Some(arn.to_owned()),
        stored_bytes: Some(0),
        ..Default::default()
    };
    assert_eq!(describe_one(&service).await, expected);

    service.put(GROUP, STREAM, &[(2, "a"), (5, "b")]).await.expect("stored");
    service.flush().await;
    service.call.received = NOW + std::time::Duration::from_millis(7);
    let token = service.put(GROUP, STREAM, &[(-3, "c")]).await.expect("stored").next_sequence_token;
    expected.first_event_timestamp = Some(NOW.as_millis() - 3);
    expected.last_event_timestamp = Some(NOW.as_millis() + 5);
    expected.last_ingestion_time = Some(NOW.as_millis() + 7);
    expected.upload_sequence_token = token;
    assert_eq!(describe_one(&service).await, expected);
    service.restart().await;
    assert_eq!(describe_one(&service).await, expected);
    service.flush().await;
    service.restart().await;
    assert_eq!(describe_one(&service).await, expected);
}

#[tokio::test]
async fn what_cannot_be_done_is_told_in_the_words_of_aws() {
    let service = Service::new().await;
    let text = "The specified log stream already exists";
    assert_refused(service.create_stream(GROUP, STREAM).await, "ResourceAlreadyExistsException", text);
    let text = "The specified log group does not exist.";
    assert_refused(service.create_stream("x", STREAM).await, "ResourceNotFoundException", text);
    let missing = DescribeLogStreamsInput { log_group_name: Some("x".to_owned()), ..Default::default() };
    assert_refused(service.call::<DescribeLogStreams>(missing).await, "ResourceNotFoundException", text);
    let both = DescribeLogStreamsInput { log_group_identifier: Some(GROUP.to_owned()), ..request() };
    let text = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
    assert_refused(service.call::<DescribeLogStreams>(both).await, "ValidationException", text);
    let arn = "arn:aws:logs:us-east-1:000000000000:log-group:group:*";
    let with_star =
        DescribeLogStreamsInput { log_group_identifier: Some(arn.to_owned()), ..Default::default() };
    let refused = service.call::<DescribeLogStreams>(with_star).await.expect_err("not the form of requests");
    assert_eq!(refused.shape.shape, "InvalidParameterException");
}
