//! The server as a client sees it, over a real socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use groundwatch_api::cloudwatch::borrowed::PutMetricDataInput;
use groundwatch_api::cloudwatch::{
    DeleteAlarms, DeleteAlarmsInput, DeleteAlarmsOutput, PutMetricData, PutMetricDataOutput, SetAlarmState,
    SetAlarmStateInput, SetAlarmStateOutput,
};
use groundwatch_api::sts::{GetCallerIdentity, GetCallerIdentityInput, GetCallerIdentityOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{BoxFuture, Call, ManualClock, RequestId, Timestamp};
use groundwatch_wire::{Body, DevelopmentAuthenticator, Listener, Paths, Response, Router};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

const GRACE: Duration = Duration::from_secs(10);

/// A service that does what a test needs done.
#[derive(Default)]
struct Double {
    entered: Notify,
    gate: Notify,
    finished: AtomicUsize,
    done: Notify,
}

impl Double {
    async fn work(&self) {
        self.entered.notify_one();
        self.gate.notified().await;
        self.finished.fetch_add(1, Ordering::SeqCst);
        self.done.notify_one();
    }
}

impl Handle<PutMetricData> for Double {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: PutMetricDataInput<'a>,
    ) -> Result<PutMetricDataOutput, Fault> {
        assert_eq!(call.received, Timestamp::from_secs(1_767_322_853));
        assert_eq!(input.namespace.as_deref(), Some("N"));
        Ok(PutMetricDataOutput {})
    }
}

impl Handle<SetAlarmState> for Double {
    async fn handle<'a>(
        &'a self,
        _call: &'a Call,
        input: SetAlarmStateInput,
    ) -> Result<SetAlarmStateOutput, Fault> {
        panic!("a bug with {:?}", input.alarm_name)
    }
}

/// Waits for the gate.
impl Handle<DeleteAlarms> for Double {
    async fn handle<'a>(
        &'a self,
        _call: &'a Call,
        _input: DeleteAlarmsInput,
    ) -> Result<DeleteAlarmsOutput, Fault> {
        self.work().await;
        Ok(DeleteAlarmsOutput {})
    }
}

impl Handle<GetCallerIdentity> for Double {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        _input: GetCallerIdentityInput,
    ) -> Result<GetCallerIdentityOutput, Fault> {
        let account = Some(call.scope().account.to_string());
        Ok(GetCallerIdentityOutput { account, arn: Some("a&b".to_owned()), user_id: None })
    }
}

/// Paths of our own: `/_groundwatch/slow` waits for the gate, all others tell how long the body is.
struct Own(Arc<Double>);

impl Paths for Own {
    fn owns(&self, path: &str) -> bool {
        path.starts_with("/_groundwatch/")
    }

    fn handle<'a>(&'a self, request: Request<Bytes>, _id: &'a RequestId) -> BoxFuture<'a, Response> {
        Box::pin(async move {
            if request.uri().path() == "/_groundwatch/slow" {
                self.0.work().await;
            }
            Response::new(Body::whole(format!("{} bytes", request.body().len())))
        })
    }
}

struct Server {
    address: SocketAddr,
    service: Arc<Double>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<usize>,
}

impl Server {
    async fn start() -> Self {
        let service = Arc::new(Double::default());
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_322_853)));
        let router = Router::new(clock, Arc::new(DevelopmentAuthenticator))
            .on::<PutMetricData, _>(Arc::clone(&service))
            .on::<SetAlarmState, _>(Arc::clone(&service))
            .on::<DeleteAlarms, _>(Arc::clone(&service))
            .on::<GetCallerIdentity, _>(Arc::clone(&service));
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let listener = Listener::new(socket, router, Arc::new(Own(Arc::clone(&service))));
        let address = listener.address().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            let _ = stopped.await;
        };
        let running = tokio::spawn(async move { listener.serve(stopped, GRACE).await });
        Self { address, service, stop, running }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connects")
    }
}

