//! Metric filters and embedded metrics: which events give rise to which samples.

use std::task::{Context, Waker};

use groundwatch_api::Fault;
use groundwatch_api::logs::{
    DeleteMetricFilter, DeleteMetricFilterInput, DescribeLogGroups, DescribeLogGroupsInput,
    DescribeMetricFilters, DescribeMetricFiltersInput, GetLogEventsInput, MetricTransformation,
    PutMetricFilter, PutMetricFilterInput, StandardUnit,
};
use groundwatch_core::Timestamp;

use crate::support::{GROUP, NOW, STREAM, Service, assert_refused};

/// The minute in which [`NOW`] lies, which is 5 seconds into it.
const MINUTE: Timestamp = Timestamp::from_secs(1_767_323_040);

fn filter(name: &str, pattern: &str, value: &str) -> PutMetricFilterInput {
    PutMetricFilterInput {
        log_group_name: Some(GROUP.to_owned()),
        filter_name: Some(name.to_owned()),
        filter_pattern: Some(pattern.to_owned()),
        metric_transformations: Some(vec![MetricTransformation {
            metric_name: Some(format!("{name}-metric")),
            metric_namespace: Some("App".to_owned()),
            metric_value: Some(value.to_owned()),
            ..Default::default()
        }]),
        ..Default::default()
    }
}

fn with(
    mut input: PutMetricFilterInput,
    change: impl FnOnce(&mut MetricTransformation),
) -> PutMetricFilterInput {
    change(&mut input.metric_transformations.as_mut().expect("a list")[0]);
    input
}

impl Service {
    async fn put_filter(&self, input: PutMetricFilterInput) -> Result<(), Fault> {
        self.call::<PutMetricFilter>(input).await.map(drop)
    }

    async fn filter_names(&self, input: DescribeMetricFiltersInput) -> Vec<String> {
        let mut input = DescribeMetricFiltersInput { limit: Some(2), ..input };
        let mut names = Vec::new();
        loop {
            let output = self.call::<DescribeMetricFilters>(input.clone()).await.expect("described");
            let filters = output.metric_filters.into_iter().flatten();
            names.extend(filters.filter_map(|filter| filter.filter_name));
            input.next_token = output.next_token;
            if input.next_token.is_none() {
                return names;
            }
        }
    }

    /// Puts events and asserts what samples they give rise to: `name{dimension=value}@minute unit: samples`.
    async fn gives(&self, events: &[(i64, &str)], expected: &[&str]) {
        self.put(GROUP, STREAM, events).await.expect("stored");
        let shown: Vec<_> = self
            .metrics
            .take()
            .into_iter()
            .map(|datum| {
                let dimensions = datum.dimensions.iter().map(|(name, value)| format!("{name}={value}"));
                let dimensions = dimensions.collect::<Vec<_>>().join(",");
                let minutes = (datum.at.as_millis() - MINUTE.as_millis()) as f64 / 60_000.0;
                let unit = datum.unit.unwrap_or_default();
                format!(
                    "{} {}{{{dimensions}}}@{minutes} {unit}: {:?}",
                    datum.namespace, datum.name, datum.values
                )
            })
            .collect();
        assert_eq!(shown, expected, "{events:?}");
    }
}

#[tokio::test]
async fn matching_events_add_samples_to_their_minute() {
    let mut service = Service::new().await;
    service.put_filter(filter("errors", "ERROR", "1")).await.expect("put");
    let events = [(0, "ERROR a"), (1, "fine"), (2, "ERROR b"), (55_000, "ERROR c")];
    let expected = ["App errors-metric{}@0 : [1.0, 1.0]", "App errors-metric{}@1 : [1.0]"];
    service.gives(&events, &expected).await;
    service.gives(&[(60_000, "fine")], &[]).await;
    service.restart().await;
    service.gives(&[(60_000, "ERROR")], &["App errors-metric{}@1 : [1.0]"]).await;
}

