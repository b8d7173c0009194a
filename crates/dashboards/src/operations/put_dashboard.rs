//! `PutDashboard`: creates a dashboard, or replaces the whole body of the one with that name.

use groundwatch_api::cloudwatch::{
    DashboardValidationMessage, PutDashboard, PutDashboardInput, PutDashboardOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Tags};
use groundwatch_storage::despite_conflicts;
use groundwatch_storage::{Batch, Expect, Key};

use super::tags;
use crate::body::{self, Finding};
use crate::dashboard::{Dashboard, check_name, key};
use crate::{DashboardError, Dashboards};

impl Handle<PutDashboard> for Dashboards {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: PutDashboardInput,
    ) -> Result<PutDashboardOutput, Fault> {
        let name = input.dashboard_name.expect("validated: required");
        check_name(&name)?;
        let text = input.dashboard_body.expect("validated: required");
        let warnings = body::validate(&text)?;
        let tags = tags::from_shapes(input.tags).map_err(DashboardError::from)?;
        let key = key(call.scope().account, &name);
        despite_conflicts(|| self.put(&key, &text, &tags)).await?;
        let messages = warnings.into_iter().map(shape).collect();
        // Recorded: an empty list when there is nothing to tell.
        Ok(PutDashboardOutput { dashboard_validation_messages: Some(messages) })
    }
}

impl Dashboards {
    /// AWS takes `Tags` only when it creates a dashboard.
    async fn put(&self, key: &Key, body: &str, tags: &Tags) -> Result<(), DashboardError> {
        let current = self.dashboards.get_versioned(key);
        let (expect, tags) = match current {
            Some((version, dashboard)) => (Expect::Version(version), dashboard.tags.clone()),
            None => (Expect::Absent, tags.clone()),
        };
        let dashboard = Dashboard { body: body.to_owned(), modified: self.clock.now(), tags };
        let mut batch = Batch::new();
        self.dashboards.put(&mut batch, key.clone(), dashboard, expect);
        Ok(self.catalog.commit(batch).await?)
    }
}

fn shape(Finding { path, message }: Finding) -> DashboardValidationMessage {
    DashboardValidationMessage { data_path: Some(path), message: Some(message) }
}