/// The text of a request with these headers, a line each.
fn request(head: &str, body: &str) -> String {
    let head = head.replace('\n', "\r\n");
    format!("{head}\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn json(operation: &str, body: &str) -> String {
    let target = format!("X-Amz-Target: GraniteServiceVersion20100801.{operation}");
    request(&format!("POST / HTTP/1.1\n{target}\nContent-Type: application/x-amz-json-1.0"), body)
}

const DELETE: &str = r#"{"AlarmNames":["a"]}"#;

/// Reads one answer: its head in lower case, and its body.
async fn read(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    let head_end = loop {
        assert!(stream.read_buf(&mut bytes).await.expect("reads") > 0, "closed after {bytes:?}");
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().expect("a number"));
    while bytes.len() < head_end + length {
        assert!(stream.read_buf(&mut bytes).await.expect("reads") > 0, "closed within a body");
    }
    (head, String::from_utf8_lossy(&bytes[head_end..]).into_owned())
}

async fn exchange(stream: &mut TcpStream, request: &str) -> (String, String) {
    stream.write_all(request.as_bytes()).await.expect("writes");
    read(stream).await
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn every_answer_has_an_id_and_a_date_and_the_connection_lives_on() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        let (head, body) = exchange(&mut stream, &json("PutMetricData", r#"{"Namespace":"N"}"#)).await;
        assert_eq!((status(&head), body.as_str()), ("200", ""));
        assert!(head.contains("\r\nx-amzn-requestid: ") && head.contains("\r\ndate: "), "{head}");
        assert!(head.contains("\r\ncontent-type: application/x-amz-json-1.0\r\n"), "{head}");
    }
}

#[tokio::test]
async fn a_query_call_names_its_account_and_gets_xml_with_the_same_id() {
    let server = Server::start().await;
    let credential = "Credential=123456789012/20260102/eu-west-1/sts/aws4_request";
    let head = format!(
        "POST / HTTP/1.1\nAuthorization: AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"
    );
    let call = request(&head, "Action=GetCallerIdentity&Version=2011-06-15");
    let (head, body) = exchange(&mut server.connect().await, &call).await;
    let id = head.lines().find_map(|line| line.strip_prefix("x-amzn-requestid: ")).expect("an id");
    let result = inside(&body, "GetCallerIdentityResult");
    assert!(
        result.contains("<Account>123456789012</Account>") && result.contains("<Arn>a&amp;b</Arn>"),
        "{body}"
    );
    assert!(
        body.starts_with("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"),
        "{body}"
    );
    assert_eq!(inside(&body, "ResponseMetadata"), format!("<RequestId>{id}</RequestId>"));
}

/// What stands inside an element.
fn inside<'b>(body: &'b str, element: &str) -> &'b str {
    let inner = body
        .split_once(&format!("<{element}>"))
        .and_then(|(_, rest)| rest.split_once(&format!("</{element}>")));
    inner.map_or("", |(inner, _)| inner)
}

#[tokio::test]
async fn cbor_answers_carry_the_protocol() {
    let server = Server::start().await;
    let path = "/service/GraniteServiceVersion20100801/operation/PutMetricData";
    let head = format!("POST {path} HTTP/1.1\nSmithy-Protocol: rpc-v2-cbor\nContent-Type: application/cbor");
    // Indefinite lengths would do as well; this is the map {"Namespace": "N"}.
    let mut bytes = request(&head, "?iNamespaceaN").into_bytes();
    let first = bytes.len() - "?iNamespaceaN".len();
    bytes[first] = 0xa1;
    let mut stream = server.connect().await;
    stream.write_all(&bytes).await.expect("writes");
    let (head, body) = read(&mut stream).await;
    assert_eq!((status(&head), body.as_str()), ("200", ""), "{head}");
    assert!(head.contains("\r\nsmithy-protocol: rpc-v2-cbor\r\n"), "{head}");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_in_its_protocol() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let null = "1 validation error detected: Value null at 'namespace' failed to satisfy constraint: \
                Member must not be null";
    for (call, wanted_status, code, message) in [
        (json("PutMetricData", "{}"), "400", "validationerror;sender", null),
        (json("PutMetricData", "{"), "400", "malformedinput;sender", ""),
        (
            json("NoSuchThing", "{}"),
            "400",
            "invalidaction;sender",
            "cloudwatch has no operation `NoSuchThing`",
        ),
        (
            json("PutDashboard", "{}"),
            "501",
            "notimplemented;receiver",
            "operation `PutDashboard` of cloudwatch is not implemented",
        ),
    ] {
        let (head, body) = exchange(&mut stream, &call).await;
        assert_eq!(status(&head), wanted_status, "{head}{body}");
        assert!(head.contains(&format!("\r\nx-amzn-query-error: {code}\r\n")), "{head}");
        assert!(body.contains(message) && body.contains("\"__type\":\"com.amazon"), "{body}");
    }
}

