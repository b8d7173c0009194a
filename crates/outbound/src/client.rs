//! Sending one HTTP request: what senders ask of the network, and its implementation for real.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use groundwatch_core::BoxFuture;
pub use http::Method;

use crate::Fence;

/// A request to somebody else's server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// Mostly `POST`.
    pub method: Method,
    /// An absolute `http` or `https` URL; it may hold a user and a password for basic authentication.
    pub url: String,
    /// Names in lower case, and values without line breaks.
    pub headers: Vec<(&'static str, String)>,
    /// Empty if there is none.
    pub body: Bytes,
    /// Until when the answer has to be there.
    pub timeout: Duration,
}

impl HttpRequest {
    /// A POST.
    pub fn post(
        url: impl Into<String>,
        headers: Vec<(&'static str, String)>,
        body: impl Into<Bytes>,
        timeout: Duration,
    ) -> Self {
        Self { method: Method::POST, url: url.into(), headers, body: body.into(), timeout }
    }
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code, redirects included.
    pub status: u16,
    /// The body's beginning, 256 KiB at most unless the client is told otherwise.
    pub body: Bytes,
}

/// Why a request got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// There was no answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// No connection, or it broke: trying again may help.
    #[error("unreachable: {reason}")]
    Unreachable {
        /// What the network said.
        reason: String,
    },
    /// The request cannot be sent as it is: trying again does not help.
    #[error("cannot be sent: {reason}")]
    Refused {
        /// What is wrong with it.
        reason: String,
    },
}

/// Sends requests.
pub trait HttpClient: Send + Sync + 'static {
    /// Sends `request` and answers with status and body. Redirects are not followed, and no more than a
    /// bounded part of the answer's body is read.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, HttpError>>;
}

/// How much of an answer's body is read, so that the connection can be used again; a longer answer closes it.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// Connections that are kept open to one host while nothing is sent.
const IDLE_CONNECTIONS_PER_HOST_MAX: usize = 4;

/// Sends over HTTP/1.1 and TLS. Trusts the certificates of the machine's store, or of `SSL_CERT_FILE` and
/// `SSL_CERT_DIR`; uses the proxies that the environment names (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`),
/// unless it has a fence, which a proxy would go round.
#[derive(Clone, Debug)]
pub struct WebClient {
    client: reqwest::Client,
    fence: Fence,
    answer_bytes_max: usize,
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client")]
pub struct WebClientError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl WebClient {
    /// A client that trusts what this machine trusts, and goes where `fence` lets it. Without any trusted
    /// certificate only `http` works.
    pub fn new(fence: Fence) -> Result<Self, WebClientError> {
        let mut roots = rustls::RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "cannot read some of the machine's trusted certificates");
        }
        roots.add_parsable_certificates(found.certs);
        // The provider is named because other parts of a program may bring a second one along.
        let tls =
            rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
                .with_safe_default_protocol_versions()
                .map_err(|error| WebClientError(error.into()))?
                .with_root_certificates(roots)
                .with_no_client_auth();
        let mut client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST_MAX);
        if fence == Fence::PublicOnly {
            client = client.no_proxy().dns_resolver(fence);
        }
        let client = client.build().map_err(|error| WebClientError(error.into()))?;
        Ok(Self { client, fence, answer_bytes_max: ANSWER_BYTES_MAX })
    }

    /// The same client, which reads so much of an answer instead of 256 KiB.
    #[must_use]
    pub fn with_answer_bytes_max(self, answer_bytes_max: usize) -> Self {
        Self { answer_bytes_max, ..self }
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpAnswer, HttpError> {
        let HttpRequest { method, url, headers, body, timeout } = request;
        let refuse = |error: &dyn std::fmt::Display| HttpError::Refused { reason: error.to_string() };
        let url = reqwest::Url::parse(&url).map_err(|error| refuse(&error))?;
        // Names go through the resolver; addresses do not.
        self.fence.check_url(&url).map_err(|error| refuse(&error))?;
        let mut request = self.client.request(method, url).timeout(timeout).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut answer = request.send().await.map_err(|error| explain(&error))?;
        let mut body = BytesMut::new();
        // The status has decided already: a body that breaks off changes little.
        while let Ok(Some(chunk)) = answer.chunk().await {
            let room = self.answer_bytes_max - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                break;
            }
        }
        Ok(HttpAnswer { status: answer.status().as_u16(), body: body.freeze() })
    }
}

impl HttpClient for WebClient {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, HttpError>> {
        Box::pin(self.exchange(request))
    }
}

fn explain(error: &reqwest::Error) -> HttpError {
    if error.is_timeout() {
        return HttpError::TimedOut;
    }
    let reason = innermost(error).to_string();
    if error.is_builder() { HttpError::Refused { reason } } else { HttpError::Unreachable { reason } }
}

/// The cause of all causes, which says it best; the outer ones repeat the URL, and with it a password.
fn innermost<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    std::iter::successors(Some(error), |error| error.source()).last().unwrap_or(error)
}
