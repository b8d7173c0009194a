//! `CreateTopic`: creates a topic, or finds the one of that name.

use std::collections::BTreeMap;

use groundwatch_api::sns::{CreateTopic, CreateTopicInput, CreateTopicOutput, Tag};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::{Batch, Expect};

use crate::service::despite_conflicts;
use crate::topic::{TAGS_MAX, Topic, TopicId};
use crate::{Invalid, Notify, NotifyError};

/// Attributes that are kept; they change nothing here that a subscriber could notice.
const KEPT_ATTRIBUTES: &[&str] = &["DisplayName", "Policy"];

/// Attributes of AWS that would change what the topic does, with the value that asks for nothing.
const NEUTRAL_VALUES: &[(&str, &str)] = &[
    ("FifoTopic", "false"),
    ("ContentBasedDeduplication", "false"),
    ("TracingConfig", "PassThrough"),
    ("SignatureVersion", "1"),
    ("DeliveryPolicy", ""),
    ("KmsMasterKeyId", ""),
    ("ArchivePolicy", ""),
    ("FifoThroughputScope", ""),
];

impl Handle<CreateTopic> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: CreateTopicInput,
    ) -> Result<CreateTopicOutput, Fault> {
        let name = input.name.expect("validated: required");
        let id = TopicId::new(call.scope(), &name)?;
        if input.data_protection_policy.is_some() {
            let what = "a data protection policy".to_owned();
            return Err(NotifyError::Unsupported { parameter: "DataProtectionPolicy", what }.into());
        }
        let topic = Topic {
            attributes: attributes(input.attributes.unwrap_or_default())?,
            tags: tags(input.tags.unwrap_or_default())?,
            created: call.received,
        };
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
    if !wanted.tags.is_empty() && wanted.tags != existing.tags {
        return Err(Invalid::OtherTopicTags);
    }
    Ok(())
}

/// The attributes to keep.
fn attributes(given: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, NotifyError> {
    let mut kept = BTreeMap::new();
    for (name, value) in given {
        if KEPT_ATTRIBUTES.contains(&name.as_str()) {
            kept.insert(name, value);
            continue;
        }
        let feedback = name.ends_with("FeedbackRoleArn") || name.ends_with("FeedbackSampleRate");
        match NEUTRAL_VALUES.iter().find(|(known, _)| *known == name) {
            Some((_, neutral)) if *neutral == value => {}
            Some(_) => return Err(unsupported_attribute(&name)),
            None if feedback => return Err(unsupported_attribute(&name)),
            None => return Err(Invalid::UnknownAttribute { name }.into()),
        }
    }
    Ok(kept)
}

fn unsupported_attribute(name: &str) -> NotifyError {
    NotifyError::Unsupported { parameter: "Attributes", what: format!("the attribute {name}") }
}

fn tags(given: Vec<Tag>) -> Result<BTreeMap<String, String>, NotifyError> {
    if given.len() > TAGS_MAX {
        return Err(NotifyError::TooManyTags);
    }
    Ok(given.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect())
}
