//! `ListDashboards`: the dashboards of an account by name, 1,000 at a time.

use groundwatch_api::cloudwatch::{
    DashboardEntry, ListDashboards, ListDashboardsInput, ListDashboardsOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, page_token};

use crate::dashboard::{arn, home};
use crate::{DashboardError, Dashboards};

/// AWS's size of a page.
const PAGE_LENGTH: usize = 1000;

/// Ties paging tokens to this listing.
const LISTING: &str = "cloudwatch:ListDashboards";

impl Handle<ListDashboards> for Dashboards {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ListDashboardsInput,
    ) -> Result<ListDashboardsOutput, Fault> {
        let after = match &input.next_token {
            Some(token) => Some(page_token::decode(LISTING, token).ok_or(DashboardError::NextToken)?),
            None => None,
        };
        let prefix = input.dashboard_name_prefix.unwrap_or_default();
        // One more than a page tells whether there is another.
        let mut found =
            self.dashboards.list(&home(call.scope().account), &prefix, after.as_deref(), PAGE_LENGTH + 1);
        let more = found.len() > PAGE_LENGTH;
        found.truncate(PAGE_LENGTH);
        let next_token = found.last().filter(|_| more).map(|(last, _)| page_token::encode(LISTING, last));
        let entries = found.into_iter().map(|(name, dashboard)| DashboardEntry {
            dashboard_arn: Some(arn(call.scope(), &name)),
            dashboard_name: Some(name),
            last_modified: Some(dashboard.modified.into()),
            size: i64::try_from(dashboard.body.len()).ok(),
        });
        Ok(ListDashboardsOutput { dashboard_entries: Some(entries.collect()), next_token })
    }
}
