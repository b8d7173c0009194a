//! `CreateLogGroup`, `DescribeLogGroups` and `DeleteLogGroup`.

use groundwatch_api::logs::{
    self as api, CreateLogGroup, CreateLogGroupInput, DescribeLogGroups, DescribeLogGroupsInput,
    GetLogEventsInput, LogGroupClass,
};

use crate::support::{GROUP, NOW, STREAM, Service, assert_refused};

async fn create(service: &Service, name: &str, change: impl FnOnce(&mut CreateLogGroupInput)) {
    let mut input = CreateLogGroupInput { log_group_name: Some(name.to_owned()), ..Default::default() };
    change(&mut input);
    service.call::<CreateLogGroup>(input).await.expect("created");
}

async fn describe(service: &Service, input: DescribeLogGroupsInput) -> (Vec<api::LogGroup>, Option<String>) {
    let output = service.call::<DescribeLogGroups>(input).await.expect("described");
    (output.log_groups.expect("a list"), output.next_token)
}

async fn describe_one(service: &Service, input: DescribeLogGroupsInput) -> api::LogGroup {
    let (mut groups, _) = describe(service, input).await;
    assert_eq!(groups.len(), 1);
    groups.remove(0)
}

/// The names that a request lists, all pages of it.
async fn names(service: &Service, mut input: DescribeLogGroupsInput) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        let (groups, token) = describe(service, input.clone()).await;
        assert!(groups.len() <= input.limit.unwrap_or(50) as usize);
        names.extend(groups.into_iter().filter_map(|group| group.log_group_name));
        match token {
            Some(token) => input.next_token = Some(token),
            None => return names,
        }
    }
}

#[tokio::test]
async fn a_group_is_described_as_aws_does() {
    let service = Service::new().await;
    service.put(GROUP, STREAM, &[(0, "four")]).await.expect("stored");
    let arn = "arn:aws:logs:us-east-1:000000000000:log-group:group";
    let expected = api::LogGroup {
        log_group_name: Some(GROUP.to_owned()),
        creation_time: Some(NOW.as_millis()),
        metric_filter_count: Some(0),
        arn: Some(format!("{arn}:*")),
        log_group_arn: Some(arn.to_owned()),
        stored_bytes: Some(30),
        log_group_class: Some(LogGroupClass::Standard),
        deletion_protection_enabled: Some(false),
        ..Default::default()
    };
    assert_eq!(describe_one(&service, DescribeLogGroupsInput::default()).await, expected);
    service.flush().await;
    assert_eq!(describe_one(&service, DescribeLogGroupsInput::default()).await, expected);
    // Recorded: a listing by pattern has fewer members.
    let by_pattern =
        DescribeLogGroupsInput { log_group_name_pattern: Some("rou".to_owned()), ..Default::default() };
    let expected = api::LogGroup { stored_bytes: None, deletion_protection_enabled: None, ..expected };
    assert_eq!(describe_one(&service, by_pattern).await, expected);
}

#[tokio::test]
async fn what_was_given_at_creation_survives_a_restart() {
    let mut service = Service::new().await;
    create(&service, "full", |input| {
        input.kms_key_id = Some("key".to_owned());
        input.log_group_class = Some(LogGroupClass::Delivery);
        input.deletion_protection_enabled = Some(true);
        input.tags = Some([("a".to_owned(), "b".to_owned())].into());
    })
    .await;
    service.restart().await;
    let prefix = DescribeLogGroupsInput { log_group_name_prefix: Some("full".into()), ..Default::default() };
    let (groups, _) = describe(&service, prefix).await;
    assert_eq!(groups[0].kms_key_id.as_deref(), Some("key"));
    assert_eq!(groups[0].log_group_class, Some(LogGroupClass::Delivery));
    assert_eq!(groups[0].retention_in_days, Some(2));
    assert_eq!(groups[0].deletion_protection_enabled, Some(true));
}

#[tokio::test]
async fn groups_are_listed_in_ascii_order_page_by_page() {
    let service = Service::new().await;
    for name in ["b", "a", "B", "a/b", "a.b"] {
        service.create_group(name).await.expect("created");
    }
    let all = ["B", "a", "a.b", "a/b", "b", "group"];
    for limit in [None, Some(1), Some(2), Some(5), Some(6)] {
        let input = DescribeLogGroupsInput { limit, ..Default::default() };
        assert_eq!(names(&service, input).await, all, "{limit:?} a page");
    }
}

