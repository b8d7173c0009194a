//! `SendMessage`, `SendMessageBatch`.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_api::sqs::{
    SendMessage, SendMessageBatch, SendMessageBatchInput, SendMessageBatchOutput,
    SendMessageBatchRequestEntry, SendMessageBatchResultEntry, SendMessageInput, SendMessageOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{AccountId, Call};
use uuid::Uuid;

use crate::digest::{md5_of_attributes, md5_of_text};
use crate::directory::Found;
use crate::draft::{Checked, Draft, attributes, trace_header};
use crate::fault::failed_entry;
use crate::message::{AttributeValue, MESSAGE_BYTES_MAX, Message, MessageAttribute};
use crate::store::{Outgoing, Sent};
use crate::{Invalid, Sqs, SqsError, batch};

/// What is told of a message that was sent.
pub(crate) struct Told {
    message_id: Uuid,
    md5_of_body: String,
    md5_of_attributes: Option<String>,
    md5_of_system_attributes: Option<String>,
    sequence_number: Option<String>,
}

/// Who sends, as far as a message tells.
pub(crate) struct Sender {
    /// All that an access key tells so far.
    pub(crate) account: AccountId,
    /// The trace that sending is a part of.
    pub(crate) trace: Option<String>,
}

impl Sender {
    fn of(call: &Call) -> Self {
        Self { account: call.scope().account, trace: call.trace.clone() }
    }

    /// What a message has that says nothing of a trace itself (source: X-Ray developer guide, "Amazon SQS and
    /// AWS X-Ray").
    fn trace_header(&self) -> Option<MessageAttribute> {
        let value = AttributeValue::Text(self.trace.clone()?);
        Some(MessageAttribute { data_type: "String".to_owned(), value })
    }
}

impl Handle<SendMessage> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: SendMessageInput,
    ) -> Result<SendMessageOutput, Fault> {
        let found = self.directory.by_url(call.scope(), input.queue_url.as_deref())?;
        let draft = Draft {
            body: input.message_body.unwrap_or_default(),
            attributes: attributes(input.message_attributes)?,
            trace_header: trace_header(input.message_system_attributes)?,
            delay_seconds: input.delay_seconds,
            group_id: input.message_group_id,
            deduplication_id: input.message_deduplication_id,
        };
        let told = self.send(&found, vec![draft.checked(&found)?], Sender::of(call)).await?;
        let told = told.into_iter().next().expect("one answer a message");
        Ok(SendMessageOutput {
            message_id: Some(told.message_id.to_string()),
            md5_of_message_body: Some(told.md5_of_body),
            md5_of_message_attributes: told.md5_of_attributes,
            md5_of_message_system_attributes: told.md5_of_system_attributes,
            sequence_number: told.sequence_number,
        })
    }
}

