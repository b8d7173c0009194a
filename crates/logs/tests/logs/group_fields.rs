//! `GetLogGroupFields`: which events count.

use groundwatch_api::logs::{
    DeleteLogStream, DeleteLogStreamInput, GetLogGroupFields, GetLogGroupFieldsInput,
};

use crate::support::{GROUP, NOW, STREAM, Service, assert_refused};

const MINUTE_MS: i64 = 60_000;

fn of_group() -> GetLogGroupFieldsInput {
    GetLogGroupFieldsInput { log_group_name: Some(GROUP.to_owned()), ..Default::default() }
}

/// The fields that are not generated, as `name=percentage`.
async fn fields(service: &Service, input: GetLogGroupFieldsInput) -> Vec<String> {
    let output = service.call::<GetLogGroupFields>(input).await.expect("answered");
    let fields = output.log_group_fields.expect("always there").into_iter();
    let told = fields.map(|field| (field.name.expect("a name"), field.percent.expect("a number")));
    told.filter(|(name, _)| !name.starts_with('@')).map(|(name, part)| format!("{name}={part}")).collect()
}

#[tokio::test]
async fn the_last_quarter_of_an_hour_counts_or_what_lies_around_a_moment() {
    let service = Service::new().await;
    let events = [
        (-24 * MINUTE_MS - 1, r#"{"first":1}"#),
        (-24 * MINUTE_MS, r#"{"early":1}"#),
        (-15 * MINUTE_MS, r#"{"late":1,"level":"a"}"#),
        (0, r#"{"level":"b"}"#),
    ];
    service.put(GROUP, STREAM, &events).await.expect("stored");
    assert_eq!(fields(&service, of_group()).await, ["level=100", "late=50"]);
    let middle = NOW.as_secs() - 16 * 60;
    let around = GetLogGroupFieldsInput { time: Some(middle), ..of_group() };
    service.flush().await;
    assert_eq!(fields(&service, around).await, ["early=50", "late=50", "level=50"]);
    let nowhere = GetLogGroupFieldsInput { time: Some(0), ..of_group() };
    let output = service.call::<GetLogGroupFields>(nowhere).await.expect("answered");
    assert_eq!(output.log_group_fields, Some(Vec::new()), "without events there are no fields");
}

#[tokio::test]
async fn what_is_gone_does_not_count() {
    let service = Service::new().await;
    service.create_stream(GROUP, "other").await.expect("created");
    service.put(GROUP, "other", &[(0, r#"{"gone":1}"#)]).await.expect("stored");
    service.put(GROUP, STREAM, &[(0, r#"{"here":1}"#)]).await.expect("stored");
    let input = DeleteLogStreamInput {
        log_group_name: Some(GROUP.to_owned()),
        log_stream_name: Some("other".to_owned()),
    };
    service.call::<DeleteLogStream>(input).await.expect("deleted");
    assert_eq!(fields(&service, of_group()).await, ["here=100"]);
    let missing = GetLogGroupFieldsInput { log_group_name: Some("missing".to_owned()), ..Default::default() };
    let refused = service.call::<GetLogGroupFields>(missing).await;
    assert_refused(refused, "ResourceNotFoundException", "The specified log group does not exist.");
}
