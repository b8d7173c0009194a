//! `DeleteTopic`: removes a topic and everybody's subscription to it.

use groundwatch_api::sns::{DeleteTopic, DeleteTopicInput, DeleteTopicOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::despite_conflicts;
use groundwatch_storage::{Batch, Expect};

use crate::subscription::SubscriptionId;
use crate::topic::TopicId;
use crate::{Notify, NotifyError};

impl Handle<DeleteTopic> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DeleteTopicInput,
    ) -> Result<DeleteTopicOutput, Fault> {
        let arn = input.topic_arn.as_deref().expect("validated: required");
        match self.directory.resolve(call.scope(), arn, "TopicArn", "SNS:DeleteTopic") {
            Ok(id) => despite_conflicts(|| self.delete_topic(&id)).await?,
            // One that does not exist is as deleted as can be.
            Err(NotifyError::TopicNotFound) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(DeleteTopicOutput {})
    }
}

impl Notify {
    /// What is on its way to the subscribers ends with their subscriptions.
    async fn delete_topic(&self, id: &TopicId) -> Result<(), NotifyError> {
        // Nobody publishes in line meanwhile.
        let _turn = self.fifo.turn(id).await;
        let mut batch = Batch::new();
        self.fifo.forget_topic(&mut batch, id);
        self.directory.topics.remove(&mut batch, id.key(), Expect::Any);
        for (name, _) in self.directory.of_topic(id) {
            let key = groundwatch_storage::Key::new(id.scope(), name);
            let (Some(subscription_id), Some((version, subscription))) =
                (SubscriptionId::of_key(&key), self.directory.subscriptions.get_versioned(&key))
            else {
                continue;
            };
            self.directory.remove(&mut batch, &subscription_id, &subscription, version);
        }
        Ok(self.directory.catalog.commit(batch).await?)
    }
}
