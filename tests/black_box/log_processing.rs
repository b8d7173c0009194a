//! What happens to log events on the way in and out: transformers, and the protection of sensitive data.

use serde_json::{Value, json};

use crate::harness::Server;
use crate::log_configuration::{call, done};

/// 2026-01-01T00:00:00Z, where the manual clock stands.
const START_MS: i64 = 1_767_225_600_000;

async fn server_with(groups: &[&str]) -> Server {
    let server = Server::start_with_manual_clock().await;
    for group in groups {
        done(&server, "CreateLogGroup", json!({ "logGroupName": group })).await;
        done(&server, "CreateLogStream", json!({ "logGroupName": group, "logStreamName": "s" })).await;
    }
    server
}

async fn put(server: &Server, at_ms: i64, messages: &[&str]) {
    let events: Vec<Value> =
        messages.iter().map(|message| json!({ "timestamp": at_ms, "message": message })).collect();
    let input = json!({ "logGroupName": "/app", "logStreamName": "s", "logEvents": events });
    done(server, "PutLogEvents", input).await;
}

/// The texts that an operation reads, with `more` in the request.
async fn read(server: &Server, operation: &str, group: &str, more: Value) -> Vec<String> {
    let mut input = json!({ "logGroupName": group });
    if operation == "GetLogEvents" {
        input["logStreamName"] = json!("s");
    }
    input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let answer = done(server, operation, input).await;
    let events = answer["events"].as_array().expect("a list");
    events.iter().map(|event| event["message"].as_str().expect("a text").to_owned()).collect()
}

/// The sum of a metric of the group over the minute at the start.
async fn sum(server: &Server, namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Option<f64> {
    use aws_sdk_cloudwatch::types::{Dimension, Statistic};
    use aws_smithy_types::DateTime;
    let dimensions =
        dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(*value).build());
    let answer = server
        .cloudwatch()
        .get_metric_statistics()
        .namespace(namespace)
        .metric_name(name)
        .set_dimensions(Some(dimensions.collect()))
        .start_time(DateTime::from_millis(START_MS))
        .end_time(DateTime::from_millis(START_MS + 600_000))
        .period(600)
        .statistics(Statistic::Sum)
        .send()
        .await
        .expect("answered");
    answer.datapoints().first().and_then(|point| point.sum())
}

