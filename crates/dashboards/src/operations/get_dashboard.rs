//! `GetDashboard`: a dashboard's body, byte for byte as it was put.

use groundwatch_api::cloudwatch::{GetDashboard, GetDashboardInput, GetDashboardOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::dashboard::{arn, key};
use crate::{DashboardError, Dashboards};

impl Handle<GetDashboard> for Dashboards {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetDashboardInput,
    ) -> Result<GetDashboardOutput, Fault> {
        let name = input.dashboard_name.expect("validated: required");
        let Some(dashboard) = self.dashboards.get(&key(call.scope().account, &name)) else {
            return Err(DashboardError::NotFound { names: vec![name] }.into());
        };
        Ok(GetDashboardOutput {
            dashboard_arn: Some(arn(call.scope(), &name)),
            dashboard_body: Some(dashboard.body.clone()),
            dashboard_name: Some(name),
        })
    }
}
