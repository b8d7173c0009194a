use groundwatch_api::{SERVICES, cloudwatch, logs, sns, sqs, sts};
use http::Request;

use super::*;

const SIGNATURE: &str = "SignedHeaders=host, Signature=00";

/// A request in a few words: method and path, then headers a line.
fn head(lines: &str) -> Parts {
    let mut lines = lines.lines();
    let (method, uri) = lines.next().and_then(|first| first.split_once(' ')).expect("a method and a path");
    let mut request = Request::builder().method(method).uri(uri);
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a header");
        request = request.header(name, value);
    }
    request.body(()).expect("a request").into_parts().0
}

fn find(lines: &str, body: &str) -> Result<Route, Fault> {
    let head = head(lines);
    let credential = Credential::of(&head)?;
    let dialect = Dialect::of(&head, credential.as_ref(), SERVICES);
    route(&head, Bytes::copy_from_slice(body.as_bytes()), &dialect, credential.as_ref(), SERVICES)
}

fn check(lines: &str, body: &str, service: &Service, operation: &str) {
    let found = find(lines, body).map(|route| (route.service.name, route.operation));
    assert_eq!(found, Ok((service.name, operation)), "{lines}\n{body}");
}

fn refused(lines: &str, body: &str, code: &str, message: &str) {
    let fault = find(lines, body).expect_err(lines);
    assert_eq!((fault.shape.code, fault.message.as_deref()), (code, Some(message)), "{lines}\n{body}");
}

fn signed(service: &str) -> String {
    let credential = format!("AKID/20260102/us-east-1/{service}/aws4_request");
    format!("POST /\nauthorization: AWS4-HMAC-SHA256 Credential={credential}, {SIGNATURE}")
}

fn target(target: &str) -> String {
    format!("POST /\nx-amz-target: {target}\ncontent-type: application/x-amz-json-1.0")
}

#[test]
fn rpc_v2_is_the_last_four_segments_of_the_path() {
    for path in [
        "/service/GraniteServiceVersion20100801/operation/PutMetricData",
        "/some/base/service/GraniteServiceVersion20100801/operation/PutMetricData",
        "/service/com.amazonaws.cloudwatch.v2010_08_01%23GraniteServiceVersion20100801/operation/PutMetricData",
    ] {
        let lines = format!("POST {path}\nsmithy-protocol: rpc-v2-cbor\ncontent-type: application/cbor");
        check(&lines, "", &cloudwatch::SERVICE, "PutMetricData");
    }
}

#[test]
fn a_target_is_split_at_its_last_dot() {
    check(
        &target("GraniteServiceVersion20100801.DescribeAlarms"),
        "{}",
        &cloudwatch::SERVICE,
        "DescribeAlarms",
    );
    check(&target("Logs_20140328.PutLogEvents"), "{}", &logs::SERVICE, "PutLogEvents");
    check(&target("com.amazonaws.logs.v1.Logs_20140328.PutLogEvents"), "{}", &logs::SERVICE, "PutLogEvents");
}

#[test]
fn an_action_stands_in_the_form_or_in_the_query_string() {
    let form = "POST /\ncontent-type: application/x-www-form-urlencoded; charset=utf-8";
    check(form, "Action=ListMetrics&Version=2010-08-01", &cloudwatch::SERVICE, "ListMetrics");
    check("GET /?Action=ListMetrics&Version=2010-08-01", "", &cloudwatch::SERVICE, "ListMetrics");
    check("POST /000000000000/queue", "Version=2010-03-31&Action=Publish", &sns::SERVICE, "Publish");
    let route = find("POST /?Action=Publish", "Message=a").expect("a route");
    assert_eq!(&route.payload[..], b"Action=Publish&Message=a");
}

#[test]
fn a_queues_own_path_says_which_queue_unless_the_form_does() {
    let form = "POST /000000000000/q\ncontent-type: application/x-www-form-urlencoded";
    let payload = |form_data: &str| {
        let route = find(form, form_data).expect("a route");
        String::from_utf8_lossy(&route.payload).into_owned()
    };
    let purge = "Action=PurgeQueue&Version=2012-11-05";
    assert_eq!(payload(purge), format!("{purge}&QueueUrl=%2F000000000000%2Fq"));
    let with_url = format!("{purge}&QueueUrl=r");
    assert_eq!(payload(&with_url), with_url);
    let publish = "Action=Publish&Version=2010-03-31";
    assert_eq!(payload(publish), publish);
}

