//! The load generator behind `groundwatch bench`, and the data that it sends.
//!
//! Owns seeded [`corpus`] data, request [`body`] encoders that are cheap to send again and again, the
//! measurement of throughput, latency and the server's use of the machine, and the [`Report`]. Does not own
//! any part of the server: it knows the public AWS API alone and runs against any endpoint that speaks it.
//!
//! The way through: [`corpus`] → [`body`] (encoded ahead, dated when sent) → `workload` (which requests, and
//! what must be there afterwards) → `load` (connections side by side, a window in which they are measured) →
//! `report`.
//!
//! Beside it `metric_day` runs a server of its own through a day, and measures what is kept and how it is
//! read; `log_corpus` does so with log events.
//!
//! What always holds: a request counts only when its whole answer said success; what was acknowledged is read
//! back and compared unless that was not wanted; nothing is encoded, signed or compressed while it is
//! measured.

mod args;
pub mod body;
mod client;
pub mod corpus;
mod error_code;
mod load;
mod log_corpus;
mod metric_day;
mod process;
mod progress;
mod protocol;
mod report;
mod run;
mod workload;

pub use args::{BenchArgs, Output, Workload};
pub use log_corpus::{Load, LogCorpus, Searches};
pub use metric_day::{Asked, MetricDay};
pub use process::{Process, Usage};
pub use protocol::Protocol;
pub use report::{Checked, Latency, Report, ServerUse};
pub use run::{measure, run};
