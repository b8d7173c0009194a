//! `GetInsightRuleReport`: who contributes most to the log groups of a rule.

use std::collections::BTreeSet;

use groundwatch_api::cloudwatch::{
    GetInsightRuleReport, GetInsightRuleReportInput, GetInsightRuleReportOutput, InsightRuleContributor,
    InsightRuleContributorDatapoint, InsightRuleMetricDatapoint,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Timestamp};
use groundwatch_storage::Key;

use crate::definition::{Definition, GroupPattern};
use crate::report::{Contributor, Order, Report, Total};
use crate::{InsightError, Rules};

/// Log events that one report looks at.
const EVENTS_MAX: usize = 1_000_000;
/// Log groups that one report reads.
const GROUPS_MAX: usize = 1000;
/// Periods of one report.
const PERIODS_MAX: i64 = 1440;
/// AWS's default and greatest number of contributors.
const CONTRIBUTORS: (i32, i32) = (10, 100);

/// What can be told of each period.
const METRICS: [&str; 7] =
    ["UniqueContributors", "MaxContributorValue", "SampleCount", "Sum", "Minimum", "Maximum", "Average"];

impl Handle<GetInsightRuleReport> for Rules {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetInsightRuleReportInput,
    ) -> Result<GetInsightRuleReportOutput, Fault> {
        let asked = Asked::read(&input)?;
        let name = input.rule_name.expect("validated: required");
        let rule = self.rules.get(&Key::new(call.scope(), name.as_str()));
        let rule = rule.ok_or(InsightError::NotFound { name })?;
        let definition = Definition::parse(&rule.definition, call.scope())?;
        let report = self.report(call.scope(), &definition, &asked).await?;
        Ok(answer(&report, definition, &asked))
    }
}

/// What is asked of a rule.
struct Asked {
    start: Timestamp,
    end: Timestamp,
    period_secs: u32,
    contributors: usize,
    order: Order,
    metrics: BTreeSet<String>,
}

impl Asked {
    fn read(input: &GetInsightRuleReportInput) -> Result<Self, InsightError> {
        let wrong = |parameter, rule: &str| InsightError::Parameter { parameter, rule: rule.to_owned() };
        let start = input.start_time.expect("validated: required").0;
        let end = input.end_time.expect("validated: required").0;
        if start >= end {
            return Err(wrong("StartTime", "must be less than the parameter EndTime"));
        }
        let period_secs = u32::try_from(input.period.expect("validated: required")).unwrap_or(0);
        if period_secs == 0 || !period_secs.is_multiple_of(60) {
            return Err(wrong("Period", "must be a multiple of 60"));
        }
        if (end.as_secs().saturating_sub(start.as_secs())) / i64::from(period_secs) > PERIODS_MAX {
            return Err(wrong("Period", "must be so long that the range has at most 1440 periods"));
        }
        let (default, max) = CONTRIBUTORS;
        let contributors = input.max_contributor_count.unwrap_or(default);
        if !(1..=max).contains(&contributors) {
            return Err(wrong("MaxContributorCount", "must be between 1 and 100"));
        }
        let order = match input.order_by.as_deref() {
            None | Some("Sum") => Order::Sum,
            Some("Maximum") => Order::Maximum,
            Some(_) => return Err(wrong("OrderBy", "must be Sum or Maximum")),
        };
        let metrics: BTreeSet<String> = input.metrics.iter().flatten().cloned().collect();
        if metrics.iter().any(|metric| !METRICS.contains(&metric.as_str())) {
            return Err(wrong("Metrics", &format!("must be of {}", METRICS.join(", "))));
        }
        Ok(Self { start, end, period_secs, contributors: contributors as usize, order, metrics })
    }
}

impl Rules {
    /// Reads the groups, and counts.
    async fn report(
        &self,
        scope: &Scope,
        definition: &Definition,
        asked: &Asked,
    ) -> Result<Report, InsightError> {
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
        let mut report = Report::new(asked.start, asked.end, asked.period_secs);
        let mut events = 0;
        for group in &groups {
            let mut after = None;
            loop {
                let page = self.logs.page(scope, group, (asked.start, asked.end), after).await?;
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
        Ok(report)
    }
}

fn answer(report: &Report, definition: Definition, asked: &Asked) -> GetInsightRuleReportOutput {
    let statistic = if definition.value.is_some() { "Sum" } else { "SampleCount" };
    let contributors = report.first(asked.contributors, asked.order).into_iter().map(contributor);
    let totals = report.totals().into_iter().map(|(at, total)| datapoint(at, &total, &asked.metrics));
    GetInsightRuleReportOutput {
        key_labels: Some(definition.key_labels),
        aggregation_statistic: Some(statistic.to_owned()),
        aggregate_value: Some(report.sum()),
        approximate_unique_count: Some(report.contributors() as i64),
        contributors: Some(contributors.collect()),
        metric_datapoints: Some(totals.collect()),
    }
}

fn contributor(contributor: Contributor) -> InsightRuleContributor {
    let points = contributor.points.into_iter().map(|(at, value)| InsightRuleContributorDatapoint {
        timestamp: Some(at.into()),
        approximate_value: Some(value),
    });
    InsightRuleContributor {
        keys: Some(contributor.keys),
        approximate_aggregate_value: Some(contributor.value),
        datapoints: Some(points.collect()),
    }
}

/// Recorded: there is one for each period, also without events, with the metrics that were asked for.
fn datapoint(at: Timestamp, total: &Total, metrics: &BTreeSet<String>) -> InsightRuleMetricDatapoint {
    let asked = |metric: &str, value: f64| metrics.contains(metric).then_some(value);
    let samples = total.samples as f64;
    InsightRuleMetricDatapoint {
        timestamp: Some(at.into()),
        unique_contributors: asked("UniqueContributors", total.contributors as f64),
        max_contributor_value: asked("MaxContributorValue", total.contributor_max),
        sample_count: asked("SampleCount", samples),
        average: asked("Average", if total.samples == 0 { 0.0 } else { total.sum / samples }),
        sum: asked("Sum", total.sum),
        minimum: asked("Minimum", total.minimum),
        maximum: asked("Maximum", total.maximum),
    }
}
