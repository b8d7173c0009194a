//! INSIGHT_RULE_METRIC: a metric of a Contributor Insights rule, counted from log events when it is asked
//! for.

use groundwatch_core::Scope;
use groundwatch_metric_math::Series;

use super::query::series_of;
use super::{EvaluationRange, QueryProblem};
use crate::insight_rules::{InsightRuleError, RuleMetricQuery};
use crate::{MetricStore, Period, Second};

/// An INSIGHT_RULE_METRIC within an expression.
#[derive(Debug)]
pub(crate) struct PlannedRuleMetric {
    /// The number of its entry.
    pub(super) entry: usize,
    /// Where it begins in the expression, in bytes: its name there.
    pub(super) at: usize,
    pub(super) rule: String,
    pub(super) metric: String,
    pub(super) period: Period,
}

impl PlannedRuleMetric {
    /// The one series that it stands for, up to the present; `None` if the log groups cannot be read.
    pub(super) async fn read(
        &self,
        store: &MetricStore,
        scope: &Scope,
        range: &EvaluationRange,
    ) -> Result<Option<Vec<Series>>, QueryProblem> {
        let rules = store.insight_rules().ok_or(QueryProblem::NoInsightRules)?;
        let window = range.window(self.period);
        let query = RuleMetricQuery {
            rule: self.rule.clone(),
            metric: self.metric.clone(),
            from: window.from.timestamp(),
            until: window.until.timestamp().min(range.now.ceil_to(1)),
            period_secs: self.period.as_secs(),
        };
        if query.until <= query.from {
            return Ok(Some(Vec::new()));
        }
        match rules.read(scope, &query).await {
            Ok(points) => {
                let points = points.into_iter().map(|(start, value)| (Second::nearest(start), value));
                Ok(Some(vec![series_of(&self.metric, self.period, points)]))
            }
            Err(InsightRuleError::Refused(reason)) => Err(QueryProblem::InsightRule(reason)),
            Err(InsightRuleError::Unavailable(reason)) => {
                tracing::warn!(rule = self.rule, reason, "a Contributor Insights rule cannot be read");
                Ok(None)
            }
        }
    }
}
