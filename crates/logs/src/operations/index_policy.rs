//! `PutIndexPolicy`, `DescribeIndexPolicies`, `DeleteIndexPolicy` and `DescribeFieldIndexes`.

use groundwatch_api::logs::{
    self as api, DeleteIndexPolicy, DeleteIndexPolicyInput, DeleteIndexPolicyOutput, DescribeFieldIndexes,
    DescribeFieldIndexesInput, DescribeFieldIndexesOutput, DescribeIndexPolicies, DescribeIndexPoliciesInput,
    DescribeIndexPoliciesOutput, FieldIndex, IndexCategory, IndexSource, IndexType, PutIndexPolicy,
    PutIndexPolicyInput, PutIndexPolicyOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp};

use super::listing;
use crate::error::LogsError;
use crate::group::{LogGroup, group_arn};
use crate::identifier;
use crate::index_policy::{DEFAULT_FIELDS, IndexPolicy, IndexPolicyError};
use crate::logs::Logs;
use crate::policy::{AccountPolicy, Effect};
use crate::treatment::Treatment;

/// Field indexes a page. Ours: AWS tells no number.
const PAGE_INDEXES_MAX: i32 = 1000;

impl Handle<PutIndexPolicy> for Logs {
    async fn handle(&self, call: &Call, input: PutIndexPolicyInput) -> Result<PutIndexPolicyOutput, Fault> {
        let identifier = input.log_group_identifier.expect("validated: required");
        let document = input.policy_document.expect("validated: required");
        let name = identifier::name_in_identifier(call.scope(), &identifier).map_err(LogsError::from)?;
        let change = |group: &LogGroup| {
            group.check_offers("PutIndexPolicy")?;
            let known = group.index_policy.clone().unwrap_or_default();
            let index_policy = Some(known.replaced(Some(document.clone()), call.received)?);
            Ok(LogGroup { index_policy, ..group.clone() })
        };
        self.directory.change_group(call.scope(), name, change).await?;
        let policy = api::IndexPolicy {
            log_group_identifier: Some(group_arn(call.scope(), name)),
            last_update_time: Some(call.received.as_millis()),
            policy_document: Some(document),
            policy_name: None,
            source: Some(IndexSource::LogGroup),
        };
        Ok(PutIndexPolicyOutput { index_policy: Some(policy) })
    }
}

impl Handle<DescribeIndexPolicies> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DescribeIndexPoliciesInput,
    ) -> Result<DescribeIndexPoliciesOutput, Fault> {
        let mut policies = Vec::new();
        for identifier in input.log_group_identifiers.expect("validated: required") {
            let (name, group) = self.named_group(call.scope(), None, Some(&identifier))?;
            let (arn, treatment) =
                (group_arn(call.scope(), &name), self.directory.treatment(call.scope(), &name, &group));
            policies.extend(group.index_policy.as_ref().and_then(|policy| described(policy, &arn)));
            policies.extend(treatment.index_policy().map(|policy| described_of_account(policy, &arn)));
        }
        Ok(DescribeIndexPoliciesOutput { index_policies: Some(policies), next_token: None })
    }
}

impl Handle<DeleteIndexPolicy> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteIndexPolicyInput,
    ) -> Result<DeleteIndexPolicyOutput, Fault> {
        let identifier = input.log_group_identifier.expect("validated: required");
        let name = identifier::name_in_identifier(call.scope(), &identifier).map_err(LogsError::from)?;
        let change = |group: &LogGroup| {
            let known = group.index_policy.as_ref().filter(|policy| policy.document.is_some());
            let known = known.ok_or(IndexPolicyError::Missing)?;
            let index_policy = Some(known.replaced(None, call.received)?);
            Ok(LogGroup { index_policy, ..group.clone() })
        };
        self.directory.change_group(call.scope(), name, change).await?;
        Ok(DeleteIndexPolicyOutput {})
    }
}

