//! `DescribeLogGroups`.

use std::sync::Arc;

use groundwatch_api::logs::{
    self as api, DataProtectionStatus, DescribeLogGroups, DescribeLogGroupsInput, DescribeLogGroupsOutput,
    InheritedProperty,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, page_token};

use crate::error::{Combination, LogsError};
use crate::group::{GroupClass, LogGroup, group_arn};
use crate::identifier;
use crate::logs::Logs;

/// Groups a page without a `limit`, and at most.
const PAGE_GROUPS_MAX: usize = 50;
/// How many groups are looked at in one go for those that a pattern or class lets pass: others get their turn
/// in between.
const SCAN_GROUPS: usize = 1000;

const LISTING: &str = "DescribeLogGroups";

type Named = (String, Arc<LogGroup>);

impl Handle<DescribeLogGroups> for Logs {
    /// No account is linked to another here: `includeLinkedAccounts` adds nothing.
    async fn handle(
        &self,
        call: &Call,
        input: DescribeLogGroupsInput,
    ) -> Result<DescribeLogGroupsOutput, Fault> {
        let selection = Selection::new(call.scope(), &input)?;
        let after = match input.next_token.as_deref() {
            Some(token) => Some(page_token::decode(LISTING, token).ok_or(LogsError::InvalidToken)?),
            None => None,
        };
        let limit = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_GROUPS_MAX);
        // One more than the page holds tells whether there is a next page.
        let mut found = self.select(call.scope(), &selection, after, limit + 1).await;
        let more = found.len() > limit;
        found.truncate(limit);
        let next_token = found.last().filter(|_| more).map(|(name, _)| page_token::encode(LISTING, name));
        let describe = |(name, group): &Named| self.described_group(call, name, group, &selection);
        Ok(DescribeLogGroupsOutput { log_groups: Some(found.iter().map(describe).collect()), next_token })
    }
}

/// Which groups are asked for.
struct Selection {
    names: Names,
    class: Option<GroupClass>,
}

enum Names {
    WithPrefix(String),
    /// Names that contain this text.
    Containing(String),
    Exactly(Vec<String>),
    /// None: only other accounts were asked for.
    Nobodys,
}

impl Selection {
    fn new(scope: &Scope, input: &DescribeLogGroupsInput) -> Result<Self, LogsError> {
        let own = scope.account.to_string();
        let accounts = input.account_identifiers.as_deref().unwrap_or_default();
        let identifiers = input.log_group_identifiers.as_deref();
        let prefix = input.log_group_name_prefix.as_deref();
        let pattern = input.log_group_name_pattern.as_deref().filter(|pattern| !pattern.is_empty());
        let names = match (identifiers, prefix, pattern) {
            (_, Some(_), Some(_)) => return Err(Combination::PrefixAndPattern.into()),
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                return Err(Combination::IdentifiersAndName.into());
            }
            _ if !accounts.is_empty() && !accounts.contains(&own) => Names::Nobodys,
            (Some(identifiers), None, None) => Names::Exactly(own_names(scope, identifiers)?),
            (None, None, Some(pattern)) => Names::Containing(pattern.to_owned()),
            (None, prefix, None) => Names::WithPrefix(prefix.unwrap_or_default().to_owned()),
        };
        Ok(Self { names, class: input.log_group_class.as_ref().and_then(GroupClass::from_api) })
    }

    /// Whether it lets all groups pass that a listing by prefix finds.
    fn is_by_prefix(&self) -> bool {
        matches!(self.names, Names::WithPrefix(_)) && self.class.is_none()
    }

    fn wants(&self, name: &str, group: &LogGroup) -> bool {
        let named = match &self.names {
            Names::Containing(part) => name.contains(part.as_str()),
            Names::WithPrefix(_) | Names::Exactly(_) => true,
            Names::Nobodys => false,
        };
        named && self.class.is_none_or(|wanted| group.class.listed_as(wanted))
    }
}

/// The names that are meant, ascending. Groups of other accounts and regions do not exist here.
fn own_names(scope: &Scope, identifiers: &[String]) -> Result<Vec<String>, LogsError> {
    let mut names = Vec::new();
    for identifier in identifiers {
        match identifier::name_in_identifier(scope, identifier) {
            Ok(name) => names.push(name.to_owned()),
            Err(identifier::IdentifierError::Elsewhere { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

impl Logs {
    /// Up to `limit` groups that are wanted and come after the name `after`, by name.
    async fn select(
        &self,
        scope: &Scope,
        selection: &Selection,
        after: Option<String>,
        limit: usize,
    ) -> Vec<Named> {
        let prefix = match &selection.names {
            Names::Nobodys => return Vec::new(),
            Names::Exactly(names) => {
                let names = names.iter().filter(|name| after.as_ref().is_none_or(|after| *name > after));
                let groups =
                    names.filter_map(|name| Some((name.clone(), self.directory.group(scope, name).ok()?)));
                return groups.filter(|(name, group)| selection.wants(name, group)).take(limit).collect();
            }
            Names::WithPrefix(prefix) => prefix.as_str(),
            Names::Containing(_) => "",
        };
        if selection.is_by_prefix() {
            return self.directory.groups.list(scope, prefix, after.as_deref(), limit);
        }
        let wanted = |name: &str, group: &LogGroup| selection.wants(name, group);
        let groups = &self.directory.groups;
        let (mut found, mut after) = (Vec::new(), after);
        while let Some(last) = groups.scan(scope, prefix, after.as_deref(), SCAN_GROUPS, wanted, &mut found) {
            if found.len() >= limit {
                break;
            }
            after = Some(last);
            tokio::task::yield_now().await;
        }
        found.truncate(limit);
        found
    }

    fn described_group(
        &self,
        call: &Call,
        name: &str,
        group: &Arc<LogGroup>,
        selection: &Selection,
    ) -> api::LogGroup {
        let arn = group_arn(call.scope(), name);
        let treatment = self.directory.treatment(call.scope(), name, group);
        let (retention, retention_policy) = treatment.retention(call.received);
        // Recorded: a listing by pattern lacks these two.
        let in_full = !matches!(selection.names, Names::Containing(_));
        let stored_bytes = group.flushed_bytes + self.store.unflushed_bytes(group.id);
        api::LogGroup {
            log_group_name: Some(name.to_owned()),
            creation_time: Some(group.created.as_millis()),
            retention_in_days: retention.days().and_then(|days| i32::try_from(days).ok()),
            metric_filter_count: i32::try_from(self.metric_filters.count(group.id)).ok(),
            arn: Some(format!("{arn}:*")),
            stored_bytes: in_full.then(|| i64::try_from(stored_bytes).unwrap_or(i64::MAX)),
            kms_key_id: group.kms_key_id.clone(),
            log_group_class: Some(group.class.to_api()),
            log_group_arn: Some(arn),
            data_protection_status: protection_status(group),
            inherited_properties: treatment
                .is_protected_by_account()
                .then(|| vec![InheritedProperty::AccountDataProtection]),
            retention_policy_name: retention_policy.map(str::to_owned),
            deletion_protection_enabled: in_full.then_some(group.deletion_protected),
            ..api::LogGroup::default()
        }
    }
}

/// AWS tells whether a group has a policy or once had one.
fn protection_status(group: &LogGroup) -> Option<DataProtectionStatus> {
    match group.protection.current() {
        Some(_) => Some(DataProtectionStatus::Activated),
        None if group.protection.is_empty() => None,
        None => Some(DataProtectionStatus::Deleted),
    }
}
