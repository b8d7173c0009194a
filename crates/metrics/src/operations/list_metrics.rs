//! `ListMetrics`: which metrics have had data lately.

use std::time::Duration;

use groundwatch_api::cloudwatch::{
    Dimension, ListMetrics, ListMetricsInput, ListMetricsOutput, Metric, RecentlyActive,
};
use groundwatch_api::{Fault, Handle, Operation};
use groundwatch_core::{Call, page_token};

use super::Metrics;
use crate::{ListFilter, MetricId, Second, fault};

/// The size of a page.
const PAGE_METRICS: usize = 500;
/// Metrics without data for two weeks are listed no more.
const LISTED_FOR: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// What `RecentlyActive: PT3H` asks for.
const RECENT: Duration = Duration::from_secs(3 * 60 * 60);

impl Handle<ListMetrics> for Metrics {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ListMetricsInput,
    ) -> Result<ListMetricsOutput, Fault> {
        let after = input.next_token.as_deref().map(|token| page_token::decode(ListMetrics::NAME, token));
        let after = after.map(|cursor| cursor.ok_or_else(fault::token_invalid)).transpose()?;
        let account = call.scope().account.to_string();
        // Accounts are not linked here, so another account owns nothing that could be seen.
        let owned = input.owning_account.as_ref().is_none_or(|owner| *owner == account);
        let with_owners = input.include_linked_accounts == Some(true);
        let page = if owned {
            self.store.list(call.scope(), &filter(call, input), after.as_deref(), PAGE_METRICS)
        } else {
            Default::default()
        };
        Ok(ListMetricsOutput {
            owning_accounts: with_owners.then(|| vec![account; page.metrics.len()]),
            metrics: Some(page.metrics.into_iter().map(metric).collect()),
            next_token: page.next.map(|cursor| page_token::encode(ListMetrics::NAME, &cursor)),
        })
    }
}

fn filter(call: &Call, input: ListMetricsInput) -> ListFilter {
    let active_for = match input.recently_active {
        Some(RecentlyActive::Pt3H) => RECENT,
        _ => LISTED_FOR,
    };
    let dimensions = input.dimensions.unwrap_or_default().into_iter();
    ListFilter {
        namespace: input.namespace,
        name: input.metric_name,
        dimensions: dimensions.map(|filter| (filter.name.unwrap_or_default(), filter.value)).collect(),
        active_since: Second::nearest(call.received - active_for),
    }
}

fn metric(id: MetricId) -> Metric {
    let dimension = |(name, value)| Dimension { name: Some(name), value: Some(value) };
    Metric {
        namespace: Some(id.namespace),
        metric_name: Some(id.name),
        dimensions: Some(id.dimensions.into_iter().map(dimension).collect()),
    }
}
