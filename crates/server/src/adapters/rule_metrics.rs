//! Contributor Insights rules, as metric math reads them.

use std::sync::Arc;

use groundwatch_contributor_insights::{InsightError, RuleMetric, Rules};
use groundwatch_core::{BoxFuture, Scope, Timestamp};
use groundwatch_metrics::{InsightRuleError, InsightRules, RuleMetricQuery};

/// The rules.
pub(crate) struct RuleMetrics(pub(crate) Arc<Rules>);

impl InsightRules for RuleMetrics {
    fn read<'a>(
        &'a self,
        scope: &'a Scope,
        query: &'a RuleMetricQuery,
    ) -> BoxFuture<'a, Result<Vec<(Timestamp, f64)>, InsightRuleError>> {
        Box::pin(async move {
            let unknown = || InsightRuleError::Refused(format!("rules have no metric `{}`", query.metric));
            let metric = RuleMetric::from_name(&query.metric).ok_or_else(unknown)?;
            let range = (query.from, query.until);
            self.0
                .metric(scope, &query.rule, metric, range, query.period_secs)
                .await
                .map_err(as_metrics_see_it)
        })
    }
}

fn as_metrics_see_it(error: InsightError) -> InsightRuleError {
    match error {
        InsightError::Logs(_) | InsightError::Storage(_) => InsightRuleError::Unavailable(error.to_string()),
        error => InsightRuleError::Refused(error.to_string()),
    }
}
