//! SNS as its callers and subscribers see it, under a clock that the tests move.

mod chat;
mod delivery;
mod fifo;
mod filtering;
mod handshake;
mod harness;
mod management;
mod metrics;
mod protocols;
mod signatures;
mod topics;
mod web;
