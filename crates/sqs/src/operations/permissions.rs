//! `AddPermission`, `RemovePermission`.

use groundwatch_api::sqs::{
    AddPermission, AddPermissionInput, AddPermissionOutput, RemovePermission, RemovePermissionInput,
    RemovePermissionOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::attributes::Settings;
use crate::permission::{self, Permission};
use crate::queue::{Definition, arn};
use crate::{Sqs, SqsError};

impl Handle<AddPermission> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: AddPermissionInput,
    ) -> Result<AddPermissionOutput, Fault> {
        let (account_ids, actions) =
            (input.aws_account_ids.unwrap_or_default(), input.actions.unwrap_or_default());
        let label = input.label.unwrap_or_default();
        let permission = Permission { label: &label, account_ids: &account_ids, actions: &actions };
        self.change(call, input.queue_url.as_deref(), |key, definition| {
            let policy = permission.add_to(definition.settings.policy.as_deref(), &arn(key))?;
            Ok(with_policy(definition, Some(policy)))
        })
        .await?;
        Ok(AddPermissionOutput {})
    }
}

impl Handle<RemovePermission> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: RemovePermissionInput,
    ) -> Result<RemovePermissionOutput, Fault> {
        let label = input.label.unwrap_or_default();
        self.change(call, input.queue_url.as_deref(), |_, definition| {
            let policy = permission::remove(definition.settings.policy.as_deref(), &label)?;
            Ok::<_, SqsError>(with_policy(definition, policy))
        })
        .await?;
        Ok(RemovePermissionOutput {})
    }
}

fn with_policy(definition: &Definition, policy: Option<String>) -> Definition {
    let settings = Settings { policy, ..definition.settings.clone() };
    Definition { settings, ..definition.clone() }
}
