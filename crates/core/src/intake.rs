//! Which times of metric data and log events are taken, seen from the moment of their arrival.
//!
//! Source: `PutMetricData` and `PutLogEvents` in the CloudWatch and CloudWatch Logs API references, which give
//! the same bounds.

use std::time::Duration;

/// Data may be this old.
pub const AGE_MAX: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// Data may be this far in the future.
pub const AHEAD_MAX: Duration = Duration::from_secs(2 * 60 * 60);
