//! `TagQueue`, `UntagQueue`, `ListQueueTags`.

use std::collections::BTreeMap;

use groundwatch_api::sqs::{
    ListQueueTags, ListQueueTagsInput, ListQueueTagsOutput, TagQueue, TagQueueInput, TagQueueOutput,
    UntagQueue, UntagQueueInput, UntagQueueOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::queue::Definition;
use crate::{Invalid, Sqs};

/// How many tags a queue can have.
const TAGS_MAX: usize = 50;

impl Handle<TagQueue> for Sqs {
    async fn handle<'a>(&'a self, call: &'a Call, input: TagQueueInput) -> Result<TagQueueOutput, Fault> {
        let added = input.tags.unwrap_or_default();
        if added.is_empty() {
            return Err(Invalid::Missing { parameter: "Tags" }.into());
        }
        self.change(call, input.queue_url.as_deref(), |key, definition| {
            let mut tags = definition.tags.clone();
            tags.extend(added.clone());
            check_tags(&key.name, &tags)?;
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
        self.change(call, input.queue_url.as_deref(), |_, definition| {
            let mut tags = definition.tags.clone();
            tags.retain(|key, _| !keys.contains(key));
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
        Ok(ListQueueTagsOutput { tags: Some(tags).filter(|tags| !tags.is_empty()) })
    }
}

/// The limits of AWS's tags.
pub(super) fn check_tags(queue_name: &str, tags: &BTreeMap<String, String>) -> Result<(), Invalid> {
    if tags.len() > TAGS_MAX {
        return Err(Invalid::parameter(format!("Too many tags added for queue {queue_name}.")));
    }
    for (key, value) in tags {
        if !(1..=128).contains(&key.chars().count()) {
            return Err(Invalid::parameter("Tag keys must be between 1 and 128 characters in length."));
        }
        if value.chars().count() > 256 {
            return Err(Invalid::parameter("Tag values must be between 0 and 256 characters in length."));
        }
        if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(Invalid::parameter("Tag keys cannot start with the reserved prefix aws:."));
        }
    }
    Ok(())
}
