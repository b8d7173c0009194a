//! `CreateLogGroup`, `DeleteLogGroup` and `PutLogGroupDeletionProtection`.

use groundwatch_api::logs::{
    CreateLogGroup, CreateLogGroupInput, CreateLogGroupOutput, DeleteLogGroup, DeleteLogGroupInput,
    DeleteLogGroupOutput, PutLogGroupDeletionProtection, PutLogGroupDeletionProtectionInput,
    PutLogGroupDeletionProtectionOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Tags};

use crate::error::LogsError;
use crate::group::{GroupClass, LogGroup};
use crate::history::History;
use crate::identifier;
use crate::incarnation::GroupId;
use crate::logs::Logs;

/// What AWS keeps names for that begin with it: lower-case, and without a slash before.
const RESERVED_PREFIX: &str = "aws/";
/// The retention of groups of class `DELIVERY`, which cannot be changed.
const DELIVERY_RETENTION_DAYS: u32 = 2;

impl Handle<CreateLogGroup> for Logs {
    async fn handle(&self, call: &Call, input: CreateLogGroupInput) -> Result<CreateLogGroupOutput, Fault> {
        let name = input.log_group_name.expect("validated: required");
        if name.starts_with(RESERVED_PREFIX) {
            return Err(LogsError::GroupNameReserved.into());
        }
        let class = input.log_group_class.as_ref().and_then(GroupClass::from_api).unwrap_or_default();
        let group = LogGroup {
            id: GroupId::random(),
            created: call.received,
            class,
            retention_days: (class == GroupClass::Delivery).then_some(DELIVERY_RETENTION_DAYS),
            kms_key_id: input.kms_key_id,
            deletion_protected: input.deletion_protection_enabled.unwrap_or(false),
            tags: Tags::new(input.tags.unwrap_or_default()).map_err(LogsError::from)?,
            flushed_bytes: 0,
            index_policy: None,
            transformers: History::default(),
            protection: History::default(),
        };
        self.directory.create_group(call.scope(), &name, group).await?;
        Ok(CreateLogGroupOutput {})
    }
}

impl Handle<DeleteLogGroup> for Logs {
    async fn handle(&self, call: &Call, input: DeleteLogGroupInput) -> Result<DeleteLogGroupOutput, Fault> {
        let name = input.log_group_name.expect("validated: required");
        let group = self.directory.delete_group(call.scope(), &name).await?;
        self.store.forget_group(group);
        self.recency.forget_group(group);
        if let Err(error) = self.metric_filters.forget_group(call.scope(), group).await {
            tracing::warn!(group = name, %error, "metric filters of a deleted group stay until the next start");
        }
        if let Err(error) = self.resource_policies.forget_group(call.scope(), group).await {
            tracing::warn!(group = name, %error, "the policy of a deleted group stays until the next start");
        }
        if let Err(error) = self.subscriptions.forget_group(call.scope(), group).await {
            tracing::warn!(group = name, %error, "subscriptions of a deleted group stay until the next start");
        }
        Ok(DeleteLogGroupOutput {})
    }
}

impl Handle<PutLogGroupDeletionProtection> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: PutLogGroupDeletionProtectionInput,
    ) -> Result<PutLogGroupDeletionProtectionOutput, Fault> {
        let identifier = input.log_group_identifier.expect("validated: required");
        let deletion_protected = input.deletion_protection_enabled.expect("validated: required");
        let name = identifier::name_in_identifier(call.scope(), &identifier).map_err(LogsError::from)?;
        let change = |group: &LogGroup| Ok(LogGroup { deletion_protected, ..group.clone() });
        self.directory.change_group(call.scope(), name, change).await?;
        Ok(PutLogGroupDeletionProtectionOutput {})
    }
}
