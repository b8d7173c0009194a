//! `PutRetentionPolicy` and `DeleteRetentionPolicy`.

use groundwatch_api::logs::{
    DeleteRetentionPolicy, DeleteRetentionPolicyInput, DeleteRetentionPolicyOutput, PutRetentionPolicy,
    PutRetentionPolicyInput, PutRetentionPolicyOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::error::LogsError;
use crate::group::{GroupClass, LogGroup};
use crate::logs::Logs;

/// The only retentions that AWS offers, in days.
const RETENTIONS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

impl Handle<PutRetentionPolicy> for Logs {
    /// What has expired is out of sight at once, and its disk is freed before long.
    async fn handle(
        &self,
        call: &Call,
        input: PutRetentionPolicyInput,
    ) -> Result<PutRetentionPolicyOutput, Fault> {
        let name = input.log_group_name.expect("validated: required");
        let days = input.retention_in_days.expect("validated: required");
        let offered = RETENTIONS.into_iter().find(|offered| i64::from(*offered) == i64::from(days));
        let retention = Some(offered.ok_or(LogsError::Retention { days })?);
        let change = |group: &LogGroup| with_retention(group, retention, "PutRetentionPolicy");
        self.directory.change_group(call.scope(), &name, change).await?;
        self.store.retention_changed();
        Ok(PutRetentionPolicyOutput {})
    }
}

impl Handle<DeleteRetentionPolicy> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteRetentionPolicyInput,
    ) -> Result<DeleteRetentionPolicyOutput, Fault> {
        let name = input.log_group_name.expect("validated: required");
        let change = |group: &LogGroup| with_retention(group, None, "DeleteRetentionPolicy");
        self.directory.change_group(call.scope(), &name, change).await?;
        Ok(DeleteRetentionPolicyOutput {})
    }
}

/// The retention of groups of class `DELIVERY` is fixed.
fn with_retention(
    group: &LogGroup,
    retention_days: Option<u32>,
    operation: &'static str,
) -> Result<LogGroup, LogsError> {
    match group.class {
        GroupClass::Delivery => Err(LogsError::ClassRefuses { operation }),
        _ => Ok(LogGroup { retention_days, ..group.clone() }),
    }
}
