//! Dashboards and pictures of widgets, through the SDK and as raw requests.

use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricDatum, Statistic};
use serde_json::{Value, json};

use crate::harness::Server;

const BODY: &str = r#"{ "widgets":[ {"type":"text","properties":{"markdown":"ü"}} ] }"#;

async fn put(client: &aws_sdk_cloudwatch::Client, name: &str) {
    let put = client.put_dashboard().dashboard_name(name).dashboard_body(BODY);
    put.send().await.expect("accepted");
}

#[tokio::test]
async fn a_body_comes_back_byte_for_byte_even_after_a_crash() {
    let server = Server::start_with_manual_clock().await;
    put(&server.cloudwatch(), "ops").await;
    let server = server.kill_and_restart(&["--clock", "manual"]);
    let client = server.cloudwatch();
    let dashboard = client.get_dashboard().dashboard_name("ops").send().await.expect("found");
    assert_eq!(dashboard.dashboard_body(), Some(BODY));
    assert_eq!(dashboard.dashboard_arn(), Some("arn:aws:cloudwatch::123456789012:dashboard/ops"));
    let list = client.list_dashboards().send().await.expect("listed");
    let [entry] = list.dashboard_entries() else { panic!("one dashboard") };
    assert_eq!(entry.size(), Some(BODY.len() as i64));
    // 2026-01-01T00:00:00Z, where the clock stood.
    assert_eq!(entry.last_modified(), Some(&DateTime::from_secs(1_767_225_600)));
}

#[tokio::test]
async fn a_list_has_the_names_with_the_prefix_in_order() {
    let server = Server::start();
    let client = server.cloudwatch();
    for name in ["web-2", "db", "web-1"] {
        put(&client, name).await;
    }
    let list = client.list_dashboards().dashboard_name_prefix("web").send().await.expect("listed");
    let names: Vec<_> = list.dashboard_entries().iter().filter_map(|entry| entry.dashboard_name()).collect();
    assert_eq!(names, ["web-1", "web-2"]);
    client.delete_dashboards().dashboard_names("web-1").dashboard_names("db").send().await.expect("deleted");
    let missing = client.delete_dashboards().dashboard_names("web-2").dashboard_names("gone").send().await;
    assert_eq!(missing.expect_err("refused").code(), Some("ResourceNotFound"));
    let list = client.list_dashboards().send().await.expect("listed");
    assert!(list.dashboard_entries().is_empty(), "what was there is deleted all the same");
}

#[tokio::test]
async fn a_body_that_breaks_rules_is_refused_with_their_places() {
    let server = Server::start();
    let client = server.cloudwatch();
    let body = r#"{"widgets":[{"type":"metric","properties":{"region":"eu-west-1"}}]}"#;
    let refused = client.put_dashboard().dashboard_name("d").dashboard_body(body).send().await;
    let error = refused.expect_err("refused");
    assert_eq!(error.code(), Some("InvalidParameterInput"));
    let message = error.message().expect("a message");
    assert!(message.contains("\"dataPath\": \"/widgets/0/properties\""), "{message}");
    let name = client.put_dashboard().dashboard_name("no spaces").dashboard_body(BODY).send().await;
    assert_eq!(name.expect_err("refused").code(), Some("InvalidParameterValue"));
    let odd = r#"{"widgets":[],"colour":"red"}"#;
    let put = client.put_dashboard().dashboard_name("d").dashboard_body(odd).send().await.expect("stored");
    let [warning] = put.dashboard_validation_messages() else { panic!("one warning") };
    assert_eq!(warning.message(), Some("Should NOT have additional property 'colour'"));
}

