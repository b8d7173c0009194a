//! Notifications: SNS topics, who is subscribed to them, and getting messages there.
//!
//! Owns topics, HTTP and HTTPS subscriptions with their confirmation handshake, publishing, and delivery with retries.
//! Does not own the endpoint that confirm and unsubscribe links lead to (they are ordinary query calls, which
//! `groundwatch-wire` decodes), what an alarm's notification says (`groundwatch-alarms`), or waking up in time (the
//! server drives the [activities](Notify::activities)).
//!
//! The way through: an operation (`operations/`) → `directory` (who gets it) → `outbox` (message and deliveries, durable) →
//! `lanes` (which is next, one lane a subscription) → `deliverer` (posts it) → `envelope` (what is posted, pure) →
//! [`HttpPoster`] → `retry` (what an answer means, pure).
//!
//! What always holds:
//! - A message whose publisher has an answer is on disk with a delivery for every confirmed subscription, and stays there
//!   until the subscriber accepted it or the retries were used up: a message arrives at least once.
//! - A slow or dead subscriber has one request under way at most, and so holds up nobody else.
//! - Nothing but a subscription's own token makes it confirmed.
//! - What waits is bounded in bytes; over the bound `Publish` is throttled.
//!
//! What is missing, and refused by name: FIFO topics, the other protocols, filter policies, delivery and redrive
//! policies, message attributes. Messages are not signed: their JSON has no `Signature`.

mod attributes;
mod carriage;
mod deliverer;
mod delivery_policy;
mod directory;
mod envelope;
mod error;
mod expiry;
mod fault;
mod fifo;
mod filter;
mod functions;
mod lanes;
mod mail;
mod message;
mod operations;
mod outbox;
mod permissions;
mod poster;
mod preferences;
mod publication;
mod queue;
mod redrive_policy;
mod retry;
mod service;
mod signature;
mod subscription;
mod topic;
mod topic_attributes;

pub use attributes::{AttributeValue, InvalidAttribute, MessageAttribute, MessageAttributes};
pub use delivery_policy::InvalidDeliveryPolicy;
pub use error::{Invalid, InvalidBatch, NotifyError};
pub use filter::FilterPolicyError;
pub use functions::Functions;
pub use mail::{Letter, MailError, MailSender, SmtpConfigError, SmtpSender};
pub use message::{MESSAGE_BYTES_MAX, MessageId, SUBJECT_LENGTH_MAX};
pub use poster::{HttpPoster, Post, PostError, WebPoster, WebPosterError};
pub use queue::{QueueError, QueueMessage, QueueSender};
pub use service::{Carriers, Notify, NotifyConfig};
