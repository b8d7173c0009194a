//! The operations of SNS, a file an operation or a family of them.

mod confirm_subscription;
mod create_topic;
mod delete_topic;
mod list_subscriptions;
mod list_topics;
mod permissions;
mod publish;
mod publish_batch;
mod subscribe;
mod subscription_attributes;
mod tags;
mod topic_attributes;
mod unsubscribe;
