//! The queues and topics of this server, as subscription filters send to them.

use groundwatch_core::{Arn, BoxFuture, Scope};
use groundwatch_logs as logs;
use groundwatch_notify::{Notify, NotifyError};
use groundwatch_outbound::Outcome;
use groundwatch_sqs::{self as sqs, Sqs, SqsError};

/// The queues and topics of this server, as log events are sent on to them.
pub(crate) struct LogReceivers {
    pub(crate) sqs: Sqs,
    pub(crate) notify: Notify,
}

impl logs::LocalServices for LogReceivers {
    fn deliver<'a>(&'a self, scope: &'a Scope, arn: &'a str, body: String) -> BoxFuture<'a, Outcome> {
        let refused = |error: &dyn std::error::Error| Outcome::Refused { reason: error.to_string() };
        let later = |error: &dyn std::error::Error| Outcome::Unavailable {
            reason: error.to_string(),
            is_throttled: false,
        };
        Box::pin(async move {
            let accepted = Outcome::Accepted { answer: bytes::Bytes::new() };
            if Arn::parse(arn).is_ok_and(|arn| arn.service == "sns") {
                return match self.notify.publish(scope, arn, None, &body, None).await {
                    Ok(_) => accepted,
                    Err(error @ (NotifyError::Storage(_) | NotifyError::Backlog)) => later(&error),
                    Err(error) => refused(&error),
                };
            }
            // FIFO queues would need a group: the stream's name is in the message, and AWS sends logs to no
            // queue.
            let delivery = sqs::Delivery {
                body,
                attributes: std::collections::BTreeMap::new(),
                group_id: None,
                deduplication_id: None,
            };
            match self.sqs.deliver(arn, delivery).await {
                Ok(()) => accepted,
                Err(error @ (SqsError::Storage(_) | SqsError::OutOfMemory)) => later(&error),
                Err(error) => refused(&error),
            }
        })
    }
}
