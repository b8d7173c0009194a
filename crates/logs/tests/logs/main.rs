//! CloudWatch Logs through its typed operations, on a real data directory.

mod account_policies;
mod damage;
mod exporting;
mod filtering;
mod forwarding;
mod full_disk;
mod group_fields;
mod groups;
mod ingestion;
mod journal;
mod merging;
mod metric_filters;
mod model;
mod patterns;
mod reading;
mod settings;
mod streams;
mod support;
