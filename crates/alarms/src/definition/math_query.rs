//! Alarms on metric math: the entries of `Metrics`, and what holds among them. The language is
//! `groundwatch-metric-math`'s.

use std::collections::{BTreeMap, BTreeSet};

use groundwatch_api::cloudwatch::{MetricDataQuery, MetricStat};
use groundwatch_core::AccountId;
use groundwatch_metric_math::{
    Checked, EntryError, Expression, ExternalRequest, Symbol, Type, evaluation_order,
};
use groundwatch_metric_selection::insights::{InsightsError, Query};
use serde::{Deserialize, Serialize};

use crate::definition::{DefinitionError, period};
use crate::evaluation::band::check_band;
use crate::reader::{Dimension, MetricQuery, Statistic};

/// How many metrics, and how many expressions, AWS lets an alarm have.
const METRICS_MAX: usize = 10;
const EXPRESSIONS_MAX: usize = 10;

/// The functions of the language that tell the time.
const CALENDAR: [&str; 7] = ["MINUTE", "HOUR", "DAY", "DATE", "MONTH", "YEAR", "EPOCH"];

/// `Metrics`: entries of which one is what the alarm watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MathQuery {
    /// The entries, in the user's order.
    pub entries: Vec<MathEntry>,
    /// The period that all metrics share, in seconds.
    pub period_secs: u32,
    /// What it is if its only entry is a Metrics Insights query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insights: Option<Insights>,
    /// `ThresholdMetricId`: the id of the ANOMALY_DETECTION_BAND that the returned entry is held against, if
    /// one is the threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<String>,
}

/// What a Metrics Insights query answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Insights {
    /// One series.
    Single,
    /// A series for each group, which the alarm evaluates one by one.
    Grouped,
}

/// A `MetricDataQuery`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MathEntry {
    /// `Id`.
    pub id: String,
    /// `Label`.
    pub label: Option<String>,
    /// `ReturnData`: whether this is what the alarm watches.
    pub returned: bool,
    /// `Period` of an expression, if the user gave one.
    pub period_secs: Option<u32>,
    /// `AccountId`, if the user gave it: the alarm's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// What it is.
    pub term: Term,
}

/// What an entry stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Term {
    /// `MetricStat`.
    Metric(MetricQuery),
    /// `Expression`.
    Expression(String),
}

