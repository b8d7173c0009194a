//! The service as its callers see it: operations, the clock, restarts.

mod dead_letters;
mod durability;
mod fifo;
mod kit;
mod metrics;
mod polling;
