//! The queries of a request, typed; or a complaint about each that is wrong.

use std::collections::HashSet;

use groundwatch_api::Fault;
use groundwatch_api::cloudwatch::MetricDataQuery;
use groundwatch_core::Scope;

use super::super::shapes;
use crate::evaluation::{DataQuery, DataSource, MetricStat};
use crate::{Period, fault};

/// Queries in one request.
const QUERIES_MAX: usize = 500;

/// The queries. All complaints about all queries are told at once.
pub(in crate::operations) fn parse(
    queries: Vec<MetricDataQuery>,
    scope: &Scope,
) -> Result<Vec<DataQuery>, Fault> {
    if queries.is_empty() {
        return Err(fault::validation("The parameter MetricDataQueries is required."));
    }
    if queries.len() > QUERIES_MAX {
        let rule =
            format!("The collection MetricDataQueries must not have a size greater than {QUERIES_MAX}.");
        return Err(fault::validation(rule));
    }
    let mut complaints = Vec::new();
    let mut ids = HashSet::new();
    let mut parsed = Vec::with_capacity(queries.len());
    for (index, query) in queries.into_iter().enumerate() {
        let at = format!("MetricDataQueries.member.{}", index + 1);
        let id = query.id.clone().expect("validated: required");
        if !is_id(&id) {
            complaints.push(format!(
                "The value {id} for parameter {at}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
            ));
        }
        if !ids.insert(id) {
            complaints.push("The values for parameter id in MetricDataQueries are not unique.".to_owned());
        }
        match parse_query(query, &at, scope) {
            Err(complaint) => complaints.push(complaint),
            Ok(query) => parsed.push(query),
        }
    }
    if !complaints.is_empty() {
        return Err(fault::queries_invalid(&complaints));
    }
    Ok(parsed)
}

fn parse_query(query: MetricDataQuery, at: &str, scope: &Scope) -> Result<DataQuery, String> {
    if query.account_id.as_ref().is_some_and(|account| *account != scope.account.to_string()) {
        return Err(format!("Metrics of other accounts are not supported: {at}.AccountId."));
    }
    let source = match (query.metric_stat, query.expression) {
        (Some(_), Some(_)) => {
            return Err(format!(
                "The parameters {at}.Expression and {at}.MetricStat are mutually exclusive and you have specified both."
            ));
        }
        (None, None) => return Err(format!("The parameter {at}.MetricStat is required.")),
        (None, Some(text)) => {
            let period = query.period.map(|secs| period(secs, &format!("{at}.Period"))).transpose()?;
            DataSource::Expression { text, period }
        }
        (Some(metric_stat), None) => {
            DataSource::Metric(parse_metric_stat(metric_stat, &format!("{at}.MetricStat"))?)
        }
    };
    Ok(DataQuery {
        id: query.id.unwrap_or_default(),
        source,
        label: query.label,
        is_returned: query.return_data != Some(false),
    })
}

fn parse_metric_stat(
    metric_stat: groundwatch_api::cloudwatch::MetricStat,
    at: &str,
) -> Result<MetricStat, String> {
    let metric = metric_stat.metric.expect("validated: required");
    let required = |member: &str| format!("The parameter {at}.Metric.{member} is required.");
    let namespace = metric.namespace.ok_or_else(|| required("Namespace"))?;
    let name = metric.metric_name.ok_or_else(|| required("MetricName"))?;
    let statistic_text = metric_stat.stat.expect("validated: required");
    let statistic = statistic_text.parse();
    // Recorded, also that the value itself is not told.
    let statistic =
        statistic.map_err(|_| format!("The value for parameter {at}.Stat is not a valid statistic."))?;
    Ok(MetricStat {
        metric: shapes::metric_id(namespace, name, metric.dimensions),
        statistic,
        statistic_text,
        period: period(metric_stat.period.expect("validated: required"), &format!("{at}.Period"))?,
        unit: metric_stat.unit.as_ref().and_then(shapes::unit),
    })
}

fn period(secs: i32, at: &str) -> Result<Period, String> {
    Period::from_secs(i64::from(secs))
        .ok_or_else(|| format!("The parameter {at} must be 1, 5, 10, 20, 30 or a multiple of 60."))
}

fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
