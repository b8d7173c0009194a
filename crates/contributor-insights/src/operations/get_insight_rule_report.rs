//! `GetInsightRuleReport`: who contributes most to the log groups of a rule.

use std::collections::BTreeSet;

use groundwatch_api::cloudwatch::{
    GetInsightRuleReport, GetInsightRuleReportInput, GetInsightRuleReportOutput, InsightRuleContributor,
    InsightRuleContributorDatapoint, InsightRuleMetricDatapoint,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp};

use crate::counting::Periods;
use crate::definition::Definition;
use crate::report::{Contributor, Order, Report, Total};
use crate::{InsightError, RuleMetric, Rules};

/// AWS's default and greatest number of contributors.
const CONTRIBUTORS: (i32, i32) = (10, 100);

impl Handle<GetInsightRuleReport> for Rules {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetInsightRuleReportInput,
    ) -> Result<GetInsightRuleReportOutput, Fault> {
        let asked = Asked::read(&input)?;
        let name = input.rule_name.expect("validated: required");
        let (definition, report) = self.count(call.scope(), &name, asked.periods).await?;
        Ok(answer(&report, definition, &asked))
    }
}

/// What is asked of a rule.
struct Asked {
    periods: Periods,
    contributors: usize,
    order: Order,
    metrics: BTreeSet<RuleMetric>,
}

impl Asked {
    fn read(input: &GetInsightRuleReportInput) -> Result<Self, InsightError> {
        let wrong = |parameter, rule: &str| InsightError::Parameter { parameter, rule: rule.to_owned() };
        let start = input.start_time.expect("validated: required").0;
        let end = input.end_time.expect("validated: required").0;
        let period_secs = u32::try_from(input.period.expect("validated: required")).unwrap_or(0);
        let periods = Periods::new(start, end, period_secs)?;
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
        let metrics = input.metrics.iter().flatten().map(|metric| RuleMetric::from_name(metric));
        let metrics: Option<BTreeSet<RuleMetric>> = metrics.collect();
        let metrics = metrics.ok_or_else(|| {
            let names: Vec<&str> = RuleMetric::ALL.map(RuleMetric::name).to_vec();
            wrong("Metrics", &format!("must be of {}", names.join(", ")))
        })?;
        Ok(Self { periods, contributors: contributors as usize, order, metrics })
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
fn datapoint(at: Timestamp, total: &Total, metrics: &BTreeSet<RuleMetric>) -> InsightRuleMetricDatapoint {
    let asked = |metric| metrics.contains(&metric).then(|| total.value(metric));
    InsightRuleMetricDatapoint {
        timestamp: Some(at.into()),
        unique_contributors: asked(RuleMetric::UniqueContributors),
        max_contributor_value: asked(RuleMetric::MaxContributorValue),
        sample_count: asked(RuleMetric::SampleCount),
        average: asked(RuleMetric::Average),
        sum: asked(RuleMetric::Sum),
        minimum: asked(RuleMetric::Minimum),
        maximum: asked(RuleMetric::Maximum),
    }
}
