//! ANOMALY_DETECTION_BAND: what it is of, and its two bounds.

use std::collections::BTreeSet;

use groundwatch_core::Scope;
use groundwatch_metric_math::{Expr, Expression, Node, Problem, Series};

use super::plan::{Entry, Source};
use super::query::series_of;
use super::{DataQuery, DataSource, EvaluationError, EvaluationRange};
use crate::anomaly::{Subject, math_key, single_key};
use crate::{MetricStore, Period, Second};

/// The longest period that AWS takes for anomaly detection on metric math.
const MATH_PERIOD_SECS_MAX: u32 = 3600;

/// AWS's limit of metrics and expressions that one detector watches.
const QUERIES_MAX: usize = 10;

/// Functions that AWS does not take for anomaly detection on metric math, besides METRICS.
const NOT_WATCHED: [&str; 4] =
    ["ANOMALY_DETECTION_BAND", "SEARCH", "INSIGHT_RULE_METRIC", "DB_PERF_INSIGHTS"];

/// A band within an expression.
#[derive(Debug)]
pub(crate) struct PlannedBand {
    /// The number of its entry.
    pub(super) entry: usize,
    /// Where it begins in the expression, in bytes: its name there.
    pub(super) at: usize,
    pub(super) deviations: f64,
    pub(super) subject: Subject,
}

impl PlannedBand {
    /// The points that both bounds have.
    pub(super) fn points(&self, range: &EvaluationRange) -> u64 {
        2 * range.window(self.subject.period).periods()
    }

    /// Both bounds, the lower first, in all periods of the range; `None` if the metrics cannot be read.
    pub(super) async fn read(
        &self,
        store: &MetricStore,
        scope: &Scope,
        range: &EvaluationRange,
    ) -> Result<Option<Vec<Series>>, EvaluationError> {
        let Some(model) = store.model(scope, &self.subject, range.end, range.now).await? else {
            return Ok(None);
        };
        let (window, period) = (range.window(self.subject.period), self.subject.period);
        let starts = (window.from.0..window.until.0).step_by(period.as_secs() as usize);
        let bands: Vec<_> = starts
            .filter_map(|start| Some((Second(start), model.band(i64::from(start), self.deviations)?)))
            .collect();
        let lower = series_of("", period, bands.iter().map(|(start, band)| (*start, band.lower)));
        let upper = series_of("", period, bands.iter().map(|(start, band)| (*start, band.upper)));
        Ok(Some(vec![lower, upper]))
    }
}

/// What a band of `of` is of, among `entries`.
pub(super) fn subject(entries: &[Entry], of: &Expr) -> Result<Subject, Problem> {
    if let Node::Id(id) = &of.node
        && let Some(stat) = entries.iter().find(|entry| entry.id == *id).and_then(Entry::metric)
    {
        check_period(stat.period, u32::MAX)?;
        let query = DataQuery {
            id: id.clone(),
            source: DataSource::Metric(stat.clone()),
            label: None,
            is_returned: true,
        };
        let key = single_key(&stat.metric, &stat.statistic_text);
        return Ok(Subject { key, queries: vec![query], period: stat.period });
    }
    let mut watched = Watched { entries, numbers: BTreeSet::new() };
    let text = of.to_string();
    let expression = Expression::parse(&text).map_err(|error| error.problem)?;
    watched.add_all(&expression)?;
    let is_entry = matches!(of.node, Node::Id(_));
    let returned = if is_entry { text.clone() } else { free_id(entries) };
    let mut queries: Vec<DataQuery> =
        watched.numbers.iter().map(|number| query(&entries[*number], &returned)).collect();
    if !is_entry {
        let source = DataSource::Expression { text, period: None };
        queries.push(DataQuery { id: returned, source, label: None, is_returned: true });
    }
    if queries.len() > QUERIES_MAX {
        return Err(Problem::Argument(format!(
            "anomaly detection can watch at most {QUERIES_MAX} metrics and expressions"
        )));
    }
    let period = common_period(&queries)?;
    check_period(period, MATH_PERIOD_SECS_MAX)?;
    Ok(Subject { key: math_key(&queries), queries, period })
}

/// What an expression depends on, by the numbers of the entries.
struct Watched<'a> {
    entries: &'a [Entry],
    numbers: BTreeSet<usize>,
}

impl Watched<'_> {
    fn add_all(&mut self, expression: &Expression) -> Result<(), Problem> {
        let refused = NOT_WATCHED.into_iter().find(|name| expression.calls(name));
        if let Some(name) = refused.or(expression.uses_metrics().then_some("METRICS")) {
            return Err(not_watched(name));
        }
        for reference in expression.references() {
            let entries = self.entries;
            let Some(number) = entries.iter().position(|entry| entry.id == reference.id) else { continue };
            if self.numbers.insert(number) {
                match &entries[number].source {
                    Source::Metric(_) => {}
                    Source::Insights { .. } => return Err(not_watched("Metrics Insights queries")),
                    Source::Math { expression, .. } => self.add_all(expression)?,
                }
            }
        }
        Ok(())
    }
}

fn not_watched(what: &str) -> Problem {
    Problem::Argument(format!("anomaly detection does not support {what}"))
}

fn query(entry: &Entry, returned: &str) -> DataQuery {
    let source = match &entry.source {
        Source::Metric(stat) => DataSource::Metric(stat.clone()),
        Source::Math { expression, period } => {
            DataSource::Expression { text: expression.text().to_owned(), period: *period }
        }
        Source::Insights { query, period } => {
            DataSource::Expression { text: query.to_string(), period: Some(*period) }
        }
    };
    DataQuery { id: entry.id.clone(), source, label: None, is_returned: entry.id == returned }
}

/// An id that no entry has.
fn free_id(entries: &[Entry]) -> String {
    let mut id = "expected".to_owned();
    while entries.iter().any(|entry| entry.id == id) {
        id.push('_');
    }
    id
}

fn common_period(queries: &[DataQuery]) -> Result<Period, Problem> {
    let own = |query: &DataQuery| match &query.source {
        DataSource::Metric(stat) => Some(stat.period),
        DataSource::Expression { .. } => None,
    };
    let mut periods = queries.iter().filter_map(own);
    match periods.next() {
        Some(first) if periods.all(|period| period == first) => Ok(first),
        Some(_) => Err(Problem::Argument("anomaly detection needs metrics of one period".to_owned())),
        None => Err(Problem::Argument("anomaly detection needs at least one metric".to_owned())),
    }
}

fn check_period(period: Period, secs_max: u32) -> Result<(), Problem> {
    if period.is_high_resolution() {
        return Err(Problem::Argument("anomaly detection needs a period of at least 60 seconds".to_owned()));
    }
    if period.as_secs() > secs_max {
        let problem =
            format!("anomaly detection on expressions needs a period of at most {secs_max} seconds");
        return Err(Problem::Argument(problem));
    }
    Ok(())
}
