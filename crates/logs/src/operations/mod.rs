//! One file an operation, or a family that belongs together.

mod account_policy;
mod data_protection_policy;
mod describe_log_groups;
mod describe_log_streams;
mod destination;
mod export_task;
mod filter_log_events;
mod get_log_events;
mod index_policy;
mod kms_key;
mod list_log_groups;
mod listing;
mod log_group;
mod log_stream;
mod lookup_table;
mod metric_filter;
mod page;
mod put_log_events;
mod query_definition;
mod resource_policy;
mod retention_policy;
mod start_live_tail;
mod subscription_filter;
mod tags;
mod test_metric_filter;
mod transformer;