impl Handle<SendMessageBatch> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: SendMessageBatchInput,
    ) -> Result<SendMessageBatchOutput, Fault> {
        let found = self.directory.by_url(call.scope(), input.queue_url.as_deref())?;
        let entries = input.entries.unwrap_or_default();
        let ids = entries.iter().map(|entry| entry.id.as_deref().unwrap_or_default());
        batch::check("SendMessageBatchRequestEntry", ids)?;

        let (mut drafts, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            let id = entry.id.clone().unwrap_or_default();
            match draft(entry) {
                Ok(draft) => drafts.push((id, draft)),
                Err(error) => failed.push(failed_entry(id, error)),
            }
        }
        let bytes: usize = drafts.iter().map(|(_, draft)| draft.size_bytes()).sum();
        if bytes > MESSAGE_BYTES_MAX {
            return Err(Invalid::BatchTooLong { bytes }.into());
        }
        if let Some(fifo) = &found.definition.settings.fifo {
            for (_, draft) in &drafts {
                draft.check_fifo(fifo).map_err(|error| match error {
                    // recorded: in a batch a missing parameter has the code of a wrong one.
                    Invalid::Missing { parameter } => {
                        Invalid::parameter(format!("The request must contain the parameter {parameter}."))
                    }
                    other => other,
                })?;
            }
        }
        let (mut sent_ids, mut checked) = (Vec::new(), Vec::new());
        for (id, draft) in drafts {
            match draft.checked(&found) {
                Ok(one) => {
                    sent_ids.push(id);
                    checked.push(one);
                }
                Err(error) => failed.push(failed_entry(id, error)),
            }
        }
        let told = self.send(&found, checked, Sender::of(call)).await?;
        let successful = sent_ids.into_iter().zip(told).map(|(id, told)| SendMessageBatchResultEntry {
            id: Some(id),
            message_id: Some(told.message_id.to_string()),
            md5_of_message_body: Some(told.md5_of_body),
            md5_of_message_attributes: told.md5_of_attributes,
            md5_of_message_system_attributes: told.md5_of_system_attributes,
            sequence_number: told.sequence_number,
        });
        let successful: Vec<_> = successful.collect();
        Ok(SendMessageBatchOutput {
            // AWS leaves out the one of the two that is empty.
            successful: Some(successful).filter(|successful| !successful.is_empty()),
            failed: Some(failed).filter(|failed| !failed.is_empty()),
        })
    }
}

impl Sqs {
    /// Sends messages that were checked, together: what is told of each, in their order.
    pub(crate) async fn send(
        &self,
        found: &Found,
        messages: Vec<Checked>,
        sender: Sender,
    ) -> Result<Vec<Told>, SqsError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let queue = &*found.queue;
        let now = self.clock.now();
        let mut outgoing = Vec::with_capacity(messages.len());
        let mut digests = Vec::with_capacity(messages.len());
        for Checked { draft, delay_seconds, deduplication_key } in messages {
            let named = |name| draft.trace_header.as_ref().map(|header| (name, header));
            let attributes = draft.attributes.iter().map(|(name, attribute)| (name.as_str(), attribute));
            digests.push((
                md5_of_text(&draft.body),
                md5_of_attributes(attributes),
                md5_of_attributes(named("AWSTraceHeader")),
            ));
            let visible_at = (delay_seconds > 0).then(|| now + Duration::from_secs(delay_seconds.into()));
            let message = Arc::new(Message {
                id: Uuid::new_v4(),
                body: draft.body,
                attributes: draft.attributes,
                trace_header: draft.trace_header.or_else(|| sender.trace_header()),
                group_id: draft.group_id,
                deduplication_id: draft.deduplication_id,
                sender_id: sender.account.to_string(),
                sent: now,
                dead_letter_source_arn: None,
            });
            outgoing.push(Outgoing { message, visible_at, deduplication_key });
        }
        let open = self.store.open().await;
        let sent = self.store.send(&open, queue, outgoing, now).await?;
        let tell =
            |(Sent { sequence, message_id }, (md5_of_body, md5_of_attributes, md5_of_system_attributes))| {
                Told {
                    message_id,
                    md5_of_body,
                    md5_of_attributes,
                    md5_of_system_attributes,
                    sequence_number: queue.is_fifo.then(|| sequence_number(sequence)),
                }
            };
        Ok(sent.into_iter().zip(digests).map(tell).collect())
    }
}

fn draft(entry: SendMessageBatchRequestEntry) -> Result<Draft, SqsError> {
    Ok(Draft {
        body: entry.message_body.unwrap_or_default(),
        attributes: attributes(entry.message_attributes)?,
        trace_header: trace_header(entry.message_system_attributes)?,
        delay_seconds: entry.delay_seconds,
        group_id: entry.message_group_id,
        deduplication_id: entry.message_deduplication_id,
    })
}

/// A sequence number as AWS writes it: 20 digits that never begin with zero.
pub(crate) fn sequence_number(sequence: u64) -> String {
    format!("1{sequence:019}")
}
