//! Requests as clients of the query and JSON protocols put them on the wire, and what they must read back.

use crate::harness::{ACCOUNT, Answer, Server};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");

fn signed(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/eu-west-1/{service}/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, Signature=0000"
    )
}

async fn query(server: &Server, service: &str, body: &str) -> Answer {
    server.post("/", &[FORM, ("Authorization", &signed(service))], body.as_bytes()).await
}

async fn json(server: &Server, service: &str, version: &str, target: &str, body: &str) -> Answer {
    let content_type = format!("application/x-amz-json-{version}");
    let headers = [
        ("Content-Type", content_type.as_str()),
        ("X-Amz-Target", target),
        ("Authorization", &signed(service)),
        ("x-amzn-query-mode", "true"),
    ];
    server.post("/", &headers, body.as_bytes()).await
}

/// A header announces metrics in events that have none: CloudWatch counts that.
#[tokio::test]
async fn announced_metrics_that_are_missing_are_counted() {
    let server = Server::start_with_manual_clock().await;
    let logs = |operation: &'static str, body: &'static str| json(&server, "logs", "1.1", operation, body);
    logs("Logs_20140328.CreateLogGroup", r#"{"logGroupName":"g"}"#).await;
    logs("Logs_20140328.CreateLogStream", r#"{"logGroupName":"g","logStreamName":"s"}"#).await;
    let headers = [
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", "Logs_20140328.PutLogEvents"),
        ("Authorization", &signed("logs")),
        ("x-amzn-logs-format", "json/emf"),
    ];
    let events = r#"{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1767225600000,"message":"plain"}]}"#;
    assert_eq!(server.post("/", &headers, events.as_bytes()).await.status, 200);
    let metrics =
        query(&server, "monitoring", "Action=ListMetrics&Version=2010-08-01&Namespace=AWS%2FLogs").await;
    assert!(metrics.text().contains("EMFParsingErrors"), "{}", metrics.text());
}

#[tokio::test]
async fn boto3_of_2024_speaks_query() {
    let server = Server::start_with_manual_clock().await;
    let put = query(
        &server,
        "monitoring",
        "Action=PutMetricData&Version=2010-08-01&Namespace=Old%2FStyle&MetricData.member.1.MetricName=Cpu\
         &MetricData.member.1.Dimensions.member.1.Name=Host&MetricData.member.1.Dimensions.member.1.Value=a+b\
         &MetricData.member.1.Timestamp=2025-12-31T23%3A59%3A00Z&MetricData.member.1.Value=1.5&MetricData.member.1.Unit=Percent",
    )
    .await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert!(
        put.text()
            .contains("<PutMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">")
    );
    let request_id = put.header("x-amzn-requestid").expect("an id");
    assert!(put.text().contains(&format!("<RequestId>{request_id}</RequestId>")), "{}", put.text());

    let read = query(
        &server,
        "monitoring",
        "Action=GetMetricStatistics&Version=2010-08-01&Namespace=Old%2FStyle&MetricName=Cpu&Dimensions.member.1.Name=Host\
         &Dimensions.member.1.Value=a%20b&StartTime=2025-12-31T23%3A00%3A00Z&EndTime=2026-01-01T00%3A00%3A00Z&Period=60\
         &Statistics.member.1=Average&Statistics.member.2=SampleCount",
    )
    .await;
    for part in [
        "<member><Timestamp>2025-12-31T23:59:00Z</Timestamp>",
        "<Average>1.5</Average>",
        "<SampleCount>1.0</SampleCount>",
        "<Unit>Percent</Unit>",
        "<Label>Cpu</Label>",
    ] {
        assert!(read.text().contains(part), "{part}: {}", read.text());
    }
}

#[tokio::test]
async fn empty_lists_are_empty_elements() {
    let server = Server::start();
    let alarms = query(&server, "monitoring", "Action=DescribeAlarms&Version=2010-08-01").await;
    assert!(
        alarms.text().contains("<MetricAlarms/>") && alarms.text().contains("<CompositeAlarms/>"),
        "{}",
        alarms.text()
    );
}

#[tokio::test]
async fn an_error_has_two_names_and_a_status_that_depends_on_the_protocol() {
    let server = Server::start();
    let body = "Action=SetAlarmState&Version=2010-08-01&AlarmName=none&StateValue=OK&StateReason=r";
    let over_query = query(&server, "monitoring", body).await;
    assert_eq!(over_query.status, 404);
    assert!(over_query.text().contains("<Code>ResourceNotFound</Code>"), "{}", over_query.text());
    assert!(over_query.text().contains("<Type>Sender</Type>"), "{}", over_query.text());

    let target = "GraniteServiceVersion20100801.SetAlarmState";
    let body = r#"{"AlarmName":"none","StateValue":"OK","StateReason":"r"}"#;
    let over_json = json(&server, "monitoring", "1.0", target, body).await;
    assert_eq!(over_json.status, 404, "with x-amzn-query-mode the status stays");
    assert_eq!(over_json.header("x-amzn-query-error"), Some("ResourceNotFound;Sender"));
    assert_eq!(over_json.json()["__type"], "com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound");
    let headers = [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", target)];
    assert_eq!(server.post("/", &headers, body.as_bytes()).await.status, 400, "without it, 4xx collapse");
}

#[tokio::test]
async fn boto3_of_today_speaks_json() {
    let server = Server::start_with_manual_clock().await;
    let target = "GraniteServiceVersion20100801.PutMetricData";
    let put = json(
        &server,
        "monitoring",
        "1.0",
        target,
        r#"{"Namespace":"New","MetricData":[{"MetricName":"M","Timestamp":1767225540,"Values":[1,2.5],"Counts":[2,1]}]}"#,
    )
    .await;
    assert_eq!(put.status, 200, "{}", put.text());
    let target = "GraniteServiceVersion20100801.GetMetricData";
    let read = json(
        &server,
        "monitoring",
        "1.0",
        target,
        r#"{"StartTime":1767225000,"EndTime":1767225600,"MetricDataQueries":[{"Id":"m","MetricStat":{"Metric":
            {"Namespace":"New","MetricName":"M"},"Period":60,"Stat":"Sum"}}]}"#,
    )
    .await;
    assert_eq!(read.header("content-type"), Some("application/x-amz-json-1.0"));
    let result = &read.json()["MetricDataResults"][0];
    assert_eq!(result["Values"], serde_json::json!([4.5]));
    assert_eq!(result["Timestamps"][0].as_f64(), Some(1_767_225_540.0));
    assert_eq!(result["StatusCode"], "Complete");
    assert_eq!(read.json()["Messages"], serde_json::json!([]));
}

