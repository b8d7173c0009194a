//! Metrics: takes data, keeps them, and answers statistics over them.
//!
//! Owns the identity of series, the [store](MetricStore) (journal records, head, blocks), [statistics], the
//! rounding of ranges and periods ([query]), the evaluation of queries that refer to each other
//! ([`MetricStore::evaluate`]), and the operations PutMetricData, ListMetrics, GetMetricStatistics and
//! GetMetricData ([`Metrics`]). Does not own durability (`groundwatch-storage`), the languages of expressions
//! (`groundwatch-metric-math`, `groundwatch-metric-selection`), alarms (they read points through
//! [`MetricStore::read_points`]), Contributor Insights (asked through [`InsightRules`]), or the wire.
//!
//! The way through, in: an operation validates a request whole → [`RecordWriter`] → [`MetricStore::append`]
//! (journal, then head) → acknowledged → some time later [`MetricFlush`] writes blocks, and
//! [`MetricCompaction`] merges and ages them. Out: an operation makes a [`query::Window`] →
//! [`MetricStore::read_window`] gathers samples from all tiers → [`statistics`] per period.
//!
//! What always holds:
//! - What is acknowledged is durable, and the next read sees it.
//! - A statistic depends on the samples alone: not on their order of arrival, nor on whether they were
//!   flushed.
//! - Data of different units never meet in one statistic, and no value is converted.
//! - Single values are kept as they came, so percentiles are exact; statistic sets are kept beside them. Only
//!   where a [`Retention`] other than `Forever` no longer offers the fine periods, and an hour, five minutes
//!   or a minute has more than 128 distinct values, percentiles of that time are exact to 1 %; everything
//!   else stays exact.

mod anomaly;
mod block;
mod codec;
mod error;
mod evaluation;
mod fault;
mod insight_rules;
mod operations;
pub mod query;
mod record;
mod sample;
mod second;
mod series_key;
pub mod statistics;
mod store;
mod unit;

pub use codec::Damaged;
pub use error::MetricError;
pub use evaluation::{
    Alignment, DataQuery, DataSource, Evaluated, EvaluatedSeries, EvaluationError, EvaluationRange,
    GroupsError, LabelProblem, MetricStat, QueryGroup, QueryProblem, UtcOffset, grouping,
};
pub use insight_rules::{InsightRuleError, InsightRules, RuleMetricQuery};
pub use operations::Metrics;
pub use query::{Ages, InvalidRetention, Period, Retention};
pub use record::{Datum, Points, RecordReader, RecordWriter};
pub use sample::{Observation, Samples, SetSample, StatisticSet};
pub use second::Second;
pub use series_key::MetricId;
pub use statistics::Statistic;
pub use store::{
    Admitted, FilledPeriod, ListFilter, ListPage, MetricCompaction, MetricFlush, MetricOptions, MetricStore,
    MetricWatch, Outlook, Point,
};
pub use unit::Unit;
