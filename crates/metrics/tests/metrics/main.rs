//! Metrics from request to answer: the API operations on a store in a directory of its own.

#![expect(clippy::needless_pass_by_value, reason = "requests are written where they are passed")]

mod anomaly;
mod compaction;
mod durability;
mod evaluate;
mod explain;
mod golden_data;
mod golden_periods;
mod golden_statistics;
mod kit;
mod list;
mod order;
mod put;
mod read;
mod watch;
