//! Tags as they come with the creation of a resource.

use groundwatch_api::cloudwatch::Tag;
use groundwatch_core::{TagError, Tags};

/// The tags of a request.
pub(super) fn from_shapes(tags: Option<Vec<Tag>>) -> Result<Tags, TagError> {
    let pairs = tags.unwrap_or_default().into_iter();
    Tags::new(pairs.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())))
}