/// What is wrong with `Metrics`. AWS's words for it are in `fault`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MathQueryError {
    /// More entries of a kind than AWS takes.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// Two entries with one id.
    #[error("the id `{id}` occurs twice")]
    Repeated {
        /// The id.
        id: String,
    },
    /// An entry that is none: an id that is no name, neither or both of MetricStat and Expression, a metric
    /// without a name, a statistic that there is not.
    #[error("`{id}` is not an entry of Metrics")]
    Entry {
        /// The entry's id.
        id: String,
    },
    /// Too many or too few entries with ReturnData.
    #[error("{expected} of the entries must return data")]
    Returned {
        /// How many must: the datapoints, and the band that they are held against, if there is one.
        expected: usize,
    },
    /// No returned entry is the band that `ThresholdMetricId` names.
    #[error("no entry is the band that ThresholdMetricId names")]
    Band,
    /// SEARCH, which finds any number of time series.
    #[error("SEARCH is not supported in alarms")]
    Search,
    /// Metrics or expressions of different periods.
    #[error("all entries must have the same period")]
    Periods,
    /// An expression that means nothing.
    #[error(transparent)]
    Expression(#[from] EntryError),
    /// A Metrics Insights query that cannot be read.
    #[error(transparent)]
    Query(#[from] InsightsError),
    /// The returned expression is more than one time series.
    #[error("`{id}` is more than one time series")]
    SeveralSeries {
        /// The entry's id.
        id: String,
    },
}

impl MathQuery {
    /// Reads `entries` of an alarm in the account `own`; `band` is `ThresholdMetricId`. `supports` tells
    /// whether a statistic that is not a simple one can be computed.
    pub fn read(
        entries: Vec<MetricDataQuery>,
        band: Option<String>,
        own: AccountId,
        supports: &impl Fn(&str) -> bool,
    ) -> Result<Self, DefinitionError> {
        let entries: Vec<MathEntry> =
            entries.into_iter().map(|entry| read_entry(entry, own, supports)).collect::<Result<_, _>>()?;
        check_counts(&entries, band.as_deref())?;
        let period_secs = common_period(&entries)?;
        let insights = read_insights(&entries)?;
        let query = Self { entries, period_secs, insights, band };
        if insights.is_none() {
            query.check()?;
        }
        Ok(query)
    }

    /// The Metrics Insights query, if it is one.
    pub fn as_insights(&self) -> Option<(Insights, &str)> {
        match &self.entries.first()?.term {
            Term::Expression(text) => Some((self.insights?, text)),
            Term::Metric(_) => None,
        }
    }

    /// The entries that are metrics, with their ids.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, &MetricQuery)> {
        self.entries.iter().filter_map(|entry| match &entry.term {
            Term::Metric(metric) => Some((entry.id.as_str(), metric)),
            Term::Expression(_) => None,
        })
    }

    /// Whether an expression asks for the time of day or the date, or a band does. Everything else of the
    /// language moves along with its datapoints.
    pub fn depends_on_time(&self) -> bool {
        let asks = |(_, expression): &(&MathEntry, Expression)| {
            CALENDAR.iter().any(|function| expression.calls(function))
        };
        self.insights.is_some()
            || self.band.is_some()
            || self.ordered().map_or(true, |ordered| ordered.iter().any(asks))
    }

    /// Whether all expressions mean something, and the returned one is one time series.
    pub(crate) fn check(&self) -> Result<(), DefinitionError> {
        let mut types: BTreeMap<&str, Symbol> = self.metrics().map(|(id, _)| (id, Symbol::Metric)).collect();
        for (entry, expression) in self.ordered().map_err(MathQueryError::from)? {
            let failed = |source| MathQueryError::from(EntryError { id: entry.id.clone(), source });
            let checked = expression.check(|id| types.get(id).copied()).map_err(failed)?;
            if self.is_band(entry) {
                check_band(self, &expression, &checked)?;
                // Nothing can refer to it.
                continue;
            }
            refuse_external_data(&checked)?;
            if entry.returned {
                checked.require_series().map_err(failed)?;
                if checked.result() == Type::Array {
                    return Err(MathQueryError::SeveralSeries { id: entry.id.clone() }.into());
                }
            }
            types.insert(&entry.id, Symbol::Expression(checked.result()));
        }
        Ok(())
    }

    pub(crate) fn is_band(&self, entry: &MathEntry) -> bool {
        self.band.as_ref() == Some(&entry.id)
    }

    /// The expressions, each after those that it refers to.
    pub(crate) fn ordered(&self) -> Result<Vec<(&MathEntry, Expression)>, EntryError> {
        let mut parsed = Vec::new();
        for entry in &self.entries {
            if let Term::Expression(text) = &entry.term {
                let failed = |source| EntryError { id: entry.id.clone(), source };
                parsed.push((entry, Expression::parse(text).map_err(failed)?));
            }
        }
        let borrowed: Vec<(&str, &Expression)> =
            parsed.iter().map(|(entry, expression)| (entry.id.as_str(), expression)).collect();
        let metrics: BTreeSet<&str> = self.metrics().map(|(id, _)| id).collect();
        let order = evaluation_order(&borrowed, |id| metrics.contains(id))?;
        let mut parsed: Vec<Option<_>> = parsed.into_iter().map(Some).collect();
        Ok(order.into_iter().filter_map(|index| parsed[index].take()).collect())
    }
}

fn read_entry(
    entry: MetricDataQuery,
    own: AccountId,
    supports: &impl Fn(&str) -> bool,
) -> Result<MathEntry, DefinitionError> {
    if entry.account_id.as_ref().is_some_and(|account| *account != own.to_string()) {
        return Err(DefinitionError::Unsupported { what: "Metrics.AccountId (cross-account alarms)" });
    }
    let id = entry.id.unwrap_or_default();
    let term = match (entry.metric_stat, entry.expression) {
        (Some(stat), None) => metric(stat, supports)?.map(Term::Metric),
        (None, Some(text)) => Some(Term::Expression(text)),
        _ => None,
    };
    let Some(term) = term.filter(|_| is_id(&id)) else { return Err(MathQueryError::Entry { id }.into()) };
    Ok(MathEntry {
        id,
        label: entry.label,
        // AWS's default. Two entries that leave it out are therefore one too many.
        returned: entry.return_data.unwrap_or(true),
        period_secs: entry.period.map(|secs| period(Some(secs))).transpose()?,
        account_id: entry.account_id,
        term,
    })
}

fn is_sql(text: &str) -> bool {
    text.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("SELECT"))
}

/// What the Metrics Insights query among `entries` answers, if there is one.
fn read_insights(entries: &[MathEntry]) -> Result<Option<Insights>, DefinitionError> {
    let sql = |entry: &MathEntry| match &entry.term {
        Term::Expression(text) if is_sql(text) => Some(text.clone()),
        _ => None,
    };
    let Some(text) = entries.iter().find_map(sql) else { return Ok(None) };
    if entries.len() > 1 {
        return Err(DefinitionError::Unsupported {
            what: "a Metrics Insights query beside other entries of Metrics in an alarm",
        });
    }
    let query = Query::parse(&text).map_err(MathQueryError::from)?;
    Ok(Some(if query.group_by.is_empty() { Insights::Single } else { Insights::Grouped }))
}

