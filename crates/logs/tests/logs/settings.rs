//! What can be changed about groups: retention, tags, keys, protection; and what deletion and expiry free.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_api::Fault;
use groundwatch_api::logs::{
    AssociateKmsKey, AssociateKmsKeyInput, CreateLookupTable, CreateLookupTableInput, DeleteLogStream,
    DeleteLogStreamInput, DeleteRetentionPolicy, DeleteRetentionPolicyInput, DescribeLogGroups,
    DescribeLogGroupsInput, DisassociateKmsKey, DisassociateKmsKeyInput, FilterLogEventsInput,
    GetLogEventsInput, ListLogGroups, ListLogGroupsInput, ListTagsForResource, ListTagsForResourceInput,
    ListTagsLogGroup, ListTagsLogGroupInput, LogGroup, PutLogGroupDeletionProtection,
    PutLogGroupDeletionProtectionInput, PutRetentionPolicy, PutRetentionPolicyInput, TagFilter, TagLogGroup,
    TagLogGroupInput, TagResource, TagResourceInput, UntagLogGroup, UntagLogGroupInput, UntagResource,
    UntagResourceInput,
};
use groundwatch_core::{Activity, ManualClock};

use crate::support::{GROUP, STREAM, Service, assert_refused};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const ARN: &str = "arn:aws:logs:us-east-1:000000000000:log-group:group";

fn name() -> Option<String> {
    Some(GROUP.to_owned())
}

impl Service {
    async fn keep_for(&self, days: i32) -> Result<(), Fault> {
        let input = PutRetentionPolicyInput { log_group_name: name(), retention_in_days: Some(days) };
        self.call::<PutRetentionPolicy>(input).await.map(drop)
    }

    async fn delete_stream(&self, group: &str, stream: &str) -> Result<(), Fault> {
        let (group, stream) = (Some(group.to_owned()), Some(stream.to_owned()));
        let input = DeleteLogStreamInput { log_group_name: group, log_stream_name: stream };
        self.call::<DeleteLogStream>(input).await.map(drop)
    }

    async fn described(&self) -> LogGroup {
        let input = DescribeLogGroupsInput { log_group_name_prefix: name(), ..Default::default() };
        let output = self.call::<DescribeLogGroups>(input).await.expect("described");
        output.log_groups.expect("a list").remove(0)
    }

    /// What both ways of reading show of [`GROUP`], which must agree.
    async fn shown(&self) -> Vec<String> {
        let filtered = self.filter(FilterLogEventsInput::default()).await.expect("read").events;
        let filtered: Vec<_> = filtered.into_iter().flatten().filter_map(|event| event.message).collect();
        let got = self.get(GetLogEventsInput::default()).await.expect("read").events;
        let got: Vec<_> = got.into_iter().flatten().filter_map(|event| event.message).collect();
        assert_eq!(filtered, got);
        got
    }

    async fn reclaim(&self) {
        let activity = self.logs().reclaim_activity(Arc::new(ManualClock::new(self.call.received)));
        activity.run(self.call.received).await;
        assert!(activity.next_due().is_none_or(|due| due > self.call.received), "done for now");
    }

    fn pass_days(&mut self, days: u64) {
        self.call.received = self.call.received + Duration::from_secs(days * 24 * 60 * 60);
    }
}

#[tokio::test]
async fn expired_events_are_out_of_sight_at_once_and_for_good() {
    let mut service = Service::new().await;
    service.put(GROUP, STREAM, &[(-DAY_MS - 1, "old"), (-DAY_MS, "new")]).await.expect("stored");
    assert_eq!(service.shown().await, ["old", "new"]);
    service.keep_for(1).await.expect("changed");
    assert_eq!(service.shown().await, ["new"]);
    assert_eq!(service.described().await.retention_in_days, Some(1));
    service.flush().await;
    service.restart().await;
    assert_eq!(service.shown().await, ["new"]);
    service.pass_days(1);
    assert_eq!(service.shown().await, [""; 0]);
    let forever = DeleteRetentionPolicyInput { log_group_name: name() };
    service.call::<DeleteRetentionPolicy>(forever).await.expect("changed");
    assert_eq!(service.described().await.retention_in_days, None);
}

