//! `CreateQueue`: makes a queue, or finds the one that was made just so.

use std::collections::BTreeMap;

use groundwatch_api::sqs::{CreateQueue, CreateQueueInput, CreateQueueOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Tags};
use groundwatch_storage::{Batch, Expect, Key, StorageError};
use uuid::Uuid;

use super::tags::tags_of;
use crate::attributes::{Settings, truth};
use crate::directory::Found;
use crate::queue::{Definition, arn, check_name, key_of_arn};
use crate::{Invalid, Sqs, SqsError};

impl Handle<CreateQueue> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: CreateQueueInput,
    ) -> Result<CreateQueueOutput, Fault> {
        let name = input.queue_name.expect("validated: required");
        let attributes = input.attributes.unwrap_or_default();
        let wants_fifo = attributes.get("FifoQueue").is_some_and(|value| truth(value) == Some(true));
        let is_fifo = check_name(&name, wants_fifo)?;
        let key = Key::new(call.scope(), name);
        let tags = tags_of(&key.name, input.tags.unwrap_or_default())?;
        self.create(&key, is_fifo, &attributes, tags).await?;
        Ok(CreateQueueOutput { queue_url: Some(self.directory.url(&key)) })
    }
}

impl Sqs {
    async fn create(
        &self,
        key: &Key,
        is_fifo: bool,
        attributes: &BTreeMap<String, String>,
        tags: Tags,
    ) -> Result<(), SqsError> {
        let settings = Settings::create(is_fifo, attributes)?;
        if let Some(existing) = self.directory.by_key(key) {
            return same_as(&existing, &settings, attributes);
        }
        self.check_redrive(key, &settings)?;
        let now = self.clock.now();
        let definition = Definition { id: Uuid::new_v4(), settings, tags, created: now, modified: now };
        let queue = self.directory.come_alive(key, &definition);
        self.directory.rounds().note_access(&queue.meter);
        let mut batch = Batch::new();
        self.directory.definitions.put(&mut batch, key.clone(), definition.clone(), Expect::Absent);
        let created = self.catalog.commit(batch).await;
        if created.is_err() {
            self.directory.forget(queue.id);
        }
        match (created, self.directory.by_key(key)) {
            // Somebody was faster, who may have wanted the same.
            (Err(StorageError::Conflict { .. }), Some(existing)) => {
                same_as(&existing, &definition.settings, attributes)
            }
            (created, _) => Ok(created?),
        }
    }

    /// The rules of a redrive policy that are about another queue.
    pub(super) fn check_redrive(&self, key: &Key, settings: &Settings) -> Result<(), SqsError> {
        let Some(policy) = &settings.redrive_policy else { return Ok(()) };
        let wrong = |reason: &str| SqsError::from(Invalid::value("RedrivePolicy", policy.to_json(), reason));
        let target =
            key_of_arn(&policy.dead_letter_target_arn).filter(|target| same_place(&target.scope, &key.scope));
        // A queue may name itself in AWS, too; whoever does that has said so.
        let target = target.and_then(|target| match target == *key {
            true => Some((settings.fifo.is_some(), None)),
            false => {
                let found = self.directory.by_key(&target)?;
                Some((found.queue.is_fifo, found.definition.settings.redrive_allow_policy.clone()))
            }
        });
        let (target_is_fifo, allow) = target.ok_or_else(|| wrong("Dead letter target does not exist."))?;
        if target_is_fifo != settings.fifo.is_some() {
            return Err(wrong("Dead-letter queue must be same type of queue as the source."));
        }
        if allow.is_some_and(|allow| !allow.allows(&arn(key))) {
            return Err(wrong("Queue does not have permission to be a source of the dead-letter queue."));
        }
        Ok(())
    }
}

fn same_place(one: &Scope, other: &Scope) -> bool {
    one == other
}

/// AWS answers with the queue that is there if what is asked for is what it has. Tags do not count.
fn same_as(
    existing: &Found,
    wanted: &Settings,
    attributes: &BTreeMap<String, String>,
) -> Result<(), SqsError> {
    let (has, wanted) = (existing.definition.settings.tell(), wanted.tell());
    let differs = |name: &&String| has.get(name.as_str()) != wanted.get(name.as_str());
    match attributes.keys().find(differs) {
        Some(attribute) => Err(SqsError::QueueExists { attribute: attribute.clone() }),
        None => Ok(()),
    }
}