#[tokio::test]
async fn a_panic_fails_its_own_request_only() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let state = r#"{"AlarmName":"secret","StateValue":"OK","StateReason":"r"}"#;
    let (head, body) = exchange(&mut stream, &json("SetAlarmState", state)).await;
    assert_eq!(status(&head), "500");
    assert!(body.contains("InternalFailure") && !body.contains("secret"), "{body}");
    let (head, _) = exchange(&mut stream, &json("PutMetricData", r#"{"Namespace":"N"}"#)).await;
    assert_eq!(status(&head), "200");
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_for_its_body_is_asked() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let call =
        json("PutMetricData", r#"{"Namespace":"N"}"#).replace("Host:", "Expect: 100-continue\r\nHost:");
    let (head, body) = call.split_at(call.find("\r\n\r\n").expect("a head") + 4);
    stream.write_all(head.as_bytes()).await.expect("writes");
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).await.expect("reads");
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    let (head, _) = exchange(&mut stream, body).await;
    assert_eq!(status(&head), "200");
}

#[tokio::test]
async fn bodies_that_announce_too_much_are_refused_unread() {
    let server = Server::start().await;
    let huge = json("PutMetricData", "").replace("Content-Length: 0", "Content-Length: 99999999999");
    let (head, body) = exchange(&mut server.connect().await, &huge).await;
    assert_eq!(status(&head), "413");
    assert!(body.contains("RequestEntityTooLargeException"), "{body}");
}

#[tokio::test]
async fn who_sends_all_before_reading_sees_the_refusal() {
    let server = Server::start().await;
    let too_large = json("PutMetricData", &"x".repeat(17 << 20));
    let unreadable = json("PutMetricData", &"x".repeat(8 << 20))
        .replace("Host:", "Authorization: AWS4-HMAC-SHA256 nonsense\r\nHost:");
    let beside = request("POST /_groundwatch/clock HTTP/1.1", &"x".repeat(17 << 20));
    for (call, wanted) in [(too_large, "413"), (unreadable, "400"), (beside, "413")] {
        let (head, _) = exchange(&mut server.connect().await, &call).await;
        assert_eq!(status(&head), wanted, "{head}");
    }
}

#[tokio::test]
async fn heads_are_bounded() {
    let server = Server::start().await;
    let endless =
        json("PutMetricData", "").replace("Host:", &format!("X-Filler: {}\r\nHost:", "x".repeat(4 << 20)));
    let mut stream = server.connect().await;
    // The server may answer and hang up before all is sent, and the answer be lost with the connection.
    let _ = stream.write_all(endless.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let many = json("PutMetricData", "").replace("Host:", &format!("{}Host:", "X-A: b\r\n".repeat(200)));
    let (head, _) = exchange(&mut server.connect().await, &many).await;
    assert_eq!(status(&head), "431");
}

#[tokio::test]
async fn other_paths_are_served_beside() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let (head, body) = exchange(&mut stream, &request("POST /_groundwatch/clock HTTP/1.1", "abc")).await;
    assert_eq!((status(&head), body.as_str()), ("200", "3 bytes"));
    let encoded = request("POST /_groundwatch/clock HTTP/1.1\nContent-Encoding: br", "abc");
    assert_eq!(status(&exchange(&mut stream, &encoded).await.0), "400");
    let (head, body) = exchange(&mut stream, &request("GET /nowhere HTTP/1.1", "")).await;
    assert_eq!(status(&head), "404");
    assert!(body.contains("nothing here answers GET /nowhere"), "{body}");
}

#[tokio::test]
async fn a_call_goes_on_when_its_client_hangs_up() {
    for call in [json("DeleteAlarms", DELETE), request("POST /_groundwatch/slow HTTP/1.1", "")] {
        let server = Server::start().await;
        let mut stream = server.connect().await;
        stream.write_all(call.as_bytes()).await.expect("writes");
        server.service.entered.notified().await;
        drop(stream);
        server.stop.send(()).expect("still running");
        server.service.gate.notify_one();
        server.service.done.notified().await;
        assert_eq!(server.running.await.expect("ends"), 0);
        assert_eq!(server.service.finished.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_stop_lets_begun_requests_finish_and_takes_no_more() {
    let server = Server::start().await;
    let (mut busy, idle) = (server.connect().await, server.connect().await);
    busy.write_all(json("DeleteAlarms", DELETE).as_bytes()).await.expect("writes");
    server.service.entered.notified().await;
    server.stop.send(()).expect("still running");
    server.service.gate.notify_one();
    let (head, _) = read(&mut busy).await;
    assert_eq!(status(&head), "200");
    assert_eq!(server.running.await.expect("ends"), 0);
    assert!(TcpStream::connect(server.address).await.is_err());
    drop(idle);
}
