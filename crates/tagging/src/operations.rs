//! The operations of the API: an ARN and a change in, an answer out.

use groundwatch_api::cloudwatch::{
    ListTagsForResource, ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResource,
    TagResourceInput, TagResourceOutput, UntagResource, UntagResourceInput, UntagResourceOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, TagChange, Tags};

use crate::{Tagging, TaggingError};

impl Handle<TagResource> for Tagging {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: TagResourceInput,
    ) -> Result<TagResourceOutput, Fault> {
        let arn = input.resource_arn.expect("validated: required");
        let pairs = input.tags.expect("validated: required").into_iter();
        let pairs = pairs.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()));
        let added = Tags::new(pairs).map_err(TaggingError::from)?;
        self.change(call.scope(), &arn, &TagChange::Add(added)).await?;
        Ok(TagResourceOutput {})
    }
}

impl Handle<UntagResource> for Tagging {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: UntagResourceInput,
    ) -> Result<UntagResourceOutput, Fault> {
        let arn = input.resource_arn.expect("validated: required");
        let keys = input.tag_keys.expect("validated: required");
        self.change(call.scope(), &arn, &TagChange::Remove(keys)).await?;
        Ok(UntagResourceOutput {})
    }
}

impl Handle<ListTagsForResource> for Tagging {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ListTagsForResourceInput,
    ) -> Result<ListTagsForResourceOutput, Fault> {
        let arn = input.resource_arn.expect("validated: required");
        let tags = self.list(call.scope(), &arn)?;
        let shape =
            |(key, value): (&str, &str)| Tag { key: Some(key.to_owned()), value: Some(value.to_owned()) };
        Ok(ListTagsForResourceOutput { tags: Some(tags.iter().map(shape).collect()) })
    }
}
