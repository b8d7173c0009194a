//! `GetQueueUrl`, `ListQueues`, `ListDeadLetterSourceQueues`: from names to URLs.

use groundwatch_api::sqs::{
    GetQueueUrl, GetQueueUrlInput, GetQueueUrlOutput, ListDeadLetterSourceQueues,
    ListDeadLetterSourceQueuesInput, ListDeadLetterSourceQueuesOutput, ListQueues, ListQueuesInput,
    ListQueuesOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, page_token};
use groundwatch_storage::Key;

use crate::{Invalid, Sqs, SqsError};

/// How many queues one answer tells, at most and by default.
const PAGE_MAX: usize = 1000;

impl Handle<GetQueueUrl> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetQueueUrlInput,
    ) -> Result<GetQueueUrlOutput, Fault> {
        let name = input.queue_name.expect("validated: required");
        let account = match input.queue_owner_aws_account_id.filter(|owner| !owner.is_empty()) {
            None => call.scope().account,
            Some(owner) => owner.parse().map_err(|_| SqsError::QueueNotFound)?,
        };
        let scope = Scope { account, region: call.scope().region.clone() };
        let key = Key::new(&scope, name);
        if scope != *call.scope() {
            return Err(SqsError::OtherAccount { url: self.directory.url(&key) }.into());
        }
        self.directory.accessed(self.directory.by_key(&key))?;
        Ok(GetQueueUrlOutput { queue_url: Some(self.directory.url(&key)) })
    }
}

impl Handle<ListQueues> for Sqs {
    async fn handle<'a>(&'a self, call: &'a Call, input: ListQueuesInput) -> Result<ListQueuesOutput, Fault> {
        const LISTING: &str = "sqs:ListQueues";
        let prefix = input.queue_name_prefix.unwrap_or_default();
        let limit = page_size(input.max_results)?;
        let after = cursor(LISTING, input.next_token.as_deref())?;
        let definitions = self.directory.definitions.list(call.scope(), &prefix, after.as_deref(), limit + 1);
        let names = definitions.into_iter().map(|(name, _)| name).collect();
        let (names, next_token) = page(LISTING, names, limit, input.max_results.is_some());
        let urls = names.iter().map(|name| self.directory.url(&Key::new(call.scope(), name.as_str())));
        let urls: Vec<String> = urls.collect();
        Ok(ListQueuesOutput { queue_urls: Some(urls).filter(|urls| !urls.is_empty()), next_token })
    }
}

impl Handle<ListDeadLetterSourceQueues> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ListDeadLetterSourceQueuesInput,
    ) -> Result<ListDeadLetterSourceQueuesOutput, Fault> {
        const LISTING: &str = "sqs:ListDeadLetterSourceQueues";
        let found = self.directory.by_url(call.scope(), input.queue_url.as_deref())?;
        let limit = page_size(input.max_results)?;
        let after = cursor(LISTING, input.next_token.as_deref())?;
        let sources = self.directory.sources_of(&found.queue.arn(), call.scope());
        let later = |key: &Key| after.as_ref().is_none_or(|after| key.name > *after);
        let names = sources.into_iter().filter(later).map(|key| key.name).collect();
        let (names, next_token) = page(LISTING, names, limit, input.max_results.is_some());
        let urls = names.iter().map(|name| self.directory.url(&Key::new(call.scope(), name.as_str())));
        Ok(ListDeadLetterSourceQueuesOutput { queue_urls: Some(urls.collect()), next_token })
    }
}

fn page_size(max_results: Option<i32>) -> Result<usize, Invalid> {
    match max_results {
        None => Ok(PAGE_MAX),
        Some(count) => {
            usize::try_from(count).ok().filter(|count| (1..=PAGE_MAX).contains(count)).ok_or_else(|| {
                Invalid::value("MaxResults", count, "MaxResults must be an integer between 1 and 1000.")
            })
        }
    }
}

fn cursor(listing: &str, token: Option<&str>) -> Result<Option<String>, Invalid> {
    let decode = |token| {
        page_token::decode(listing, token).ok_or_else(|| Invalid::parameter("Invalid or expired next token."))
    };
    token.filter(|token| !token.is_empty()).map(decode).transpose()
}

/// Cuts a page off. AWS gives a token only to those who ask for pages.
fn page(
    listing: &str,
    mut names: Vec<String>,
    limit: usize,
    wants_pages: bool,
) -> (Vec<String>, Option<String>) {
    let has_more = names.len() > limit;
    names.truncate(limit);
    let last = names.last().filter(|_| has_more && wants_pages);
    let token = last.map(|last| page_token::encode(listing, last));
    (names, token)
}
