//! Anomaly detection: what a metric is expected to be, learnt from up to two weeks of its past.
//!
//! Owns the [`Model`]: training, and the band around what it expects. Does not own reading metrics, the
//! detectors that users define, when models are trained, or ANOMALY_DETECTION_BAND: all of that is
//! `groundwatch-metrics`.
//!
//! The way through: [`Model::train`] → `slots` (points onto a grid of local time, excluded ranges left out) →
//! `weekly` (what the hours of both weeks have in common) → `cycle` (trend and a daily, else an hourly cycle:
//! robust STL, by the `stlrs` library) → `spread` (how far points usually are from that, by the hour of the
//! day) → `foresight` (and how far those that were not learnt from) → [`Model::band`].
//!
//! What always holds: the same points give the same model; bounds are finite, and the lower is not above the
//! upper; no input panics; time and memory are bounded, as points beyond two weeks are not looked at.

mod configuration;
mod cycle;
mod foresight;
mod model;
mod slots;
mod spread;
mod weekly;

pub use configuration::{AdaptationSpeed, Configuration, OutlierFiltering, UnknownTimeZone, time_zone};
pub use model::{Band, Maturity, Model, TRAINING_SECS};
pub use slots::Observation;
