//! `PutAccountPolicy`, `DescribeAccountPolicies` and `DeleteAccountPolicy`, of the types that take effect here.

use std::sync::Arc;

use groundwatch_api::logs::{
    self as api, DeleteAccountPolicy, DeleteAccountPolicyInput, DeleteAccountPolicyOutput,
    DescribeAccountPolicies, DescribeAccountPoliciesInput, DescribeAccountPoliciesOutput, PolicyType,
    PutAccountPolicy, PutAccountPolicyInput, PutAccountPolicyOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope};
use groundwatch_storage::Key;

use super::listing;
use crate::error::LogsError;
use crate::forwarding::{self, AccountSubscription, Place};
use crate::incarnation::GroupId;
use crate::logs::Logs;
use crate::policy::{AccountPolicy, DOCUMENT_CHARACTERS_MAX, PolicyError, account_policy_name};

/// The one type that has an effect as yet.
const SUBSCRIPTION: &str = "SUBSCRIPTION_FILTER_POLICY";
/// What AWS keeps names for that begin with it.
const RESERVED_PREFIX: &str = "aws/";

impl Handle<PutAccountPolicy> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: PutAccountPolicyInput,
    ) -> Result<PutAccountPolicyOutput, Fault> {
        let name = input.policy_name.expect("validated: required");
        let document = input.policy_document.expect("validated: required");
        check_type(&input.policy_type.expect("validated: required"))?;
        if input.dry_run == Some(true) {
            return Err(LogsError::Unsupported { what: "dryRun" }.into());
        }
        if name.is_empty() || name.starts_with(RESERVED_PREFIX) {
            return Err(LogsError::from(PolicyError::Name { name }).into());
        }
        if document.chars().count() > DOCUMENT_CHARACTERS_MAX {
            return Err(LogsError::from(PolicyError::TooLong { limit: DOCUMENT_CHARACTERS_MAX }).into());
        }
        let policy = AccountPolicy {
            document,
            selection: input.selection_criteria,
            updated: call.received,
            since: self.store.visible_through(),
        };
        let arn = subscription(&name, &policy)?.compiled.subscription.destination_arn;
        forwarding::try_out(&self.courier, &self.destinations, call.scope(), &arn, call.received)
            .await
            .map_err(LogsError::from)?;
        let put = |known: Option<&AccountPolicy>| {
            // One for the account: another name is another policy.
            let others =
                self.account_policies.list(call.scope(), &account_policy_name(SUBSCRIPTION, ""), None, 1);
            match known {
                Some(known) => Ok(AccountPolicy { since: known.since, ..policy }),
                None if others.is_empty() => Ok(policy),
                None => Err(PolicyError::TooMany.into()),
            }
        };
        let policy = self
            .account_policies
            .change(call.scope(), &account_policy_name(SUBSCRIPTION, &name), put)
            .await?;
        self.apply_account_subscription(call.scope(), &name, &policy)?;
        Ok(PutAccountPolicyOutput {
            account_policy: Some(described(call.scope(), &name, &policy)),
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
        let prefix = account_policy_name(policy_type.as_str(), "");
        let mut found = Vec::new();
        if !asks_others_only {
            for (key, policy) in self.account_policies.list(call.scope(), &prefix, None, usize::MAX) {
                let name = key[prefix.len()..].to_owned();
                found.push((name.clone(), described(call.scope(), &name, &policy)));
            }
        }
        if let Some(name) = input.policy_name {
            found.retain(|(known, _)| *known == name);
            if found.is_empty() {
                return Err(LogsError::from(PolicyError::Missing { name }).into());
            }
        }
        let (policies, next_token) =
            listing::page("DescribeAccountPolicies", input.next_token.as_deref(), None, listing::of(found))?;
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
        if input.dry_run == Some(true) {
            return Err(LogsError::Unsupported { what: "dryRun" }.into());
        }
        let key = account_policy_name(policy_type.as_str(), &name);
        if !self.account_policies.remove(call.scope(), &key, |_| Ok(())).await? {
            return Err(LogsError::from(PolicyError::Missing { name }).into());
        }
        self.subscriptions.set_of_account(call.scope(), None, std::iter::empty(), || 0);
        self.subscriptions.forget_account_cursors(call.scope(), &name).await.map_err(LogsError::from)?;
        Ok(DeleteAccountPolicyOutput { dry_run_result: None })
    }
}

impl Logs {
    /// Lets all account policies that are kept take effect again.
    pub(crate) fn apply_account_policies(&self) {
        for (Key { scope, name }, policy) in self.account_policies.all() {
            let Some((SUBSCRIPTION, name)) = name.split_once('\0') else { continue };
            if let Err(error) = self.apply_account_subscription(&scope, name, &policy) {
                tracing::error!(policy = name, %error, "a subscription filter policy is not understood");
            }
        }
    }

    fn apply_account_subscription(
        &self,
        scope: &Scope,
        name: &str,
        policy: &AccountPolicy,
    ) -> Result<(), LogsError> {
        let subscription = subscription(name, policy)?;
        let groups = self.directory.groups.list(scope, "", None, usize::MAX).into_iter();
        let places = groups.map(|(group, document)| -> (GroupId, Arc<Place>) {
            (document.id, Arc::new(Place { scope: scope.clone(), group }))
        });
        let visible_through = || self.store.visible_through();
        self.subscriptions.set_of_account(scope, Some(subscription), places, visible_through);
        Ok(())
    }
}

/// What a policy subscribes to; an error tells what is wrong with it.
fn subscription(name: &str, policy: &AccountPolicy) -> Result<AccountSubscription, LogsError> {
    let filter = forwarding::account_subscription(&policy.document, policy.updated)?;
    let excluded = policy.selection.as_deref().map(forwarding::excluded_groups).transpose()?;
    Ok(AccountSubscription {
        compiled: filter.compile(name)?,
        excluded: excluded.unwrap_or_default(),
        since: policy.since,
    })
}

/// Types whose policies would change nothing are refused by name.
fn check_type(policy_type: &PolicyType) -> Result<(), LogsError> {
    let what = match policy_type {
        PolicyType::SubscriptionFilterPolicy => return Ok(()),
        PolicyType::DataProtectionPolicy => "policyType DATA_PROTECTION_POLICY",
        PolicyType::FieldIndexPolicy => "policyType FIELD_INDEX_POLICY",
        PolicyType::TransformerPolicy => "policyType TRANSFORMER_POLICY",
        PolicyType::MetricExtractionPolicy => "policyType METRIC_EXTRACTION_POLICY",
        PolicyType::RetentionPolicy => "policyType RETENTION_POLICY",
        PolicyType::Unknown(_) => "policyType",
    };
    Err(LogsError::Unsupported { what })
}

fn described(scope: &Scope, name: &str, policy: &AccountPolicy) -> api::AccountPolicy {
    api::AccountPolicy {
        policy_name: Some(name.to_owned()),
        policy_document: Some(policy.document.clone()),
        last_updated_time: Some(policy.updated.as_millis()),
        policy_type: Some(PolicyType::SubscriptionFilterPolicy),
        scope: Some(api::Scope::All),
        selection_criteria: policy.selection.clone(),
        account_id: Some(scope.account.to_string()),
    }
}
