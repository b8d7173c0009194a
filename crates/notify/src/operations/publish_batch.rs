//! `PublishBatch`: up to ten messages at once, each of which succeeds or fails by itself.

use std::collections::HashSet;

use groundwatch_api::sns::{
    BatchResultErrorEntry, PublishBatch, PublishBatchInput, PublishBatchOutput, PublishBatchRequestEntry,
    PublishBatchResultEntry,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::message::MESSAGE_BYTES_MAX;
use crate::publication::{Publication, Wording};
use crate::service::Receipt;
use crate::topic::TopicId;
use crate::{Invalid, InvalidBatch, Notify, NotifyError};

/// The most entries of a batch.
const ENTRIES_MAX: usize = 10;

/// The longest id of an entry, in bytes.
const ID_LENGTH_MAX: usize = 80;

impl Handle<PublishBatch> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: PublishBatchInput,
    ) -> Result<PublishBatchOutput, Fault> {
        let arn = input.topic_arn.as_deref().expect("validated: required");
        let topic = self.directory.resolve(call.scope(), arn, "TopicArn", "SNS:Publish")?;
        let entries = input.publish_batch_request_entries.unwrap_or_default();
        check(&entries).map_err(NotifyError::from)?;
        // AWS refuses the whole batch for this one.
        if topic.is_fifo() && entries.iter().any(|entry| entry.message_group_id.is_none()) {
            return Err(Invalid::NoGroupId.into());
        }
        let mut output = PublishBatchOutput { successful: Some(Vec::new()), failed: Some(Vec::new()) };
        // One after the other: a FIFO topic keeps their order.
        for entry in entries {
            let id = entry.id.clone();
            match self.publish_entry(&topic, entry).await {
                Ok(receipt) => output.successful.get_or_insert_default().push(PublishBatchResultEntry {
                    id,
                    message_id: Some(receipt.id.to_string()),
                    sequence_number: receipt.sequence.map(|number| number.to_string()),
                }),
                Err(error) => output.failed.get_or_insert_default().push(failed(id, &error.into())),
            }
        }
        Ok(output)
    }
}

impl Notify {
    async fn publish_entry(
        &self,
        topic: &TopicId,
        entry: PublishBatchRequestEntry,
    ) -> Result<Receipt, NotifyError> {
        let publication = Publication::new(Wording {
            message: entry.message.as_deref().expect("validated: required"),
            subject: entry.subject.as_deref(),
            structure: entry.message_structure.as_deref(),
            attributes: entry.message_attributes,
            deduplication_id: entry.message_deduplication_id,
            group_id: entry.message_group_id,
        })?;
        self.publish_to(topic, publication).await
    }
}

fn failed(id: Option<String>, fault: &Fault) -> BatchResultErrorEntry {
    BatchResultErrorEntry {
        id,
        code: Some(fault.shape.code.to_owned()),
        message: fault.message.clone(),
        sender_fault: Some(fault.shape.status < 500),
    }
}

/// The rules of the batch as a whole.
fn check(entries: &[PublishBatchRequestEntry]) -> Result<(), InvalidBatch> {
    let id = |entry: &PublishBatchRequestEntry| entry.id.clone().unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if entries.is_empty() {
        return Err(InvalidBatch::Empty);
    }
    if entries.len() > ENTRIES_MAX {
        return Err(InvalidBatch::TooMany);
    }
    if entries.iter().map(id).any(|id| !(1..=ID_LENGTH_MAX).contains(&id.len()) || !id.bytes().all(allowed)) {
        return Err(InvalidBatch::Id);
    }
    if entries.iter().map(id).collect::<HashSet<_>>().len() < entries.len() {
        return Err(InvalidBatch::RepeatedId);
    }
    let bytes: usize = entries.iter().filter_map(|entry| entry.message.as_ref()).map(String::len).sum();
    if bytes > MESSAGE_BYTES_MAX { Err(InvalidBatch::TooLong) } else { Ok(()) }
}
