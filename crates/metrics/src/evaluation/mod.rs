//! Evaluation: what a set of queries that may refer to each other is worth. GetMetricData, metric math alarms
//! and widgets all ask here, each in its own shapes.
//!
//! The way through: [`plan`] (parse all, put in order, check types, validate searches: whatever can be
//! refused is refused before anything is read) → [`inputs`] (metrics, [`search`] and [`insights`], read
//! concurrently by [`reading`]; [`band`], [`insight_rule`]) → [`compute`] (metric math, in order) →
//! [`labels`] and [`template`] (what each result is called).
//!
//! A series that cannot be read makes its own result [unreadable](EvaluatedSeries::is_unreadable), and those
//! that are computed from it; the others stay readable.

mod band;
mod compute;
mod error;
mod explain;
mod groups;
mod inputs;
mod insight_rule;
mod insights;
mod labels;
mod plan;
mod query;
mod reading;
mod search;
mod template;

use groundwatch_core::Scope;

pub use self::error::{EvaluationError, QueryProblem};
pub(crate) use self::explain::Explanation;
pub use self::groups::{GroupsError, QueryGroup, grouping};
pub(crate) use self::plan::{Plan, ReturnedMetric};
pub use self::query::{Alignment, DataQuery, DataSource, EvaluationRange, MetricStat};
pub use self::template::{LabelProblem, UtcOffset};

use crate::{MetricStore, Period, Second, Unit};

/// The results of queries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluated {
    /// In the order of the queries that return data; a query may have several, or none.
    pub series: Vec<EvaluatedSeries>,
    /// Whether a search or a Metrics Insights query matched more metrics than are read.
    pub is_truncated: bool,
}

/// One series that a query is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluatedSeries {
    /// The id of its query.
    pub id: String,
    /// What a legend calls it.
    pub label: String,
    /// The distance of its points where none is missing.
    pub period: Option<Period>,
    /// Ascending, by the beginning of the period.
    pub points: Vec<(Second, f64)>,
    /// All units that had data, if these are several and none was asked for: the points are of the first.
    pub mixed_units: Vec<Unit>,
    /// Whether the range reaches further back than Metrics Insights reads.
    pub is_cut: bool,
    /// Whether stored data that it needs are damaged or cannot be read now. It then has no points.
    pub is_unreadable: bool,
}

impl MetricStore {
    /// What `queries` are worth over `range`: metrics, metric math, SEARCH, anomaly bands and Metrics
    /// Insights.
    ///
    /// An error names the query that is wrong; nothing has been read then, but for what only data can show,
    /// such as too many points. Futures may be dropped at any time.
    pub async fn evaluate(
        &self,
        scope: &Scope,
        queries: Vec<DataQuery>,
        range: &EvaluationRange,
    ) -> Result<Evaluated, EvaluationError> {
        self.run(scope, Plan::new(queries)?, range).await
    }

    /// Runs a plan.
    pub(crate) async fn run(
        &self,
        scope: &Scope,
        plan: Plan,
        range: &EvaluationRange,
    ) -> Result<Evaluated, EvaluationError> {
        let inputs = self.inputs(scope, &plan, range).await?;
        if !plan.has_math() {
            return compute::results(&plan, inputs, range);
        }
        // Math may take as long as a second of processor time: it must not hold up other requests.
        let range = *range;
        let computing = tokio::task::spawn_blocking(move || compute::results(&plan, inputs, &range));
        match computing.await {
            Ok(results) => results,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(EvaluationError::Stopped),
        }
    }
}
