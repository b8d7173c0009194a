//! What a widget needs of metrics, in its own words.

use groundwatch_core::{BoxFuture, Call, Timestamp};

/// Answers what a widget's rows ask for.
pub trait WidgetDataSource: Send + Sync + 'static {
    /// Reads `queries` over `from` (inclusive) to `to` (exclusive), all at once, as expressions refer to
    /// other queries. The answer has the series of the queries that are [`shown`](WidgetQuery::is_shown), in
    /// their order; an expression may yield several.
    fn read<'a>(
        &'a self,
        call: &'a Call,
        queries: &'a [WidgetQuery],
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<WidgetSeries>, WidgetDataError>>;
}

/// One row of a widget, as a question.
#[derive(Clone, Debug, PartialEq)]
pub struct WidgetQuery {
    /// Unique in its widget.
    pub id: String,
    /// What is asked for.
    pub source: QuerySource,
    /// Seconds between two points.
    pub period_secs: u32,
    /// The label, where the row has one. It may hold dynamic parts.
    pub label: Option<String>,
    /// Whether its series is drawn, or only feeds expressions.
    pub is_shown: bool,
}

/// What a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuerySource {
    /// A statistic of one metric.
    Metric {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Names and values.
        dimensions: Vec<(String, String)>,
        /// The statistic.
        stat: String,
    },
    /// Metric math, SEARCH or a Metrics Insights query.
    Expression(String),
}

/// A series that a query yielded.
#[derive(Clone, Debug, PartialEq)]
pub struct WidgetSeries {
    /// The [id](WidgetQuery::id) of its query.
    pub id: String,
    /// What the legend calls it.
    pub label: String,
    /// Its points, ascending by time.
    pub points: Vec<(Timestamp, f64)>,
}

/// Why there are no data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WidgetDataError {
    /// The queries are refused, in the words of those who refuse them.
    #[error("{0}")]
    Refused(String),
    /// They cannot be read now.
    #[error("{0}")]
    Unavailable(String),
}
