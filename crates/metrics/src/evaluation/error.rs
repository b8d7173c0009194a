//! Why queries are refused.

use groundwatch_metric_math::{MathError, Problem};
use groundwatch_metric_selection::{insights::InsightsError, search::SearchError};

use super::LabelProblem;

/// Why queries were not evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// An expression is wrong, or beyond what is supported. AWS's wording.
    #[error("Error in expression '{id}': {problem}")]
    Expression {
        /// The id of its query.
        id: String,
        /// What is the matter.
        problem: QueryProblem,
    },
    /// A label is wrong.
    #[error("Error in label of '{id}': {problem}")]
    Label {
        /// The id of its query.
        id: String,
        /// What is the matter.
        problem: LabelProblem,
    },
    /// The queries could read more points than one evaluation may.
    #[error(
        "the queries ask for up to {requested} datapoints, which exceeds the limit of {points_max} where expressions are \
         involved: use a longer period, a shorter range or fewer metrics"
    )]
    TooManyPoints {
        /// The points that could exist.
        requested: u64,
        /// The limit.
        points_max: u64,
    },
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Stopped,
}

/// What is the matter with an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryProblem {
    /// It is wrong as metric math.
    #[error(transparent)]
    Math(#[from] MathError),
    /// The text of a SEARCH is wrong.
    #[error("SEARCH: {0}")]
    Search(#[from] SearchError),
    /// A Metrics Insights query is wrong.
    #[error(transparent)]
    Insights(#[from] InsightsError),
    /// A SEARCH names something that is no statistic.
    #[error("SEARCH: '{0}' is not a valid statistic")]
    Statistic(String),
    /// Neither the SEARCH nor its query has a period.
    #[error("SEARCH needs a period: as its third argument, or as the Period of the query")]
    SearchPeriod,
    /// A Metrics Insights query without a period.
    #[error("a Metrics Insights query needs the Period of the query")]
    InsightsPeriod,
    /// An INSIGHT_RULE_METRIC without a period.
    #[error("INSIGHT_RULE_METRIC needs the Period of the query, a multiple of 60")]
    InsightRulePeriod,
    /// A rule does not exist, or what is asked of it is too much.
    #[error("INSIGHT_RULE_METRIC: {0}")]
    InsightRule(String),
    /// There is nothing that knows rules.
    #[error("INSIGHT_RULE_METRIC: there are no Contributor Insights rules here")]
    NoInsightRules,
    /// More rules than a request may ask.
    #[error("a request can have at most {0} INSIGHT_RULE_METRIC functions")]
    TooManyInsightRules(usize),
    /// More than one Metrics Insights query.
    #[error("a request can have one Metrics Insights query only, and '{0}' is one already")]
    SecondInsights(String),
    /// More searches than a request may have.
    #[error("a request can have at most {0} SEARCH functions")]
    TooManySearches(usize),
    /// More bands than a request may have.
    #[error("a request can have at most {0} ANOMALY_DETECTION_BAND functions")]
    TooManyBands(usize),
}

impl EvaluationError {
    /// An error in the expression of `id`.
    pub(super) fn expression(id: &str, problem: impl Into<QueryProblem>) -> Self {
        Self::Expression { id: id.to_owned(), problem: problem.into() }
    }

    /// An error of all of an expression.
    pub(super) fn whole_expression(id: &str, text: &str, problem: Problem) -> Self {
        Self::expression(id, math_error(problem, text, 0..text.len()))
    }

    /// Whether the request is at fault, rather than this server.
    pub fn is_refusal(&self) -> bool {
        *self != Self::Stopped
    }
}

/// A problem of metric math about the bytes `span` of `text`.
pub(super) fn math_error(problem: Problem, text: &str, span: std::ops::Range<usize>) -> MathError {
    let position = text.get(..span.start).map_or(0, |before| before.chars().count()) + 1;
    MathError { problem, span, position }
}
