//! The operations of SNS, one file an operation.

mod confirm_subscription;
mod create_topic;
mod list_topics;
mod publish;
mod subscribe;
mod unsubscribe;