#[tokio::test]
async fn expired_events_are_freed_and_stored_bytes_are_right() {
    let mut service = Service::new().await;
    service.create_group("other").await.expect("created");
    service.create_stream("other", "s").await.expect("created");
    service.put(GROUP, STREAM, &[(0, "four")]).await.expect("stored");
    service.put("other", "s", &[(0, "kept for ever")]).await.expect("stored");
    service.flush().await;
    service.pass_days(2);
    service.put(GROUP, STREAM, &[(2 * DAY_MS, "sixsix")]).await.expect("stored");
    service.flush().await;
    let full = service.segment_bytes();
    assert_eq!(service.described().await.stored_bytes, Some(30 + 32));
    service.keep_for(1).await.expect("changed");
    service.reclaim().await;
    assert_eq!(service.described().await.stored_bytes, Some(32));
    assert!(service.segment_bytes() < full, "the disk is smaller");
    service.restart().await;
    assert_eq!(service.shown().await, ["sixsix"]);
    let other = FilterLogEventsInput { log_group_name: Some("other".to_owned()), ..Default::default() };
    assert_eq!(service.filter(other).await.expect("read").events.expect("a list").len(), 1);
    service.pass_days(2);
    service.reclaim().await;
    assert_eq!(service.described().await.stored_bytes, Some(0));
}

#[tokio::test]
async fn what_was_deleted_is_freed() {
    let mut service = Service::new().await;
    service.create_stream(GROUP, "second").await.expect("created");
    service.put(GROUP, STREAM, &[(0, "four")]).await.expect("stored");
    service.put(GROUP, "second", &[(0, "sixsix")]).await.expect("stored");
    service.flush().await;
    service.put(GROUP, "second", &[(1, "in memory")]).await.expect("stored");
    let full = service.segment_bytes();
    service.delete_stream(GROUP, "second").await.expect("deleted");
    assert_eq!(service.described().await.stored_bytes, Some(30));
    assert_eq!(service.shown().await, ["four"]);
    assert_refused(
        service.put(GROUP, "second", &[(0, "x")]).await,
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    );
    service.reclaim().await;
    let less = service.segment_bytes();
    assert!(less < full, "{less} < {full}");
    service.create_stream(GROUP, "second").await.expect("created");
    service.restart().await;
    assert_eq!(service.shown().await, ["four"]);
    service.delete_group(GROUP).await.expect("deleted");
    service.reclaim().await;
    assert_eq!(service.segment_bytes(), 0);
}

#[tokio::test]
async fn only_aws_retentions_are_taken() {
    let service = Service::new().await;
    for days in [1, 3, 5, 7, 14, 30, 365, 3653] {
        service.keep_for(days).await.expect("offered");
    }
    for days in [0, 2, -1, 366, 10_000] {
        let fault = service.keep_for(days).await.expect_err("refused");
        assert_eq!(fault.shape.shape, "InvalidParameterException", "{days}");
    }
    let missing =
        PutRetentionPolicyInput { log_group_name: Some("missing".into()), retention_in_days: Some(1) };
    let text = "The specified log group does not exist.";
    assert_refused(service.call::<PutRetentionPolicy>(missing).await, "ResourceNotFoundException", text);
}

#[tokio::test]
async fn a_protected_group_and_its_streams_stay() {
    let service = Service::new().await;
    let protect = |enabled| PutLogGroupDeletionProtectionInput {
        log_group_identifier: Some(ARN.to_owned()),
        deletion_protection_enabled: Some(enabled),
    };
    service.call::<PutLogGroupDeletionProtection>(protect(true)).await.expect("changed");
    assert_eq!(service.described().await.deletion_protection_enabled, Some(true));
    assert!(service.delete_group(GROUP).await.is_err());
    assert!(service.delete_stream(GROUP, STREAM).await.is_err());
    service.call::<PutLogGroupDeletionProtection>(protect(false)).await.expect("changed");
    service.delete_stream(GROUP, STREAM).await.expect("deleted");
    service.delete_group(GROUP).await.expect("deleted");
}

