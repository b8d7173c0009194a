//! `TagResource`, `UntagResource`, `ListTagsForResource`: the tags of a topic.

use groundwatch_api::sns::{
    ListTagsForResource, ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResource,
    TagResourceInput, TagResourceOutput, UntagResource, UntagResourceInput, UntagResourceOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, TagChange};

use crate::topic::{Topic, TopicId};
use crate::{Notify, NotifyError};

impl Handle<TagResource> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: TagResourceInput,
    ) -> Result<TagResourceOutput, Fault> {
        let arn = input.resource_arn.as_deref().expect("validated: required");
        let id = self.taggable(call, arn, "SNS:TagResource")?;
        let tags = pairs(input.tags.expect("validated: required"));
        self.directory.change_topic(&id, |topic| topic.tagged(tags.clone())).await?;
        Ok(TagResourceOutput {})
    }
}

impl Handle<UntagResource> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: UntagResourceInput,
    ) -> Result<UntagResourceOutput, Fault> {
        let arn = input.resource_arn.as_deref().expect("validated: required");
        let id = self.taggable(call, arn, "SNS:UntagResource")?;
        let keys = input.tag_keys.expect("validated: required");
        let untag = TagChange::Remove(keys);
        let untagged = |topic: &Topic| Ok(Topic { tags: topic.tags.changed(&untag)?, ..topic.clone() });
        self.directory.change_topic(&id, untagged).await?;
        Ok(UntagResourceOutput {})
    }
}

impl Handle<ListTagsForResource> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ListTagsForResourceInput,
    ) -> Result<ListTagsForResourceOutput, Fault> {
        let arn = input.resource_arn.as_deref().expect("validated: required");
        let id = self.taggable(call, arn, "SNS:ListTagsForResource")?;
        let topic = self.directory.topics.get(&id.key()).ok_or(NotifyError::ResourceNotFound)?;
        let shape =
            |(key, value): (&str, &str)| Tag { key: Some(key.to_owned()), value: Some(value.to_owned()) };
        Ok(ListTagsForResourceOutput { tags: Some(topic.tags.iter().map(shape).collect()) })
    }
}

impl Notify {
    /// The topic of that ARN. Whatever is wrong with the ARN, AWS knows no such resource.
    fn taggable(&self, call: &Call, arn: &str, action: &'static str) -> Result<TopicId, NotifyError> {
        self.directory.resolve(call.scope(), arn, "ResourceArn", action).map_err(|error| match error {
            NotifyError::TopicNotFound | NotifyError::Invalid(_) => NotifyError::ResourceNotFound,
            other => other,
        })
    }
}

/// Keys and values of the shapes.
pub(crate) fn pairs(tags: Vec<Tag>) -> Vec<(String, String)> {
    tags.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect()
}
