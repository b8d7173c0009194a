//! The operations of the API, a file each: input to domain type, the one thing, answer.

mod delete_alarms;
mod describe_alarm_history;
mod describe_alarms;
mod put_metric_alarm;
mod set_alarm_state;
