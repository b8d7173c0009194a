//! `GetQueueAttributes`, `SetQueueAttributes`, and how any change of a queue's definition is made.

use std::collections::BTreeMap;

use groundwatch_api::sqs::{
    GetQueueAttributes, GetQueueAttributesInput, GetQueueAttributesOutput, QueueAttributeName,
    SetQueueAttributes, SetQueueAttributesInput, SetQueueAttributesOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::{Batch, Expect, Key, despite_conflicts};

use crate::attributes::READ_ONLY;
use crate::directory::Found;
use crate::queue::Definition;
use crate::{Invalid, Sqs, SqsError};

impl Handle<GetQueueAttributes> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetQueueAttributesInput,
    ) -> Result<GetQueueAttributesOutput, Fault> {
        let found = self.directory.by_url(call.scope(), input.queue_url.as_deref())?;
        let names = input.attribute_names.unwrap_or_default();
        if let Some(QueueAttributeName::Unknown(name)) =
            names.iter().find(|name| matches!(name, QueueAttributeName::Unknown(_)))
        {
            return Err(Invalid::AttributeName { name: name.clone() }.into());
        }
        let all = names.contains(&QueueAttributeName::All);
        let wanted = |name: &str| all || names.iter().any(|wanted| wanted.as_str() == name);
        let mut attributes = self.tell(&found);
        attributes.retain(|name, _| wanted(name));
        Ok(GetQueueAttributesOutput {
            attributes: Some(attributes).filter(|attributes| !attributes.is_empty()),
        })
    }
}

impl Handle<SetQueueAttributes> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: SetQueueAttributesInput,
    ) -> Result<SetQueueAttributesOutput, Fault> {
        let attributes = input.attributes.unwrap_or_default();
        if let Some(name) = attributes.keys().find(|name| READ_ONLY.contains(&name.as_str())) {
            return Err(Invalid::AttributeName { name: name.clone() }.into());
        }
        self.change(call, input.queue_url.as_deref(), |key, definition| {
            let settings = definition.settings.changed(&attributes)?;
            if attributes.contains_key("RedrivePolicy") {
                self.check_redrive(key, &settings)?;
            }
            Ok(Definition { settings, modified: self.clock.now(), ..definition.clone() })
        })
        .await?;
        Ok(SetQueueAttributesOutput {})
    }
}

impl Sqs {
    fn tell(&self, found: &Found) -> BTreeMap<String, String> {
        let Found { definition, queue, .. } = found;
        let now = self.clock.now();
        let counts = queue.with(|backlog| {
            backlog.advance(now);
            backlog.expire(definition.settings.retention(), now);
            backlog.counts()
        });
        let mut told = definition.settings.tell();
        told.extend([
            ("ApproximateNumberOfMessages", counts.visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
            ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
            ("CreatedTimestamp", definition.created.as_secs().to_string()),
            ("LastModifiedTimestamp", definition.modified.as_secs().to_string()),
            ("QueueArn", queue.arn()),
        ]);
        told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Changes a queue's definition; starts over when a concurrent change came in between.
    pub(super) async fn change(
        &self,
        call: &Call,
        url: Option<&str>,
        decide: impl Fn(&Key, &Definition) -> Result<Definition, SqsError>,
    ) -> Result<(), SqsError> {
        despite_conflicts(|| async {
            let Found { version, definition, queue } = self.directory.by_url(call.scope(), url)?;
            let changed = decide(&queue.key, &definition)?;
            let mut batch = Batch::new();
            self.directory.definitions.put(&mut batch, queue.key.clone(), changed, Expect::Version(version));
            Ok(self.catalog.commit(batch).await?)
        })
        .await
    }
}
