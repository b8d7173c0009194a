//! `PublishBatch`: up to ten messages at once, each of which succeeds or fails by itself.

use std::collections::HashSet;

use groundwatch_api::sns::{
    BatchResultErrorEntry, MessageAttributeValue, PublishBatch, PublishBatchInput, PublishBatchOutput,
    PublishBatchRequestEntry, PublishBatchResultEntry,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::message::MESSAGE_BYTES_MAX;
use crate::publication::{Publication, Wording};
use crate::{InvalidBatch, Notify, NotifyError};

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
        // recorded: whatever is wrong with one message, the whole batch is refused.
        let publications: Vec<(Option<String>, Publication)> =
            entries.into_iter().map(publication).collect::<Result<_, _>>()?;
        for (_, publication) in &publications {
            self.check_order(&topic, publication)?;
        }
        let mut output = PublishBatchOutput { successful: Some(Vec::new()), failed: Some(Vec::new()) };
        // One after the other: a FIFO topic keeps their order.
        for (id, publication) in publications {
            match self.publish_to(&topic, publication).await {
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

/// The message of an entry, beside the entry's id.
fn publication(entry: PublishBatchRequestEntry) -> Result<(Option<String>, Publication), NotifyError> {
    let publication = Publication::new(Wording {
        message: entry.message.as_deref().expect("validated: required"),
        subject: entry.subject.as_deref(),
        structure: entry.message_structure.as_deref(),
        attributes: entry.message_attributes,
        deduplication_id: entry.message_deduplication_id,
        group_id: entry.message_group_id,
    })?;
    Ok((entry.id, publication))
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
    for id in entries.iter().map(id) {
        if id.is_empty() {
            return Err(InvalidBatch::NoId);
        }
        if id.len() > ID_LENGTH_MAX {
            return Err(InvalidBatch::LongId { id });
        }
        if !id.bytes().all(allowed) {
            return Err(InvalidBatch::Id { id });
        }
    }
    if entries.iter().map(id).collect::<HashSet<_>>().len() < entries.len() {
        return Err(InvalidBatch::RepeatedId);
    }
    let bytes: usize = entries.iter().map(size_bytes).sum();
    if bytes > MESSAGE_BYTES_MAX { Err(InvalidBatch::TooLong) } else { Ok(()) }
}

/// As AWS counts it: the message, and names, types and values of its attributes.
fn size_bytes(entry: &PublishBatchRequestEntry) -> usize {
    let attribute = |(name, value): (&String, &MessageAttributeValue)| {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let binary = value.binary_value.as_ref().map_or(0, |blob| blob.0.len());
        name.len() + text(&value.data_type) + text(&value.string_value) + binary
    };
    let attributes = entry.message_attributes.iter().flatten().map(attribute).sum::<usize>();
    entry.message.as_ref().map_or(0, String::len) + attributes
}
