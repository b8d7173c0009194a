//! Policies of the account: which groups they are about, since when, and what goes before what.

use std::time::Duration;

use groundwatch_api::Fault;
use groundwatch_api::logs::{
    DeleteAccountPolicy, DeleteAccountPolicyInput, DescribeAccountPolicies, DescribeAccountPoliciesInput,
    DescribeFieldIndexes, DescribeFieldIndexesInput, DescribeIndexPolicies, DescribeIndexPoliciesInput,
    DescribeLogGroups, DescribeLogGroupsInput, GetLogEventsInput, IndexCategory, IndexSource,
    InheritedProperty, ListLogGroups, ListLogGroupsInput, MetricTransformation, PolicyType, PutAccountPolicy,
    PutAccountPolicyInput, PutDataProtectionPolicy, PutDataProtectionPolicyInput, PutIndexPolicy,
    PutIndexPolicyInput, PutMetricFilter, PutMetricFilterInput, PutTransformer, PutTransformerInput,
};

use crate::support::{GROUP, STREAM, Service, assert_refused};

const UPPER: &str = r#"[{"parseJSON":{}},{"upperCaseString":{"withKeys":["level"]}}]"#;

/// A protection policy that calls what a regular expression finds sensitive.
fn protecting(regex: &str) -> String {
    let identifiers = r#"["own"]"#;
    format!(
        r#"{{"Name":"p","Version":"2021-06-01",
            "Configuration":{{"CustomDataIdentifier":[{{"Name":"own","Regex":"{regex}"}}]}},
            "Statement":[
                {{"Sid":"a","DataIdentifier":{identifiers},"Operation":{{"Audit":{{"FindingsDestination":{{}}}}}}}},
                {{"Sid":"b","DataIdentifier":{identifiers},"Operation":{{"Deidentify":{{"MaskConfig":{{}}}}}}}}
            ]}}"#
    )
}

impl Service {
    async fn put_policy(
        &self,
        policy_type: PolicyType,
        name: &str,
        document: &str,
        selection: Option<&str>,
    ) -> Result<(), Fault> {
        let input = PutAccountPolicyInput {
            policy_type: Some(policy_type),
            policy_name: Some(name.to_owned()),
            policy_document: Some(document.to_owned()),
            selection_criteria: selection.map(str::to_owned),
            ..Default::default()
        };
        self.call::<PutAccountPolicy>(input).await.map(drop)
    }

    async fn delete_policy(&self, policy_type: PolicyType, name: &str) -> Result<(), Fault> {
        let input = DeleteAccountPolicyInput {
            policy_type: Some(policy_type),
            policy_name: Some(name.to_owned()),
            ..Default::default()
        };
        self.call::<DeleteAccountPolicy>(input).await.map(drop)
    }

    async fn policy_names(&self, policy_type: PolicyType) -> Vec<String> {
        let input = DescribeAccountPoliciesInput { policy_type: Some(policy_type), ..Default::default() };
        let output = self.call::<DescribeAccountPolicies>(input).await.expect("described");
        output.account_policies.into_iter().flatten().filter_map(|policy| policy.policy_name).collect()
    }

    async fn seen_in(&self, group: &str) -> Vec<String> {
        let input = GetLogEventsInput { log_group_name: Some(group.to_owned()), ..Default::default() };
        let output = self.get(input).await.expect("read");
        output.events.into_iter().flatten().filter_map(|event| event.message).collect()
    }

    async fn inherited(&self) -> Option<Vec<InheritedProperty>> {
        let output =
            self.call::<DescribeLogGroups>(DescribeLogGroupsInput::default()).await.expect("described");
        output.log_groups.expect("a list").remove(0).inherited_properties
    }

    /// What the events of `group` add to a metric, whose value is its dimension as transformed.
    async fn levels(&self, group: &str, events: &[(i64, &str)]) -> Vec<String> {
        self.put(group, STREAM, events).await.expect("stored");
        let data = self.metrics.take().into_iter().filter(|datum| datum.namespace == "App");
        data.flat_map(|datum| datum.dimensions).map(|(_, value)| value).collect()
    }

    async fn with_level_filter(&self, group: &str) {
        let transformation = MetricTransformation {
            metric_name: Some("levels".to_owned()),
            metric_namespace: Some("App".to_owned()),
            metric_value: Some("1".to_owned()),
            dimensions: Some([("level".to_owned(), "$.level".to_owned())].into()),
            ..Default::default()
        };
        let input = PutMetricFilterInput {
            log_group_name: Some(group.to_owned()),
            filter_name: Some("levels".to_owned()),
            filter_pattern: Some("{ $.level = * }".to_owned()),
            metric_transformations: Some(vec![transformation]),
            apply_on_transformed_logs: Some(true),
            ..Default::default()
        };
        self.call::<PutMetricFilter>(input).await.expect("put");
    }

