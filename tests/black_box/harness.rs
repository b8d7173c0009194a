//! A server of one's own for each test: its own directory, a free port, an end that kills only what was
//! started.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use tempfile::TempDir;

/// The account that the tests' access key names.
pub(crate) const ACCOUNT: &str = "123456789012";

/// A running server.
pub(crate) struct Server {
    process: Child,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    directory: Directory,
}

enum Directory {
    Own(TempDir),
    Borrowed(PathBuf),
}

impl Server {
    /// A server on an empty directory, by the machine's clock.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self::launch(Directory::Own(directory), &[], None)
    }

    /// A server on an empty directory with a clock that stands at 2026-01-01T00:00:00Z.
    pub(crate) async fn start_with_manual_clock() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let server = Self::launch(Directory::Own(directory), &["--clock", "manual"], None);
        server.set_clock("2026-01-01T00:00:00Z").await;
        server
    }

    /// A server on a directory that outlives it.
    pub(crate) fn start_in(directory: &Path, flags: &[&str]) -> Self {
        Self::launch(Directory::Borrowed(directory.to_owned()), flags, None)
    }

    /// A server on a directory that outlives it, whose own log, with what it does in the background, is added
    /// to a file.
    pub(crate) fn start_logged(directory: &Path, flags: &[&str], log: &Path) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(log).expect("a writable file");
        Self::launch(Directory::Borrowed(directory.to_owned()), flags, Some(log))
    }

    fn launch(directory: Directory, flags: &[&str], log: Option<File>) -> Self {
        let mut process = Command::new(binary())
            .args(["serve", "--listen", "127.0.0.1:0", "--log", if log.is_some() { "info" } else { "warn" }])
            .arg("--data-dir")
            .arg(directory.path())
            .args(flags)
            .env_remove("GROUNDWATCH_CONFIG")
            .stdout(Stdio::piped())
            .stderr(log.map_or_else(Stdio::inherit, Stdio::from))
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned)
            })
            .expect("the server prints its address when it is ready");
        Self { process, url, directory }
    }

    /// Ends the server as a power cut would, and starts it again on the same directory.
    pub(crate) fn kill_and_restart(mut self, flags: &[&str]) -> Self {
        self.kill();
        let directory = std::mem::replace(&mut self.directory, Directory::Borrowed(PathBuf::new()));
        drop(self);
        Self::launch(directory, flags, None)
    }

    /// Sends SIGKILL and waits for the end.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Sends SIGTERM, waits, and tells whether the server ended well.
    pub(crate) fn stop(self) -> bool {
        self.end_by(&["-TERM"]) == Some(0)
    }

    /// Sends signals, waits, and tells the exit code.
    pub(crate) fn end_by(mut self, signals: &[&str]) -> Option<i32> {
        let pid = self.process.id().to_string();
        for signal in signals {
            let sent = Command::new("kill").args([signal, pid.as_str()]).status().expect("kill runs");
            assert!(sent.success(), "{signal} was sent");
        }
        self.process.wait().expect("the server ends").code()
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").expect("an http URL")
    }

    /// Configuration for any client of the SDK.
    pub(crate) fn sdk(&self) -> SdkConfig {
        sdk_config(&self.url)
    }

    pub(crate) fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.sdk())
    }

    pub(crate) fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        aws_sdk_cloudwatchlogs::Client::new(&self.sdk())
    }

    pub(crate) fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::new(&self.sdk())
    }

    pub(crate) fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.sdk())
    }

    /// Moves a manual clock on by an ISO 8601 duration; returns when all that was due has run.
    pub(crate) async fn advance(&self, duration: &str) {
        self.clock(&format!("{{\"advance\":\"{duration}\"}}")).await;
    }

    /// Sets a manual clock.
    pub(crate) async fn set_clock(&self, moment: &str) {
        self.clock(&format!("{{\"set\":\"{moment}\"}}")).await;
    }

    async fn clock(&self, body: &str) {
        let answer = self.post("/_groundwatch/clock", &[], body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// A raw POST.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.request("POST", path, headers, body).await
    }

    /// A raw request over a connection of its own.
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address());
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let (address, body) = (self.address().to_owned(), body.to_vec());
        tokio::task::spawn_blocking(move || {
            let mut socket = TcpStream::connect(address).expect("the server listens");
            socket.write_all(request.as_bytes()).expect("the server reads the head");
            // A server that refuses a body may stop reading it: what it answered still counts.
            let _ = socket.write_all(&body);
            let mut answer = Vec::new();
            let _ = socket.read_to_end(&mut answer);
            Answer::parse(&answer)
        })
        .await
        .expect("the request's thread ends well")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Directory {
    fn path(&self) -> &Path {
        match self {
            Self::Own(directory) => directory.path(),
            Self::Borrowed(path) => path,
        }
    }
}

/// The server under test: what cargo built with the tests, or what `GROUNDWATCH_BIN` names (a release build,
/// say).
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("GROUNDWATCH_BIN")
        .map_or_else(|| env!("CARGO_BIN_EXE_groundwatch").into(), PathBuf::from)
}

/// Configuration for any client of the SDK against `url`.
pub(crate) fn sdk_config(url: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(aws_sdk_cloudwatch::config::BehaviorVersion::v2026_01_12())
        .endpoint_url(url)
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(ACCOUNT, "secret", None)))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .build()
}

/// What a raw request was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an HTTP answer");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    /// The value of a header, by its name in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}
