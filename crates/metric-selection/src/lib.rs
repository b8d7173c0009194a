//! Metric selection: the two languages that choose many series at once.
//!
//! [`search`] is what stands inside `SEARCH('…')`: a schema and terms that are looked for in names and
//! dimensions. [`insights`] is Metrics Insights: one `SELECT` that aggregates all series of one metric, as a
//! whole or by group.
//!
//! Owns both grammars, the index that finds series by token, the plan of a `SELECT` and its arithmetic. Does
//! not own series or samples: a store keeps a [`search::TokenIndex`] beside its own index, and offers its
//! series as a [`MetricCatalog`]. Does not know time: which series are active, and what period a bucket has,
//! is the store's.
//!
//! The way through `SEARCH`: [`search::Query::parse`] → [`search::TokenIndex::search`]. The way through
//! `SELECT`: [`insights::Query::parse`] → [`insights::Plan::new`] → [`insights::Plan::select`] (which series,
//! in which groups) → [`insights::Plan::aggregate`] (their buckets to one result a group, ordered and
//! limited).
//!
//! What always holds: parsing takes any text, never panics, and is bounded in length and depth; a parsed
//! query prints itself, and what it prints parses to the same; an error names what was found, what was
//! expected, and where; nothing that AWS would understand otherwise is accepted in silence.

mod catalog;
pub mod insights;
mod metric;
pub mod search;

pub use catalog::{Candidates, MetricCatalog, SystemLabel};
pub use metric::Metric;