impl Handle<DescribeFieldIndexes> for Logs {
    /// Nothing is indexed by field here, so no index has times of scans and events. `AUTO` has none either.
    async fn handle(
        &self,
        call: &Call,
        input: DescribeFieldIndexesInput,
    ) -> Result<DescribeFieldIndexesOutput, Fault> {
        // AWS's reference: these three without a choice.
        let categories = input
            .index_categories
            .unwrap_or_else(|| vec![IndexCategory::Default, IndexCategory::Custom, IndexCategory::Inactive]);
        let mut found = Vec::new();
        for identifier in input.log_group_identifiers.expect("validated: required") {
            let (name, group) = self.named_group(call.scope(), None, Some(&identifier))?;
            let arn = group_arn(call.scope(), &name);
            let treatment = self.directory.treatment(call.scope(), &name, &group);
            for category in &categories {
                for (field, kind) in indexes(&treatment, category, call.received) {
                    let index = FieldIndex {
                        log_group_identifier: Some(arn.clone()),
                        field_index_name: Some(field.clone()),
                        r#type: Some(kind),
                        index_category: Some(category.clone()),
                        ..FieldIndex::default()
                    };
                    found.push((format!("{name}\0{}\0{field}", category.as_str()), index));
                }
            }
        }
        let (indexes, next_token) = listing::page(
            "DescribeFieldIndexes",
            input.next_token.as_deref(),
            Some(PAGE_INDEXES_MAX),
            listing::of(found),
        )?;
        Ok(DescribeFieldIndexesOutput { field_indexes: Some(indexes), next_token })
    }
}

/// Whether a group has indexes of all these fields, its own or those that every group has.
pub(super) fn has_indexes(treatment: &Treatment, fields: &[String], now: Timestamp) -> bool {
    let categories = [IndexCategory::Default, IndexCategory::Custom];
    let known: Vec<_> = categories.iter().flat_map(|category| indexes(treatment, category, now)).collect();
    fields.iter().all(|field| known.iter().any(|(name, _)| name == field))
}

/// The fields of a group in a category.
fn indexes(treatment: &Treatment, category: &IndexCategory, now: Timestamp) -> Vec<(String, IndexType)> {
    let (group, policy) = (treatment.group(), treatment.group().index_policy.as_ref());
    match category {
        IndexCategory::Default if group.class.readable() => {
            DEFAULT_FIELDS.map(|field| (field.to_owned(), IndexType::FieldIndex)).to_vec()
        }
        IndexCategory::Custom => {
            let of_account = treatment.index_policy().and_then(|policy| match &policy.effect {
                Effect::FieldIndex { fields, .. } => Some(fields),
                _ => None,
            });
            let fields = policy.map(|policy| &policy.fields).into_iter().chain(of_account);
            fields.flatten().map(|(field, kind)| (field.clone(), kind.clone())).collect()
        }
        IndexCategory::Inactive => policy
            .into_iter()
            .flat_map(|policy| policy.inactive(now))
            .map(|(field, kind)| (field.to_owned(), kind.clone()))
            .collect(),
        _ => Vec::new(),
    }
}

fn described(policy: &IndexPolicy, arn: &str) -> Option<api::IndexPolicy> {
    Some(api::IndexPolicy {
        log_group_identifier: Some(arn.to_owned()),
        last_update_time: Some(policy.updated.as_millis()),
        policy_document: Some(policy.document.clone()?),
        policy_name: None,
        source: Some(IndexSource::LogGroup),
    })
}

fn described_of_account(policy: &AccountPolicy, arn: &str) -> api::IndexPolicy {
    api::IndexPolicy {
        log_group_identifier: Some(arn.to_owned()),
        last_update_time: Some(policy.updated.as_millis()),
        policy_document: policy.document.clone(),
        policy_name: Some(policy.name.clone()),
        source: Some(IndexSource::Account),
    }
}
