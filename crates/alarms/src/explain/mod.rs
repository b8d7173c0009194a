//! Extensions of Groundwatch's: `why` an alarm is in its state, from its `recent_evaluations`, and what it would
//! have done, from stored history (`backtest`). Neither decides anything by itself.

pub(crate) mod backtest;
pub(crate) mod recent_evaluations;
pub(crate) mod why;
