//! Notifications: SNS topics, who is subscribed to them, and getting messages there.
//!
//! Owns topics, standard and FIFO; subscriptions of webhooks, queues, mailboxes and functions, with the
//! confirmation handshake; publishing; filter policies; signatures; delivery with retries and dead-letter
//! queues. Does not own the endpoint that confirm and unsubscribe links lead to (they are ordinary query
//! calls, which `groundwatch-wire` decodes), queues (asks a [`QueueSender`]), the HTTP client and what stands
//! in for functions (`groundwatch-outbound`), what an alarm's notification says (`groundwatch-alarms`), or
//! waking up in time (the server drives the [activities](Notify::activities)).
//!
//! The way through: an operation (`operations/`) → `publication` (what is to be sent, checked) → `topic/fifo`
//! (whether it came already) → `directory` and `subscription/filter` (who gets it, pure) → `delivery/outbox`
//! (message and deliveries, durable) → `lanes` (which is next, one lane a subscription) → `deliverer`
//! (attempts it) → `sender` (by which way) → `envelope/` (what it says, signed) → `groundwatch-outbound`,
//! [`QueueSender`] or [`MailSender`] → `retry` (what an outcome means, pure).
//!
//! What always holds:
//! - A message whose publisher has an answer is in every subscribed queue that takes it, and on disk with a
//!   delivery for everybody else who wants it. There it stays until the subscriber accepted it, or a
//!   dead-letter queue did, or the retries were used up: a message arrives at least once.
//! - A slow or dead subscriber has one request under way at most, and so holds up nobody else.
//! - On a FIFO topic nothing overtakes, and nothing is taken twice within five minutes.
//! - Nothing but a subscription's own token makes it confirmed, unless one account owns both ends.
//! - What waits is bounded in bytes; over the bound `Publish` is throttled.
//!
//! What is missing, and rejected with an error that names it: text messages, mobile push, Firehose, archives
//! and replay, delivery status logs, throttle policies, data protection policies.

mod attributes;
mod delivery;
mod directory;
mod envelope;
mod error;
mod fault;
mod message;
mod meter;
mod operations;
mod publication;
mod service;
mod subscription;
mod topic;

pub use attributes::{AttributeValue, InvalidAttribute, MessageAttribute, MessageAttributes};
pub use delivery::mail::{Email, MailError, MailSender, SmtpConfigError, SmtpSender};
pub use delivery::queue::{QueueError, QueueMessage, QueueSender};
pub use error::{Invalid, InvalidBatch, NotifyError};
pub use message::{MESSAGE_BYTES_MAX, MessageId, SUBJECT_LENGTH_MAX};
pub use publication::Place;
pub use service::{Notify, NotifyConfig, Transports};
pub use subscription::delivery_policy::InvalidDeliveryPolicy;
pub use subscription::filter::FilterPolicyError;