#[test]
fn the_credential_scope_decides_between_services_then_the_version() {
    check(&signed("sts"), "Action=GetCallerIdentity", &sts::SERVICE, "GetCallerIdentity");
    check("POST /", "Action=GetCallerIdentity", &sts::SERVICE, "GetCallerIdentity");
    // `TagResource` is CloudWatch's and SNS's.
    check(&signed("monitoring"), "Action=TagResource", &cloudwatch::SERVICE, "TagResource");
    check(&signed("sns"), "Action=TagResource", &sns::SERVICE, "TagResource");
    check("POST /", "Action=TagResource&Version=2010-03-31", &sns::SERVICE, "TagResource");
    refused(
        "POST /",
        "Action=TagResource",
        "InvalidAction",
        "`TagResource` is an operation of cloudwatch and of sns: sign the request for one of them, or send its Version",
    );
    // `AddPermission` is SNS's and SQS's.
    check("POST /", "Action=AddPermission&Version=2012-11-05", &sqs::SERVICE, "AddPermission");
    check("POST /", "Action=AddPermission&Version=2010-03-31", &sns::SERVICE, "AddPermission");
    refused(
        "POST /",
        "Action=AddPermission&Version=2010-08-01",
        "InvalidAction",
        "no service here has an operation `AddPermission` in version `2010-08-01`",
    );
}

#[test]
fn what_does_not_exist_is_named() {
    let served = "served are cloudwatch, logs, sns, sqs, sts";
    let unknown = |lines: &str, body: &str, wanted: &str, service: &str| {
        let message = format!("`{wanted}` of service `{service}` is not served here; {served}");
        refused(lines, body, "UnknownService", &message);
    };
    unknown(&target("AWSEvents.PutEvents"), "", "PutEvents", "AWSEvents");
    let form = format!("{}\ncontent-type: application/x-www-form-urlencoded", signed("kafka"));
    unknown(&form, "Action=AddPermission", "AddPermission", "kafka");
    unknown(
        "POST /service/AWSEventsV2/operation/PutEvents\nsmithy-protocol: rpc-v2-cbor",
        "",
        "PutEvents",
        "AWSEventsV2",
    );
    let functions = signed("lambda").replace("POST /", "GET /2015-03-31/functions");
    unknown(&functions, "", "GET /2015-03-31/functions", "lambda");
    unknown(&signed("s3").replace("POST", "GET"), "", "GET /", "s3");
    refused("GET /favicon.ico", "", "InvalidAction", "nothing here answers GET /favicon.ico");
    refused(
        &target("Logs_20140328.PutLogEvent"),
        "",
        "InvalidAction",
        "logs has no operation `PutLogEvent` (version 2014-03-28)",
    );
    refused("POST /", "Action=Nonsense", "InvalidAction", "no service here has an operation `Nonsense`");
    refused(
        &signed("logs"),
        "Action=PutLogEvents",
        "InvalidAction",
        "logs does not speak the protocol query",
    );
    refused(
        "POST /",
        "Version=1",
        "MissingAction",
        "the request names no operation: neither X-Amz-Target, nor a parameter Action, nor a path of RPC v2",
    );
}

#[test]
fn rpc_v2_needs_its_header() {
    let path = "POST /service/GraniteServiceVersion20100801/operation/PutMetricData";
    let code = "MalformedHttpRequestException";
    refused(path, "", code, "a request of RPC v2 needs the header smithy-protocol: rpc-v2-cbor");
    refused(
        &format!("{path}\nsmithy-protocol: rpc-v2-json"),
        "",
        code,
        "smithy-protocol `rpc-v2-json` is not supported, only rpc-v2-cbor is",
    );
    refused(
        "POST /service/Logs_20140328/operation/PutLogEvents\nsmithy-protocol: rpc-v2-cbor",
        "",
        "InvalidAction",
        "logs does not speak the protocol rpc-v2-cbor",
    );
}

#[test]
fn an_answer_is_owed_in_the_protocol_that_the_head_speaks() {
    for (lines, protocol) in [
        ("POST /service/A/operation/B", Protocol::RpcV2Cbor),
        ("POST /\nsmithy-protocol: rpc-v2-cbor", Protocol::RpcV2Cbor),
        ("POST /\nx-amz-target: A.B", Protocol::Json11),
        ("POST /\nx-amz-target: A.B\ncontent-type: Application/X-Amz-JSON-1.0;x=y", Protocol::Json10),
        ("POST /\ncontent-type: application/x-amz-json-1.1", Protocol::Json11),
        ("POST /", Protocol::Query),
        ("GET /x", Protocol::Query),
    ] {
        assert_eq!(Dialect::of(&head(lines), None, SERVICES).protocol, protocol, "{lines}");
    }
}

#[test]
fn rest_clients_of_services_that_are_not_here_can_read_the_refusal() {
    for (request, service, protocol) in [
        ("GET /schedules", "scheduler", Protocol::Json11),
        ("GET /", "s3", Protocol::Query),
        ("GET /?Action=ListUsers", "iam", Protocol::Query),
        ("GET /", "sns", Protocol::Query),
    ] {
        let head = head(&signed(service).replace("POST /", request));
        let credential = Credential::of(&head).expect("a credential");
        assert_eq!(Dialect::of(&head, credential.as_ref(), SERVICES).protocol, protocol, "{request}");
    }
}
