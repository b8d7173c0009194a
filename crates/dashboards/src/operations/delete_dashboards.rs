//! `DeleteDashboards`: deletes up to 100 dashboards.

use groundwatch_api::cloudwatch::{DeleteDashboards, DeleteDashboardsInput, DeleteDashboardsOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::{Batch, Expect};

use crate::dashboard::key;
use crate::{DashboardError, Dashboards};

/// How many dashboards one call may name.
const NAMES_MAX: usize = 100;

impl Handle<DeleteDashboards> for Dashboards {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DeleteDashboardsInput,
    ) -> Result<DeleteDashboardsOutput, Fault> {
        let names = input.dashboard_names.unwrap_or_default();
        if names.is_empty() || names.len() > NAMES_MAX {
            return Err(DashboardError::Count { parameter: "DashboardNames", count_max: NAMES_MAX }.into());
        }
        let account = call.scope().account;
        let is_there = |name: &String| self.dashboards.get(&key(account, name)).is_some();
        let (there, missing): (Vec<_>, Vec<_>) = names.into_iter().partition(is_there);
        // As AWS's reference says: in case of an error as many as possible are deleted all the same.
        let mut batch = Batch::new();
        for name in &there {
            self.dashboards.remove(&mut batch, key(account, name), Expect::Any);
        }
        if !batch.is_empty() {
            self.catalog.commit(batch).await.map_err(DashboardError::from)?;
        }
        if missing.is_empty() {
            Ok(DeleteDashboardsOutput {})
        } else {
            Err(DashboardError::NotFound { names: missing }.into())
        }
    }
}
