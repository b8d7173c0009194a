//! The queues of this server, as SNS puts messages into them.

use groundwatch_core::BoxFuture;
use groundwatch_notify::{self as notify};
use groundwatch_sqs::{self as sqs, Sqs, SqsError};

/// SQS, as SNS puts messages into queues.
pub(crate) struct SnsQueues(pub(crate) Sqs);

impl notify::QueueSender for SnsQueues {
    fn send(&self, message: notify::QueueMessage) -> BoxFuture<'_, Result<(), notify::QueueError>> {
        Box::pin(async move {
            let notify::QueueMessage { queue_arn, body, attributes, group_id, deduplication_id } = message;
            let delivery = sqs::Delivery { body, attributes, group_id, deduplication_id };
            self.0.deliver(&queue_arn, delivery).await.map_err(|error| {
                let reason = error.to_string();
                match error {
                    // What storage or a full memory refuses now may be taken later; the rest stays refused.
                    SqsError::Storage(_) | SqsError::OutOfMemory => {
                        notify::QueueError::Unavailable { reason }
                    }
                    _ => notify::QueueError::Refused { reason },
                }
            })
        })
    }
}
