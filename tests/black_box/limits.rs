//! What hostile or broken clients get: AWS's errors, and a server that goes on.

use std::io::Write;

use crate::harness::{Answer, Server};

const QUERY: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
const GZIP: (&str, &str) = ("Content-Encoding", "GZIP");
const LOGS_JSON: (&str, &str) = ("Content-Type", "application/x-amz-json-1.1");
const CLOUDWATCH_JSON: (&str, &str) = ("Content-Type", "application/x-amz-json-1.0");

async fn logs(server: &Server, operation: &str, body: &[u8]) -> Answer {
    let target = format!("Logs_20140328.{operation}");
    server.post("/", &[LOGS_JSON, ("X-Amz-Target", &target)], body).await
}

#[tokio::test]
async fn unknown_and_unimplemented_operations_are_named() {
    let server = Server::start();
    let unknown = logs(&server, "MakeCoffee", b"{}").await;
    assert_eq!((unknown.status, unknown.json()["__type"].as_str()), (400, Some("UnknownOperationException")));
    assert!(unknown.text().contains("MakeCoffee"), "{}", unknown.text());
    let known = logs(&server, "PutBearerTokenAuthentication", b"{}").await;
    assert!(known.status >= 400 && known.text().contains("PutBearerTokenAuthentication"), "{}", known.text());
    assert_ne!(known.json()["__type"], unknown.json()["__type"], "the two are told apart");
    let query = server.post("/", &[QUERY], b"Action=MakeCoffee&Version=2010-08-01").await;
    assert_eq!(query.status, 400);
    assert!(
        query.text().contains("<Code>InvalidAction</Code>") && query.text().contains("MakeCoffee"),
        "{}",
        query.text()
    );
}

#[tokio::test]
async fn malformed_bodies_are_answered_not_survived() {
    let server = Server::start();
    for body in
        ["{", "[]", "nonsense", "{\"logGroupName\": 5}", "{\"logGroupName\": \"\\ud800\"}", "{\"a\":\"\u{1}"]
    {
        let answer = logs(&server, "CreateLogGroup", body.as_bytes()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        assert!(answer.header("x-amzn-requestid").is_some());
    }
    let deep = format!("{{\"unknown\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    let answer = logs(&server, "DescribeLogGroups", deep.as_bytes()).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    let path = "/service/GraniteServiceVersion20100801/operation/ListMetrics";
    let headers = [("smithy-protocol", "rpc-v2-cbor"), ("Content-Type", "application/cbor")];
    for body in
        [&[0xff][..], &[0x9f; 100_000], &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[0xd8]]
    {
        let answer = server.post(path, &headers, body).await;
        assert_eq!(answer.status, 400, "{body:02x?}");
    }
    assert_eq!(logs(&server, "DescribeLogGroups", b"{}").await.status, 200, "and it goes on");
}

#[tokio::test]
async fn gzip_is_read_and_bombs_are_refused() {
    let server = Server::start();
    let target = ("X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData");
    let compress = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    };
    let body = compress(br#"{"Namespace":"Zip","MetricData":[{"MetricName":"M","Value":1}]}"#);
    let answer = server.post("/", &[CLOUDWATCH_JSON, target, GZIP], &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let bomb = compress(&vec![b' '; 1 << 30]);
    let answer = server.post("/", &[CLOUDWATCH_JSON, target, GZIP], &bomb).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    let answer = server.post("/", &[CLOUDWATCH_JSON, target, GZIP], b"not gzip").await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("MalformedHttpRequestException"), "{}", answer.text());
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let server = Server::start();
    let answer = logs(&server, "DescribeLogGroups", &vec![b' '; 20 << 20]).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    let claims =
        server.post("/", &[LOGS_JSON, ("X-Amz-Target", "Logs_20140328.DescribeLogGroups")], b"{}").await;
    assert_eq!(claims.status, 200);
}

#[tokio::test]
async fn violated_constraints_read_as_in_aws() {
    let server = Server::start();
    let answer = logs(&server, "DescribeLogGroups", br#"{"limit": 51}"#).await;
    assert_eq!(answer.json()["__type"], "InvalidParameterException");
    assert_eq!(
        answer.json()["message"],
        "1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: Member must have value less than \
         or equal to 50"
    );
    let target = ("X-Amz-Target", "GraniteServiceVersion20100801.SetAlarmState");
    let body = br#"{"AlarmName":"a","StateValue":"INVALID","StateReason":"r"}"#;
    let answer = server.post("/", &[CLOUDWATCH_JSON, target, ("x-amzn-query-mode", "true")], body).await;
    assert_eq!(answer.header("x-amzn-query-error"), Some("ValidationError;Sender"));
    assert!(
        answer.text().contains(
            "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must satisfy \
             enum value set: ["
        ),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn web_pages_of_other_origins_cannot_post_forms_here() {
    let server = Server::start();
    let form = b"Action=CreateTopic&Name=planted&Version=2010-03-31";
    let page = [QUERY, ("Origin", "https://example.com"), ("Sec-Fetch-Site", "cross-site")];
    for path in ["/", "/?X-Amz-Credential=AKID/20260101/us-east-1/sns/aws4_request", "/_groundwatch/clock"] {
        let refused = server.post(path, &page, form).await;
        assert_eq!(refused.status, 403, "{path}: {}", refused.text());
    }
    assert_eq!(server.post("/", &[QUERY], form).await.status, 200);
}
