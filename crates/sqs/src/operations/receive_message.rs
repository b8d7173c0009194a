//! `ReceiveMessage`: hides messages for a while and hands them out, waiting for some if there are none.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_api::sqs::{
    Message, MessageAttributeValue, MessageSystemAttributeName, ReceiveMessage, ReceiveMessageInput,
    ReceiveMessageOutput,
};
use groundwatch_api::{Blob, Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::Key;

use super::send_message::sequence_number;
use crate::backlog::{Demand, IN_FLIGHT_MAX, Received};
use crate::digest::{md5_of_attributes, md5_of_text};
use crate::message::{AttributeValue, MessageAttribute};
use crate::queue::Queue;
use crate::receipt::Receipt;
use crate::{Invalid, Sqs, SqsError};

impl Handle<ReceiveMessage> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ReceiveMessageInput,
    ) -> Result<ReceiveMessageOutput, Fault> {
        let found = self.directory.by_url(call.scope(), input.queue_url.as_deref())?;
        let settings = &found.definition.settings;
        if input.receive_request_attempt_id.is_some() {
            let what = "ReceiveRequestAttemptId is not supported by Groundwatch.".to_owned();
            return Err(SqsError::Unsupported { what }.into());
        }
        let selection = Selection::of(&input)?;
        let count_max = between("MaxNumberOfMessages", input.max_number_of_messages, 1, 1, 10)?;
        let wait = between(
            "WaitTimeSeconds",
            input.wait_time_seconds,
            settings.receive_message_wait_time_seconds,
            0,
            20,
        )?;
        let timeout =
            between("VisibilityTimeout", input.visibility_timeout, settings.visibility_timeout, 0, 43_200)?;
        let wish = Wish {
            count_max: count_max as usize,
            visibility_timeout: Duration::from_secs(timeout.into()),
            wait: Duration::from_secs(wait.into()),
        };
        let received = self.receive(&found.queue.key, wish).await?;
        found.queue.meter.lock().received(received.len());
        let messages: Vec<Message> =
            received.iter().map(|received| selection.show(&found.queue, received)).collect();
        // recorded: without messages the member is absent.
        Ok(ReceiveMessageOutput { messages: Some(messages).filter(|messages| !messages.is_empty()) })
    }
}

/// What a receiver wants.
#[derive(Clone, Copy, Debug)]
struct Wish {
    count_max: usize,
    visibility_timeout: Duration,
    wait: Duration,
}

impl Sqs {
    /// Receives what there is, or what comes within the wait. The wait ends by the server's clock; and by the
    /// machine's, because the client that waits is real, also where the server's clock stands still.
    async fn receive(&self, key: &Key, wish: Wish) -> Result<Vec<Received>, SqsError> {
        let deadline = self.clock.now() + wish.wait;
        let patience = tokio::time::sleep(wish.wait);
        tokio::pin!(patience);
        loop {
            let found = self.directory.by_key(key).ok_or(SqsError::QueueNotFound)?;
            let queue = found.queue.clone();
            let arrival = queue.arrivals.notified();
            tokio::pin!(arrival);
            // What arrives from here on is not missed.
            arrival.as_mut().enable();

            let now = self.clock.now();
            let policy = found.definition.settings.redrive_policy.as_ref();
            let dead_letters =
                policy.and_then(|policy| self.directory.by_arn(&policy.dead_letter_target_arn));
            let dead_letters = dead_letters.filter(|dead| dead.queue.id != queue.id);
            let demand = Demand {
                count_max: wish.count_max,
                visibility_timeout: wish.visibility_timeout,
                // Without the other queue messages stay here.
                receives_max: policy
                    .filter(|_| dead_letters.is_some())
                    .map(|policy| policy.max_receive_count),
            };
            if queue.with(|backlog| backlog.counts().in_flight) + wish.count_max > IN_FLIGHT_MAX {
                return Err(SqsError::TooManyInFlight);
            }
            let dead_letters = dead_letters.as_ref().map(|dead| &*dead.queue);
            let open = self.store.open().await;
            let received = self.store.receive(&open, &found, demand, now, dead_letters).await?;
            drop(open);
            if !received.is_empty() || now >= deadline {
                return Ok(received);
            }
            let next = queue.with(|backlog| backlog.next_due()).map_or(deadline, |due| due.min(deadline));
            let alarm = self.waiting.alarm(next);
            tokio::select! {
                () = arrival => {}
                () = alarm.rings() => {}
                () = &mut patience => return Ok(Vec::new()),
                () = self.waiting.ended() => return Ok(Vec::new()),
            }
        }
    }
}