/// API reference, MetricDataQuery: letters, digits and underscores after a lower-case letter.
fn is_id(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The metric of `stat`, if it names one, and a statistic that there is.
fn metric(
    stat: MetricStat,
    supports: &impl Fn(&str) -> bool,
) -> Result<Option<MetricQuery>, DefinitionError> {
    let period_secs = period(stat.period)?;
    let metric = stat.metric.unwrap_or_default();
    let statistic = Statistic::read(stat.stat.unwrap_or_default(), supports).ok();
    let (Some(namespace), Some(metric_name), Some(statistic)) =
        (metric.namespace, metric.metric_name, statistic)
    else {
        return Ok(None);
    };
    let dimensions = metric.dimensions.unwrap_or_default().into_iter().map(Dimension::from).collect();
    let unit = stat.unit.map(|unit| unit.as_str().to_owned());
    Ok(Some(MetricQuery { namespace, metric_name, dimensions, statistic, period_secs, unit }))
}

/// Everything but metrics that an alarm could read, and does not.
fn refuse_external_data(checked: &Checked<'_>) -> Result<(), DefinitionError> {
    match checked.external_data().first().map(|data| &data.request) {
        None => Ok(()),
        Some(ExternalRequest::Search { .. }) => Err(MathQueryError::Search.into()),
        Some(_) => Err(DefinitionError::Unsupported {
            what: "INSIGHT_RULE_METRIC and ANOMALY_DETECTION_BAND without ThresholdMetricId in alarms",
        }),
    }
}

fn check_counts(entries: &[MathEntry], band: Option<&str>) -> Result<(), DefinitionError> {
    let metrics = entries.iter().filter(|entry| matches!(entry.term, Term::Metric(_))).count();
    if metrics > METRICS_MAX {
        return Err(MathQueryError::TooMany { what: "metrics", limit: METRICS_MAX }.into());
    }
    if entries.len() - metrics > EXPRESSIONS_MAX {
        return Err(MathQueryError::TooMany { what: "expressions", limit: EXPRESSIONS_MAX }.into());
    }
    let mut ids = BTreeSet::new();
    if let Some(entry) = entries.iter().find(|entry| !ids.insert(&entry.id)) {
        return Err(MathQueryError::Repeated { id: entry.id.clone() }.into());
    }
    let returned: Vec<_> = entries.iter().filter(|entry| entry.returned).collect();
    let is_band =
        |entry: &&MathEntry| Some(entry.id.as_str()) == band && matches!(entry.term, Term::Expression(_));
    if band.is_some() && !returned.iter().any(is_band) {
        return Err(MathQueryError::Band.into());
    }
    let expected = 1 + usize::from(band.is_some());
    if returned.len() == expected { Ok(()) } else { Err(MathQueryError::Returned { expected }.into()) }
}

/// The one period that all entries have.
fn common_period(entries: &[MathEntry]) -> Result<u32, DefinitionError> {
    let mut periods = entries.iter().filter_map(|entry| match &entry.term {
        Term::Metric(metric) => Some(metric.period_secs),
        Term::Expression(_) => entry.period_secs,
    });
    let first = periods.next().ok_or(DefinitionError::Missing { parameter: "Period" })?;
    if periods.all(|period| period == first) { Ok(first) } else { Err(MathQueryError::Periods.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{math_expression as expression, math_metric as metric};

    #[test]
    fn no_account_but_the_alarms_own_can_be_named() {
        let read = |account: &str| {
            let entry = MetricDataQuery {
                id: Some("e".to_owned()),
                expression: Some("m * 2".to_owned()),
                account_id: Some(account.to_owned()),
                ..MetricDataQuery::default()
            };
            read_entry(entry, AccountId::DEFAULT, &|_| true).map(|entry| entry.account_id)
        };
        assert_eq!(read("000000000000"), Ok(Some("000000000000".to_owned())));
        assert!(matches!(read("111111111111"), Err(DefinitionError::Unsupported { .. })));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let check = |entries: Vec<MathEntry>, message: &str| {
            let error = MathQuery { entries, period_secs: 300, insights: None, band: None }
                .check()
                .expect_err(message);
            assert_eq!(error.to_string(), message);
        };
        check(
            vec![expression("e", "a + c", true), metric("a", false)],
            "Error in expression 'e': Undefined variable 'c' at character 5",
        );
        check(
            vec![expression("e", "METRICS()", true), metric("a", false), metric("b", false)],
            "`e` is more than one time series",
        );
        check(
            vec![expression("e", "SUM(SEARCH('{Shop} x', 'Sum', 300))", true)],
            "SEARCH is not supported in alarms",
        );
    }
}
