//! Texts that are languages of their own (patterns, expressions, policies, dashboards, …), broken in every
//! manner that comes to mind: whatever the server thinks of them, it answers, and never with a failure of its
//! own.
//!
//! `PROPTEST_CASES` sets how many broken texts each place gets.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::json;

use crate::harness::{ACCOUNT, Server};

/// Stands in a place's request for the broken text.
const HOLE: &str = "@@";

/// Somewhere that takes texts of a language.
struct Place {
    endpoint: Endpoint,
    /// With [`HOLE`] in it.
    request: String,
    /// Whole texts, to be broken.
    texts: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Endpoint {
    /// `X-Amz-Target`, and JSON.
    Json(&'static str),
    /// A form, of SNS.
    Query,
    /// A path of our own, and JSON.
    Path(&'static str),
}

#[rustfmt::skip]
fn places() -> Vec<Place> {
    let place = |endpoint, request: serde_json::Value, texts| Place { endpoint, request: request.to_string(), texts };
    let cloudwatch = |target, request, texts| place(Endpoint::Json(target), request, texts);
    let logs = cloudwatch;
    let sqs = cloudwatch;
    let sns = |request: &str, texts| Place { endpoint: Endpoint::Query, request: format!("{request}&Version=2010-03-31"), texts };
    let topic = format!("arn:aws:sns:us-east-1:{ACCOUNT}:t");
    let queue = |name: &str, texts| sqs("AmazonSQS.SetQueueAttributes", json!({"QueueUrl": format!("http://h/{ACCOUNT}/q"), "Attributes": {name: HOLE}}), texts);
    let grok = json!({"transformerConfig": [{"grok": {"match": HOLE}}], "logEventMessages": ["10.0.0.1 GET /a?b=c 200 [x] \"y\""]});
    let dates = json!({"transformerConfig": [{"parseJSON": {}}, {"dateTimeConverter": {"source": "t", "target": "u", "matchPatterns": [HOLE]}}], "logEventMessages": ["{\"t\":\"2026-01-02T03:04:05Z\"}"]});
    let event = json!({"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1_767_225_600_000_i64, "message": HOLE}]});
    let query = |query| json!({"StartTime": 1_767_222_000, "EndTime": 1_767_225_600, "MetricDataQueries": [query, {"Id": "m1", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}}]});
    vec![
        cloudwatch("GraniteServiceVersion20100801.GetMetricData", query(json!({"Id": "e", "Expression": HOLE, "Period": 60})), &[
            "IF(m1 > 2 AND NOT (m1 == 3), RATE(m1) * 100 / PERIOD(m1), FILL(m1, LINEAR))",
            "SORT(SEARCH('{N,Host} MetricName=\"M\" OR (b NOT \"c d\")', 'p99', 60), AVG, DESC, 5)",
            "SELECT AVG(M) FROM SCHEMA(\"N\", Host) WHERE Host = 'a' OR Host != 'b''c' GROUP BY Host ORDER BY MAX() DESC LIMIT 5",
            "ANOMALY_DETECTION_BAND(m1, 2)",
            "METRICS(\"m\")[0] + TIME_SERIES(1e-3) - DATAPOINT_COUNT([m1, m1])",
        ]),
        cloudwatch("GraniteServiceVersion20100801.GetMetricData", query(json!({"Id": "e", "Expression": "m1", "Label": HOLE})), &["${PROP('Dim.Host')} ${MAX} at ${MAX_TIME_RELATIVE} [${DATAPOINT_COUNT}]"]),
        cloudwatch("GraniteServiceVersion20100801.GetMetricStatistics", json!({"Namespace": "N", "MetricName": "M", "StartTime": 1_767_222_000, "EndTime": 1_767_225_600, "Period": 60, "ExtendedStatistics": [HOLE]}), &["p99.9", "TM(10%:90%)", "PR(:300)", "wm95"]),
        cloudwatch("GraniteServiceVersion20100801.PutCompositeAlarm", json!({"AlarmName": "c", "AlarmRule": HOLE}), &["(ALARM(\"a b\") AND NOT OK(c)) OR INSUFFICIENT_DATA('d')", "AT_LEAST(2, ALARM, (a, b, c)) OR TRUE"]),
        cloudwatch("GraniteServiceVersion20100801.PutAlarmMuteRule", json!({"Name": "r", "Rule": {"Schedule": {"Expression": HOLE, "Duration": "PT1H"}}}), &["cron(0 12 ? * MON-FRI *)", "at(2026-01-02T03:04)"]),
        cloudwatch("GraniteServiceVersion20100801.PutDashboard", json!({"DashboardName": "d", "DashboardBody": HOLE}), &[
            "{\"start\":\"-PT3H\",\"widgets\":[{\"type\":\"metric\",\"x\":0,\"y\":0,\"width\":12,\"height\":6,\"properties\":{\"metrics\":[[\"N\",\"M\",\"Host\",\"a\",{\"stat\":\"p99\"}],[{\"expression\":\"m1*2\",\"id\":\"e1\"}]],\"period\":300,\"region\":\"us-east-1\",\"yAxis\":{\"left\":{\"min\":0}},\"annotations\":{\"horizontal\":[{\"value\":1}]}}}],\"variables\":[]}",
        ]),
        cloudwatch("GraniteServiceVersion20100801.GetMetricWidgetImage", json!({"MetricWidget": HOLE}), &[
            "{\"metrics\":[[\"N\",\"M\"],[\"...\",{\"color\":\"#f00\",\"yAxis\":\"right\"}]],\"width\":50,\"height\":50,\"start\":\"-PT1H\",\"period\":60,\"view\":\"timeSeries\"}",
        ]),
        cloudwatch("GraniteServiceVersion20100801.PutInsightRule", json!({"RuleName": "i", "RuleDefinition": HOLE}), &[
            "{\"Schema\":{\"Name\":\"CloudWatchLogRule\",\"Version\":1},\"LogGroupNames\":[\"g\"],\"LogFormat\":\"JSON\",\"Contribution\":{\"Keys\":[\"$.ip\"],\"ValueOf\":\"$.n\",\"Filters\":[{\"Match\":\"$.s\",\"In\":[\"a\"]}]},\"AggregateOn\":\"Sum\"}",
        ]),
        cloudwatch("GraniteServiceVersion20100801.ListMetrics", json!({"NextToken": HOLE}), &["AAAAAAAAAAAAAAAAAAAA"]),
        logs("Logs_20140328.TestMetricFilter", json!({"filterPattern": HOLE, "logEventMessages": ["a b 1", "{\"a\":[{\"b\":1}]}"]}), &[
            "{ ($.a[0].b = 1.5e3 || $.c != \"x*\") && ($.d IS TRUE) && ($.e NOT EXISTS) }",
            "[ip, user, ..., status = 4* && status != 404, bytes > 1,000]",
            "?ERROR ?\"WARN now\" -debug",
            "%(a|b)+[0-9]{3}\\s%",
        ]),
        logs("Logs_20140328.TestMetricFilter", json!({"filterPattern": "{ $.a = \"b\" }", "logEventMessages": [HOLE]}), &["{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":\"\\u00e9\"}"]),
        logs("Logs_20140328.FilterLogEvents", json!({"logGroupName": "g", "filterPattern": HOLE}), &["{ $.a = \"b*\" && $.c > 3 }", "[a, b != 3*]"]),
        logs("Logs_20140328.GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s", "nextToken": HOLE}), &["f/39000000000000000000000000000000000000000000000000000000/s"]),
        logs("Logs_20140328.PutLogEvents", event, &[
            "{\"_aws\":{\"Timestamp\":1767225600000,\"CloudWatchMetrics\":[{\"Namespace\":\"N\",\"Dimensions\":[[\"h\"]],\"Metrics\":[{\"Name\":\"m\",\"Unit\":\"Count\",\"StorageResolution\":1}]}]},\"h\":\"a\",\"m\":[1,2.5]}",
        ]),
        logs("Logs_20140328.TestTransformer", grok, &["%{IP:client} %{WORD:method} %{URIPATHPARAM:path} %{NUMBER:n:int} \\[%{DATA:d}\\]"]),
        logs("Logs_20140328.TestTransformer", dates, &["yyyy-MM-dd'T'HH:mm:ss[.SSS]XXX", "epoch"]),
        logs("Logs_20140328.PutResourcePolicy", json!({"policyName": "p", "policyDocument": HOLE}), &["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"es.amazonaws.com\"},\"Action\":[\"logs:PutLogEvents\"],\"Resource\":\"*\"}]}"]),
        logs("Logs_20140328.PutDataProtectionPolicy", json!({"logGroupIdentifier": "g", "policyDocument": HOLE}), &[
            "{\"Name\":\"n\",\"Version\":\"2021-06-01\",\"Statement\":[{\"Sid\":\"a\",\"DataIdentifier\":[\"arn:aws:dataprotection::aws:data-identifier/EmailAddress\"],\"Operation\":{\"Audit\":{\"FindingsDestination\":{}}}},{\"Sid\":\"b\",\"DataIdentifier\":[\"arn:aws:dataprotection::aws:data-identifier/EmailAddress\"],\"Operation\":{\"Deidentify\":{\"MaskConfig\":{}}}}],\"Configuration\":{\"CustomDataIdentifier\":[{\"Name\":\"x\",\"Regex\":\"a+b\"}]}}",
        ]),
        logs("Logs_20140328.PutIndexPolicy", json!({"logGroupIdentifier": "g", "policyDocument": HOLE}), &["{\"Fields\":[\"a\",\"b.c\"]}"]),
        logs("Logs_20140328.PutAccountPolicy", json!({"policyName": "p", "policyType": "SUBSCRIPTION_FILTER_POLICY", "policyDocument": HOLE, "selectionCriteria": "LogGroupName NOT IN [\"a\"]"}), &["{\"DestinationArn\":\"arn:aws:sqs:us-east-1:123456789012:q\",\"FilterPattern\":\"x\",\"Distribution\":\"Random\"}"]),
        logs("Logs_20140328.PutAccountPolicy", json!({"policyName": "p", "policyType": "SUBSCRIPTION_FILTER_POLICY", "policyDocument": "{\"DestinationArn\":\"arn:aws:sqs:us-east-1:123456789012:q\",\"FilterPattern\":\"\"}", "selectionCriteria": HOLE}), &["LogGroupName NOT IN [\"a\", \"b\"]"]),
        logs("Logs_20140328.DescribeLogGroups", json!({"logGroupIdentifiers": [HOLE]}), &["arn:aws:logs:us-east-1:123456789012:log-group:g"]),
        sns(&format!("Action=SetTopicAttributes&TopicArn={topic}&AttributeName=Policy&AttributeValue={HOLE}"), &["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"a\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"},\"Action\":\"sns:Publish\",\"Resource\":\"arn:aws:sns:us-east-1:123456789012:t\",\"Condition\":{\"ArnLike\":{\"aws:SourceArn\":\"arn:*\"}}}]}"]),
        sns(&format!("Action=SetTopicAttributes&TopicArn={topic}&AttributeName=DeliveryPolicy&AttributeValue={HOLE}"), &["{\"http\":{\"defaultHealthyRetryPolicy\":{\"minDelayTarget\":1,\"maxDelayTarget\":20,\"numRetries\":3,\"backoffFunction\":\"linear\"},\"disableSubscriptionOverrides\":false}}"]),
        sns(&format!("Action=Subscribe&TopicArn={topic}&Protocol=sqs&Endpoint=arn:aws:sqs:us-east-1:{ACCOUNT}:q&Attributes.entry.1.key=FilterPolicy&Attributes.entry.1.value={HOLE}"), &["{\"a\":[\"x\",{\"prefix\":\"y\"},{\"anything-but\":[1,2]},{\"numeric\":[\">\",0,\"<=\",5]},{\"exists\":false}],\"$or\":[{\"b\":[\"c\"]},{\"d\":[{\"cidr\":\"10.0.0.0/8\"}]}]}"]),
        sns(&format!("Action=Publish&TopicArn={topic}&MessageStructure=json&Message={HOLE}"), &["{\"default\":\"a\",\"sqs\":\"{\\\"b\\\":1}\"}"]),
        sns(&format!("Action=ListTopics&NextToken={HOLE}"), &["AAAA"]),
        queue("Policy", &["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:*\",\"Resource\":\"*\"}]}"]),
        queue("RedrivePolicy", &["{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:q\",\"maxReceiveCount\":3}"]),
        queue("RedriveAllowPolicy", &["{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[\"arn:aws:sqs:us-east-1:123456789012:q\"]}"]),
        queue("VisibilityTimeout", &["30"]),
        sqs("AmazonSQS.DeleteMessage", json!({"QueueUrl": format!("http://h/{ACCOUNT}/q"), "ReceiptHandle": HOLE}), &["AAAAAAAAAAAAAAAAAAAAAAAAAAAA"]),
        sqs("AmazonSQS.SendMessage", json!({"QueueUrl": HOLE, "MessageBody": "x"}), &["http://localhost:4566/123456789012/q"]),
        Place { endpoint: Endpoint::Path("/_groundwatch/alarms/backtest"), request: HOLE.to_owned(), texts: &["{\"name\":\"cpu\",\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-01-02T00:00:00Z\"}"] },
        Place { endpoint: Endpoint::Path("/v1/logs"), request: HOLE.to_owned(), texts: &["{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"b\"}}]},\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"1767225600000000000\",\"body\":{\"kvlistValue\":{\"values\":[]}},\"traceId\":\"0af7651916cd43dd8448eb211c80319c\"}]}]}]}"] },
    ]
}

/// What nests: too much of it may be more than a stack holds, which would end the whole server.
const NESTED: [&str; 4] = ["[", "{\"a\":", "(", "NOT "];

/// What breaks a text.
#[derive(Clone, Debug)]
enum Edit {
    Cut(Index, Index),
    Repeat(Index, Index),
    Insert(Index, String),
}

/// What is inserted: what languages give a meaning, numbers at their ends, and too much of everything.
fn inserted() -> impl Strategy<Value = String> {
    const TOKENS: [&str; 65] = [
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "\"",
        "'",
        "\\",
        "\\u",
        ",",
        ":",
        ";",
        ".",
        "..",
        "...",
        "*",
        "?",
        "%",
        "$",
        "$.",
        "${",
        "%{",
        "=",
        "!=",
        ">",
        "&&",
        "||",
        "-",
        "+",
        "/",
        "^",
        " ",
        "\n",
        "\t",
        "\0",
        "\u{7f}",
        "ü",
        "\u{1f600}",
        "\u{202e}",
        "0",
        "-1",
        "1e999",
        "NaN",
        "Infinity",
        "9223372036854775808",
        "99999999999999999999",
        "null",
        "true",
        "{}",
        "[]",
        "[[]]",
        "\"\"",
        "AND",
        "OR",
        "NOT",
        "SELECT",
        "SEARCH(",
        "IF(",
        "arn:",
        "arn:aws:::::",
        "::",
        "9999-12-31T23:59:59Z",
        "P9999Y",
        "0000",
    ];
    let long = select(&["(", "[", "{\"a\":", "\"", "\\", "a", "NOT ", "-", "%", "*", "1"][..]);
    prop_oneof![
        8 => select(&TOKENS[..]).prop_map(str::to_owned).boxed(),
        1 => (long, 50..3000_usize).prop_map(|(piece, times)| piece.repeat(times)).boxed(),
    ]
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        1 => any::<(Index, Index)>().prop_map(|(from, to)| Edit::Cut(from, to)),
        1 => any::<(Index, Index)>().prop_map(|(from, to)| Edit::Repeat(from, to)),
        4 => (any::<Index>(), inserted()).prop_map(|(at, text)| Edit::Insert(at, text)),
    ];
    vec(edit, 1..5)
}

fn broken(text: &str, edits: &[Edit]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let span = |chars: &[char], from: &Index, to: &Index| {
        let (from, to) = (from.index(chars.len() + 1), to.index(chars.len() + 1));
        // Short ones mostly, as hands slip.
        from.min(to)..from.max(to).min(from.min(to) + 12)
    };
    for edit in edits {
        match edit {
            Edit::Cut(from, to) => {
                chars.drain(span(&chars, from, to));
            }
            Edit::Repeat(from, to) => {
                let span = span(&chars, from, to);
                let again = chars[span.clone()].to_vec();
                chars.splice(span.end..span.end, again);
            }
            Edit::Insert(at, text) => {
                let at = at.index(chars.len() + 1);
                chars.splice(at..at, text.chars());
            }
        }
    }
    chars.into_iter().collect()
}

/// One connection for many requests.
struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    fn connect(server: &Server) -> Self {
        Self { reader: BufReader::new(TcpStream::connect(server.address()).expect("the server listens")) }
    }

