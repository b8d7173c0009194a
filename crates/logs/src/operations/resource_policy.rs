//! `PutResourcePolicy`, `DescribeResourcePolicies` and `DeleteResourcePolicy`.

use groundwatch_api::logs::{
    self as api, DeleteResourcePolicy, DeleteResourcePolicyInput, DeleteResourcePolicyOutput,
    DescribeResourcePolicies, DescribeResourcePoliciesInput, DescribeResourcePoliciesOutput, PolicyScope,
    PutResourcePolicy, PutResourcePolicyInput, PutResourcePolicyOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope};
use uuid::Uuid;

use super::listing;
use crate::error::LogsError;
use crate::identifier;
use crate::incarnation::GroupId;
use crate::logs::Logs;
use crate::policy::{PolicyError, ResourcePolicy};

const LISTING: &str = "DescribeResourcePolicies";

impl Handle<PutResourcePolicy> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: PutResourcePolicyInput,
    ) -> Result<PutResourcePolicyOutput, Fault> {
        let document = input.policy_document.ok_or(PolicyError::NoDocument).map_err(LogsError::from)?;
        let policy = ResourcePolicy {
            name: input.policy_name,
            document,
            updated: call.received,
            resource_arn: input.resource_arn.clone(),
            revision: Uuid::new_v4().simple().to_string(),
        };
        let policy = match input.resource_arn {
            None => self.resource_policies.put_of_account(call.scope(), policy).await?,
            Some(arn) => {
                let group = self.group_of_policy(call.scope(), &arn)?;
                let expected = input.expected_revision_id.as_deref();
                self.resource_policies.put_of_group(call.scope(), group, policy, expected).await?
            }
        };
        let revision_id = revision(&policy);
        Ok(PutResourcePolicyOutput { resource_policy: Some(described(&policy)), revision_id })
    }
}

impl Handle<DescribeResourcePolicies> for Logs {
    /// Without a scope, the policies of the account (source: CloudWatch Logs API reference).
    async fn handle(
        &self,
        call: &Call,
        input: DescribeResourcePoliciesInput,
    ) -> Result<DescribeResourcePoliciesOutput, Fault> {
        let scope = call.scope();
        if let Some(arn) = &input.resource_arn {
            let group = self.group_of_policy(scope, arn)?;
            let found = self.resource_policies.of_group(scope, group);
            let resource_policies = Some(found.iter().map(|policy| described(policy)).collect());
            return Ok(DescribeResourcePoliciesOutput { resource_policies, next_token: None });
        }
        let of_groups = input.policy_scope == Some(PolicyScope::Resource);
        let list = |after: Option<&str>, limit| {
            if of_groups {
                let listed = self.resource_policies.of_groups(scope, after, limit);
                return listed.into_iter().map(|(place, policy)| (place, described(&policy))).collect();
            }
            let listed = self.resource_policies.of_account(scope, after, limit);
            let item = |policy: std::sync::Arc<ResourcePolicy>| {
                (policy.name.clone().unwrap_or_default(), described(&policy))
            };
            listed.into_iter().map(item).collect()
        };
        let (policies, next_token) = listing::page(LISTING, input.next_token.as_deref(), input.limit, list)?;
        Ok(DescribeResourcePoliciesOutput { resource_policies: Some(policies), next_token })
    }
}

impl Handle<DeleteResourcePolicy> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteResourcePolicyInput,
    ) -> Result<DeleteResourcePolicyOutput, Fault> {
        match (input.resource_arn, input.policy_name) {
            (None, Some(name)) => self.resource_policies.delete_of_account(call.scope(), &name).await?,
            (None, None) => return Err(LogsError::from(PolicyError::NoName).into()),
            (Some(arn), name) => {
                let group = self.group_of_policy(call.scope(), &arn)?;
                let name = name.unwrap_or(arn);
                let expected = input.expected_revision_id.as_deref();
                self.resource_policies.delete_of_group(call.scope(), group, &name, expected).await?;
            }
        }
        Ok(DeleteResourcePolicyOutput {})
    }
}

impl Logs {
    /// The group whose policy a request means. Policies are the one place where AWS shows the ARN with `:*`
    /// in examples, so both forms are taken.
    fn group_of_policy(&self, scope: &Scope, arn: &str) -> Result<GroupId, LogsError> {
        let arn = arn.strip_suffix(":*").unwrap_or(arn);
        let name = identifier::name_in_identifier(scope, arn)?;
        Ok(self.directory.group(scope, name)?.id)
    }
}

/// Only policies of groups have revisions that are told (source: CloudWatch Logs API reference,
/// PutResourcePolicy).
fn revision(policy: &ResourcePolicy) -> Option<String> {
    policy.resource_arn.as_ref().map(|_| policy.revision.clone())
}

fn described(policy: &ResourcePolicy) -> api::ResourcePolicy {
    let scope = if policy.resource_arn.is_some() { PolicyScope::Resource } else { PolicyScope::Account };
    api::ResourcePolicy {
        policy_name: policy.name.clone(),
        policy_document: Some(policy.document.clone()),
        last_updated_time: Some(policy.updated.as_millis()),
        policy_scope: Some(scope),
        resource_arn: policy.resource_arn.clone(),
        revision_id: revision(policy),
    }
}
