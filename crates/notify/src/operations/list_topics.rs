//! `ListTopics`: the topics of an account and region, 100 at a time.

use groundwatch_api::sns::{ListTopics, ListTopicsInput, ListTopicsOutput, Topic};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, page_token};

use crate::{Invalid, Notify};

/// AWS's size of a page.
const PAGE_LENGTH: usize = 100;

/// Ties paging tokens to this listing.
const LISTING: &str = "sns:ListTopics";

impl Handle<ListTopics> for Notify {
    async fn handle<'a>(&'a self, call: &'a Call, input: ListTopicsInput) -> Result<ListTopicsOutput, Fault> {
        let after = match &input.next_token {
            Some(token) => Some(page_token::decode(LISTING, token).ok_or(Invalid::NextToken)?),
            None => None,
        };
        let scope = call.scope();
        // One more than a page tells whether there is another.
        let mut found = self.directory.topics.list(scope, "", after.as_deref(), PAGE_LENGTH + 1);
        let more = found.len() > PAGE_LENGTH;
        found.truncate(PAGE_LENGTH);
        let next_token = found.last().filter(|_| more).map(|(last, _)| page_token::encode(LISTING, last));
        let topics = found.into_iter().map(|(name, _)| Topic { topic_arn: Some(scope.arn("sns", &name)) });
        Ok(ListTopicsOutput { topics: Some(topics.collect()), next_token })
    }
}
