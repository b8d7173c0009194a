//! Contributor Insights: rules that say who contributes to log groups, and reports of who contributes most.
//!
//! Owns the [rules](Rules) with their [definitions](definition), and [reports](report). Does not own log
//! events (asks a [`LogReader`]), the API of tagging (each rule keeps its tags), or metric math, which asks
//! [`Rules::metric`] for what INSIGHT_RULE_METRIC stands for.
//!
//! The way through: `PutInsightRule` → [`definition`] (text to a typed definition, pure) → stored as it came.
//! `GetInsightRuleReport` → [`counting`] → [`LogReader`], page by page → [`occurrence`] (an event to its
//! contributor, pure) → [`report`] (occurrences to ranks and datapoints, pure).
//!
//! What always holds: a report is counted from the log events themselves when it is asked for, so it is exact
//! and also knows what was logged before the rule was; events and contributors of a report are bounded, and
//! beyond that it is refused rather than guessed.

mod counting;
mod definition;
mod error;
mod fault;
mod filter;
mod occurrence;
mod operations;
mod reader;
mod report;
mod rule;

pub use error::InsightError;
pub use reader::{LogPage, LogReadError, LogReader};
pub use report::RuleMetric;
pub use rule::Rules;