#[tokio::test]
async fn a_transformer_is_tested_kept_and_deleted() {
    let server = server_with(&["/app"]).await;
    let config =
        json!([{ "parseJSON": {} }, { "addKeys": { "entries": [{ "key": "env", "value": "prod" }] } }]);
    let test = json!({ "transformerConfig": config, "logEventMessages": [r#"{"a":1}"#, "no JSON"] });
    let tested = done(&server, "TestTransformer", test).await;
    assert_eq!(
        tested["transformedLogs"],
        json!([
            { "eventNumber": 1, "eventMessage": r#"{"a":1}"#, "transformedEventMessage": r#"{"a":1,"env":"prod"}"# },
            { "eventNumber": 2, "eventMessage": "no JSON" }
        ])
    );
    let put = json!({ "logGroupIdentifier": "/app", "transformerConfig": config });
    done(&server, "PutTransformer", put).await;
    let server = server.kill_and_restart(&["--clock", "manual"]);
    let kept = done(&server, "GetTransformer", json!({ "logGroupIdentifier": "/app" })).await;
    assert_eq!((&kept["transformerConfig"], &kept["creationTime"]), (&config, &json!(START_MS)));
    assert!(kept["logGroupIdentifier"].as_str().is_some_and(|arn| arn.ends_with(":log-group:/app")));

    let wrong = json!({ "logGroupIdentifier": "/app", "transformerConfig": [{ "deleteKeys": { "withKeys": ["a"] } }] });
    assert_eq!(call(&server, "PutTransformer", wrong).await, Err("InvalidParameterException".to_owned()));
    done(&server, "DeleteTransformer", json!({ "logGroupIdentifier": "/app" })).await;
    let again = call(&server, "DeleteTransformer", json!({ "logGroupIdentifier": "/app" })).await;
    assert_eq!(again, Err("ResourceNotFoundException".to_owned()));
}

#[tokio::test]
async fn filters_see_transformed_events_and_readers_the_original() {
    let server = server_with(&["/app"]).await;
    let config = json!([{ "csv": { "columns": ["path", "millis"] } },
        { "typeConverter": { "entries": [{ "key": "millis", "type": "integer" }] } }]);
    done(&server, "PutTransformer", json!({ "logGroupIdentifier": "/app", "transformerConfig": config }))
        .await;
    for (name, transformed) in [("on-transformed", true), ("on-original", false)] {
        let filter = json!({ "logGroupName": "/app", "filterName": name, "filterPattern": "{ $.millis > 10 }",
            "applyOnTransformedLogs": transformed,
            "metricTransformations": [{ "metricName": name, "metricNamespace": "App", "metricValue": "$.millis" }] });
        done(&server, "PutMetricFilter", filter).await;
    }
    put(&server, START_MS, &["/a,5", "/b,20", "/c,22", "/d,none"]).await;
    assert_eq!(sum(&server, "App", "on-transformed", &[]).await, Some(42.0));
    assert_eq!(sum(&server, "App", "on-original", &[]).await, None);
    let group = [("LogGroupName", "/app")];
    assert_eq!(sum(&server, "AWS/Logs", "TransformedLogEvents", &group).await, Some(3.0));
    assert_eq!(sum(&server, "AWS/Logs", "TransformationErrors", &group).await, Some(1.0));
    assert_eq!(read(&server, "GetLogEvents", "/app", json!({})).await, ["/a,5", "/b,20", "/c,22", "/d,none"]);
    let described = done(&server, "DescribeMetricFilters", json!({ "logGroupName": "/app" })).await;
    assert_eq!(described["metricFilters"][1]["applyOnTransformedLogs"], true);
}

#[tokio::test]
async fn a_filter_counts_only_what_its_selection_selects() {
    let server = server_with(&["/app"]).await;
    for (name, criteria) in
        [("here", "@aws.region = \"eu-central-1\""), ("elsewhere", "@aws.region IN [\"us-east-1\"]")]
    {
        let filter = json!({ "logGroupName": "/app", "filterName": name, "filterPattern": "", "fieldSelectionCriteria": criteria,
            "metricTransformations": [{ "metricName": name, "metricNamespace": "App", "metricValue": "1" }] });
        done(&server, "PutMetricFilter", filter).await;
    }
    put(&server, START_MS, &["one"]).await;
    assert_eq!(sum(&server, "App", "here", &[]).await, Some(1.0));
    assert_eq!(sum(&server, "App", "elsewhere", &[]).await, None);
}

fn policy() -> String {
    let identifiers = json!(["arn:aws:dataprotection::aws:data-identifier/EmailAddress", "Badge"]);
    json!({
        "Name": "p", "Version": "2021-06-01",
        "Configuration": { "CustomDataIdentifier": [{ "Name": "Badge", "Regex": "B-\\d{4}" }] },
        "Statement": [
            { "DataIdentifier": identifiers,
              "Operation": { "Audit": { "FindingsDestination": { "CloudWatchLogs": { "LogGroup": "/findings" } } } } },
            { "DataIdentifier": identifiers, "Operation": { "Deidentify": { "MaskConfig": {} } } }
        ]
    })
    .to_string()
}

#[tokio::test]
async fn sensitive_data_are_masked_unless_asked_otherwise() {
    let server = server_with(&["/app", "/findings"]).await;
    put(&server, START_MS, &["before: a@b.co"]).await;
    server.advance("PT1S").await;
    let input = json!({ "logGroupIdentifier": "/app", "policyDocument": policy() });
    done(&server, "PutDataProtectionPolicy", input).await;
    put(&server, START_MS + 1000, &["from a@b.co with B-1234", "nothing"]).await;
    let masked = ["before: a@b.co", "from ****** with ******", "nothing"];
    for operation in ["GetLogEvents", "FilterLogEvents"] {
        assert_eq!(read(&server, operation, "/app", json!({})).await, masked, "{operation}");
        let unmasked = read(&server, operation, "/app", json!({ "unmask": true })).await;
        assert_eq!(unmasked[1], "from a@b.co with B-1234", "{operation}");
    }
    let searched = async |pattern: &str| {
        read(&server, "FilterLogEvents", "/app", json!({ "filterPattern": pattern })).await
    };
    assert_eq!(searched("\"B-1234\"").await, [""; 0], "what is masked cannot be searched for");
    assert_eq!(searched("with").await, [masked[1]]);

    let reports = read(&server, "FilterLogEvents", "/findings", json!({})).await;
    let [report] = reports.as_slice() else { panic!("one event had findings: {reports:?}") };
    let report: Value = serde_json::from_str(report).expect("JSON");
    assert_eq!(
        report["dataIdentifiers"][1],
        json!({ "name": "EmailAddress", "count": 1, "detections": [{ "start": 5, "end": 11 }] })
    );
    let group = [("LogGroupName", "/app")];
    assert_eq!(sum(&server, "AWS/Logs", "LogEventsWithFindings", &group).await, Some(1.0));

    // What was masked stays so when the policy goes, and after a crash.
    server.advance("PT1S").await;
    done(&server, "DeleteDataProtectionPolicy", json!({ "logGroupIdentifier": "/app" })).await;
    put(&server, START_MS + 2000, &["after: a@b.co"]).await;
    let server = server.kill_and_restart(&["--clock", "manual"]);
    let all = read(&server, "GetLogEvents", "/app", json!({})).await;
    assert_eq!(all, [masked[0], masked[1], masked[2], "after: a@b.co"]);
    let groups = done(&server, "DescribeLogGroups", json!({ "logGroupNamePrefix": "/app" })).await;
    assert_eq!(groups["logGroups"][0]["dataProtectionStatus"], "DELETED");
}

#[tokio::test]
async fn metric_filters_see_masked_text() {
    let server = server_with(&["/app", "/findings"]).await;
    let input = json!({ "logGroupIdentifier": "/app", "policyDocument": policy() });
    done(&server, "PutDataProtectionPolicy", input).await;
    for (name, pattern) in [("masked", "\"******\""), ("plain", "\"B-1234\"")] {
        let filter = json!({ "logGroupName": "/app", "filterName": name, "filterPattern": pattern,
            "metricTransformations": [{ "metricName": name, "metricNamespace": "App", "metricValue": "1" }] });
        done(&server, "PutMetricFilter", filter).await;
    }
    put(&server, START_MS, &["badge B-1234"]).await;
    assert_eq!(sum(&server, "App", "masked", &[]).await, Some(1.0));
    assert_eq!(sum(&server, "App", "plain", &[]).await, None);
}

#[tokio::test]
async fn a_policy_that_breaks_a_rule_is_refused() {
    let server = server_with(&["/app"]).await;
    let refused = async |document: &str| {
        let input = json!({ "logGroupIdentifier": "/app", "policyDocument": document });
        call(&server, "PutDataProtectionPolicy", input).await.expect_err("refused")
    };
    assert_eq!(refused("{}").await, "InvalidParameterException");
    assert_eq!(refused(&policy()).await, "ResourceNotFoundException", "the group for findings is missing");
    assert_eq!(refused(&policy().replace("EmailAddress", "Address")).await, "InvalidParameterException");
    let missing = call(&server, "DeleteDataProtectionPolicy", json!({ "logGroupIdentifier": "/app" })).await;
    assert_eq!(missing, Err("ResourceNotFoundException".to_owned()));
    let none = done(&server, "GetDataProtectionPolicy", json!({ "logGroupIdentifier": "/app" })).await;
    assert_eq!(none, json!({ "logGroupIdentifier": "/app" }));
}
