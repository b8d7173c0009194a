//! Queries understood: parsed, in order, checked. Whatever is wrong with them shows here, before anything is
//! read.

use std::collections::HashMap;

use groundwatch_core::Scope;
use groundwatch_metric_math::{
    Checked, Expression, ExternalRequest, Problem, Symbol, Type, evaluation_order,
};
use groundwatch_metric_selection::{insights, search};

use super::band::{self, PlannedBand};
use super::error::math_error;
use super::insight_rule::PlannedRuleMetric;
use super::template::Label;
use super::{DataQuery, DataSource, EvaluationError, EvaluationRange, MetricStat, QueryProblem, labels};
use crate::anomaly::Subject;
use crate::{Period, Second, Statistic};

/// SEARCH functions in one request ("Search expression limits" in the guide: in one graph).
const SEARCHES_MAX: usize = 100;
/// ANOMALY_DETECTION_BAND functions in one request: each may have to read two weeks and train a model.
const BANDS_MAX: usize = 20;
/// INSIGHT_RULE_METRIC functions in one request: each may have to read a million log events.
const RULE_METRICS_MAX: usize = 10;

/// Queries that can be evaluated.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) entries: Vec<Entry>,
    /// Numbers of the entries that are metric math, each after those that it refers to.
    pub(super) order: Vec<usize>,
    pub(super) searches: Vec<PlannedSearch>,
    pub(super) bands: Vec<PlannedBand>,
    pub(super) rule_metrics: Vec<PlannedRuleMetric>,
}

/// A query, understood.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) source: Source,
    pub(super) label: Option<Label>,
    pub(super) is_returned: bool,
    /// Whether any result depends on it.
    pub(super) is_needed: bool,
}

/// What it asks for.
#[derive(Debug)]
pub(super) enum Source {
    Metric(MetricStat),
    Math { expression: Expression, period: Option<Period> },
    Insights { query: insights::Query, period: Period },
}

/// A SEARCH within an expression.
#[derive(Debug)]
pub(super) struct PlannedSearch {
    /// The number of its entry.
    pub(super) entry: usize,
    /// Where it begins in the expression, in bytes: its name there.
    pub(super) at: usize,
    pub(super) query: search::Query,
    pub(super) statistic: Statistic,
    pub(super) statistic_text: String,
    pub(super) period: Period,
}

impl Plan {
    /// Understands queries. Ids are unique and well-formed, which is for the API to say.
    pub(crate) fn new(queries: Vec<DataQuery>) -> Result<Self, EvaluationError> {
        let entries = queries.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        refuse_second_insights(&entries)?;
        let order = order(&entries)?;
        let External { searches, bands, rule_metrics } = check(&entries, &order)?;
        let mut plan = Self { entries, order, searches, bands, rule_metrics };
        plan.mark_needed();
        Ok(plan)
    }

    /// What a band of the query `id` would be of.
    pub(crate) fn band_subject(self, id: &str) -> Result<Subject, EvaluationError> {
        let fail = |problem| EvaluationError::whole_expression(id, id, problem);
        let of = Expression::parse(id).map_err(|error| fail(error.problem))?;
        band::subject(&self.entries, of.root()).map_err(fail)
    }

    /// The metrics to return, if the queries are nothing but metrics: these can be read page by page.
    pub(crate) fn returned_metrics(&self) -> Option<Vec<ReturnedMetric<'_>>> {
        let defaults = labels::defaults(&self.entries);
        let metrics: Option<Vec<_>> = self.entries.iter().map(Entry::metric).collect();
        let metrics = metrics?.into_iter().zip(&self.entries).zip(defaults);
        let metrics =
            metrics.map(|((stat, entry), default_label)| ReturnedMetric { entry, stat, default_label });
        Some(metrics.filter(|metric| metric.entry.is_returned).collect())
    }

    /// Whether the queries that return data are metrics whose points, should each period have one, are at
    /// most `points_max`.
    pub(crate) fn fits(&self, range: &EvaluationRange, points_max: usize) -> bool {
        let metrics = self.entries.iter().filter(|entry| entry.is_returned).filter_map(Entry::metric);
        metrics.map(|stat| range.window(stat.period).periods()).sum::<u64>() <= points_max as u64
    }

    pub(super) fn has_math(&self) -> bool {
        !self.order.is_empty()
    }

    /// The shortest period of any query.
    pub(super) fn finest_period(&self) -> Option<Period> {
        let own = self.entries.iter().filter_map(|entry| match &entry.source {
            Source::Metric(stat) => Some(stat.period),
            Source::Math { period, .. } => *period,
            Source::Insights { period, .. } => Some(*period),
        });
        own.chain(self.searches.iter().map(|search| search.period)).min()
    }

    /// The ids of the entries that are metrics: what METRICS() stands for.
    pub(super) fn metric_ids(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| entry.metric().is_some()).map(|entry| entry.id.as_str())
    }

    /// From the results back to all that they depend on.
    fn mark_needed(&mut self) {
        let number: HashMap<String, usize> =
            self.entries.iter().enumerate().map(|(number, entry)| (entry.id.clone(), number)).collect();
        for entry in &mut self.entries {
            entry.is_needed = entry.is_returned;
        }
        for index in self.order.iter().rev() {
            let Source::Math { expression, .. } = &self.entries[*index].source else { continue };
            if !self.entries[*index].is_needed {
                continue;
            }
            let references = expression.references().into_iter();
            let mut needed: Vec<usize> =
                references.filter_map(|reference| number.get(reference.id).copied()).collect();
            if expression.uses_metrics() {
                needed
                    .extend((0..self.entries.len()).filter(|index| self.entries[*index].metric().is_some()));
            }
            for index in needed {
                self.entries[index].is_needed = true;
            }
        }
    }
}

