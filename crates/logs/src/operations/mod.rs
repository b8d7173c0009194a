//! One file an operation, or a family that belongs together.

mod describe_log_groups;
mod describe_log_streams;
mod filter_log_events;
mod get_log_events;
mod kms_key;
mod list_log_groups;
mod log_group;
mod log_stream;
mod metric_filter;
mod page;
mod put_log_events;
mod retention_policy;
mod tags;
mod test_metric_filter;
