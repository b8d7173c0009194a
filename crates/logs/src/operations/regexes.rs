//! How many filters of a group have patterns with regular expressions.

use groundwatch_core::Scope;

use crate::error::LogsError;
use crate::incarnation::GroupId;
use crate::logs::Logs;
use crate::pattern::Pattern;

/// Metric and subscription filters together (source: CloudWatch Logs user guide, "Using regular expressions
/// to match terms").
const FILTERS_MAX: usize = 5;

/// A filter of a group, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter<'a> {
    Metric(&'a str),
    Subscription(&'a str),
}

impl Logs {
    /// Whether a filter of the group may have this pattern, given the patterns of its other filters.
    pub(super) fn check_regexes(
        &self,
        scope: &Scope,
        group: GroupId,
        filter: Filter<'_>,
        pattern: &str,
    ) -> Result<(), LogsError> {
        if !Pattern::has_regex(pattern) {
            return Ok(());
        }
        let metric = self.metric_filters.list(scope, group);
        let metric = metric.iter().map(|(name, other)| (Filter::Metric(name), other.pattern.as_str()));
        let subscriptions = self.subscriptions.list(scope, group, "");
        let subscriptions =
            subscriptions.iter().map(|(name, other)| (Filter::Subscription(name), other.pattern.as_str()));
        let others = metric.chain(subscriptions).filter(|(other, _)| *other != filter);
        let count = others.filter(|(_, pattern)| Pattern::has_regex(pattern)).count();
        if count < FILTERS_MAX { Ok(()) } else { Err(LogsError::TooManyRegexes) }
    }
}