/// A metric to return, for those who read it themselves.
#[derive(Debug)]
pub(crate) struct ReturnedMetric<'a> {
    entry: &'a Entry,
    pub(crate) stat: &'a MetricStat,
    default_label: String,
}

impl ReturnedMetric<'_> {
    pub(crate) fn id(&self) -> &str {
        &self.entry.id
    }

    /// What it is called if it has these points, which ascend.
    pub(crate) fn label(&self, scope: &Scope, points: &[(Second, f64)], range: &EvaluationRange) -> String {
        let series = self.stat.series(scope, &self.default_label, points);
        labels::of_metric(self.entry, series, range).label().to_owned()
    }
}

impl Entry {
    pub(super) fn metric(&self) -> Option<&MetricStat> {
        match &self.source {
            Source::Metric(stat) => Some(stat),
            Source::Math { .. } | Source::Insights { .. } => None,
        }
    }

    pub(super) fn math(&self) -> Option<&Expression> {
        match &self.source {
            Source::Math { expression, .. } => Some(expression),
            Source::Metric(_) | Source::Insights { .. } => None,
        }
    }

    /// What its id stands for, if that does not depend on other entries.
    fn symbol(&self) -> Option<Symbol> {
        match &self.source {
            Source::Metric(_) => Some(Symbol::Metric),
            Source::Insights { query, .. } if query.group_by.is_empty() => {
                Some(Symbol::Expression(Type::Series))
            }
            Source::Insights { .. } => Some(Symbol::Expression(Type::Array)),
            Source::Math { .. } => None,
        }
    }
}

fn parse(query: DataQuery) -> Result<Entry, EvaluationError> {
    let DataQuery { id, source, label, is_returned } = query;
    let label = label.map(|label| Label::parse(&label)).transpose();
    let label = label.map_err(|problem| EvaluationError::Label { id: id.clone(), problem })?;
    let source = match source {
        DataSource::Metric(stat) => Source::Metric(stat),
        DataSource::Expression { text, period } => {
            parse_expression(&text, period).map_err(|problem| EvaluationError::expression(&id, problem))?
        }
    };
    Ok(Entry { id, source, label, is_returned, is_needed: false })
}

fn parse_expression(text: &str, period: Option<Period>) -> Result<Source, QueryProblem> {
    if !is_insights(text) {
        return Ok(Source::Math { expression: Expression::parse(text)?, period });
    }
    let query = insights::Query::parse(text)?;
    let period = period.ok_or(QueryProblem::InsightsPeriod)?;
    // Metrics Insights knows nothing below a minute: it aggregates without a word.
    let period = if period.is_high_resolution() { Period::MINUTE } else { period };
    Ok(Source::Insights { query, period })
}

/// Whether an expression is a Metrics Insights query: metric math has no lower-case functions and no id that
/// stands before another word.
fn is_insights(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("SELECT")) && words.next().is_some()
}

fn refuse_second_insights(entries: &[Entry]) -> Result<(), EvaluationError> {
    let mut queries = entries.iter().filter(|entry| matches!(entry.source, Source::Insights { .. }));
    match (queries.next(), queries.next()) {
        (Some(first), Some(second)) => {
            Err(EvaluationError::expression(&second.id, QueryProblem::SecondInsights(first.id.clone())))
        }
        _ => Ok(()),
    }
}