#[tokio::test]
async fn account_and_region_come_from_the_credential_scope() {
    let server = Server::start();
    let sns = query(&server, "sns", "Action=CreateTopic&Version=2010-03-31&Name=t").await;
    assert!(
        sns.text().contains(&format!("<TopicArn>arn:aws:sns:eu-west-1:{ACCOUNT}:t</TopicArn>")),
        "{}",
        sns.text()
    );
    let sts = query(&server, "sts", "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert!(sts.text().contains(&format!("<Account>{ACCOUNT}</Account>")), "{}", sts.text());
    let unsigned = server.post("/", &[FORM], b"Action=GetCallerIdentity&Version=2011-06-15").await;
    assert!(unsigned.text().contains("<Account>000000000000</Account>"), "{}", unsigned.text());
    let listed = query(&server, "sns", "Action=ListTopics&Version=2010-03-31").await;
    assert!(listed.text().contains(":t</TopicArn>"));
    let elsewhere = server.post("/", &[FORM], b"Action=ListTopics&Version=2010-03-31").await;
    assert!(!elsewhere.text().contains(":t</TopicArn>"), "nothing is visible across accounts");
}

#[tokio::test]
async fn sdk_for_rust_is_told_who_it_is() {
    let server = Server::start();
    let identity = server.sts().get_caller_identity().send().await.expect("answered");
    assert_eq!(identity.account(), Some(ACCOUNT));
}
