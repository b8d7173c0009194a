//! `AssociateKmsKey` and `DisassociateKmsKey`: the key is kept and shown. Groundwatch does not encrypt with
//! it, for it has no key service; encrypt the disk instead.

use groundwatch_api::logs::{
    AssociateKmsKey, AssociateKmsKeyInput, AssociateKmsKeyOutput, DisassociateKmsKey,
    DisassociateKmsKeyInput, DisassociateKmsKeyOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::error::LogsError;
use crate::group::LogGroup;
use crate::identifier;
use crate::logs::Logs;

impl Handle<AssociateKmsKey> for Logs {
    async fn handle(&self, call: &Call, input: AssociateKmsKeyInput) -> Result<AssociateKmsKeyOutput, Fault> {
        let key = input.kms_key_id.expect("validated: required");
        let (name, resource) = (input.log_group_name.as_deref(), input.resource_identifier.as_deref());
        self.set_key(call, name, resource, Some(&key)).await?;
        Ok(AssociateKmsKeyOutput {})
    }
}

impl Handle<DisassociateKmsKey> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DisassociateKmsKeyInput,
    ) -> Result<DisassociateKmsKeyOutput, Fault> {
        let (name, resource) = (input.log_group_name.as_deref(), input.resource_identifier.as_deref());
        self.set_key(call, name, resource, None).await?;
        Ok(DisassociateKmsKeyOutput {})
    }
}

impl Logs {
    async fn set_key(
        &self,
        call: &Call,
        name: Option<&str>,
        resource: Option<&str>,
        key: Option<&str>,
    ) -> Result<(), LogsError> {
        if resource.is_some_and(|resource| resource.contains(":query-result:")) {
            return Err(LogsError::Unsupported { what: "A key for query results" });
        }
        let name = identifier::group_name(call.scope(), name, resource)?;
        let change = |group: &LogGroup| Ok(LogGroup { kms_key_id: key.map(str::to_owned), ..group.clone() });
        self.directory.change_group(call.scope(), name, change).await
    }
}
