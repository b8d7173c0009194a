//! What a retention policy of the account would change: the `dryRun` of `PutAccountPolicy` and
//! `DeleteAccountPolicy`.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use groundwatch_api::logs::{DryRunResult, LogGroupImpact, PolicyType};
use groundwatch_core::{Scope, Timestamp};

use crate::group::LogGroup;
use crate::logs::Logs;
use crate::policy::{AccountPolicy, Effect, Period, RETENTION_DELAY};
use crate::treatment::Treatment;

/// How many groups are named.
const NAMED_MAX: usize = 20;
/// How many groups are looked at in one go: others get their turn in between.
const SCAN_GROUPS: usize = 1000;

/// What would change for one group.
struct Impact {
    group: String,
    stored_bytes: u64,
    current: Period,
    proposed: Period,
}

impl Logs {
    /// What would change for the groups that a policy is about if it were `proposed` and in force, or deleted
    /// without that.
    pub(super) async fn retention_preview(
        &self,
        scope: &Scope,
        policy_name: &str,
        proposed: Option<AccountPolicy>,
        now: Timestamp,
    ) -> DryRunResult {
        let policies = self.directory.account_policies.of(scope);
        let is_it = |policy: &Arc<AccountPolicy>| {
            policy.name == policy_name && policy.policy_type() == PolicyType::RetentionPolicy
        };
        let (known, others): (Vec<_>, Vec<_>) = policies.iter().cloned().partition(is_it);
        let then = if proposed.is_some() { now + RETENTION_DELAY } else { now };
        let proposed = proposed.map(Arc::new);
        let subject = proposed.clone().or(known.into_iter().next());
        let policies_then: Vec<_> = others.into_iter().chain(proposed).collect();
        let is_about = |name: &str, group: &LogGroup| match subject.as_ref().map(|policy| &policy.effect) {
            Some(Effect::Retention(policy)) => policy.period_of(name, group.created, then).is_some(),
            _ => false,
        };
        let impact = |(name, group): (String, Arc<LogGroup>)| Impact {
            current: Treatment::new(group.clone(), &name, policies.clone()).retention(now).0,
            proposed: Treatment::new(group.clone(), &name, policies_then.clone()).retention(then).0,
            stored_bytes: group.flushed_bytes + self.store.unflushed_bytes(group.id),
            group: name,
        };
        let (mut impacts, mut after): (Vec<Impact>, Option<String>) = Default::default();
        loop {
            let mut found = Vec::new();
            let groups = &self.directory.groups;
            after = groups.scan(scope, "", after.as_deref(), SCAN_GROUPS, is_about, &mut found);
            impacts.extend(found.into_iter().map(impact));
            if after.is_none() {
                return result(impacts);
            }
            tokio::task::yield_now().await;
        }
    }
}

fn result(mut impacts: Vec<Impact>) -> DryRunResult {
    let count = |change: Ordering| {
        let changed = impacts.iter().filter(|impact| impact.proposed.cmp(&impact.current) == change);
        i32::try_from(changed.count()).ok()
    };
    let (longer, shorter, unchanged) =
        (count(Ordering::Greater), count(Ordering::Less), count(Ordering::Equal));
    let total = i32::try_from(impacts.len()).ok();
    impacts.sort_by_key(|impact| Reverse(impact.stored_bytes));
    impacts.truncate(NAMED_MAX);
    let named = |impact: Impact| LogGroupImpact {
        log_group_name: Some(impact.group),
        current_retention: Some(impact.current.in_words()),
        proposed_retention: Some(impact.proposed.in_words()),
        stored_bytes: i64::try_from(impact.stored_bytes).ok(),
    };
    DryRunResult {
        total_matched_log_groups: total,
        increased_retention_log_group_count: longer,
        decreased_retention_log_group_count: shorter,
        unchanged_retention_log_group_count: unchanged,
        failed_analysis_count: Some(0),
        top_log_groups_impacted: Some(impacts.into_iter().map(named).collect()),
    }
}