    fn pass_a_minute(&mut self) {
        self.call.received = self.call.received + Duration::from_secs(60);
    }
}

#[tokio::test]
async fn what_the_account_and_the_group_call_sensitive_is_masked_from_then_on() {
    let mut service = Service::new().await;
    service.put(GROUP, STREAM, &[(0, "ant bee")]).await.expect("stored");
    service.pass_a_minute();
    let kind = || PolicyType::DataProtectionPolicy;
    service.put_policy(kind(), "p", &protecting("ant"), None).await.expect("put");
    service.put(GROUP, STREAM, &[(1, "ant bee")]).await.expect("stored");
    service.pass_a_minute();
    let own = PutDataProtectionPolicyInput {
        log_group_identifier: Some(GROUP.to_owned()),
        policy_document: Some(protecting("bee")),
    };
    service.call::<PutDataProtectionPolicy>(own).await.expect("put");
    service.put(GROUP, STREAM, &[(2, "ant bee")]).await.expect("stored");
    assert_eq!(service.seen_in(GROUP).await, ["ant bee", "*** bee", "*** ***"]);
    assert_eq!(service.inherited().await, Some(vec![InheritedProperty::AccountDataProtection]));

    service.pass_a_minute();
    service.delete_policy(kind(), "p").await.expect("deleted");
    assert_eq!(service.policy_names(kind()).await, [""; 0]);
    assert_eq!(service.inherited().await, None);
    service.put(GROUP, STREAM, &[(3, "ant bee")]).await.expect("stored");
    service.restart().await;
    assert_eq!(service.seen_in(GROUP).await, ["ant bee", "*** bee", "*** ***", "ant ***"]);
}