    /// The status of the answer.
    fn ask(&mut self, endpoint: Endpoint, request: &str, text: &str) -> u16 {
        let json = || request.replace(&format!("\"{HOLE}\""), &json!(text).to_string());
        let (path, headers, body) = match endpoint {
            Endpoint::Json(target) => {
                let version = if target.starts_with("Logs") { "1.1" } else { "1.0" };
                (
                    "/",
                    format!("Content-Type: application/x-amz-json-{version}\r\nX-Amz-Target: {target}"),
                    json(),
                )
            }
            Endpoint::Query => {
                let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
                (
                    "/",
                    "Content-Type: application/x-www-form-urlencoded".to_owned(),
                    request.replace(HOLE, &encoded),
                )
            }
            Endpoint::Path(path) => (
                path,
                "Content-Type: application/json\r\nx-aws-log-group: g\r\nx-aws-log-stream: s".to_owned(),
                request.replace(HOLE, text),
            ),
        };
        let service = if matches!(endpoint, Endpoint::Query) { "sns" } else { "logs" };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential={ACCOUNT}/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let socket = self.reader.get_mut();
        socket
            .write_all(head.as_bytes())
            .and_then(|()| socket.write_all(body.as_bytes()))
            .expect("the server reads");
        self.read_answer()
    }

