//! The wire: everything between a socket and a typed handler, in every protocol that AWS clients speak.
//!
//! Owns the HTTP [`Listener`] (with TLS and HTTP/2 if configured), reading bodies within bounds ([`Intake`]),
//! finding protocol, service and operation ([`route()`]), identifying the caller ([`Authenticator`]), the
//! codecs ([`cbor`], [`json`], [`query`]), the [`Router`] from an operation to its handler, and how faults
//! look ([`render`]). Does not own the shapes and their constraints (`groundwatch-api`), what operations do
//! (the service crates, which it does not know), or which services there are (`server`, which fills the
//! router).
//!
//! The way through, all of it in [`Router::answer`]: receive → authenticate → unpack → route → decode →
//! validate → handle → encode. A fault at any step is answered in the client's own [`Dialect`].
//!
//! ```no_run
//! # use std::{sync::Arc, time::Duration};
//! # use groundwatch_api::{Handle, sts::GetCallerIdentity};
//! # use groundwatch_core::SystemClock;
//! # use groundwatch_wire::{DevelopmentAuthenticator, Listener, Paths, Router};
//! # async fn serve(sts: Arc<impl Handle<GetCallerIdentity>>, health: Arc<dyn Paths>) -> std::io::Result<()> {
//! let router = Router::new(Arc::new(SystemClock), Arc::new(DevelopmentAuthenticator)).on::<GetCallerIdentity, _>(sts);
//! let socket = tokio::net::TcpListener::bind("127.0.0.1:4566").await?;
//! Listener::new(socket, router, health).serve(std::future::pending(), Duration::from_secs(10)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # Who decodes what
//!
//! | | query | JSON 1.0, 1.1 | RPC v2 |
//! | --- | --- | --- | --- |
//! | operation | `Action`, then the credential scope or `Version` | `X-Amz-Target`, split at its last dot | the path's last four segments |
//! | input | form parameters, of the body or the query string ([`query`]) | [`json`] (sonic-rs) | [`cbor`] |
//! | output | XML in an envelope | JSON; nothing if the model has no output | CBOR; nothing if the model has no output |
//! | timestamp in | ISO 8601, or epoch seconds | epoch seconds, or ISO 8601 | a number, with or without tag 1 |
//! | timestamp out | ISO 8601 | epoch seconds | tag 1 |
//! | blob | base64 | base64 | bytes |
//! | NaN, infinities | texts | texts | doubles |
//! | lists | `.member.N`, or `.N`; `Name=` is empty | arrays | arrays, of either length |
//! | fault | `<ErrorResponse>` with the code | `__type`, `message`, and `x-amzn-query-error` with the code | as JSON, as a map |
//!
//! Gzip is undone before any of it. Numbers in another guise (`1.0` for an integer) and unknown enum values
//! are the shapes' business, and so are constraints.
//!
//! # What comes later, and where
//!
//! REST bindings are one more way in [`route()`] and one more [`Protocol`](groundwatch_api::Protocol);
//! verified signatures are one more [`Authenticator`]; authorization and the audit record are two more steps
//! in the router's list.
//!
//! # What always holds
//!
//! - Nothing from outside causes a panic or memory without measure: bodies are bounded alone and together
//!   ([`WIRE_BYTES_MAX`], [`UNPACKED_BYTES_MAX`], [`TOTAL_BYTES_MAX`]), and so is what they may ask for
//!   ([`DEPTH_MAX`], [`STRUCTURES_MAX`], [`ELEMENTS_MAX`], [`query::PARAMETERS_MAX`]). The example `mutate`
//!   attacks this.
//! - A handler that has begun comes to its end, also if the client hangs up; a panic fails its own request
//!   only.
//! - What is not served is rejected with an error that names it. Nothing is accepted and ignored, except
//!   unknown members, as AWS does.
//! - Every answer has an `x-amzn-RequestId`, and that id stands in the log beside what went wrong.

mod body;
mod bounds;
mod browser;
pub mod cbor;
mod codec;
mod connection;
mod connection_limit;
mod credentials;
mod errors;
mod event_stream;
mod explain;
mod fault;
pub mod json;
mod listener;
mod malformed;
mod observer;
mod pace;
pub mod query;
mod request;
mod response;
mod route;
mod router;
mod unmodelled;
mod watched;

pub use body::{Intake, Received, TOTAL_BYTES_MAX, UNPACKED_BYTES_MAX, WIRE_BYTES_MAX};
pub use bounds::{DEPTH_MAX, ELEMENTS_MAX, STRUCTURES_MAX};
pub use codec::decode;
pub use credentials::{Authenticator, Claim, Credential, DevelopmentAuthenticator};
pub use errors::render;
pub use explain::EXPLANATIONS_PATH;
pub use listener::{Listener, Paths};
pub use malformed::Malformed;
pub use observer::{Answered, Observer};
pub use request::Dialect;
pub use response::{Body, Pieces, Response};
pub use route::{Route, route};
pub use router::Router;
