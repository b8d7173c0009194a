//! Statistics: what a period's samples amount to. Pure functions; nothing here knows of storage or of AWS's
//! shapes.
//!
//! [`syntax`](Statistic) reads the text of a statistic, [`Summary`] answers the five simple ones from all
//! samples, and [`Distribution`] answers percentiles and trimmed statistics from the single values.

mod distribution;
mod period;
mod summary;
mod syntax;

pub use distribution::Distribution;
pub use period::PeriodSamples;
pub use summary::Summary;
pub use syntax::{Bounds, InvalidStatistic, Measure, Statistic};
