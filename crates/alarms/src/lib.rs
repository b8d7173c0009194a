//! Alarms: decides which state each alarm is in, and when that changes.
//!
//! Owns the definitions, their evaluation, the state machine, the history, and the durable list of what a
//! change of state sends. Does not own reading metrics (asks a [`MetricReader`]), the language of metric math
//! (`groundwatch-metric-math`), delivery to subscribers (hands a notification to a [`Notifier`], an event to
//! an [`EventSink`]), or waking up in time (`server` drives the [`Alarms::activities`]).
//!
//! The way through: `definition` (what PutMetricAlarm and PutCompositeAlarm may say) → `evaluation` (when a metric
//! alarm is looked at, which datapoints count, and the state they make) or `composite` (a rule over other
//! alarms, and suppressors) → `effects` (what a change of state writes and sends), unless a `mute` rule
//! withholds that. `follower` takes alarms on for all other causes than datapoints, `store` writes, `operations`
//! is the API, and `explain` tells why, and what if.
//!
//! What always holds: a verdict depends on its arguments alone; a state, the history item that explains it
//! and what it sends are written in one transaction; an alarm that stays in its state writes nothing; two
//! runs over the same data and the same clock leave the same history.

mod alarm;
mod composite;
mod definition;
mod due_queue;
mod effects;
mod error;
mod evaluation;
mod explain;
mod fault;
mod follower;
mod isolation;
mod mute;
mod operations;
mod reader;
mod regions;
mod retention;
mod service;
#[cfg(test)]
mod simulation;
mod store;
mod tags;
#[cfg(test)]
mod testing;

pub use definition::math_query::{MathEntry, MathQuery, Term};
pub use effects::action_target::{ActionKind, ActionTarget, ActionTargetError};
pub use effects::delivery::{Delivery, Notification, Notifier, NotifyError, Payload};
pub use effects::event::{AlarmEvent, EventSink, EventSinkError, SOURCE as EVENT_SOURCE};
pub use evaluation::cadence::Timing;
pub use evaluation::sample_watch::Waker;
pub use explain::backtest::{BacktestError, Subject};
pub use reader::{
    Band, Dimension, FilledPeriod, KnownPeriods, MetricQuery, MetricReader, Point, QuerySeries, ReadError,
    Statistic, WatchedMetric,
};
pub use service::{Alarms, Dependencies};
pub use tags::{AlarmTags, AlarmTagsError};
