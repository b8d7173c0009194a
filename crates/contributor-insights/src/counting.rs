//! Counting: from a rule's log groups to its report.

use std::collections::BTreeSet;

use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::Key;

use crate::definition::{Definition, GroupPattern};
use crate::report::Report;
use crate::{InsightError, RuleMetric, Rules};

/// Log events that one report looks at.
const EVENTS_MAX: usize = 1_000_000;
/// Log groups that one report reads.
const GROUPS_MAX: usize = 1000;
/// Periods of one report.
const PERIODS_MAX: i64 = 1440;

/// The time that a report covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Periods {
    start: Timestamp,
    end: Timestamp,
    period_secs: u32,
}

impl Periods {
    /// From `start` (inclusive) to `end` (exclusive). Refuses ranges and periods that AWS does not take.
    pub(crate) fn new(start: Timestamp, end: Timestamp, period_secs: u32) -> Result<Self, InsightError> {
        let wrong = |parameter, rule: &str| InsightError::Parameter { parameter, rule: rule.to_owned() };
        if start >= end {
            return Err(wrong("StartTime", "must be less than the parameter EndTime"));
        }
        if period_secs == 0 || !period_secs.is_multiple_of(60) {
            return Err(wrong("Period", "must be a multiple of 60"));
        }
        if (end.as_secs().saturating_sub(start.as_secs())) / i64::from(period_secs) > PERIODS_MAX {
            return Err(wrong("Period", "must be so long that the range has at most 1440 periods"));
        }
        Ok(Self { start, end, period_secs })
    }
}

impl Rules {
    /// A metric of the rule `name`, one value a period, ascending: what INSIGHT_RULE_METRIC of metric math
    /// stands for. Fails as `GetInsightRuleReport` does.
    pub async fn metric(
        &self,
        scope: &Scope,
        name: &str,
        metric: RuleMetric,
        (start, end): (Timestamp, Timestamp),
        period_secs: u32,
    ) -> Result<Vec<(Timestamp, f64)>, InsightError> {
        let (_, report) = self.count(scope, name, Periods::new(start, end, period_secs)?).await?;
        Ok(report.totals().into_iter().map(|(at, total)| (at, total.value(metric))).collect())
    }

    /// Reads the groups of the rule `name`, and counts.
    pub(crate) async fn count(
        &self,
        scope: &Scope,
        name: &str,
        periods: Periods,
    ) -> Result<(Definition, Report), InsightError> {
        let rule = self.rules.get(&Key::new(scope, name));
        let rule = rule.ok_or_else(|| InsightError::NotFound { name: name.to_owned() })?;
        let definition = Definition::parse(&rule.definition, scope)?;
        let mut report = Report::new(periods.start, periods.end, periods.period_secs);
        let mut events = 0;
        for group in &self.groups(scope, &definition).await? {
            let mut after = None;
            loop {
                let page = self.logs.page(scope, group, (periods.start, periods.end), after).await?;
                events += page.events.len();
                if events > EVENTS_MAX {
                    return Err(InsightError::TooMuch { what: "log events", limit: EVENTS_MAX });
                }
                for (at, message) in page.events {
                    if let Some((keys, value)) = definition.occurrence(&message) {
                        report.add(at, keys, value)?;
                    }
                }
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        Ok((definition, report))
    }

    /// The groups that a rule reads.
    async fn groups(&self, scope: &Scope, definition: &Definition) -> Result<BTreeSet<String>, InsightError> {
        let mut groups = BTreeSet::new();
        for pattern in &definition.groups {
            match pattern {
                GroupPattern::Exactly(name) => groups.extend([name.clone()]),
                GroupPattern::Prefix(prefix) => groups.extend(self.logs.groups(scope, prefix).await?),
            }
        }
        if groups.len() > GROUPS_MAX {
            return Err(InsightError::TooMuch { what: "log groups", limit: GROUPS_MAX });
        }
        Ok(groups)
    }
}
