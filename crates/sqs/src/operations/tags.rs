//! `TagQueue`, `UntagQueue`, `ListQueueTags`.

use std::collections::BTreeMap;

use groundwatch_api::sqs::{
    ListQueueTags, ListQueueTagsInput, ListQueueTagsOutput, TagQueue, TagQueueInput, TagQueueOutput,
    UntagQueue, UntagQueueInput, UntagQueueOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, TagChange, TagError, Tags};

use crate::queue::Definition;
use crate::{Invalid, Sqs};

impl Handle<TagQueue> for Sqs {
    async fn handle<'a>(&'a self, call: &'a Call, input: TagQueueInput) -> Result<TagQueueOutput, Fault> {
        let added = input.tags.unwrap_or_default();
        if added.is_empty() {
            return Err(Invalid::Missing { parameter: "Tags" }.into());
        }
        self.change(call, input.queue_url.as_deref(), |key, definition| {
            let added = TagChange::Add(tags_of(&key.name, added.clone())?);
            let tags = definition.tags.changed(&added).map_err(|error| refused(&key.name, &error))?;
            Ok(Definition { tags, ..definition.clone() })
        })
        .await?;
        Ok(TagQueueOutput {})
    }
}

impl Handle<UntagQueue> for Sqs {
    async fn handle<'a>(&'a self, call: &'a Call, input: UntagQueueInput) -> Result<UntagQueueOutput, Fault> {
        let keys = input.tag_keys.unwrap_or_default();
        if keys.is_empty() {
            return Err(Invalid::parameter("Tag keys must be between 1 and 128 characters in length.").into());
        }
        let removed = TagChange::Remove(keys);
        self.change(call, input.queue_url.as_deref(), |key, definition| {
            let tags = definition.tags.changed(&removed).map_err(|error| refused(&key.name, &error))?;
            Ok(Definition { tags, ..definition.clone() })
        })
        .await?;
        Ok(UntagQueueOutput {})
    }
}

impl Handle<ListQueueTags> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ListQueueTagsInput,
    ) -> Result<ListQueueTagsOutput, Fault> {
        let found = self.directory.by_url(call.scope(), input.queue_url.as_deref())?;
        let tags = found.definition.tags.clone();
        // recorded: without tags the member is absent.
        Ok(ListQueueTagsOutput { tags: Some(tags).filter(|tags| !tags.is_empty()).map(Tags::into_map) })
    }
}

/// Tags of a request.
pub(super) fn tags_of(queue_name: &str, pairs: BTreeMap<String, String>) -> Result<Tags, Invalid> {
    for (key, value) in &pairs {
        if !(1..=128).contains(&key.chars().count()) {
            return Err(Invalid::parameter("Tag keys must be between 1 and 128 characters in length."));
        }
        if value.chars().count() > 256 {
            return Err(Invalid::parameter("Tag values must be between 0 and 256 characters in length."));
        }
    }
    Tags::new(pairs).map_err(|error| refused(queue_name, &error))
}

fn refused(queue_name: &str, error: &TagError) -> Invalid {
    Invalid::parameter(match error {
        TagError::TooMany => format!("Too many tags added for queue {queue_name}."),
        TagError::Reserved { .. } => "Tag keys cannot start with the reserved prefix aws:.".to_owned(),
    })
}