#[tokio::test]
async fn old_and_new_calls_tag_the_same_set() {
    let mut service = Service::new().await;
    let tags = |pairs: &[(&str, &str)]| -> Option<BTreeMap<String, String>> {
        Some(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    };
    let arn = || Some(ARN.to_owned());
    let add = TagResourceInput { resource_arn: arn(), tags: tags(&[("a", "1"), ("b", "2")]) };
    service.call::<TagResource>(add).await.expect("tagged");
    let add = TagLogGroupInput { log_group_name: name(), tags: tags(&[("b", "3"), ("c", "4")]) };
    service.call::<TagLogGroup>(add).await.expect("tagged");
    let remove = UntagResourceInput { resource_arn: arn(), tag_keys: Some(vec!["a".into(), "z".into()]) };
    service.call::<UntagResource>(remove).await.expect("untagged");
    service.restart().await;
    let list = ListTagsLogGroupInput { log_group_name: name() };
    let listed = service.call::<ListTagsLogGroup>(list).await.expect("listed").tags;
    assert_eq!(listed, tags(&[("b", "3"), ("c", "4")]));
    let remove = UntagLogGroupInput { log_group_name: name(), tags: Some(vec!["c".into()]) };
    service.call::<UntagLogGroup>(remove).await.expect("untagged");
    let list = |arn: &str| ListTagsForResourceInput { resource_arn: Some(arn.to_owned()) };
    let listed = service.call::<ListTagsForResource>(list(ARN)).await.expect("listed").tags;
    assert_eq!(listed, tags(&[("b", "3")]));
    let text = "The specified resource does not exist.";
    for arn in ["arn:aws:logs:us-east-1:000000000000:log-group:missing", GROUP, &format!("{ARN}:*")] {
        let outcome = service.call::<ListTagsForResource>(list(arn)).await;
        assert_refused(outcome, "ResourceNotFoundException", text);
    }
    let many: BTreeMap<_, _> = (0..50).map(|number| (number.to_string(), String::new())).collect();
    let add = TagLogGroupInput { log_group_name: name(), tags: Some(many) };
    let text = "A resource can have no more than 50 tags.";
    assert_refused(service.call::<TagLogGroup>(add).await, "TooManyTagsException", text);
}

#[tokio::test]
async fn a_key_is_kept_and_shown() {
    let service = Service::new().await;
    let key = "arn:aws:kms:us-east-1:000000000000:key/k".to_owned();
    let associate =
        AssociateKmsKeyInput { log_group_name: name(), kms_key_id: Some(key.clone()), ..Default::default() };
    service.call::<AssociateKmsKey>(associate).await.expect("associated");
    assert_eq!(service.described().await.kms_key_id, Some(key));
    let disassociate =
        DisassociateKmsKeyInput { resource_identifier: Some(ARN.to_owned()), ..Default::default() };
    service.call::<DisassociateKmsKey>(disassociate).await.expect("disassociated");
    assert_eq!(service.described().await.kms_key_id, None);
}

#[tokio::test]
async fn groups_are_listed_by_name_parts_and_tags() {
    let service = Service::new().await;
    for (group, team) in [("app-one", "Red"), ("my-app", "blue"), ("zoo", "red")] {
        service.create_group(group).await.expect("created");
        let tags = Some([("team".to_owned(), team.to_owned())].into());
        let add = TagLogGroupInput { log_group_name: Some(group.to_owned()), tags };
        service.call::<TagLogGroup>(add).await.expect("tagged");
    }
    let check = async |pattern: Option<&str>, team: Option<&str>, expected: &[&str]| {
        let filter = |value: &str| TagFilter {
            key: Some("team".to_owned()),
            values: (!value.is_empty()).then(|| vec![value.to_owned()]),
        };
        let mut input = ListLogGroupsInput {
            log_group_name_pattern: pattern.map(str::to_owned),
            log_group_tags: team.map(|value| vec![filter(value)]),
            limit: Some(1),
            ..Default::default()
        };
        let mut names = Vec::new();
        loop {
            let output = service.call::<ListLogGroups>(input.clone()).await.expect("listed");
            names.extend(output.log_groups.into_iter().flatten().filter_map(|group| group.log_group_name));
            input.next_token = output.next_token;
            if input.next_token.is_none() {
                break;
            }
        }
        assert_eq!(names, expected, "{pattern:?} {team:?}");
    };
    check(None, None, &["app-one", "group", "my-app", "zoo"]).await;
    check(Some("app"), None, &["app-one", "my-app"]).await;
    check(Some("^app"), None, &["app-one"]).await;
    check(Some("^app|zoo|xyz"), None, &["app-one", "zoo"]).await;
    check(None, Some(""), &["app-one", "my-app", "zoo"]).await;
    check(None, Some("red"), &["zoo"]).await;
    check(None, Some("r*"), &["app-one", "zoo"]).await;
    check(None, Some("!red"), &["app-one", "my-app"]).await;
    for pattern in ["ab", "a$c", "app||zoo", "aaa|bbb|ccc|ddd|eee|fff"] {
        let input =
            ListLogGroupsInput { log_group_name_pattern: Some(pattern.to_owned()), ..Default::default() };
        let fault = service.call::<ListLogGroups>(input).await.expect_err(pattern);
        assert_eq!(fault.shape.shape, "InvalidParameterException");
    }
}

#[tokio::test]
async fn of_two_tables_of_one_name_one_leaves_nothing() {
    let service = Service::new().await;
    let create = || {
        service.call::<CreateLookupTable>(CreateLookupTableInput {
            lookup_table_name: Some("hosts".to_owned()),
            table_body: Some("id,name\n1,one\n".to_owned()),
            ..Default::default()
        })
    };
    let (one, other) = tokio::join!(create(), create());
    assert!(one.is_ok() != other.is_ok());
    assert_eq!(service.segment_files("log-lookup-tables"), 1);
}
