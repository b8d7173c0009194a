//! `PutAccountPolicy`, `DescribeAccountPolicies` and `DeleteAccountPolicy`.

use std::sync::Arc;

use groundwatch_api::logs::{
    self as api, DeleteAccountPolicy, DeleteAccountPolicyInput, DeleteAccountPolicyOutput,
    DescribeAccountPolicies, DescribeAccountPoliciesInput, DescribeAccountPoliciesOutput, PolicyType,
    PutAccountPolicy, PutAccountPolicyInput, PutAccountPolicyOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Timestamp};

use super::listing;
use crate::error::LogsError;
use crate::forwarding::{self, AccountSubscription, ForwardingError, Place, Subscription};
use crate::incarnation::GroupId;
use crate::logs::Logs;
use crate::policy::{AccountPolicy, DOCUMENT_CHARACTERS_MAX, Effect, NewPolicy, PolicyError};
use crate::protection::GroupProtection;

/// What AWS keeps names for that begin with it.
const RESERVED_PREFIX: &str = "aws/";

impl Handle<PutAccountPolicy> for Logs {
    /// A policy is in force for events that arrive from now on.
    async fn handle(
        &self,
        call: &Call,
        input: PutAccountPolicyInput,
    ) -> Result<PutAccountPolicyOutput, Fault> {
        let policy_type = input.policy_type.expect("validated: required");
        check_dry_run(input.dry_run, &policy_type)?;
        let new = NewPolicy {
            name: input.policy_name.expect("validated: required"),
            document: input.policy_document.expect("validated: required"),
            selection: input.selection_criteria,
            at: call.received,
            since: self.store.visible_through(),
            policy_type,
        };
        if new.name.is_empty() || new.name.starts_with(RESERVED_PREFIX) {
            return Err(LogsError::from(PolicyError::Name { name: new.name }).into());
        }
        if new.document.chars().count() > DOCUMENT_CHARACTERS_MAX {
            return Err(LogsError::from(PolicyError::TooLong { limit: DOCUMENT_CHARACTERS_MAX }).into());
        }
        match new.policy_type {
            PolicyType::SubscriptionFilterPolicy => {
                let subscription =
                    subscription(&new.document, new.selection.as_deref(), new.at).map_err(LogsError::from)?;
                let arn = subscription.compile(&new.name)?.subscription.destination_arn;
                forwarding::try_out(&self.sender, &self.destinations, call.scope(), &arn, call.received)
                    .await
                    .map_err(LogsError::from)?;
            }
            PolicyType::DataProtectionPolicy => {
                let protection = GroupProtection::parse(&new.document).map_err(LogsError::from)?;
                if let Some(findings_group) = protection.findings_group() {
                    self.directory.group(call.scope(), findings_group)?;
                }
            }
            _ => {}
        }
        if input.dry_run == Some(true) {
            let proposed = self.directory.account_policies.preview(call.scope(), &new)?;
            let preview = self.retention_preview(call.scope(), &new.name, Some(proposed), new.at).await;
            return Ok(PutAccountPolicyOutput { account_policy: None, dry_run_result: Some(preview) });
        }
        let policy = self.directory.account_policies.put(call.scope(), &new).await?;
        self.apply_account_policy(call.scope(), &policy)?;
        Ok(PutAccountPolicyOutput {
            account_policy: Some(described(call.scope(), &policy)),
            dry_run_result: None,
        })
    }
}

impl Handle<DescribeAccountPolicies> for Logs {
    /// No account is linked to another here: `accountIdentifiers` of others find nothing.
    async fn handle(
        &self,
        call: &Call,
        input: DescribeAccountPoliciesInput,
    ) -> Result<DescribeAccountPoliciesOutput, Fault> {
        let policy_type = input.policy_type.expect("validated: required");
        let own_account = call.scope().account.to_string();
        let accounts = input.account_identifiers.unwrap_or_default();
        let asks_others_only = !accounts.is_empty() && !accounts.contains(&own_account);
        let mut found = match asks_others_only {
            true => Vec::new(),
            false => self.directory.account_policies.list(call.scope(), &policy_type),
        };
        if let Some(name) = input.policy_name {
            found.retain(|policy| policy.name == name);
            if found.is_empty() {
                return Err(LogsError::from(PolicyError::Missing { name }).into());
            }
        }
        let found = found.iter().map(|policy| (policy.name.clone(), described(call.scope(), policy)));
        let list = listing::of(found.collect());
        let (policies, next_token) =
            listing::page("DescribeAccountPolicies", input.next_token.as_deref(), None, list)?;
        Ok(DescribeAccountPoliciesOutput { account_policies: Some(policies), next_token })
    }
}

