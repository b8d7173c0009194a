//! Reading: which periods a range of time has, and what statistics say about each.
//!
//! [`Period`] knows which periods there are and how AWS rounds a range by its age; [`Window`] is the rounded
//! range; [`periods`] divides samples among its periods. All pure: [`crate::MetricStore`] fetches the
//! samples.

mod period;
mod retention;
mod window;

pub use period::{Period, round_start};
pub use retention::{Ages, InvalidRetention, Retention};
pub use window::{Window, periods};
