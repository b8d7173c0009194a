//! Logs that come in by other ways than AWS's API: OpenTelemetry and syslog.

use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::harness::Server;

const JSON: (&str, &str) = ("Content-Type", "application/json");
/// Whom the SDK's client of the tests is, so that it sees what is stored.
const SIGNED: (&str, &str) = (
    "Authorization",
    "AWS4-HMAC-SHA256 Credential=123456789012/20260101/eu-central-1/logs/aws4_request, SignedHeaders=host, Signature=00",
);

/// 2026-01-01T00:00:00Z, where the manual clock stands.
const NOW_NANOS: u64 = 1_767_225_600_000_000_000;
const DAY_NANOS: u64 = 86_400_000_000_000;

fn request(records: &[(u64, &str)]) -> String {
    let record = |(nanos, body): &(u64, &str)| {
        format!(r#"{{"timeUnixNano":"{nanos}","severityText":"INFO","body":{{"stringValue":"{body}"}}}}"#)
    };
    let records: Vec<String> = records.iter().map(record).collect();
    format!(
        r#"{{"resourceLogs":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"shop"}}}}]}},"scopeLogs":[{{"scope":{{"name":"lib"}},"logRecords":[{}]}}]}}]}}"#,
        records.join(",")
    )
}

async fn messages(logs: &Client, group: &str) -> Vec<FilteredLogEvent> {
    let filtered = logs.filter_log_events().log_group_name(group).send().await;
    filtered.map(|output| output.events.unwrap_or_default()).unwrap_or_default()
}

#[tokio::test]
async fn opentelemetry_logs_become_events_in_the_order_of_time() {
    let server = Server::start_with_manual_clock().await;
    let logs = server.logs();
    logs.create_log_group().log_group_name("otel").send().await.expect("created");
    logs.create_log_stream().log_group_name("otel").log_stream_name("s").send().await.expect("created");
    let place = [("x-aws-log-group", "otel"), ("x-aws-log-stream", "s")];
    let headers = [SIGNED, JSON, ("Content-Encoding", "gzip"), place[0], place[1]];
    let body = request(&[
        (NOW_NANOS, "second"),
        (NOW_NANOS - 1_000_000, "first"),
        (NOW_NANOS - 20 * DAY_NANOS, "old"),
    ]);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(body.as_bytes()).expect("writes to memory");
    let answer = server.post("/v1/logs", &headers, &gzip.finish().expect("writes to memory")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["partialSuccess"]["rejectedLogRecords"], "1");
    assert!(answer.text().contains("tooOldLogEventCount"), "{}", answer.text());

    let stored: Vec<serde_json::Value> = messages(&logs, "otel")
        .await
        .iter()
        .map(|event| serde_json::from_str(event.message().unwrap_or_default()).expect("JSON"))
        .collect();
    let bodies: Vec<_> = stored.iter().map(|event| event["body"].as_str()).collect();
    assert_eq!(bodies, [Some("first"), Some("second")]);
    assert_eq!(stored[0]["resource"]["attributes"]["service.name"], "shop");
    assert_eq!(stored[0]["severityText"], "INFO");
}

#[tokio::test]
async fn opentelemetry_is_refused_in_its_own_words() {
    let server = Server::start();
    let place = [("x-aws-log-group", "none"), ("x-aws-log-stream", "s")];
    let body = request(&[(NOW_NANOS, "x")]);
    for (path, headers, body, status) in [
        ("/v1/logs", vec![JSON], body.as_str(), 400),
        ("/v1/logs", vec![JSON, place[0], place[1]], "{", 400),
        ("/v1/logs", vec![JSON, place[0], place[1]], &body, 404),
        ("/v1/logs", vec![("Content-Type", "text/plain")], "", 415),
        ("/v1/metrics", vec![JSON], "{}", 501),
        ("/v1/traces", vec![JSON], "{}", 501),
    ] {
        let answer = server.post(path, &headers, body.as_bytes()).await;
        assert_eq!(answer.status, status, "{path} {headers:?}: {}", answer.text());
        assert!(answer.json()["message"].is_string(), "{}", answer.text());
    }
}

#[tokio::test]
async fn syslog_arrives_over_tcp_and_udp() {
    // Nobody else takes a port between its being given back here and its being bound by the server, as a
    // rule.
    let free = || {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        socket.local_addr().expect("bound")
    };
    let (tcp, udp) = (free(), free());
    let directory = tempfile::tempdir().expect("a temporary directory");
    let listen = format!("tcp://{tcp},udp://{udp}");
    let flags = [
        "--syslog-listen",
        &listen,
        "--syslog-log-stream",
        "{host}/{program}",
        "--syslog-region",
        "eu-central-1",
    ];
    let server = Server::start_in(directory.path(), &flags);
    let mut stream = TcpStream::connect(tcp).expect("listens");
    stream.write_all(b"<34>1 - web-1 nginx - - - over tcp\n27 <34>1 - web-1 nginx - - - x").expect("taken");
    drop(stream);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.send_to(b"<13>Jan  2 03:04:03 db postgres[7]: over udp", udp).expect("sent");

    // Unsigned requests are of the account in which syslog lands.
    let body = br#"{"logGroupName":"syslog"}"#;
    let headers = [
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", "Logs_20140328.FilterLogEvents"),
        (
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/logs/aws4_request, SignedHeaders=host, Signature=00",
        ),
    ];
    let mut events = Vec::new();
    for _ in 0..2000 {
        let answer = server.post("/", &headers, body).await;
        events = answer.json()["events"].as_array().cloned().unwrap_or_default();
        if events.len() == 3 {
            break;
        }
    }
    let mut seen: Vec<_> =
        events.iter().map(|event| format!("{} {}", event["logStreamName"], event["message"])).collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            r#""db/postgres" "<13>Jan  2 03:04:03 db postgres[7]: over udp""#,
            r#""web-1/nginx" "<34>1 - web-1 nginx - - - over tcp""#,
            r#""web-1/nginx" "<34>1 - web-1 nginx - - - x""#,
        ]
    );
    assert!(server.stop());
}
