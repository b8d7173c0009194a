//! Subscriptions and exports through the SDK: by HTTP to a function's webhook and to AWS-compatible
//! endpoints, to a queue, to a folder; and that an abrupt end loses nothing.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Statistic};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use flate2::read::GzDecoder;
use groundwatch_core::{Clock as _, SystemClock};
use serde_json::Value;

use crate::harness::{ACCOUNT, Server};

/// How long a delivery may take before a test gives up; it comes within milliseconds.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);
const GROUP: &str = "/app";
const STREAM: &str = "s";
const REGION: &str = "eu-central-1";

/// What a receiver was sent: the head in lower case, and the body.
struct Request {
    head: String,
    body: Value,
}

impl Request {
    /// The message in a function's event.
    fn message(&self) -> Value {
        unpacked(self.body["awslogs"]["data"].as_str().expect("a function's event"))
    }
}

/// Reads the digits of Base64, gzip and JSON.
fn unpacked(base64: &str) -> Value {
    let gzip = aws_smithy_types::base64::decode(base64).expect("Base64");
    serde_json::from_reader(GzDecoder::new(&gzip[..])).expect("JSON in gzip")
}

fn texts(message: &Value) -> Vec<String> {
    let events = message["logEvents"].as_array().expect("a list");
    events.iter().map(|event| event["message"].as_str().expect("a text").to_owned()).collect()
}

/// A receiver on a free port. While it is busy it answers 503 and forgets what it was sent.
struct Sink {
    url: String,
    busy: Arc<AtomicBool>,
    requests: Receiver<Request>,
}

impl Sink {
    fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let (sender, requests) = channel();
        let busy = Arc::new(AtomicBool::new(false));
        let is_busy = busy.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let Ok(mut socket) = socket else { return };
                let Some(request) = read_request(&mut socket) else { continue };
                let status = match is_busy.load(Ordering::SeqCst) {
                    true => "503 Busy",
                    false if sender.send(request).is_err() => return,
                    false => "200 OK",
                };
                let body = "{\"errors\":false,\"FailedPutCount\":0}";
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                let _ = socket.write_all(answer.as_bytes());
            }
        });
        Self { url, busy, requests }
    }

    fn next(&self) -> Request {
        // The sink's thread needs no runtime; waiting for it must not block the one that the SDK runs on.
        tokio::task::block_in_place(|| self.requests.recv_timeout(DELIVERY_TIMEOUT)).expect("a delivery")
    }
}

fn read_request(socket: &mut impl Read) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = socket.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length?.trim().parse().ok()?;
        if bytes.len() >= end + 4 + length {
            let body = serde_json::Deserializer::from_slice(&bytes[end + 4..]).into_iter().next();
            return Some(Request { head, body: body?.ok()? });
        }
    }
}

/// Targets: functions and the search domain by HTTP, streams signed, all else in a folder.
fn configuration(dir: &Path, sink: &Sink) -> std::path::PathBuf {
    let url = &sink.url;
    let aws = format!("{{ endpoint = '{url}', access-key-id = 'a', secret-access-key = 'b' }}");
    let folder = dir.join("folder");
    let text = format!(
        "[[target]]\narn = 'arn:aws:lambda:*'\nwebhook = '{url}/function'\n\
         [[target]]\narn = 'arn:aws:kinesis:*'\naws = {aws}\n\
         [[target]]\narn = 'arn:aws:firehose:*'\naws = {aws}\n\
         [[target]]\narn = 'arn:aws:es:*'\nopensearch = '{url}'\n\
         [[target]]\narn = 'arn:aws:s3:*'\nfolder = '{}'\n",
        folder.display()
    );
    let path = dir.join("groundwatch.toml");
    std::fs::write(&path, text).expect("written");
    path
}

struct Setup {
    dir: tempfile::TempDir,
    sink: Sink,
    server: Server,
}

impl Setup {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let sink = Sink::listen();
        let server = Self::launch(dir.path(), &sink);
        Self::with_group(dir, sink, server).await
    }

    async fn with_group(dir: tempfile::TempDir, sink: Sink, server: Server) -> Self {
        let client = server.logs();
        client.create_log_group().log_group_name(GROUP).send().await.expect("created");
        client
            .create_log_stream()
            .log_group_name(GROUP)
            .log_stream_name(STREAM)
            .send()
            .await
            .expect("created");
        Self { dir, sink, server }
    }

    fn launch(dir: &Path, sink: &Sink) -> Server {
        let config = configuration(dir, sink);
        let config = config.to_str().expect("UTF-8");
        Server::start_in(&dir.join("data"), &["--config", config])
    }

    fn client(&self) -> Client {
        self.server.logs()
    }

    async fn subscribe(&self, name: &str, arn: &str, role: Option<&str>) {
        let put = self.client().put_subscription_filter().log_group_name(GROUP).filter_name(name);
        let put = put.filter_pattern("ERROR").destination_arn(arn).set_role_arn(role.map(str::to_owned));
        put.send().await.expect("subscribed");
    }

    async fn put(&self, texts: &[&str]) {
        let now = SystemClock.now().as_millis();
        let put = self.client().put_log_events().log_group_name(GROUP).log_stream_name(STREAM);
        let put = texts.iter().fold(put, |put, text| {
            let event = InputLogEvent::builder().timestamp(now).message(*text).build();
            put.log_events(event.expect("complete"))
        });
        put.send().await.expect("accepted");
    }
}

fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

const ROLE: Option<&str> = Some("arn:aws:iam::123456789012:role/r");

#[tokio::test(flavor = "multi_thread")]
async fn a_function_gets_the_gzip_payload() {
    let setup = Setup::new().await;
    setup.subscribe("errors", &arn("lambda", "function:f"), None).await;
    assert_eq!(setup.sink.next().message()["messageType"], "CONTROL_MESSAGE");
    setup.put(&["ERROR one", "fine", "ERROR two"]).await;
    let request = setup.sink.next();
    assert!(request.head.starts_with("post /function "), "{}", request.head);
    let message = request.message();
    assert_eq!(message["messageType"], "DATA_MESSAGE");
    assert_eq!((&message["owner"], &message["logGroup"]), (&ACCOUNT.into(), &GROUP.into()));
    assert_eq!(texts(&message), ["ERROR one", "ERROR two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_get_signed_calls_and_a_search_domain_documents() {
    let setup = Setup::new().await;
    setup.subscribe("kinesis", &arn("kinesis", "stream/k"), ROLE).await;
    setup.subscribe("firehose", &arn("firehose", "deliverystream/f"), ROLE).await;
    let heads = [setup.sink.next().head, setup.sink.next().head];
    assert!(heads[0].contains("x-amz-target: kinesis_20131202.putrecord"), "{}", heads[0]);
    assert!(heads[1].contains("x-amz-target: firehose_20150804.putrecordbatch"), "{}", heads[1]);
    assert!(heads[1].contains(&format!("/{REGION}/firehose/aws4_request")), "{}", heads[1]);
    setup.put(&["ERROR one"]).await;
    for _ in 0..2 {
        let body = setup.sink.next().body;
        let data = body["Data"].as_str().or_else(|| body["Records"][0]["Data"].as_str());
        assert_eq!(texts(&unpacked(data.expect("a record"))), ["ERROR one"]);
    }
    let client = setup.client();
    client
        .delete_subscription_filter()
        .log_group_name(GROUP)
        .filter_name("kinesis")
        .send()
        .await
        .expect("gone");
    client
        .delete_subscription_filter()
        .log_group_name(GROUP)
        .filter_name("firehose")
        .send()
        .await
        .expect("gone");
    setup.subscribe("search", &arn("es", "domain/d"), None).await;
    setup.put(&["ERROR two"]).await;
    let request = setup.sink.next();
    assert!(request.head.starts_with("post /_bulk"), "{}", request.head);
    assert!(request.body["index"]["_index"].as_str().is_some_and(|index| index.starts_with("cwl-")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_of_this_server_gets_the_payload() {
    let setup = Setup::new().await;
    let header = [("x-amz-target", "AmazonSQS.CreateQueue"), ("content-type", "application/x-amz-json-1.0")];
    let credential = "AWS4-HMAC-SHA256 Credential=123456789012/20260101/eu-central-1/sqs/aws4_request, \
                      SignedHeaders=host, Signature=0";
    let call = async |target: &str, body: &str| {
        let headers = [("x-amz-target", target), header[1], ("authorization", credential)];
        let answer = setup.server.post("/", &headers, body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let queue = call(header[0].1, r#"{"QueueName":"logs"}"#).await;
    setup.subscribe("errors", &arn("sqs", "logs"), None).await;
    setup.put(&["ERROR one"]).await;
    let receive = format!(r#"{{"QueueUrl":{},"WaitTimeSeconds":20}}"#, queue["QueueUrl"]);
    let mut kinds = Vec::new();
    while kinds.len() < 2 {
        let received = call("AmazonSQS.ReceiveMessage", &receive).await;
        for message in received["Messages"].as_array().expect("a message within 20 seconds") {
            let event: Value = serde_json::from_str(message["Body"].as_str().expect("a body")).expect("JSON");
            let message = unpacked(event["awslogs"]["data"].as_str().expect("a function's event"));
            kinds.push(message["messageType"].as_str().expect("a type").to_owned());
        }
    }
    kinds.sort();
    assert_eq!(kinds, ["CONTROL_MESSAGE", "DATA_MESSAGE"]);
}

/// The receiver is busy while events are put, the server is killed, the receiver comes back: nothing is
/// missing.
#[tokio::test(flavor = "multi_thread")]
async fn an_abrupt_end_between_event_and_delivery_loses_nothing() {
    let mut setup = Setup::new().await;
    setup.subscribe("errors", &arn("lambda", "function:f"), None).await;
    setup.sink.next();
    for round in 0..10 {
        setup.sink.busy.store(true, Ordering::SeqCst);
        let texts_put: Vec<String> = (0..20).map(|number| format!("ERROR {round}.{number}")).collect();
        for text in &texts_put {
            setup.put(&[text]).await;
        }
        setup.server.kill();
        setup.sink.busy.store(false, Ordering::SeqCst);
        setup.server = Setup::launch(setup.dir.path(), &setup.sink);
        let mut missing: std::collections::BTreeSet<String> = texts_put.into_iter().collect();
        while !missing.is_empty() {
            for text in texts(&setup.sink.next().message()) {
                missing.remove(&text);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_and_what_is_sent_on_counts_in_aws_logs() {
    let (dir, sink) = (tempfile::tempdir().expect("a directory"), Sink::listen());
    let config = configuration(dir.path(), &sink);
    let flags = ["--config", config.to_str().expect("UTF-8"), "--clock", "manual"];
    let server = Server::start_in(&dir.path().join("data"), &flags);
    let setup = Setup::with_group(dir, sink, server).await;
    setup.subscribe("errors", &arn("lambda", "function:f"), None).await;
    setup.sink.next();
    setup.put(&["ERROR one", "fine", "ERROR two"]).await;
    setup.sink.next();
    setup.server.advance("PT2M").await;
    let now = SystemClock.now();
    let sum = async |name: &str, dimensions: &[(&str, &str)]| {
        let dimension = |(name, value): &(&str, &str)| Dimension::builder().name(*name).value(*value).build();
        let cloudwatch = setup.server.cloudwatch();
        let asked = cloudwatch.get_metric_statistics().namespace("AWS/Logs").metric_name(name).period(3600);
        let asked = asked.set_dimensions(Some(dimensions.iter().map(dimension).collect()));
        let hours = |count: i64| DateTime::from_secs(now.as_secs() + count * 3600);
        let asked = asked.start_time(hours(-1)).end_time(hours(1));
        let answer = asked.statistics(Statistic::Sum).send().await.expect("answered");
        answer.datapoints().iter().filter_map(|point| point.sum()).sum::<f64>()
    };
    assert_eq!(sum("IncomingLogEvents", &[("LogGroupName", GROUP)]).await, 3.0);
    assert_eq!(sum("IncomingBytes", &[]).await, 3.0 * 26.0 + 22.0);
    let filter = [("LogGroupName", GROUP), ("FilterName", "errors"), ("DestinationType", "Lambda")];
    assert_eq!(sum("ForwardedLogEvents", &filter).await, 2.0);
    assert_eq!(sum("ForwardedBytes", &filter).await, 18.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_fills_a_folder_as_aws_fills_a_bucket() {
    let setup = Setup::new().await;
    setup.put(&["one", "two"]).await;
    let create = setup.client().create_export_task().log_group_name(GROUP).from(0).to(i64::MAX / 2);
    let task = create.destination("bucket").send().await.expect("created");
    let id = task.task_id().expect("an id");
    // It is the export that is awaited, which says when it is there.
    let completed = async {
        loop {
            let tasks = setup.client().describe_export_tasks().task_id(id).send().await.expect("described");
            let status = tasks.export_tasks()[0].status().and_then(|status| status.code()).expect("a status");
            match status.as_str() {
                "COMPLETED" => return,
                "PENDING" | "RUNNING" => tokio::task::yield_now().await,
                other => panic!("{other}"),
            }
        }
    };
    tokio::time::timeout(DELIVERY_TIMEOUT, completed).await.expect("completed");
    let bucket = setup.dir.path().join("folder/bucket");
    assert!(bucket.join("aws-logs-write-test").exists());
    let file = std::fs::read(bucket.join(format!("exportedlogs/{id}/{STREAM}/000000.gz"))).expect("written");
    let text = std::io::read_to_string(GzDecoder::new(&file[..])).expect("gzip");
    let lines: Vec<&str> =
        text.lines().filter_map(|line| line.split_once("Z ")).map(|(_, text)| text).collect();
    assert_eq!(lines, ["one", "two"]);
}