#[tokio::test]
async fn groups_are_chosen_by_prefix_pattern_class_or_identifier() {
    let service = Service::new().await;
    create(&service, "cheap", |input| input.log_group_class = Some(LogGroupClass::Essentials)).await;
    for name in ["app-1", "app-2", "my-app"] {
        service.create_group(name).await.expect("created");
    }
    let by = |change: fn(&mut DescribeLogGroupsInput)| {
        let mut input = DescribeLogGroupsInput { limit: Some(2), ..Default::default() };
        change(&mut input);
        input
    };
    for (input, expected) in [
        (by(|input| input.log_group_name_prefix = Some("app".into())), vec!["app-1", "app-2"]),
        (by(|input| input.log_group_name_pattern = Some("app".into())), vec!["app-1", "app-2", "my-app"]),
        (by(|input| input.log_group_name_pattern = Some("APP".into())), vec![]),
        (by(|input| input.log_group_class = Some(LogGroupClass::InfrequentAccess)), vec!["cheap"]),
        (
            by(|input| {
                let arn = "arn:aws:logs:us-east-1:000000000000:log-group:cheap";
                input.log_group_identifiers = Some(vec!["my-app".into(), arn.into(), "missing".into()]);
            }),
            vec!["cheap", "my-app"],
        ),
        (by(|input| input.account_identifiers = Some(vec!["111111111111".into()])), vec![]),
    ] {
        assert_eq!(names(&service, input.clone()).await, expected, "{input:?}");
    }
    let both = by(|input| {
        input.log_group_name_prefix = Some("a".into());
        input.log_group_name_pattern = Some("a".into());
    });
    let text = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
    assert_refused(service.call::<DescribeLogGroups>(both).await, "InvalidParameterException", text);
    let foreign = by(|input| input.next_token = Some("x".into()));
    let text = "The specified nextToken is invalid.";
    assert_refused(service.call::<DescribeLogGroups>(foreign).await, "InvalidParameterException", text);
}

#[tokio::test]
async fn what_cannot_be_done_is_told_in_the_words_of_aws() {
    let service = Service::new().await;
    let text = "The specified log group already exists";
    assert_refused(service.create_group(GROUP).await, "ResourceAlreadyExistsException", text);
    let text = "The specified log group does not exist.";
    assert_refused(service.delete_group("x").await, "ResourceNotFoundException", text);
    let text = "Log groups starting with aws/ are reserved for AWS.";
    assert_refused(service.create_group("aws/x").await, "InvalidParameterException", text);
    service.create_group("/aws/lambda/x").await.expect("with a slash before it is fine");
    create(&service, "kept", |input| input.deletion_protection_enabled = Some(true)).await;
    let refused = service.delete_group("kept").await.expect_err("protected");
    assert_eq!(refused.shape.shape, "ValidationException");
}

/// Deleted in memory, in a segment, and with both before a restart: nothing of it comes back.
#[tokio::test]
async fn a_group_of_the_same_name_does_not_inherit_events() {
    for (flush_before, flush_after) in [(false, false), (true, false), (false, true)] {
        let mut service = Service::new().await;
        service.put(GROUP, STREAM, &[(0, "first life")]).await.expect("stored");
        if flush_before {
            service.flush().await;
        }
        service.delete_group(GROUP).await.expect("deleted");
        let missing = service.get(GetLogEventsInput::default()).await;
        assert_refused(missing, "ResourceNotFoundException", "The specified log group does not exist.");
        service.create_group(GROUP).await.expect("created again");
        let missing = service.get(GetLogEventsInput::default()).await;
        assert_refused(missing, "ResourceNotFoundException", "The specified log stream does not exist.");
        service.create_stream(GROUP, STREAM).await.expect("created again");
        service.put(GROUP, STREAM, &[(1, "second life")]).await.expect("stored");
        for round in 0..2 {
            let page = service.get(GetLogEventsInput::default()).await.expect("a page");
            let messages: Vec<_> =
                page.events.expect("a list").into_iter().filter_map(|event| event.message).collect();
            assert_eq!(messages, ["second life"], "round {round}, {flush_before} {flush_after}");
            if flush_after {
                service.flush().await;
            }
            service.restart().await;
        }
    }
}
