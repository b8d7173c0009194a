//! Putting a message into a queue: what subscriptions of protocol `sqs` and dead-letter queues ask of SQS.

use groundwatch_core::BoxFuture;

use crate::attributes::MessageAttributes;

/// A message on its way into a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueMessage {
    /// The queue's ARN.
    pub queue_arn: String,
    /// The whole body: SNS's JSON, or with raw delivery the published text alone.
    pub body: String,
    /// Empty unless the delivery is raw: in SNS's JSON the attributes are members.
    pub attributes: MessageAttributes,
    /// The message group, which FIFO queues need.
    pub group_id: Option<String>,
    /// The deduplication id, for FIFO queues.
    pub deduplication_id: Option<String>,
}

/// Why a queue did not take a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The queue does not take it, now or later: there is none, or the message breaks its rules.
    #[error("the queue refuses it: {reason}")]
    Refused {
        /// In words for a log.
        reason: String,
    },
    /// The queue cannot take it now: trying again may help.
    #[error("the queue cannot take it now: {reason}")]
    Unavailable {
        /// In words for a log.
        reason: String,
    },
}

/// Puts messages into queues.
pub trait QueueSender: Send + Sync + 'static {
    /// When it is `Ok`, the message is durable in its queue. A message may be sent again whose first sending
    /// went well: a crash came in between.
    fn send(&self, message: QueueMessage) -> BoxFuture<'_, Result<(), QueueError>>;
}