/// The numbers of the entries that are math, in the order of their evaluation.
fn order(entries: &[Entry]) -> Result<Vec<usize>, EvaluationError> {
    let math: Vec<(usize, &str, &Expression)> = entries
        .iter()
        .enumerate()
        .filter_map(|(number, entry)| Some((number, entry.id.as_str(), entry.math()?)))
        .collect();
    let expressions: Vec<(&str, &Expression)> =
        math.iter().map(|(_, id, expression)| (*id, *expression)).collect();
    let is_data = |id: &str| entries.iter().any(|entry| entry.id == id && entry.math().is_none());
    let order = evaluation_order(&expressions, is_data)
        .map_err(|error| EvaluationError::expression(&error.id, error.source))?;
    Ok(order.into_iter().map(|index| math[index].0).collect())
}

/// The checked expressions in the order of their evaluation, by the number of their entries.
pub(super) fn checked<'a>(
    entries: &'a [Entry],
    order: &[usize],
) -> Result<Vec<(usize, Checked<'a>)>, EvaluationError> {
    let mut symbols: HashMap<&str, Symbol> =
        entries.iter().filter_map(|entry| Some((entry.id.as_str(), entry.symbol()?))).collect();
    let mut all = Vec::with_capacity(order.len());
    for number in order {
        let entry = &entries[*number];
        let Some(expression) = entry.math() else { continue };
        let fail = |error| EvaluationError::expression(&entry.id, QueryProblem::Math(error));
        let checked = expression.check(|id| symbols.get(id).copied()).map_err(fail)?;
        if entry.is_returned {
            checked.require_series().map_err(fail)?;
        }
        symbols.insert(&entry.id, Symbol::Expression(checked.result()));
        all.push((*number, checked));
    }
    Ok(all)
}

/// What expressions need besides other entries.
#[derive(Default)]
struct External {
    searches: Vec<PlannedSearch>,
    bands: Vec<PlannedBand>,
    rule_metrics: Vec<PlannedRuleMetric>,
}

/// Checks all expressions, and answers with what else they need.
fn check(entries: &[Entry], order: &[usize]) -> Result<External, EvaluationError> {
    let External { mut searches, mut bands, mut rule_metrics } = External::default();
    for (number, checked) in checked(entries, order)? {
        let entry = &entries[number];
        let Source::Math { expression, period } = &entry.source else { continue };
        let fail = |problem: QueryProblem| EvaluationError::expression(&entry.id, problem);
        for need in checked.external_data() {
            let wrong = |problem| fail(math_error(problem, expression.text(), need.span.clone()).into());
            match &need.request {
                ExternalRequest::Search { query, stat, period_secs } => {
                    let own = period_secs.and_then(|secs| Period::from_secs(i64::from(secs.get())));
                    let period = own.or(*period).ok_or_else(|| fail(QueryProblem::SearchPeriod))?;
                    let statistic = stat.parse::<Statistic>();
                    let statistic = statistic.map_err(|_| fail(QueryProblem::Statistic(stat.clone())))?;
                    let query = search::Query::parse(query).map_err(|error| fail(error.into()))?;
                    let (at, statistic_text) = (need.span.start, stat.clone());
                    searches.push(PlannedSearch {
                        entry: number,
                        at,
                        query,
                        statistic,
                        statistic_text,
                        period,
                    });
                }
                ExternalRequest::AnomalyDetectionBand { of, deviations } => {
                    // AWS takes one in an expression.
                    if bands.last().is_some_and(|band: &PlannedBand| band.entry == number) {
                        let problem = "an expression can have one ANOMALY_DETECTION_BAND only";
                        return Err(wrong(Problem::Argument(problem.to_owned())));
                    }
                    let subject = band::subject(entries, of).map_err(wrong)?;
                    let (at, deviations) = (need.span.start, *deviations);
                    bands.push(PlannedBand { entry: number, at, deviations, subject });
                }
                ExternalRequest::InsightRuleMetric { rule, metric } => {
                    let period = period.filter(|period| !period.is_high_resolution());
                    let period = period.ok_or_else(|| fail(QueryProblem::InsightRulePeriod))?;
                    let (at, rule, metric) = (need.span.start, rule.clone(), metric.clone());
                    rule_metrics.push(PlannedRuleMetric { entry: number, at, rule, metric, period });
                }
            }
        }
        if searches.len() > SEARCHES_MAX {
            return Err(fail(QueryProblem::TooManySearches(SEARCHES_MAX)));
        }
        if bands.len() > BANDS_MAX {
            return Err(fail(QueryProblem::TooManyBands(BANDS_MAX)));
        }
        if rule_metrics.len() > RULE_METRICS_MAX {
            return Err(fail(QueryProblem::TooManyInsightRules(RULE_METRICS_MAX)));
        }
    }
    Ok(External { searches, bands, rule_metrics })
}