#[tokio::test]
async fn values_and_dimensions_are_extracted() {
    let service = Service::new().await;
    let json = with(filter("json", "{ $.latency = * }", "$.latency"), |metric| {
        metric.dimensions = Some([("Path".to_owned(), "$.request.path".to_owned())].into());
        metric.unit = Some(StandardUnit::Milliseconds);
    });
    service.put_filter(json).await.expect("put");
    let events = [
        (0, r#"{"latency":12.5,"request":{"path":"/a"}}"#),
        (1, r#"{"latency":"7","request":{"path":"/a"}}"#),
        (2, r#"{"latency":"slow","request":{"path":"/a"}}"#),
        (3, r#"{"latency":3}"#),
        (4, "no JSON"),
    ];
    service.gives(&events, &["App json-metric{Path=/a}@0 Milliseconds: [12.5, 7.0]"]).await;

    let mut fields = with(filter("fields", "[verb, path, bytes > 0]", "$bytes"), |metric| {
        metric.dimensions = Some([("Verb".to_owned(), "$verb".to_owned())].into());
    });
    fields.emit_system_field_dimensions = Some(vec!["@aws.region".to_owned()]);
    service.put_filter(fields).await.expect("put");
    let events = [(5, "GET /a 10"), (6, "PUT /b 0"), (7, "PUT /b 5")];
    let expected = [
        "App fields-metric{@aws.region=us-east-1,Verb=GET}@0 : [10.0]",
        "App fields-metric{@aws.region=us-east-1,Verb=PUT}@0 : [5.0]",
    ];
    service.gives(&events, &expected).await;
}

#[tokio::test]
async fn minutes_without_a_match_get_the_default_value() {
    let service = Service::new().await;
    let input = with(filter("errors", "ERROR", "1"), |metric| metric.default_value = Some(0.0));
    service.put_filter(input).await.expect("put");
    service.gives(&[(0, "fine"), (1, "fine")], &["App errors-metric{}@0 : [0.0]"]).await;
    service.gives(&[(2, "fine")], &[]).await;
    let events = [(3, "ERROR"), (4, "fine"), (60_000, "fine")];
    let expected = ["App errors-metric{}@0 : [1.0]", "App errors-metric{}@1 : [0.0]"];
    service.gives(&events, &expected).await;
}

#[tokio::test]
async fn filters_that_make_no_sense_are_refused() {
    let service = Service::new().await;
    let dimensions = |count: usize| (0..count).map(|n| (format!("D{n}"), "$.x".to_owned())).collect();
    for (what, input) in [
        ("pattern", filter("f", "{ $.a ~ 1 }", "1")),
        ("value of terms", filter("f", "ERROR", "$.a")),
        ("value without $", filter("f", "{ $.a = 1 }", "a")),
        ("unknown field", filter("f", "[a, b]", "$c")),
        ("infinite value", filter("f", "ERROR", "inf")),
        (
            "four dimensions",
            with(filter("f", "{ $.a = 1 }", "1"), |metric| metric.dimensions = Some(dimensions(4))),
        ),
        (
            "default with dimensions",
            with(filter("f", "{ $.a = 1 }", "1"), |metric| {
                metric.dimensions = Some(dimensions(1));
                metric.default_value = Some(0.0);
            }),
        ),
        (
            "a selection that is none",
            PutMetricFilterInput {
                field_selection_criteria: Some("@aws.zone = \"a\"".to_owned()),
                ..filter("f", "ERROR", "1")
            },
        ),
    ] {
        let fault = service.put_filter(input).await.expect_err(what);
        assert_eq!(fault.shape.shape, "InvalidParameterException", "{what}");
    }
    for number in 0..100 {
        service.put_filter(filter(&format!("f{number}"), "x", "1")).await.expect("put");
    }
    let fault = service.put_filter(filter("one more", "x", "1")).await.expect_err("too many");
    assert_eq!(fault.shape.shape, "LimitExceededException");
    service.put_filter(filter("f0", "y", "1")).await.expect("replaced");
}

#[tokio::test]
async fn filters_are_listed_replaced_and_deleted() {
    let service = Service::new().await;
    for name in ["b", "a", "ab"] {
        service.put_filter(filter(name, "x", "1")).await.expect("put");
    }
    let of_group = || DescribeMetricFiltersInput { log_group_name: Some(GROUP.into()), ..Default::default() };
    assert_eq!(service.filter_names(of_group()).await, ["a", "ab", "b"]);
    let prefix = DescribeMetricFiltersInput { filter_name_prefix: Some("a".into()), ..of_group() };
    assert_eq!(service.filter_names(prefix.clone()).await, ["a", "ab"]);
    // Without a group the prefix does not count.
    let everywhere = DescribeMetricFiltersInput { log_group_name: None, ..prefix };
    assert_eq!(service.filter_names(everywhere).await, ["a", "ab", "b"]);
    let metric = DescribeMetricFiltersInput {
        metric_name: Some("ab-metric".into()),
        metric_namespace: Some("App".into()),
        ..Default::default()
    };
    assert_eq!(service.filter_names(metric).await, ["ab"]);
    let delete =
        || DeleteMetricFilterInput { log_group_name: Some(GROUP.into()), filter_name: Some("a".into()) };
    service.call::<DeleteMetricFilter>(delete()).await.expect("deleted");
    assert!(service.call::<DeleteMetricFilter>(delete()).await.is_err());
    assert_eq!(service.filter_names(of_group()).await, ["ab", "b"]);
    let groups =
        service.call::<DescribeLogGroups>(DescribeLogGroupsInput::default()).await.expect("described");
    assert_eq!(groups.log_groups.expect("a list")[0].metric_filter_count, Some(2));
    service.delete_group(GROUP).await.expect("deleted");
    service.create_group(GROUP).await.expect("created");
    assert_eq!(service.filter_names(of_group()).await, [""; 0]);
}

#[tokio::test]
async fn embedded_metrics_are_found_and_wrong_ones_counted() {
    let service = Service::new().await;
    let event = |metadata: &str, rest: &str| {
        let timestamp = NOW.as_millis();
        format!(r#"{{"_aws":{{"Timestamp":{timestamp},"CloudWatchMetrics":{metadata}}},{rest}}}"#)
    };
    let directive = |metrics: &str| {
        format!(r#"[{{"Namespace":"Emf","Dimensions":[["Service"],[]],"Metrics":[{metrics}]}}]"#)
    };
    let good = event(&directive(r#"{"Name":"t","Unit":"Seconds"}"#), r#""Service":"s","t":[1,2.5]"#);
    let expected = ["Emf t{}@0 Seconds: [1.0, 2.5]", "Emf t{Service=s}@0 Seconds: [1.0, 2.5]"];
    service.gives(&[(0, &good)], &expected).await;
    let unreadable = event(r#"[{"Namespace":5}]"#, r#""t":1"#);
    let expected = ["AWS/Logs EMFParsingErrors{LogGroupName=group}@0 : [1.0]"];
    service.gives(&[(0, &unreadable)], &expected).await;
    let missing = event(&directive(r#"{"Name":"t"}"#), r#""Service":"s","t":"text""#);
    let expected = ["AWS/Logs EMFValidationErrors{LogGroupName=group}@0 : [2.0]"];
    service.gives(&[(0, &missing)], &expected).await;
    service.gives(&[(0, r#"{"_aws":{}}"#), (1, "\"_aws\""), (2, r#"{"a":"_aws"}"#)], &[]).await;
}

#[tokio::test]
async fn events_that_are_announced_to_carry_metrics_and_do_not_are_counted() {
    let mut service = Service::new().await;
    service.call.announces_metrics = true;
    let expected = ["AWS/Logs EMFParsingErrors{LogGroupName=group}@0 : [1.0, 1.0, 1.0]"];
    service.gives(&[(0, r#"{"_aws":{}}"#), (1, "plain"), (2, r#"{"a":1"#)], &expected).await;
    let timestamp = NOW.as_millis();
    let good = format!(
        r#"{{"_aws":{{"Timestamp":{timestamp},"CloudWatchMetrics":[{{"Namespace":"Emf","Dimensions":[[]],"Metrics":[{{"Name":"t"}}]}}]}},"t":1}}"#
    );
    service.gives(&[(0, &good)], &["Emf t{}@0 : [1.0]"]).await;
}

#[tokio::test]
async fn events_wait_with_their_metrics_for_room() {
    let service = Service::new().await;
    let default = with(filter("f", "ERROR", "1"), |metric| metric.default_value = Some(0.0));
    service.put_filter(default).await.expect("put");
    service.metrics.set_full(true);
    let events = [(0, "fine")];
    assert_refused(service.put(GROUP, STREAM, &events).await, "ThrottlingException", "Rate exceeded");
    service.metrics.set_full(false);
    service.gives(&events, &["App f-metric{}@0 : [0.0]"]).await;
    let stored = service.get(GetLogEventsInput::default()).await.expect("read").events;
    assert_eq!(stored.map(|events| events.len()), Some(1), "nothing was stored as long as there was no room");
}

#[tokio::test]
async fn the_filter_that_is_described_is_the_one_that_runs() {
    let service = Service::new().await;
    let mut first = Box::pin(service.put_filter(filter("f", "one", "1")));
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "it is being written");
    let second = service.put_filter(filter("f", "two", "1"));
    let (second, first) = tokio::join!(second, first);
    first.and(second).expect("put");
    let described = service.call::<DescribeMetricFilters>(DescribeMetricFiltersInput::default()).await;
    let described = described.expect("described").metric_filters.expect("a list");
    let pattern = described[0].filter_pattern.clone().expect("always there");
    service.put(GROUP, STREAM, &[(0, &pattern)]).await.expect("stored");
    assert_eq!(service.metrics.take().len(), 1, "{pattern}");
}

#[tokio::test]
async fn five_filters_of_a_group_have_regular_expressions() {
    let service = Service::new().await;
    for name in ["a", "b", "c", "d", "e"] {
        service.put_filter(filter(name, "%ERROR [0-9]+%", "1")).await.expect("put");
    }
    service.put_filter(filter("e", "{ $.a = %b% }", "1")).await.expect("replaced");
    service.put_filter(filter("f", "ERROR", "1")).await.expect("none in it");
    let sixth = service.put_filter(filter("g", "[a = %b%]", "1")).await;
    assert_refused(sixth, "LimitExceededException", "Resource limit exceeded.");
}