/// A number within its bounds, or the default.
fn between(parameter: &str, given: Option<i32>, default: u32, min: u32, max: u32) -> Result<u32, Invalid> {
    let Some(given) = given else { return Ok(default) };
    let legal = u32::try_from(given).ok().filter(|number| (min..=max).contains(number));
    legal.ok_or_else(|| {
        let reason = match parameter {
            "MaxNumberOfMessages" => format!("Must be between {min} and {max}, if provided."),
            _ => format!("Must be >= {min} and <= {max}, if provided."),
        };
        Invalid::value(parameter, given, reason)
    })
}

/// Which attributes a receiver wants to see.
struct Selection {
    system: Vec<MessageSystemAttributeName>,
    own: Vec<String>,
}

impl Selection {
    fn of(input: &ReceiveMessageInput) -> Result<Self, Invalid> {
        // The older parameter has the newer one's names in it.
        let older = input.attribute_names.iter().flatten().map(|name| name.as_str().into());
        let newer = input.message_system_attribute_names.iter().flatten().cloned();
        let system: Vec<MessageSystemAttributeName> = older.chain(newer).collect();
        for name in &system {
            if let MessageSystemAttributeName::Unknown(name) = name {
                return Err(Invalid::AttributeName { name: name.clone() });
            }
        }
        Ok(Self { system, own: input.message_attribute_names.clone().unwrap_or_default() })
    }

    fn show(&self, queue: &Queue, received: &Received) -> Message {
        let message = &received.message;
        let receipt = Receipt { queue: queue.id, sequence: received.sequence, receives: received.receives };
        let own: BTreeMap<&str, &MessageAttribute> = message
            .attributes
            .iter()
            .filter(|(name, _)| self.wants(name))
            .map(|(name, attribute)| (name.as_str(), attribute))
            .collect();
        let md5_of_message_attributes =
            md5_of_attributes(own.iter().map(|(name, attribute)| (*name, *attribute)));
        let shown = own.into_iter().map(|(name, attribute)| (name.to_owned(), shape(attribute))).collect();
        Message {
            message_id: Some(message.id.to_string()),
            receipt_handle: Some(receipt.to_handle()),
            md5_of_body: Some(md5_of_text(&message.body)),
            body: Some(message.body.clone()),
            attributes: Some(self.system_attributes(queue, received)).filter(|told| !told.is_empty()),
            message_attributes: Some(shown).filter(|_| md5_of_message_attributes.is_some()),
            md5_of_message_attributes,
        }
    }

    fn system_attributes(&self, queue: &Queue, received: &Received) -> BTreeMap<String, String> {
        use MessageSystemAttributeName as Name;
        let message = &received.message;
        let trace_header = message.trace_header.as_ref().and_then(|header| match &header.value {
            AttributeValue::Text(text) => Some(text.clone()),
            AttributeValue::Binary(_) => None,
        });
        let all = [
            (Name::SenderId, Some(message.sender_id.clone())),
            (Name::SentTimestamp, Some(message.sent.as_millis().to_string())),
            (Name::ApproximateReceiveCount, Some(received.receives.to_string())),
            (Name::ApproximateFirstReceiveTimestamp, Some(received.first_received.as_millis().to_string())),
            (Name::SequenceNumber, queue.is_fifo.then(|| sequence_number(received.sequence))),
            (Name::MessageDeduplicationId, message.deduplication_id.clone()),
            (Name::MessageGroupId, message.group_id.clone()),
            (Name::AwsTraceHeader, trace_header),
            (Name::DeadLetterQueueSourceArn, message.dead_letter_source_arn.clone()),
        ];
        let wanted = |name: &Name| self.system.contains(&Name::All) || self.system.contains(name);
        all.into_iter()
            .filter(|(name, _)| wanted(name))
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value?)))
            .collect()
    }

    /// Names, `All`, `*`, `.*`, or beginnings: `order.*`.
    fn wants(&self, name: &str) -> bool {
        self.own.iter().any(|wanted| {
            wanted == name
                || wanted == "All"
                || wanted == "*"
                || wanted.strip_suffix(".*").is_some_and(|start| name.starts_with(start))
        })
    }
}

fn shape(attribute: &MessageAttribute) -> MessageAttributeValue {
    let (string_value, binary_value) = match &attribute.value {
        AttributeValue::Text(text) => (Some(text.clone()), None),
        AttributeValue::Binary(bytes) => (None, Some(Blob(bytes.clone()))),
    };
    MessageAttributeValue {
        string_value,
        binary_value,
        data_type: Some(attribute.data_type.clone()),
        ..MessageAttributeValue::default()
    }
}
