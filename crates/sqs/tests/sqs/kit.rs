//! A service on a directory of its own, with a clock that the test moves.

use std::collections::BTreeMap;
use std::sync::Arc;

use groundwatch_api::sqs::{
    ChangeMessageVisibility, ChangeMessageVisibilityInput, CreateQueue, CreateQueueInput, DeleteMessage,
    DeleteMessageInput, GetQueueAttributes, GetQueueAttributesInput, Message, QueueAttributeName,
    ReceiveMessage, ReceiveMessageInput, SendMessage, SendMessageInput, SendMessageOutput,
};
use groundwatch_api::{Fault, Handle, Operation};
use groundwatch_core::{Call, Caller, Clock, ManualClock, RequestId, Timestamp};
use groundwatch_sqs::{Sqs, SqsOptions};
use groundwatch_storage::{Storage, StorageOptions, StreamId};
use tempfile::TempDir;

/// When every test begins.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// A service with one queue, `q`.
pub(crate) struct Kit {
    pub(crate) sqs: Sqs,
    pub(crate) clock: Arc<ManualClock>,
    directory: TempDir,
    storage: Storage,
    /// Who calls.
    call: Call,
}

impl Kit {
    /// A service without queues.
    pub(crate) async fn new() -> Self {
        Self::on(tempfile::tempdir().expect("a directory"), Arc::new(ManualClock::new(START)), 64 << 20).await
    }

    pub(crate) async fn with_memory(bytes: usize) -> Self {
        Self::on(tempfile::tempdir().expect("a directory"), Arc::new(ManualClock::new(START)), bytes).await
    }

    async fn on(directory: TempDir, clock: Arc<ManualClock>, memory_bytes_max: usize) -> Self {
        let (storage, recovery) = Storage::open(StorageOptions::new(directory.path())).expect("opens");
        let options = SqsOptions { advertised_base_url: "http://h".to_owned(), memory_bytes_max };
        let sqs = Sqs::open(&storage, clock.clone(), &options).await.expect("opens");
        for record in recovery {
            let record = record.expect("not damaged");
            assert_eq!(record.stream, StreamId::SQS);
            sqs.recover(record.position, &record.payload).expect("readable");
        }
        let call = Call::new(Caller::default(), RequestId("1".to_owned()), START);
        Self { sqs, clock, directory, storage, call }
    }

    /// The same data, opened anew.
    pub(crate) async fn restart(self) -> Self {
        let Self { sqs, clock, directory, storage, .. } = self;
        // Both hold the directory's lock.
        drop((sqs, storage));
        Self::on(directory, clock, 64 << 20).await
    }

    pub(crate) fn advance(&self, secs: i64) {
        self.clock.set(Timestamp::from_millis(self.clock.now().as_millis() + secs * 1000));
    }

    /// Moves the clock and runs what is due, as the server's driver does.
    pub(crate) async fn settle(&self, secs: i64) {
        let end = Timestamp::from_millis(self.clock.now().as_millis() + secs * 1000);
        loop {
            let activities = self.sqs.activities();
            let next = activities.iter().filter_map(|activity| Some((activity.next_due()?, activity)));
            let Some((due, activity)) = next.min_by_key(|(due, _)| *due).filter(|(due, _)| *due <= end)
            else {
                break;
            };
            self.clock.set(due.max(self.clock.now()));
            activity.run(self.clock.now()).await;
        }
        self.clock.set(end);
    }

    pub(crate) async fn call<'a, O>(&'a self, input: O::Input<'a>) -> Result<O::Output, Fault>
    where
        O: Operation,
        Sqs: Handle<O>,
    {
        <Sqs as Handle<O>>::handle(&self.sqs, &self.call, input).await
    }

    /// Creates a queue; answers with its URL.
    pub(crate) async fn create(&self, name: &str, attributes: &[(&str, &str)]) -> String {
        let input = CreateQueueInput {
            queue_name: Some(name.to_owned()),
            attributes: Some(pairs(attributes)),
            tags: None,
        };
        self.call::<CreateQueue>(input).await.expect("created").queue_url.expect("told")
    }

    pub(crate) async fn send(&self, url: &str, body: &str) -> SendMessageOutput {
        self.try_send(SendMessageInput { message_body: Some(body.to_owned()), ..to(url) })
            .await
            .expect("sent")
    }

    /// Sends to a FIFO queue, each text with an id of its own.
    pub(crate) async fn send_in(&self, url: &str, group: &str, body: &str) -> SendMessageOutput {
        let input = SendMessageInput {
            message_body: Some(body.to_owned()),
            message_group_id: Some(group.to_owned()),
            message_deduplication_id: Some(format!("{group}-{body}")),
            ..to(url)
        };
        self.try_send(input).await.expect("sent")
    }

    pub(crate) async fn try_send(&self, input: SendMessageInput) -> Result<SendMessageOutput, Fault> {
        self.call::<SendMessage>(input).await
    }

    /// Receives up to ten messages, without waiting.
    pub(crate) async fn receive(&self, url: &str) -> Vec<Message> {
        let all = groundwatch_api::sqs::MessageSystemAttributeName::All;
        let input = ReceiveMessageInput {
            queue_url: Some(url.to_owned()),
            max_number_of_messages: Some(10),
            message_system_attribute_names: Some(vec![all]),
            ..ReceiveMessageInput::default()
        };
        self.call::<ReceiveMessage>(input).await.expect("received").messages.unwrap_or_default()
    }

    /// The bodies that [`Kit::receive`] gets.
    pub(crate) async fn bodies(&self, url: &str) -> Vec<String> {
        self.receive(url).await.into_iter().map(|message| message.body.expect("told")).collect()
    }

    pub(crate) async fn delete(&self, url: &str, message: &Message) -> Result<(), Fault> {
        let input = DeleteMessageInput {
            queue_url: Some(url.to_owned()),
            receipt_handle: message.receipt_handle.clone(),
        };
        self.call::<DeleteMessage>(input).await.map(drop)
    }

    pub(crate) async fn hide(&self, url: &str, message: &Message, secs: i32) -> Result<(), Fault> {
        let input = ChangeMessageVisibilityInput {
            queue_url: Some(url.to_owned()),
            receipt_handle: message.receipt_handle.clone(),
            visibility_timeout: Some(secs),
        };
        self.call::<ChangeMessageVisibility>(input).await.map(drop)
    }

    /// Visible, in flight, delayed.
    pub(crate) async fn counts(&self, url: &str) -> [String; 3] {
        let names = QueueAttributeName::All;
        let input =
            GetQueueAttributesInput { queue_url: Some(url.to_owned()), attribute_names: Some(vec![names]) };
        let told = self.call::<GetQueueAttributes>(input).await.expect("told").attributes.expect("some");
        ["", "NotVisible", "Delayed"].map(|kind| told[&format!("ApproximateNumberOfMessages{kind}")].clone())
    }
}

pub(crate) fn to(url: &str) -> SendMessageInput {
    SendMessageInput { queue_url: Some(url.to_owned()), ..SendMessageInput::default() }
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn attribute<'m>(message: &'m Message, name: &str) -> &'m str {
    &message.attributes.as_ref().expect("asked for")[name]
}
