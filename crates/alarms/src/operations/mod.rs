//! The operations of the API, a file each: input to domain type, the one thing, answer.

mod alarm_actions;
mod delete_alarms;
mod describe_alarm_contributors;
mod describe_alarm_history;
mod describe_alarms;
mod describe_alarms_for_metric;
mod mute_rules;
mod put_composite_alarm;
mod put_metric_alarm;
mod set_alarm_state;
mod shapes;