    fn read_answer(&mut self) -> u16 {
        let (mut status, mut length) = (0, 0);
        for line in self.reader.by_ref().lines() {
            let line = line.expect("the connection lives").to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().expect("a status");
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().expect("a length");
            } else if line.is_empty() {
                break;
            }
        }
        let read = std::io::copy(&mut self.reader.by_ref().take(length), &mut std::io::sink());
        assert_eq!(read.expect("the connection lives"), length);
        status
    }
}

#[test]
fn broken_texts_are_answered_and_never_with_a_failure() {
    let server = Server::start();
    let client = RefCell::new(Client::connect(&server));
    let ask = |endpoint, request: &str, text: &str| client.borrow_mut().ask(endpoint, request, text);
    for (target, request) in [
        ("Logs_20140328.CreateLogGroup", r#"{"logGroupName":"g"}"#),
        ("Logs_20140328.CreateLogStream", r#"{"logGroupName":"g","logStreamName":"s"}"#),
        ("AmazonSQS.CreateQueue", r#"{"QueueName":"q"}"#),
    ] {
        assert_eq!(ask(Endpoint::Json(target), request, ""), 200, "{target}");
    }
    assert_eq!(ask(Endpoint::Query, "Action=CreateTopic&Name=t&Version=2010-03-31", ""), 200);
    for place in places() {
        for text in place.texts {
            let whole = ask(place.endpoint, &place.request, text);
            assert!(whole < 500, "{whole} for {text}");
            for piece in NESTED {
                let status = ask(place.endpoint, &place.request, &piece.repeat(40_000));
                assert!(status < 500, "{status} for many of {piece} in {}", place.request);
            }
            let config =
                Config { failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..Config::default() };
            let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { 12 };
            let outcome = TestRunner::new(Config { cases, ..config }).run(&edits(), |edits| {
                let text = broken(text, &edits);
                let status = ask(place.endpoint, &place.request, &text);
                prop_assert!(status < 500 || status == 501, "{status} for {text:?}");
                Ok(())
            });
            if let Err(failure) = outcome {
                panic!("{}: {failure}", place.request);
            }
        }
    }
}
