//! `ChangeMessageVisibility`, `ChangeMessageVisibilityBatch`.

use std::time::Duration;

use groundwatch_api::sqs::{
    ChangeMessageVisibility, ChangeMessageVisibilityBatch, ChangeMessageVisibilityBatchInput,
    ChangeMessageVisibilityBatchOutput, ChangeMessageVisibilityBatchResultEntry,
    ChangeMessageVisibilityInput, ChangeMessageVisibilityOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp};

use super::delete_message::receipt_of;
use crate::backlog::Holding;
use crate::fault::failed_entry;
use crate::queue::Queue;
use crate::{Invalid, Sqs, SqsError, batch};

/// How long a message can be hidden, from its receipt on.
const TIMEOUT_MAX: Duration = Duration::from_secs(12 * 3600);

impl Handle<ChangeMessageVisibility> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ChangeMessageVisibilityInput,
    ) -> Result<ChangeMessageVisibilityOutput, Fault> {
        let found = self.directory.by_url(call.scope(), input.queue_url.as_deref())?;
        let handle = input.receipt_handle.unwrap_or_default();
        let hidden = self.hidden(&found.queue, &handle, input.visibility_timeout)?;
        let open = self.store.open().await;
        self.store.hide(&open, &found.queue, vec![hidden]).await?;
        Ok(ChangeMessageVisibilityOutput {})
    }
}

impl Handle<ChangeMessageVisibilityBatch> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ChangeMessageVisibilityBatchInput,
    ) -> Result<ChangeMessageVisibilityBatchOutput, Fault> {
        let found = self.directory.by_url(call.scope(), input.queue_url.as_deref())?;
        let entries = input.entries.unwrap_or_default();
        let ids = entries.iter().map(|entry| entry.id.as_deref().unwrap_or_default());
        batch::check("ChangeMessageVisibilityBatchRequestEntry", ids)?;
        let (mut successful, mut failed, mut all_hidden) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            let id = entry.id.unwrap_or_default();
            let handle = entry.receipt_handle.unwrap_or_default();
            match self.hidden(&found.queue, &handle, entry.visibility_timeout) {
                Ok(hidden) => {
                    all_hidden.push(hidden);
                    successful.push(ChangeMessageVisibilityBatchResultEntry { id: Some(id) });
                }
                Err(error) => failed.push(failed_entry(id, error)),
            }
        }
        if !all_hidden.is_empty() {
            let open = self.store.open().await;
            self.store.hide(&open, &found.queue, all_hidden).await?;
        }
        Ok(ChangeMessageVisibilityBatchOutput {
            successful: Some(successful).filter(|successful| !successful.is_empty()),
            failed: Some(failed).filter(|failed| !failed.is_empty()),
        })
    }
}

impl Sqs {
    /// Which message is to be hidden until when.
    fn hidden(
        &self,
        queue: &Queue,
        handle: &str,
        timeout_secs: Option<i32>,
    ) -> Result<(u64, Timestamp), SqsError> {
        const PARAMETER: &str = "VisibilityTimeout";
        let timeout_secs = timeout_secs.ok_or(Invalid::Missing { parameter: PARAMETER })?;
        let timeout = u64::try_from(timeout_secs).map(Duration::from_secs);
        let timeout = timeout.ok().filter(|timeout| *timeout <= TIMEOUT_MAX).ok_or_else(|| {
            Invalid::value(
                PARAMETER,
                timeout_secs,
                "VisibilityTimeout must be an integer between 0 and 43200.",
            )
        })?;
        let receipt = receipt_of(queue, handle)?;
        let now = self.clock.now();
        let holding = queue.with(|backlog| backlog.holding(receipt.sequence, receipt.receives, now));
        let holding = match holding {
            // AWS lets any receipt of a standard queue's message do it, while the message is in flight.
            Holding::Superseded { since } if !queue.is_fifo => Holding::InFlight { since },
            other => other,
        };
        match holding {
            Holding::InFlight { since } if now + timeout > since + TIMEOUT_MAX => {
                let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].";
                Err(Invalid::value(PARAMETER, timeout_secs, reason).into())
            }
            Holding::InFlight { .. } => Ok((receipt.sequence, now + timeout)),
            Holding::Expired { is_last: true } if !queue.is_fifo => Ok((receipt.sequence, now + timeout)),
            Holding::Expired { .. } | Holding::Superseded { .. } => Err(SqsError::NotInFlight),
            Holding::Gone => {
                let reason = "Message does not exist or is not available for visibility timeout change.";
                Err(Invalid::value("ReceiptHandle", handle, reason).into())
            }
        }
    }
}
