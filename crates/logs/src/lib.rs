//! CloudWatch Logs: groups, streams and their events.
//!
//! Owns the documents of groups, streams and metric filters, the rules of ingestion, the store of events (in
//! memory and in segments), reading in both directions, the language of filter patterns, and what is
//! forwarded or exported. Does not own how events become durable (`groundwatch-storage`), how requests travel
//! (`groundwatch-wire`), or when the flush runs (the server drives the activities [`LogFlush`] and
//! [`LogReclaim`]), where metrics go that events give rise to (a [`MetricSink`]), or how forwarded events
//! leave (a [`MessageSender`], over `groundwatch-outbound`).
//!
//! The way through, writing: [`operations`] → [`ingestion`] (which events are taken, pure) → [`store`]
//! (journal, then head, then segments). Reading: [`operations`] → [`paging`] (tokens to boundaries) →
//! [`store`] (a merge over all places that overlap the range) with a [`pattern::Matcher`] → a page.
//!
//! To bring it up: [`Logs::replay`], every journal record of logs through [`LogsReplay::record`], then
//! [`LogsReplay::finish`]; afterwards drive [`Logs::flush_activity`].
//!
//! What always holds: an acknowledged event is durable, and every reader sees it exactly once from then on,
//! in an order ([`EventKey`]) that never changes. A deleted group's events are out of sight at once and
//! forever, also when a group of the same name is created again.

mod anomaly;
mod audit;
mod directory;
mod discovered_fields;
mod embedded_metrics;
mod entity;
mod error;
mod export;
mod fault;
mod forwarding;
mod group;
mod history;
mod identifier;
mod index_policy;
mod ingestion;
mod live_tail;
mod logs;
mod lookup_table;
mod metric_filter;
mod metric_sink;
mod operations;
mod own_metrics;
mod paging;
pub mod pattern;
mod policy;
mod protection;
mod query_definition;
mod recency;
mod shelf;
mod store;
mod stream;
mod transformer;
mod treatment;
mod vended;
mod view;

pub use anomaly::{AnomalyError, LogAnomalyWatch};
pub use error::{Combination, LogsError};
pub use export::{ExportError, LogExport};
pub use forwarding::{Destined, ForwardingError, LocalServices, LogForwarding, MessageSender};
pub use groundwatch_log_files::{EventKey, KeyRange};
pub(crate) use groundwatch_log_files::{event_key, incarnation};
pub use index_policy::IndexPolicyError;
pub use logs::{Logs, LogsReplay};
pub use lookup_table::LookupTableError;
pub use metric_filter::FilterError;
pub use metric_sink::{AdmittedMetrics, MetricDatum, MetricSink, SinkError};
pub use policy::{PolicyDocumentError, PolicyError};
pub use protection::ProtectionError;
pub use query_definition::QueryDefinitionError;
pub use store::{LogCompaction, LogFlush, LogReclaim, StoreError, StoreOptions};
pub use transformer::TransformerError;
pub use vended::VendedError;