impl Handle<DeleteAccountPolicy> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteAccountPolicyInput,
    ) -> Result<DeleteAccountPolicyOutput, Fault> {
        let name = input.policy_name.expect("validated: required");
        let policy_type = input.policy_type.expect("validated: required");
        check_dry_run(input.dry_run, &policy_type)?;
        let policies = &self.directory.account_policies;
        if input.dry_run == Some(true) {
            policies.check_there(call.scope(), &policy_type, &name)?;
            let preview = self.retention_preview(call.scope(), &name, None, call.received).await;
            return Ok(DeleteAccountPolicyOutput { dry_run_result: Some(preview) });
        }
        policies.delete(call.scope(), &policy_type, &name, call.received).await?;
        if policy_type == PolicyType::SubscriptionFilterPolicy {
            self.subscriptions.set_of_account(call.scope(), None, std::iter::empty(), || 0);
            self.subscriptions.forget_account_cursors(call.scope(), &name).await.map_err(LogsError::from)?;
        }
        Ok(DeleteAccountPolicyOutput { dry_run_result: None })
    }
}

impl Logs {
    /// Lets all account policies that are kept take effect again.
    pub(crate) fn apply_account_policies(&self) {
        for (scope, policy) in self.directory.account_policies.all() {
            if let Err(error) = self.apply_account_policy(&scope, &policy) {
                tracing::error!(policy = policy.name, %error, "a subscription filter policy is not understood");
            }
        }
    }

    /// Has the forwarding know of a policy that subscribes. All others are looked up when events come and go.
    fn apply_account_policy(&self, scope: &Scope, policy: &AccountPolicy) -> Result<(), LogsError> {
        let (Effect::Subscription { since }, Some(document)) = (&policy.effect, &policy.document) else {
            return Ok(());
        };
        let selection = policy.selection.as_deref();
        let subscription = AccountSubscription {
            compiled: subscription(document, selection, policy.updated)?.compile(&policy.name)?,
            excluded: selection.map(forwarding::excluded_groups).transpose()?.unwrap_or_default(),
            since: *since,
        };
        let groups = self.directory.groups.list(scope, "", None, usize::MAX).into_iter();
        let places = groups.map(|(group, document)| -> (GroupId, Arc<Place>) {
            (document.id, Arc::new(Place { scope: scope.clone(), group }))
        });
        let visible_through = || self.store.visible_through();
        self.subscriptions.set_of_account(scope, Some(subscription), places, visible_through);
        Ok(())
    }
}

/// What a policy subscribes to; an error tells what is wrong with it or with its selection.
fn subscription(
    document: &str,
    selection: Option<&str>,
    at: Timestamp,
) -> Result<Subscription, ForwardingError> {
    selection.map(forwarding::excluded_groups).transpose()?;
    forwarding::account_subscription(document, at)
}

/// Only policies of retention have a dry run.
fn check_dry_run(dry_run: Option<bool>, policy_type: &PolicyType) -> Result<(), LogsError> {
    match dry_run {
        Some(true) if *policy_type != PolicyType::RetentionPolicy => Err(PolicyError::DryRun.into()),
        _ => Ok(()),
    }
}

fn described(scope: &Scope, policy: &AccountPolicy) -> api::AccountPolicy {
    api::AccountPolicy {
        policy_name: Some(policy.name.clone()),
        policy_document: policy.document.clone(),
        last_updated_time: Some(policy.updated.as_millis()),
        policy_type: Some(policy.policy_type()),
        scope: Some(api::Scope::All),
        selection_criteria: policy.selection.clone(),
        account_id: Some(scope.account.to_string()),
    }
}
