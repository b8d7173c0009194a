//! Plugs services together: each declares what it needs in words of its own, and here the real thing is put in.

pub(crate) mod alarm_metrics;
pub(crate) mod alarm_notifier;
pub(crate) mod event_bus;
pub(crate) mod log_metrics;
pub(crate) mod log_receivers;
pub(crate) mod own_metrics;
pub(crate) mod rule_logs;
pub(crate) mod rule_metrics;
pub(crate) mod sns_queues;
pub(crate) mod streamed_metrics;
pub(crate) mod tagged_resources;
pub(crate) mod widget_metrics;
