//! What leaves this server: where things for AWS's other services go instead, and how they are sent.
//!
//! Owns the operator's [`Target`]s (webhooks, AWS-compatible endpoints, OpenSearch, commands, folders, by
//! patterns of ARNs), the one HTTP client with its bounds, AWS's signatures, and the judgement of answers.
//! Does not own what is sent (whoever makes a [`OutboundMessage`] says it in the words of every way), keeping it until
//! it is accepted, or the moment of the next attempt: senders keep documents of their own, and ask
//! [`Backoff`].
//!
//! The way through: a [`OutboundMessage`] → [`Outbound::deliver`] finds the [`Target`] of its ARN → by its [`Route`]:
//! `client`, `aws` (signed), `bulk`, `command` or `folder` → an [`Outcome`], which says whether another
//! attempt may help.
//!
//! What always holds:
//! - Nothing is sent anywhere but where the operator's configuration says, or a subscriber's own URL.
//! - Every attempt ends: requests and commands have timeouts, and what is read of an answer is bounded.
//! - Redirects are not followed, and secrets are neither logged nor part of a reason.

mod aws;
mod bulk;
mod client;
mod command;
mod fence;
mod folder;
mod message;
mod outbound;
mod outcome;
mod pattern;
mod retry;
mod target;

pub use aws::{AwsCall, AwsEndpoint};
pub use client::{HttpAnswer, HttpClient, HttpError, HttpRequest, Method, WebClient, WebClientError};
pub use fence::Fence;
pub use folder::write_durably;
pub use message::OutboundMessage;
pub use outbound::Outbound;
pub use outcome::Outcome;
pub use pattern::ArnPattern;
pub use retry::Backoff;
pub use target::{AwsConfig, Route, Target, TargetConfig, TargetError};
