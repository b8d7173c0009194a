//! Queues: SQS, from sending a message to its deletion or its way into a dead-letter queue.
//!
//! Owns queues with their attributes, the messages in them with visibility, order and deduplication, long
//! polling, dead-letter queues and the tasks that move messages back, and what queues say about themselves
//! (their [meters](Sqs::meters)). Does not own how requests arrive (`groundwatch-wire`), who may do what
//! (policies are stored and returned, not evaluated), or waking up in time (the server drives the
//! [activities](Sqs::activities)).
//!
//! The way through: an operation (`operations/`) → `directory` (which queue) → `backlog` (what happens to its
//! messages, pure, takes the present moment) → `record` (what of that is written) → `store` (journal, then
//! memory) → the answer.
//!
//! What always holds:
//! - What was answered is durable: a sent message, a deletion, a receipt with its visibility timeout, a
//!   receive count.
//! - A message is in exactly one queue. Its move to another is one record of the journal.
//! - In a FIFO queue, a message is received only when every earlier one of its group is gone or comes with
//!   it.
//! - Nothing waits in a loop: a long poll is woken by a message, or by the clock at the moment at which one
//!   appears.
//! - Messages are held in memory, all together within a budget; over it, sending is throttled. From time to
//!   time a checkpoint writes them into segments and releases the journal: a message costs about 400 bytes
//!   besides its own.
//!
//! What differs from AWS: a queue's name can be used again at once after its deletion; purging is immediate;
//! `SqsManagedSseEnabled` is stored and returned, and encryption at rest is the disk's business; KMS keys
//! are stored and returned, and encrypt nothing.

mod attributes;
mod backlog;
mod batch;
mod checkpoint;
mod deduplication;
mod digest;
mod directory;
mod draft;
mod error;
mod fault;
mod message;
mod meter;
mod move_task;
mod mover;
mod operations;
mod order;
mod permission;
mod queue;
mod receipt;
mod record;
mod redrive;
mod service;
mod store;
mod waiting;

pub use error::{Invalid, SqsError};
pub use message::{AttributeValue, MessageAttribute};
pub use service::{Delivery, Sqs, SqsOptions};
