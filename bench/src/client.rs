//! One kept-alive HTTP/1.1 connection to the endpoint, and what a request on it can come to.

use std::time::Duration;

use anyhow::Context as _;
use bytes::{Buf as _, Bytes, buf::Chain};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HeaderValue;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::error_code::error_of;
use crate::protocol::{Address, RequestHead};

/// Where the server is and how requests to it are addressed.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    host: String,
    pub port: u16,
    pub address: Address,
}

/// A connection that is opened when it is first needed and again after it broke.
#[derive(Debug)]
pub(crate) struct Connection {
    endpoint: Endpoint,
    sender: Option<SendRequest<Full<Body>>>,
}

/// Two parts that leave in one write: what is made for each request, and what was encoded ahead.
type Body = Chain<Bytes, Bytes>;

/// Why a request was not acknowledged.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The server did nothing with it and asks to come again later.
    #[error("{code}")]
    Throttled {
        /// AWS's error code.
        code: String,
    },
    /// The server did nothing with it and would not the next time either.
    #[error("{code}: {message}")]
    Refused {
        /// AWS's error code.
        code: String,
        /// The server's words.
        message: String,
    },
    /// Nobody knows whether the server did it.
    #[error("{code}: {message}")]
    Unknown {
        /// AWS's error code, or a word for what happened to the connection.
        code: String,
        /// What is known.
        message: String,
    },
}

const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const ANSWER_BYTES_MAX: usize = 64 << 20;

impl Endpoint {
    /// Takes `http://host:port` apart.
    pub(crate) fn parse(url: &str, access_key: String, region: String) -> anyhow::Result<Self> {
        let uri: hyper::Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
        anyhow::ensure!(
            uri.scheme_str() == Some("http"),
            "`{url}` does not start with http://: the load generator speaks plain HTTP only"
        );
        anyhow::ensure!(
            matches!(uri.path(), "" | "/"),
            "`{url}` has a path: an endpoint is a host and a port"
        );
        let authority = uri.authority().with_context(|| format!("`{url}` names no host"))?;
        let host = HeaderValue::from_str(authority.as_str()).context("the host is not ASCII")?;
        Ok(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            address: Address { host, access_key, region },
        })
    }

    /// Whether the server is on this machine, so far as its address tells.
    pub(crate) fn is_local(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection { endpoint: self.clone(), sender: None }
    }

    /// Fails in words for the user if nobody listens there.
    pub(crate) async fn check_reachable(&self) -> anyhow::Result<()> {
        TcpStream::connect((&*self.host, self.port)).await.map(drop).with_context(|| {
            format!("nothing answers at {}:{}; start it with `groundwatch serve`", self.host, self.port)
        })
    }
}

impl Connection {
    /// Sends a request whose body is `prefix` and `payload`, and waits for the whole answer.
    pub(crate) async fn call(
        &mut self,
        head: &RequestHead,
        prefix: Bytes,
        payload: Bytes,
    ) -> Result<Bytes, Failure> {
        let body = Full::new(prefix.chain(payload));
        match tokio::time::timeout(REQUEST_TIMEOUT, self.exchange(head.request(body))).await {
            Ok(Ok(answer)) => accepted(answer),
            Ok(Err(error)) => {
                self.sender = None;
                Err(Failure::unknown("ConnectionBroken", &error))
            }
            Err(_) => {
                self.sender = None;
                Err(Failure::unknown("Timeout", &format!("no answer within {} s", REQUEST_TIMEOUT.as_secs())))
            }
        }
    }

    /// Sends a JSON document and reads the JSON answer; comes again while it is throttled.
    pub(crate) async fn call_json<A: serde::de::DeserializeOwned>(
        &mut self,
        head: &RequestHead,
        input: &serde_json::Value,
    ) -> Result<A, Failure> {
        let body = Bytes::from(input.to_string());
        let mut back_off = BackOff::default();
        let answer = loop {
            match self.call(head, Bytes::new(), body.clone()).await {
                Err(Failure::Throttled { .. }) if !back_off.is_exhausted() => back_off.wait().await,
                outcome => break outcome?,
            }
        };
        let text = if answer.is_empty() { &b"{}"[..] } else { &answer[..] };
        serde_json::from_slice(text).map_err(|error| Failure::unknown("UnreadableAnswer", &error))
    }

    async fn exchange(
        &mut self,
        request: hyper::Request<Full<Body>>,
    ) -> anyhow::Result<hyper::Response<Bytes>> {
        let sender = match &mut self.sender {
            Some(sender) if !sender.is_closed() => sender,
            sender => sender.insert(open(&self.endpoint).await?),
        };
        sender.ready().await?;
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(anyhow::Error::from_boxed)?;
        Ok(hyper::Response::from_parts(parts, body.to_bytes()))
    }
}

async fn open(endpoint: &Endpoint) -> anyhow::Result<SendRequest<Full<Body>>> {
    let stream = TcpStream::connect((&*endpoint.host, endpoint.port)).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // An error of the connection shows in the request that was under way.
    tokio::spawn(async { connection.await.ok() });
    Ok(sender)
}

fn accepted(answer: hyper::Response<Bytes>) -> Result<Bytes, Failure> {
    if answer.status().is_success() {
        return Ok(answer.into_body());
    }
    let (code, message) = error_of(&answer);
    Err(match code.as_str() {
        "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown" => Failure::Throttled { code },
        _ if answer.status().is_server_error() => Failure::Unknown { code, message },
        _ => Failure::Refused { code, message },
    })
}

impl Failure {
    pub(crate) fn unknown(code: &str, message: &impl ToString) -> Self {
        Self::Unknown { code: code.to_owned(), message: message.to_string() }
    }

    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Throttled { code } | Self::Refused { code, .. } | Self::Unknown { code, .. } => code,
        }
    }
}

/// Waits longer and longer between attempts.
#[derive(Debug, Default)]
pub(crate) struct BackOff {
    attempts: u32,
}

impl BackOff {
    /// 20 ms, then twice as long each time up to about 1.3 s.
    pub(crate) async fn wait(&mut self) {
        let wait = Duration::from_millis(20 << self.attempts.min(6));
        self.attempts += 1;
        tokio::time::sleep(wait).await;
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.attempts >= 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> anyhow::Result<Endpoint> {
        Endpoint::parse(url, "000000000000".into(), "us-east-1".into())
    }

    #[test]
    fn endpoint_is_a_host_and_a_port() {
        let local = endpoint("http://127.0.0.1:4566").expect("a URL");
        assert_eq!((&*local.host, local.port, local.is_local()), ("127.0.0.1", 4566, true));
        let v6 = endpoint("http://[::1]:4566/").expect("a URL");
        assert_eq!((&*v6.host, v6.is_local()), ("::1", true));
        let remote = endpoint("http://metrics.example.com").expect("a URL");
        assert_eq!((remote.port, remote.is_local()), (80, false));
    }

    #[test]
    fn endpoints_that_cannot_be_spoken_to_are_refused_by_name() {
        for (url, reason) in [
            ("https://127.0.0.1:4566", "plain HTTP only"),
            ("127.0.0.1:4566", "URL"),
            ("http://127.0.0.1:4566/base", "has a path"),
        ] {
            let error = format!("{:#}", endpoint(url).expect_err(url));
            assert!(error.contains(reason) || error.contains("plain HTTP"), "{url}: {error}");
        }
    }
}
