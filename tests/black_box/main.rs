//! Black-box tests: the real binary on a free port, driven by the unmodified AWS SDK for Rust (which speaks
//! CBOR to CloudWatch), by raw requests of the query and JSON protocols, and by other people's clients where
//! they are installed.

mod alarm_actions;
mod alarm_contributors;
mod alarm_hindsight;
mod alarms;
mod anomaly_alarms;
mod anomaly_detection;
mod clients;
mod clock;
mod compatibility;
mod composite_alarms;
mod crash;
mod dashboards;
mod end_to_end;
mod explanations;
mod harness;
mod hostile_texts;
mod insight_rules;
mod limits;
mod live_tail;
mod log_anomalies;
mod log_configuration;
mod log_files;
mod log_forwarding;
mod log_processing;
mod log_receivers;
mod log_settings;
mod logs;
mod metric_queries;
mod metric_streams;
mod metrics;
mod notifications;
mod queues;
mod raw_requests;
mod restart;
mod sns;
mod tls;
