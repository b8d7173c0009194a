//! `ListLogGroups`: names and ARNs only, by patterns and tags.

use groundwatch_api::logs::{
    ListLogGroups, ListLogGroupsInput, ListLogGroupsOutput, LogGroupSummary, TagFilter,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Tags, page_token};

use super::index_policy::has_indexes;
use crate::error::LogsError;
use crate::group::{GroupClass, LogGroup, group_arn};
use crate::logs::Logs;
use crate::pattern::Wildcard;

const LISTING: &str = "ListLogGroups";
/// Groups a page without a `limit`.
const PAGE_GROUPS: usize = 50;
/// How many groups are looked at in one go: others get their turn in between.
const SCAN_GROUPS: usize = 1000;

impl Handle<ListLogGroups> for Logs {
    /// No account is linked to another here: `includeLinkedAccounts` adds nothing.
    async fn handle(&self, call: &Call, input: ListLogGroupsInput) -> Result<ListLogGroupsOutput, Fault> {
        if input.data_sources.is_some() {
            return Err(LogsError::Unsupported { what: "dataSources" }.into());
        }
        let selection = Selection::new(&input)?;
        let own_account = call.scope().account.to_string();
        let accounts = input.account_identifiers.unwrap_or_default();
        let asks_others_only = !accounts.is_empty() && !accounts.contains(&own_account);
        let mut after = match input.next_token.as_deref() {
            Some(token) => Some(page_token::decode(LISTING, token).ok_or(LogsError::InvalidToken)?),
            None => None,
        };
        let limit = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_GROUPS);
        let mut names = Vec::new();
        let wanted = |name: &str, group: &LogGroup| selection.wants(name, group);
        while !asks_others_only && names.len() <= limit {
            let groups = &self.directory.groups;
            let mut found = Vec::new();
            let last = groups.scan(call.scope(), "", after.as_deref(), SCAN_GROUPS, wanted, &mut found);
            if let Some(fields) = &input.field_index_names {
                found.retain(|(name, group)| {
                    let treatment = self.directory.treatment(call.scope(), name, group);
                    has_indexes(&treatment, fields, call.received)
                });
            }
            names.extend(found);
            let Some(last) = last else { break };
            after = Some(last);
            tokio::task::yield_now().await;
        }
        // One more than the page holds tells that there is a next page.
        let more = names.len() > limit;
        names.truncate(limit);
        let next_token = names.last().filter(|_| more).map(|(name, _)| page_token::encode(LISTING, name));
        let summary = |(name, group): &(String, std::sync::Arc<LogGroup>)| LogGroupSummary {
            log_group_name: Some(name.clone()),
            log_group_arn: Some(group_arn(call.scope(), name)),
            log_group_class: Some(group.class.to_api()),
        };
        Ok(ListLogGroupsOutput { log_groups: Some(names.iter().map(summary).collect()), next_token })
    }
}

/// Which groups are asked for.
struct Selection {
    /// Any of these, or all groups without any.
    texts: Vec<NamePart>,
    class: Option<GroupClass>,
    /// All of these.
    tags: Vec<WantedTag>,
}

/// A text that a name contains, or begins with.
struct NamePart {
    at_start: bool,
    text: String,
}

/// A tag with one of these values; with any value without them.
struct WantedTag {
    key: String,
    values: Vec<WantedValue>,
}

struct WantedValue {
    negated: bool,
    /// With a wildcard, case does not count.
    ignores_case: bool,
    value: Wildcard,
}

impl Selection {
    fn new(input: &ListLogGroupsInput) -> Result<Self, LogsError> {
        let texts = match input.log_group_name_pattern.as_deref() {
            Some(pattern) => name_parts(pattern)?,
            None => Vec::new(),
        };
        let tags = input.log_group_tags.as_deref().unwrap_or_default().iter().map(WantedTag::new).collect();
        Ok(Self { texts, class: input.log_group_class.as_ref().and_then(GroupClass::from_api), tags })
    }

    fn wants(&self, name: &str, group: &LogGroup) -> bool {
        let named = self.texts.is_empty()
            || self.texts.iter().any(|part| match part.at_start {
                true => name.starts_with(part.text.as_str()),
                false => name.contains(part.text.as_str()),
            });
        named
            && self.class.is_none_or(|wanted| group.class.listed_as(wanted))
            && self.tags.iter().all(|wanted| wanted.is_on(&group.tags))
    }
}

/// `^?text(|^?text){0,4}`, each text of 3 to 24 characters that names can have.
fn name_parts(pattern: &str) -> Result<Vec<NamePart>, LogsError> {
    let parts: Vec<NamePart> = pattern
        .split('|')
        .map(|part| match part.strip_prefix('^') {
            Some(text) => NamePart { at_start: true, text: text.to_owned() },
            None => NamePart { at_start: false, text: part.to_owned() },
        })
        .collect();
    let in_names = |character: char| character.is_ascii_alphanumeric() || "._-/#".contains(character);
    let is_well_formed =
        |part: &NamePart| (3..=24).contains(&part.text.len()) && part.text.chars().all(in_names);
    if parts.len() > 5 || !parts.iter().all(is_well_formed) {
        return Err(LogsError::NamePattern { pattern: pattern.to_owned() });
    }
    Ok(parts)
}

impl WantedTag {
    fn new(filter: &TagFilter) -> Self {
        let value = |text: &String| {
            let (negated, text) = match text.strip_prefix('!') {
                Some(text) => (true, text),
                None => (false, text.as_str()),
            };
            let ignores_case = text.contains('*');
            let text = if ignores_case { text.to_lowercase() } else { text.to_owned() };
            WantedValue { negated, ignores_case, value: Wildcard::new(&text) }
        };
        Self {
            key: filter.key.clone().expect("validated: required"),
            values: filter.values.as_deref().unwrap_or_default().iter().map(value).collect(),
        }
    }

    fn is_on(&self, tags: &Tags) -> bool {
        let Some((_, value)) = tags.iter().find(|(key, _)| *key == self.key) else { return false };
        self.values.is_empty() || self.values.iter().any(|wanted| wanted.is(value))
    }
}

impl WantedValue {
    fn is(&self, value: &str) -> bool {
        let matches = match self.ignores_case {
            true => self.value.matches(value.to_lowercase().as_bytes()),
            false => self.value.matches(value.as_bytes()),
        };
        matches != self.negated
    }
}
