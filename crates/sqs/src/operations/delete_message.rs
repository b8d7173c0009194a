//! `DeleteMessage`, `DeleteMessageBatch`.

use groundwatch_api::sqs::{
    DeleteMessage, DeleteMessageBatch, DeleteMessageBatchInput, DeleteMessageBatchOutput,
    DeleteMessageBatchResultEntry, DeleteMessageInput, DeleteMessageOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::backlog::Holding;
use crate::fault::failed_entry;
use crate::queue::Queue;
use crate::receipt::Receipt;
use crate::{Invalid, Sqs, SqsError, batch};

impl Handle<DeleteMessage> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DeleteMessageInput,
    ) -> Result<DeleteMessageOutput, Fault> {
        let found = self.directory.by_url(call.scope(), input.queue_url.as_deref())?;
        let handle = input.receipt_handle.unwrap_or_default();
        if let Some(sequence) = self.deletable(&found.queue, &handle)? {
            let open = self.store.open().await;
            self.store.delete(&open, &found.queue, vec![sequence]).await?;
        }
        found.queue.meter.lock().deleted(1);
        Ok(DeleteMessageOutput {})
    }
}

impl Handle<DeleteMessageBatch> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DeleteMessageBatchInput,
    ) -> Result<DeleteMessageBatchOutput, Fault> {
        let found = self.directory.by_url(call.scope(), input.queue_url.as_deref())?;
        let entries = input.entries.unwrap_or_default();
        let ids = entries.iter().map(|entry| entry.id.as_deref().unwrap_or_default());
        batch::check("DeleteMessageBatchRequestEntry", ids)?;
        let (mut successful, mut failed, mut sequences) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            let id = entry.id.unwrap_or_default();
            match self.deletable(&found.queue, entry.receipt_handle.as_deref().unwrap_or_default()) {
                Ok(sequence) => {
                    sequences.extend(sequence);
                    successful.push(DeleteMessageBatchResultEntry { id: Some(id) });
                }
                Err(error) => failed.push(failed_entry(id, error)),
            }
        }
        if !sequences.is_empty() {
            let open = self.store.open().await;
            self.store.delete(&open, &found.queue, sequences).await?;
        }
        found.queue.meter.lock().deleted(successful.len());
        Ok(DeleteMessageBatchOutput {
            successful: Some(successful).filter(|successful| !successful.is_empty()),
            failed: Some(failed).filter(|failed| !failed.is_empty()),
        })
    }
}

impl Sqs {
    /// The message that a handle deletes; `None` if it is gone already, which is no mistake.
    fn deletable(&self, queue: &Queue, handle: &str) -> Result<Option<u64>, SqsError> {
        let receipt = receipt_of(queue, handle)?;
        let now = self.clock.now();
        match queue.with(|backlog| backlog.holding(receipt.sequence, receipt.receives, now)) {
            Holding::Gone => Ok(None),
            Holding::Expired { .. } | Holding::Superseded { .. } if queue.is_fifo => {
                Err(Invalid::value("ReceiptHandle", handle, "The receipt handle has expired.").into())
            }
            // In a standard queue, any receipt of a message deletes it.
            Holding::Expired { .. } | Holding::Superseded { .. } | Holding::InFlight { .. } => {
                Ok(Some(receipt.sequence))
            }
        }
    }
}

/// The receipt of a handle, if it is one of this queue.
pub(super) fn receipt_of(queue: &Queue, handle: &str) -> Result<Receipt, SqsError> {
    if handle.is_empty() {
        return Err(Invalid::Missing { parameter: "ReceiptHandle" }.into());
    }
    let invalid = || SqsError::ReceiptHandle { handle: handle.to_owned() };
    Receipt::parse(handle).filter(|receipt| receipt.queue == queue.id).ok_or_else(invalid)
}