#[tokio::test]
async fn a_widget_is_drawn_from_the_metrics() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    let datum = |minutes_ago: i64| {
        let at = DateTime::from_secs(1_767_225_600 - minutes_ago * 60);
        MetricDatum::builder().metric_name("M").timestamp(at).value(minutes_ago as f64).build()
    };
    let data = (1..60).map(datum).collect();
    client.put_metric_data().namespace("N").set_metric_data(Some(data)).send().await.expect("accepted");
    let draw = |metrics: &str| {
        let widget = format!(r#"{{"metrics": {metrics}, "width": 300, "height": 200}}"#);
        client.get_metric_widget_image().metric_widget(widget).send()
    };
    let image =
        |answer: aws_sdk_cloudwatch::operation::get_metric_widget_image::GetMetricWidgetImageOutput| {
            answer.metric_widget_image.expect("a picture").into_inner()
        };
    let full = image(draw(r#"[["N", "M"]]"#).await.expect("drawn"));
    let empty = image(draw(r#"[["N", "Other"]]"#).await.expect("drawn"));
    for png in [&full, &empty] {
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(png[16..24], [0, 0, 1, 44, 0, 0, 0, 200]);
    }
    assert_ne!(full, empty);
    let doubled = r#"[["N", "M", {"id": "m", "visible": false}], [{"expression": "m * 2", "label": "twice"}],
        [{"expression": "SEARCH('{N} M', 'Sum', 60)"}]]"#;
    assert_ne!(image(draw(doubled).await.expect("drawn")), empty, "expressions are drawn too");
    let wrong = draw(r#"[["N", "."]]"#).await.expect_err("refused");
    assert_eq!(wrong.code(), Some("InvalidParameterValue"));
    assert!(wrong.message().is_some_and(|text| text.contains("/metrics/0/1")), "{wrong:?}");
}

#[tokio::test]
async fn tags_of_alarms_and_dashboards_live_as_long_as_these() {
    let server = Server::start();
    let client = server.cloudwatch();
    let tag = |key: &str| aws_sdk_cloudwatch::types::Tag::builder().key(key).value("v").build();
    put(&client, "ops").await;
    let alarm =
        client.put_metric_alarm().alarm_name("a").namespace("N").metric_name("M").statistic(Statistic::Sum);
    let alarm = alarm.period(60).evaluation_periods(1).threshold(1.0).tags(tag("team"));
    alarm.comparison_operator(ComparisonOperator::GreaterThanThreshold).send().await.expect("accepted");
    let arns = [
        "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:a",
        "arn:aws:cloudwatch::123456789012:dashboard/ops",
    ];
    let keys = async |arn: &str| {
        let list = client.list_tags_for_resource().resource_arn(arn).send().await.expect("listed");
        list.tags().iter().filter_map(|tag| tag.key().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(keys(arns[0]).await, ["team"]);
    for arn in arns {
        client.tag_resource().resource_arn(arn).tags(tag("x")).tags(tag("y")).send().await.expect("tagged");
        client.untag_resource().resource_arn(arn).tag_keys("x").send().await.expect("untagged");
    }
    assert_eq!(keys(arns[0]).await, ["team", "y"]);
    assert_eq!(keys(arns[1]).await, ["y"]);
    client.delete_alarms().alarm_names("a").send().await.expect("deleted");
    client.delete_dashboards().dashboard_names("ops").send().await.expect("deleted");
    for arn in arns {
        assert!(keys(arn).await.is_empty(), "no tags without a resource, and no error");
        let tagged = client.tag_resource().resource_arn(arn).tags(tag("z")).send().await;
        assert_eq!(tagged.expect_err("refused").code(), Some("ResourceNotFoundException"));
    }
}

/// Calls an operation that the SDK does not know yet. Answers the error's code, if there is one, and the
/// document.
async fn call(server: &Server, operation: &str, input: Value) -> (Option<String>, Value) {
    let target = format!("GraniteServiceVersion20100801.{operation}");
    let headers = [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", target.as_str())];
    let answer = server.post("/", &headers, input.to_string().as_bytes()).await;
    let code = answer.header("x-amzn-query-error").map(|error| error.replace(";Sender", ""));
    (code, answer.json())
}

#[tokio::test]
async fn queries_are_saved_under_paths_of_their_own() {
    let server = Server::start_with_manual_clock().await;
    let save = async |id: &Value, path: &str, expression: &str| {
        let mut input = json!({"Path": path, "Expression": expression, "Type": "SQL"});
        if !id.is_null() {
            input["Id"] = id.clone();
        }
        call(&server, "PutMetricDataQueryDefinition", input).await
    };
    let (_, first) = save(&Value::Null, "team/a", "SELECT 1").await;
    let (taken, _) = save(&Value::Null, "team/a", "SELECT 2").await;
    assert_eq!(taken.as_deref(), Some("ConflictException"));
    server.advance("PT1H").await;
    let (_, moved) = save(&first["Id"], "team/b", "SELECT 3").await;
    assert_eq!(moved["CreatedAt"], first["CreatedAt"]);
    assert_ne!(moved["UpdatedAt"], first["UpdatedAt"]);
    let (free, _) = save(&Value::Null, "team/a", "SELECT 4").await;
    assert_eq!(free, None, "the path is free again");
    let (_, found) = call(&server, "GetMetricDataQueryDefinition", json!({"Id": first["Id"]})).await;
    assert_eq!((&found["Path"], &found["Expression"]), (&json!("team/b"), &json!("SELECT 3")));
    let (_, page) = call(&server, "ListMetricDataQueryDefinitions", json!({"MaxResults": 1})).await;
    let next = json!({"NextToken": page["NextToken"]});
    let (_, last) = call(&server, "ListMetricDataQueryDefinitions", next).await;
    assert_ne!(page["Items"][0]["Id"], last["Items"][0]["Id"]);
    assert!(last["Items"][1].is_null() && last["NextToken"].is_null(), "{last}");
    for _ in 0..2 {
        let (error, _) = call(&server, "DeleteMetricDataQueryDefinition", json!({"Id": first["Id"]})).await;
        assert_eq!(error, None, "deleted, or gone already");
    }
    let (gone, _) = call(&server, "GetMetricDataQueryDefinition", json!({"Id": first["Id"]})).await;
    assert_eq!(gone.as_deref(), Some("ResourceNotFoundException"));
}
