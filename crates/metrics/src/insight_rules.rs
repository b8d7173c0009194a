//! Contributor Insights rules, as INSIGHT_RULE_METRIC reads them. They belong to another service, which is
//! plugged in.

use groundwatch_core::{BoxFuture, Scope, Timestamp};

/// A metric of a rule over some periods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMetricQuery {
    /// The name of the rule.
    pub rule: String,
    /// `UniqueContributors`, `MaxContributorValue`, `SampleCount`, `Sum`, `Minimum`, `Maximum` or `Average`.
    pub metric: String,
    /// Where the first period begins.
    pub from: Timestamp,
    /// Exclusive.
    pub until: Timestamp,
    /// A multiple of 60.
    pub period_secs: u32,
}

/// Why a rule cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsightRuleError {
    /// The request is at fault.
    #[error("{0}")]
    Refused(String),
    /// It may be readable later.
    #[error("{0}")]
    Unavailable(String),
}

/// Reads Contributor Insights rules.
pub trait InsightRules: Send + Sync + 'static {
    /// The value of each period, ascending by its beginning.
    fn read<'a>(
        &'a self,
        scope: &'a Scope,
        query: &'a RuleMetricQuery,
    ) -> BoxFuture<'a, Result<Vec<(Timestamp, f64)>, InsightRuleError>>;
}
