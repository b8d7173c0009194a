//! Alarms: decides which state each alarm is in, and when that changes.
//!
//! Owns the definitions, their evaluation, the state machine, the history, and the durable list of what a
//! change of state sends. Does not own reading metrics (asks a [`MetricReader`]), the language of metric math
//! (`groundwatch-metric-math`), delivery to subscribers (hands a notification to a [`Notifier`], an event to
//! an [`EventSink`]), or waking up in time (`server` drives the [`Alarms::activities`]).
//!
//! The way through: [`definition`] (what PutMetricAlarm and PutCompositeAlarm may say) → [`cadence`] (when it
//! is looked at) → [`window`] (which datapoints) → [`verdict`] (datapoints to state, pure) → [`reason`] (why,
//! in AWS's words) → [`transition`] (state to effects, pure) → [`history`], [`message`] and [`event`] (what
//! the effects say). [`math`] makes one series of several, `band` holds a series against what is usual;
//! composite alarms come to [`transition`] from [`rule`] (the language) and [`composite`] (children and
//! suppressors); [`mute`] rules withhold what it would send. `evaluator` (datapoints: `schedule` says when,
//! `decider` what), `follower` (all other causes) and `outbox` (what is sent) are the loops around that,
//! `store` writes, `operations` is the API.
//!
//! [`why`] explains the last evaluations, and [`backtest`] tries a definition on history; both decide nothing
//! by themselves.
//!
//! What always holds: a verdict depends on its arguments alone; a state, the history item that explains it
//! and what it sends are written in one transaction; an alarm that stays in its state writes nothing; two
//! runs over the same data and the same clock leave the same history.

mod action_target;
pub mod alarm;
mod alarm_shape;
mod alarms;
pub mod backtest;
mod band;
pub mod cadence;
mod complaints;
pub mod composite;
pub mod condition;
pub mod contributors;
mod decider;
pub mod definition;
mod delivery;
mod due_queue;
mod error;
pub mod evaluation;
mod evaluations;
mod evaluator;
pub mod event;
mod fault;
mod follower;
pub mod forecast;
pub mod history;
mod isolation;
mod java_double;
mod lookout;
pub mod math;
pub mod message;
mod metric_json;
pub mod mute;
mod operations;
pub mod order;
mod outbox;
pub mod reader;
mod reading;
pub mod reason;
mod regions;
mod retention;
pub mod rule;
mod schedule;
#[cfg(test)]
mod simulation;
pub mod source;
mod store;
mod tags;
#[cfg(test)]
mod testing;
pub mod transition;
pub mod verdict;
pub mod wall_clock;
pub mod warm_up;
pub mod why;
pub mod window;

pub use action_target::{ActionKind, ActionTarget, ActionTargetError};
pub use alarms::{Alarms, Neighbours};
pub use cadence::Timing;
pub use delivery::{Delivery, Notifier, NotifyError, Payload};
pub use event::{AlarmEvent, EventSink, EventSinkError};
pub use lookout::Wake;
pub use math::{MathEntry, MathQuery, Term};
pub use reader::{
    Band, Dimension, FilledPeriod, MetricQuery, MetricReader, Outlook, Point, QuerySeries, ReadError,
    Statistic, WatchedMetric,
};
pub use tags::{AlarmTags, AlarmTagsError};
