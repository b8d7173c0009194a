//! Metric alarms: from datapoints to a state.
//!
//! `cadence` and `schedule` say when an alarm is looked at, `window` and `wall_clock` which datapoints count,
//! `source` what they are of (`math`, `band` and `contributors` where that is not one metric), `reading` gets
//! them. `verdict` turns them into a state and `reason` says why, in AWS's words; `evaluate` is both (pure).
//! `forecast` says how long nothing can change without further samples, and `sample_watch` wakes the alarm
//! when some come. `decider` does all that for one alarm, `evaluator` is the loop around it.

pub(crate) mod band;
pub(crate) mod cadence;
pub(crate) mod condition;
pub(crate) mod contributors;
pub(crate) mod decider;
pub(crate) mod evaluate;
pub(crate) mod evaluator;
pub(crate) mod forecast;
pub(crate) mod math;
pub(crate) mod reading;
pub(crate) mod reason;
pub(crate) mod sample_watch;
pub(crate) mod schedule;
pub(crate) mod source;
pub(crate) mod verdict;
pub(crate) mod wall_clock;
pub(crate) mod warm_up;
pub(crate) mod window;
