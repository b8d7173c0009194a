//! `CreateTopic`: creates a topic, or finds the one of that name.

use groundwatch_storage::despite_conflicts;
use std::collections::BTreeMap;

use groundwatch_api::sns::{CreateTopic, CreateTopicInput, CreateTopicOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Tags};
use groundwatch_storage::{Batch, Expect};

use crate::operations::tags::pairs;
use crate::topic::attributes as topic_attributes;
use crate::topic::{Topic, TopicId};
use crate::{Invalid, Notify, NotifyError};

impl Handle<CreateTopic> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: CreateTopicInput,
    ) -> Result<CreateTopicOutput, Fault> {
        let name = input.name.expect("validated: required");
        let attributes = input.attributes.unwrap_or_default();
        let fifo = attributes.get("FifoTopic").is_some_and(|wish| topic_attributes::flag(wish) == Some(true));
        let id = TopicId::new(call.scope(), &name, fifo)?;
        if input.data_protection_policy.is_some() {
            let what = "a data protection policy".to_owned();
            return Err(NotifyError::Unsupported { parameter: "DataProtectionPolicy", what }.into());
        }
        let mut topic = Topic {
            attributes: BTreeMap::new(),
            tags: Tags::default(),
            created: call.received,
            subscriptions_deleted: 0,
        }
        .tagged(pairs(input.tags.unwrap_or_default()))?;
        for (name, value) in attributes {
            topic_attributes::check(&name, &value, fifo)?;
            topic = topic.with_attribute(&name, &value);
        }
        despite_conflicts(|| self.create_or_find(&id, &topic)).await?;
        Ok(CreateTopicOutput { topic_arn: Some(id.arn()) })
    }
}

impl Notify {
    async fn create_or_find(&self, id: &TopicId, topic: &Topic) -> Result<(), NotifyError> {
        if let Some(existing) = self.directory.topics.get(&id.key()) {
            return Ok(agree(&existing, topic)?);
        }
        let mut batch = Batch::new();
        self.directory.topics.put(&mut batch, id.key(), topic.clone(), Expect::Absent);
        Ok(self.directory.catalog.commit(batch).await?)
    }
}

/// A topic is created again only if nothing that is said about it differs; what is not said is not compared.
fn agree(existing: &Topic, wanted: &Topic) -> Result<(), Invalid> {
    let same = |(name, value): (&String, &String)| existing.attributes.get(name) == Some(value);
    if !wanted.attributes.iter().all(same) {
        return Err(Invalid::OtherTopicAttributes);
    }
    if !wanted.tags.iter().all(|(key, value)| existing.tags.get(key) == Some(value)) {
        return Err(Invalid::OtherTopicTags);
    }
    Ok(())
}