#[tokio::test]
async fn an_account_has_one_protection_policy_at_a_time_and_remembers_the_former() {
    let mut service = Service::new().await;
    let kind = || PolicyType::DataProtectionPolicy;
    service.put_policy(kind(), "one", &protecting("ant"), None).await.expect("put");
    let other = service.put_policy(kind(), "two", &protecting("bee"), None).await;
    assert_refused(other, "LimitExceededException", "Resource limit exceeded.");
    assert_refused(
        service.put_policy(kind(), "one", &protecting("bee"), Some(r#"LogGroupNamePrefix = "a""#)).await,
        "InvalidParameterException",
        "selectionCriteria cannot be specified for policies of this policyType.",
    );
    service.put(GROUP, STREAM, &[(0, "ant bee")]).await.expect("stored");
    service.pass_a_minute();
    assert_refused(
        service.delete_policy(kind(), "two").await,
        "ResourceNotFoundException",
        "Policy with name [two] does not exist.",
    );
    service.delete_policy(kind(), "one").await.expect("deleted");
    service.put_policy(kind(), "two", &protecting("bee"), None).await.expect("put");
    service.put(GROUP, STREAM, &[(1, "ant bee")]).await.expect("stored");
    assert_eq!(service.policy_names(kind()).await, ["two"]);
    assert_eq!(service.seen_in(GROUP).await, ["*** bee", "ant ***"]);
}

#[tokio::test]
async fn a_transformer_of_the_account_is_for_groups_of_its_prefix_without_one_of_their_own() {
    let mut service = Service::new().await;
    let groups = ["/web/a", "/web/own", "/batch/a"];
    for group in groups {
        service.create_group(group).await.expect("created");
        service.create_stream(group, STREAM).await.expect("created");
        service.with_level_filter(group).await;
    }
    let own = PutTransformerInput {
        log_group_identifier: Some("/web/own".to_owned()),
        transformer_config: Some(serde_json::from_str(r#"[{"parseJSON":{}}]"#).expect("processors")),
    };
    service.call::<PutTransformer>(own).await.expect("put");
    let kind = || PolicyType::TransformerPolicy;
    let web = r#"LogGroupNamePrefix = "/web""#;
    service.put_policy(kind(), "upper", UPPER, Some(web)).await.expect("put");
    let event = [(0, r#"{"level":"warn"}"#)];
    for (group, expected) in groups.into_iter().zip(["WARN", "warn", "warn"]) {
        assert_eq!(service.levels(group, &event).await, [expected], "{group}");
    }
    for (name, selection) in [("all", None), ("sub", Some(r#"LogGroupNamePrefix IN ["/website"]"#))] {
        assert_refused(
            service.put_policy(kind(), name, UPPER, selection).await,
            "InvalidParameterException",
            "The selectionCriteria overlap with those of the policy 'upper' of the same policyType.",
        );
    }
    let batch = r#"LogGroupNamePrefix = "/batch""#;
    service.put_policy(kind(), "batch", UPPER, Some(batch)).await.expect("put");
    service.pass_a_minute();
    service.delete_policy(kind(), "upper").await.expect("deleted");
    service.restart().await;
    assert_eq!(service.levels("/web/a", &event).await, ["warn"]);
    assert_eq!(service.levels("/batch/a", &event).await, ["WARN"]);
    assert_eq!(service.policy_names(kind()).await, ["batch"]);
}

#[tokio::test]
async fn an_index_policy_of_the_account_gives_way_to_that_of_a_group() {
    let service = Service::new().await;
    let kind = || PolicyType::FieldIndexPolicy;
    service.put_policy(kind(), "p", r#"{"Fields":["id"]}"#, None).await.expect("put");
    let check = async |source: IndexSource, name: Option<&str>, field: &str| {
        let groups = Some(vec![GROUP.to_owned()]);
        let input =
            DescribeIndexPoliciesInput { log_group_identifiers: groups.clone(), ..Default::default() };
        let policies = service.call::<DescribeIndexPolicies>(input).await.expect("described").index_policies;
        let policies: Vec<_> =
            policies.into_iter().flatten().map(|policy| (policy.source, policy.policy_name)).collect();
        assert_eq!(policies, [(Some(source), name.map(str::to_owned))]);
        let input = DescribeFieldIndexesInput {
            log_group_identifiers: groups,
            index_categories: Some(vec![IndexCategory::Custom]),
            ..Default::default()
        };
        let indexes = service.call::<DescribeFieldIndexes>(input).await.expect("described").field_indexes;
        let fields: Vec<_> =
            indexes.into_iter().flatten().filter_map(|index| index.field_index_name).collect();
        assert_eq!(fields, [field]);
    };
    check(IndexSource::Account, Some("p"), "id").await;
    let own = PutIndexPolicyInput {
        log_group_identifier: Some(GROUP.to_owned()),
        policy_document: Some(r#"{"Fields":["user"]}"#.to_owned()),
    };
    service.call::<PutIndexPolicy>(own).await.expect("put");
    check(IndexSource::LogGroup, None, "user").await;
    for (fields, expected) in [(&["user", "traceId"][..], 1), (&["user", "id"], 0)] {
        let input = ListLogGroupsInput {
            field_index_names: Some(fields.iter().map(|field| (*field).to_owned()).collect()),
            ..Default::default()
        };
        let listed = service.call::<ListLogGroups>(input).await.expect("listed").log_groups;
        assert_eq!(listed.map_or(0, |groups| groups.len()), expected, "{fields:?}");
    }
}

#[tokio::test]
async fn policies_that_make_no_sense_or_have_no_effect_are_refused() {
    let service = Service::new().await;
    let check = async |policy_type: PolicyType, document: &str, selection: Option<&str>, message: &str| {
        let refused = service.put_policy(policy_type, "p", document, selection).await;
        assert_refused(refused, "InvalidParameterException", message);
    };
    let selection = "selectionCriteria must be of the form LogGroupNamePrefix = \"prefix\".";
    check(PolicyType::TransformerPolicy, UPPER, Some(r#"LogGroupName IN ["a"]"#), selection).await;
    check(PolicyType::FieldIndexPolicy, r#"{"Fields":["a"]}"#, Some("x"), selection).await;
    check(
        PolicyType::FieldIndexPolicy,
        r#"{"Fields":["a"]}"#,
        Some(r#"DataSourceName = "amazon_vpc" AND DataSourceType = "flow""#),
        "selectionCriteria by DataSourceName is not supported.",
    )
    .await;
    check(
        PolicyType::MetricExtractionPolicy,
        "{}",
        None,
        "policyType METRIC_EXTRACTION_POLICY is not supported.",
    )
    .await;
    let wrong = "Invalid policy document: retentionInDays cannot be 7";
    let week = r#"{"retentionInDays":7,"enforcementMode":"RETROACTIVE"}"#;
    check(PolicyType::RetentionPolicy, week, None, wrong).await;
    let refused = service.put_policy(PolicyType::TransformerPolicy, "p", "{}", None).await;
    let fault = refused.expect_err("not a list");
    assert!(fault.message.is_some_and(|message| message.starts_with("Invalid policy document: ")));
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn keeping(days: &str) -> String {
    format!(r#"{{"retentionInDays":{days},"enforcementMode":"RETROACTIVE"}}"#)
}

impl Service {
    /// What is said of the retention of [`GROUP`]: days, and the policy that they are from.
    async fn retention(&self) -> (Option<i32>, Option<String>) {
        let described = self.call::<DescribeLogGroups>(DescribeLogGroupsInput::default()).await;
        let groups = described.expect("described").log_groups.expect("a list");
        let group = groups.into_iter().find(|group| group.log_group_name.as_deref() == Some(GROUP));
        group.map(|group| (group.retention_in_days, group.retention_policy_name)).expect("it is there")
    }
}

#[tokio::test]
async fn the_longest_retention_of_the_account_takes_the_place_of_the_groups_own_after_a_day() {
    let mut service = Service::new().await;
    let input = groundwatch_api::logs::PutRetentionPolicyInput {
        log_group_name: Some(GROUP.to_owned()),
        retention_in_days: Some(1827),
    };
    service.call::<groundwatch_api::logs::PutRetentionPolicy>(input).await.expect("put");
    service.put(GROUP, STREAM, &[(0, "old")]).await.expect("stored");
    let policies = [
        ("all", "60", None),
        ("group", "90", Some(r#"LogGroupNamePrefix = "gr""#)),
        ("others", "\"NEVER_EXPIRE\"", Some(r#"LogGroupNamePrefix = "x""#)),
        ("same", "90", None),
    ];
    for (name, days, selection) in policies {
        let put = service.put_policy(PolicyType::RetentionPolicy, name, &keeping(days), selection).await;
        put.expect("put");
        service.call.received = service.call.received + Duration::from_secs(1);
    }
    assert_eq!(service.retention().await, (Some(1827), None));
    service.call.received = service.call.received + DAY;
    assert_eq!(service.retention().await, (Some(90), Some("group".to_owned())));
    let texts = async |service: &Service| {
        let read = service.get(GetLogEventsInput::default()).await.expect("read");
        read.events.map_or(0, |events| events.len())
    };
    assert_eq!(texts(&service).await, 1);
    service.call.received = service.call.received + 90 * DAY;
    assert_eq!(texts(&service).await, 0);
    service.restart().await;
    for name in ["group", "same", "all"] {
        service.delete_policy(PolicyType::RetentionPolicy, name).await.expect("deleted");
    }
    assert_eq!(service.retention().await, (Some(1827), None));
}

#[tokio::test]
async fn a_dry_run_tells_what_a_retention_policy_would_change() {
    let mut service = Service::new().await;
    service.create_group("short").await.expect("created");
    let input = groundwatch_api::logs::PutRetentionPolicyInput {
        log_group_name: Some("short".to_owned()),
        retention_in_days: Some(7),
    };
    service.call::<groundwatch_api::logs::PutRetentionPolicy>(input).await.expect("put");
    service.put(GROUP, STREAM, &[(0, "some bytes")]).await.expect("stored");
    let put = PutAccountPolicyInput {
        policy_type: Some(PolicyType::RetentionPolicy),
        policy_name: Some("p".to_owned()),
        policy_document: Some(keeping("30")),
        dry_run: Some(true),
        ..Default::default()
    };
    let output = service.call::<PutAccountPolicy>(put.clone()).await.expect("previewed");
    assert_eq!(output.account_policy, None);
    let preview = output.dry_run_result.expect("a preview");
    assert_eq!(preview.total_matched_log_groups, Some(2));
    assert_eq!(preview.increased_retention_log_group_count, Some(1));
    assert_eq!(preview.decreased_retention_log_group_count, Some(1));
    let first = preview.top_log_groups_impacted.expect("a list").remove(0);
    assert_eq!(first.log_group_name.as_deref(), Some(GROUP), "it has most bytes");
    assert_eq!(first.current_retention.as_deref(), Some("NEVER_EXPIRE"));
    assert_eq!(first.proposed_retention.as_deref(), Some("30"));
    assert_eq!(service.policy_names(PolicyType::RetentionPolicy).await, [""; 0]);

    let put = PutAccountPolicyInput { dry_run: None, ..put };
    service.call::<PutAccountPolicy>(put).await.expect("put");
    service.call.received = service.call.received + DAY;
    let delete = DeleteAccountPolicyInput {
        policy_type: Some(PolicyType::RetentionPolicy),
        policy_name: Some("p".to_owned()),
        dry_run: Some(true),
    };
    let output = service.call::<DeleteAccountPolicy>(delete).await.expect("previewed");
    let preview = output.dry_run_result.expect("a preview");
    assert_eq!(preview.increased_retention_log_group_count, Some(1));
    assert_eq!(preview.decreased_retention_log_group_count, Some(1));
    assert_eq!(service.retention().await, (Some(30), Some("p".to_owned())), "it is still there");
}
