//! This same program as a server, on a port of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use bytes::Bytes;
use groundwatch_core::Timestamp;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;

use crate::args::BenchArgs;
use crate::client::Endpoint;
use crate::process::Process;
use crate::protocol::{Protocol, RequestHead, Service};

/// A running server; killed when it is dropped.
pub(crate) struct OwnServer {
    child: Child,
    url: String,
}

impl OwnServer {
    /// Starts a server with a manual clock on `dir`, and waits until it listens.
    pub(crate) fn start(dir: &Path, args: &BenchArgs) -> anyhow::Result<Self> {
        Self::start_with(dir, args, &["--clock", "manual"])
    }

    /// Starts a server with further arguments on `dir`, and waits until it listens.
    pub(crate) fn start_with(dir: &Path, args: &BenchArgs, further: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program has no file")?;
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--data-dir"])
            .arg(dir)
            .args(further)
            .args(&args.serve)
            .env_remove("GROUNDWATCH_CONFIG")
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a server")?;
        let out = child.stdout.take().context("the server's output is not there")?;
        let mut server = Self { child, url: String::new() };
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let address = |line: String| {
            line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned)
        };
        server.url = lines.find_map(address).context("the server did not say where it listens")?;
        Ok(server)
    }

    pub(crate) fn process(&self) -> Process {
        Process { pid: self.child.id() }
    }

    pub(crate) fn endpoint(&self, args: &BenchArgs) -> anyhow::Result<Endpoint> {
        Endpoint::parse(&self.url, args.access_key.clone(), args.region.clone())
    }

    /// The head of a request for an operation, in JSON.
    pub(crate) fn head(&self, args: &BenchArgs, operation: &'static str) -> anyhow::Result<RequestHead> {
        self.head_in(args, operation, Protocol::Json)
    }

    pub(crate) fn head_in(
        &self,
        args: &BenchArgs,
        operation: &'static str,
        protocol: Protocol,
    ) -> anyhow::Result<RequestHead> {
        let endpoint = self.endpoint(args)?;
        Ok(RequestHead::new(Service::Monitoring, operation, protocol, &endpoint.address))
    }

    /// Moves the clock; background work that is due on the way is done when this returns.
    pub(crate) async fn set_clock(&self, to: Timestamp) -> anyhow::Result<()> {
        let authority = self.url.trim_start_matches("http://").trim_end_matches('/');
        let stream = tokio::net::TcpStream::connect(authority).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async { connection.await.ok() });
        let body = serde_json::json!({ "set": to.to_iso8601() }).to_string();
        let request = hyper::Request::post("/_groundwatch/clock").header("host", authority);
        let answer = sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
        let status = answer.status();
        let text = answer.into_body().collect().await?.to_bytes();
        anyhow::ensure!(status.is_success(), "the clock was not moved: {}", String::from_utf8_lossy(&text));
        Ok(())
    }

    /// Ends the server in order, and waits until it has ended.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        anyhow::ensure!(sent.success(), "the server could not be told to end");
        let ended = self.child.wait()?;
        anyhow::ensure!(ended.success(), "the server ended with {ended}");
        Ok(())
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
