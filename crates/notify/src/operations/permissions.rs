//! `AddPermission`, `RemovePermission`: statements of a topic's policy.

use groundwatch_api::sns::{
    AddPermission, AddPermissionInput, AddPermissionOutput, RemovePermission, RemovePermissionInput,
    RemovePermissionOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::topic::permissions::{Permission, removed_from};
use crate::{Notify, NotifyError};

impl Handle<AddPermission> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: AddPermissionInput,
    ) -> Result<AddPermissionOutput, Fault> {
        let arn = input.topic_arn.as_deref().expect("validated: required");
        let id = self.directory.resolve(call.scope(), arn, "TopicArn", "SNS:AddPermission")?;
        let permission = Permission {
            label: input.label.as_deref().expect("validated: required"),
            accounts: &input.aws_account_id.unwrap_or_default(),
            actions: &input.action_name.unwrap_or_default(),
        };
        let change = |policy: &str| permission.added_to(policy, &id.arn()).map_err(NotifyError::from);
        self.directory
            .change_topic(&id, |topic| Ok(topic.with_attribute("Policy", &change(&topic.policy(&id))?)))
            .await?;
        Ok(AddPermissionOutput {})
    }
}

impl Handle<RemovePermission> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: RemovePermissionInput,
    ) -> Result<RemovePermissionOutput, Fault> {
        let arn = input.topic_arn.as_deref().expect("validated: required");
        let id = self.directory.resolve(call.scope(), arn, "TopicArn", "SNS:RemovePermission")?;
        let label = input.label.as_deref().expect("validated: required");
        self.directory
            .change_topic(&id, |topic| {
                Ok(topic.with_attribute("Policy", &removed_from(&topic.policy(&id), label)?))
            })
            .await?;
        Ok(RemovePermissionOutput {})
    }
}
