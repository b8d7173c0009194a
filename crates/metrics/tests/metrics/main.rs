//! Metrics from request to answer: the API operations on a store in a directory of its own.

mod durability;
mod golden_periods;
mod golden_statistics;
mod kit;
mod list;
mod order;
mod put;
mod read;
