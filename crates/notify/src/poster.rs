//! Sending one HTTP request: what delivery asks of the network, and its implementation for real.

use std::time::Duration;

use groundwatch_core::BoxFuture;

/// A POST to a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// An absolute `http` or `https` URL; it may hold a user and a password for basic authentication.
    pub url: String,
    /// Names in lower case, and values without line breaks.
    pub headers: Vec<(&'static str, String)>,
    /// The body, in UTF-8.
    pub body: String,
    /// Until when the answer's head has to be there.
    pub timeout: Duration,
}

/// Why a POST got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The subscriber did not answer in time.
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

/// Posts to subscribers.
pub trait HttpPoster: Send + Sync + 'static {
    /// Sends `post` and answers with the status code. Redirects are not followed, and no more than a bounded part of
    /// the answer's body is read.
    fn post(&self, post: Post) -> BoxFuture<'_, Result<u16, PostError>>;
}

/// How much of an answer's body is read, so that the connection can be used again; a longer answer closes it.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Connections that are kept open to one host while nothing is sent.
const IDLE_CONNECTIONS_PER_HOST_MAX: usize = 4;

/// Posts over HTTP/1.1 and TLS. Trusts the certificates of the machine's store, or of `SSL_CERT_FILE` and
/// `SSL_CERT_DIR`; uses the proxies that the environment names (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`).
#[derive(Clone, Debug)]
pub struct WebPoster {
    client: reqwest::Client,
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client")]
pub struct WebPosterError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl WebPoster {
    /// A poster that trusts what this machine trusts. Without any trusted certificate only `http` works.
    pub fn new() -> Result<Self, WebPosterError> {
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
                .map_err(|error| WebPosterError(error.into()))?
                .with_root_certificates(roots)
                .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST_MAX)
            .build()
            .map_err(|error| WebPosterError(error.into()))?;
        Ok(Self { client })
    }

    async fn send(&self, post: Post) -> Result<u16, PostError> {
        let mut request = self.client.post(post.url).timeout(post.timeout).body(post.body);
        for (name, value) in post.headers {
            request = request.header(name, value);
        }
        let mut answer = request.send().await.map_err(|error| explain(&error))?;
        let mut left = ANSWER_BYTES_MAX;
        // The status has decided already: a body that breaks off changes nothing.
        while let Ok(Some(chunk)) = answer.chunk().await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                None => break,
            }
        }
        Ok(answer.status().as_u16())
    }
}

impl HttpPoster for WebPoster {
    fn post(&self, post: Post) -> BoxFuture<'_, Result<u16, PostError>> {
        Box::pin(self.send(post))
    }
}

fn explain(error: &reqwest::Error) -> PostError {
    if error.is_timeout() {
        return PostError::TimedOut;
    }
    let reason = innermost(error).to_string();
    if error.is_builder() { PostError::Refused { reason } } else { PostError::Unreachable { reason } }
}

/// The cause of all causes, which says it best; the outer ones repeat the URL, and with it a password.
fn innermost<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    std::iter::successors(Some(error), |error| error.source()).last().unwrap_or(error)
}
