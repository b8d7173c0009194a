//! Anomaly detectors, and the bands of ANOMALY_DETECTION_BAND.
//!
//! A [`Detector`] says how the model of a metric, or of an expression over metrics, is to be trained. Models
//! (of `groundwatch-anomaly`) are trained when a band is asked for, from the two weeks before the end of the
//! asked range, and kept in memory for as long as the hour lasts in which they were trained: [`models`]. A
//! band of what has no detector is trained as by one without configuration: AWS's alarms create theirs when
//! they miss it.

mod detector;
mod models;

pub(crate) use detector::{Detector, Target, math_key, single_key};
pub(crate) use models::{Models, Subject};
