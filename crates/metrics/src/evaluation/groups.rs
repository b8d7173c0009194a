//! A Metrics Insights query as an alarm asks it: the series of each group, told apart by the labels that it
//! is grouped by.

use groundwatch_core::Scope;
use groundwatch_metric_selection::insights::{Label, Query};

use super::insights::Selection;
use super::{EvaluationRange, QueryProblem};
use crate::{MetricError, MetricStore, Period, Second};

/// One result of a Metrics Insights query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryGroup {
    /// The labels of `GROUP BY` with their values, in its order; none without it.
    pub labels: Vec<(String, String)>,
    /// Ascending, by the beginning of the period.
    pub points: Vec<(Second, f64)>,
}

/// Why a query was not answered.
#[derive(Debug, thiserror::Error)]
pub enum GroupsError {
    /// It is wrong, or asks for what is not supported.
    #[error(transparent)]
    Query(#[from] QueryProblem),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] MetricError),
}

/// The labels that a Metrics Insights query groups by; none if it is one series. Its problem if it is wrong.
pub fn grouping(query: &str) -> Result<Vec<String>, QueryProblem> {
    let query = Query::parse(query).map_err(QueryProblem::from)?;
    Ok(query.group_by.iter().map(|label| name(&label.node)).collect())
}

fn name(label: &Label) -> String {
    match label {
        Label::Dimension(name) => name.clone(),
        Label::AccountId => "AWS.AccountId".to_owned(),
        Label::Tag(key) => format!("tag.{key}"),
    }
}

impl MetricStore {
    /// What `query` selects in `range`, group by group, as far as there are data.
    pub async fn query_groups(
        &self,
        scope: &Scope,
        query: &str,
        period: Period,
        range: &EvaluationRange,
    ) -> Result<Vec<QueryGroup>, GroupsError> {
        let labels = grouping(query)?;
        let query = Query::parse(query).map_err(QueryProblem::from)?;
        let selection = Selection::new(self, scope, &query, period, range)?;
        let groups = selection.aggregate(self).await?;
        let group = |group: groundwatch_metric_selection::insights::GroupSeries| QueryGroup {
            labels: labels.iter().cloned().zip(group.key.shown().map(str::to_owned)).collect(),
            points: group
                .points
                .iter()
                .filter_map(|(start, value)| Some((Second(u32::try_from(*start).ok()?), *value)))
                .collect(),
        };
        Ok(groups.into_iter().map(group).filter(|group| !group.points.is_empty()).collect())
    }
}
