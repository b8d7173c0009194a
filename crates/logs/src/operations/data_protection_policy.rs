//! `PutDataProtectionPolicy`, `GetDataProtectionPolicy` and `DeleteDataProtectionPolicy`.

use groundwatch_api::logs::{
    DeleteDataProtectionPolicy, DeleteDataProtectionPolicyInput, DeleteDataProtectionPolicyOutput,
    GetDataProtectionPolicy, GetDataProtectionPolicyInput, GetDataProtectionPolicyOutput,
    PutDataProtectionPolicy, PutDataProtectionPolicyInput, PutDataProtectionPolicyOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::error::LogsError;
use crate::group::LogGroup;
use crate::identifier;
use crate::logs::Logs;
use crate::protection::{GroupProtection, policy_in_force, with_protection};

impl Handle<PutDataProtectionPolicy> for Logs {
    /// Events that arrive from now on are masked. The group that is told of findings must be there.
    async fn handle(
        &self,
        call: &Call,
        input: PutDataProtectionPolicyInput,
    ) -> Result<PutDataProtectionPolicyOutput, Fault> {
        let identifier = input.log_group_identifier.expect("validated: required");
        let document = input.policy_document.expect("validated: required");
        let name = identifier::name_in_identifier(call.scope(), &identifier).map_err(LogsError::from)?;
        let protection = GroupProtection::parse(&document).map_err(LogsError::from)?;
        if let Some(findings_group) = protection.findings_group() {
            self.directory.group(call.scope(), findings_group)?;
        }
        let change = |group: &LogGroup| Ok(with_protection(group, Some(protection.clone()), call.received));
        self.directory.change_group(call.scope(), name, change).await?;
        Ok(PutDataProtectionPolicyOutput {
            log_group_identifier: Some(identifier.clone()),
            policy_document: Some(document),
            last_updated_time: Some(call.received.as_millis()),
        })
    }
}

impl Handle<GetDataProtectionPolicy> for Logs {
    /// A group without a policy is answered with its identifier alone.
    async fn handle(
        &self,
        call: &Call,
        input: GetDataProtectionPolicyInput,
    ) -> Result<GetDataProtectionPolicyOutput, Fault> {
        let (_, group) = self.named_group(call.scope(), None, input.log_group_identifier.as_deref())?;
        let current = group.protection.current();
        Ok(GetDataProtectionPolicyOutput {
            log_group_identifier: input.log_group_identifier,
            policy_document: current.map(|(_, protection)| protection.document().to_owned()),
            last_updated_time: current.map(|(since, _)| since.as_millis()),
        })
    }
}

impl Handle<DeleteDataProtectionPolicy> for Logs {
    /// What was masked stays so.
    async fn handle(
        &self,
        call: &Call,
        input: DeleteDataProtectionPolicyInput,
    ) -> Result<DeleteDataProtectionPolicyOutput, Fault> {
        let identifier = input.log_group_identifier.expect("validated: required");
        let name = identifier::name_in_identifier(call.scope(), &identifier).map_err(LogsError::from)?;
        let change = |group: &LogGroup| {
            policy_in_force(group)?;
            Ok(with_protection(group, None, call.received))
        };
        self.directory.change_group(call.scope(), name, change).await?;
        Ok(DeleteDataProtectionPolicyOutput {})
    }
}
