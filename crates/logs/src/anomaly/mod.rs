//! Log anomaly detectors: messages of kinds that were never seen, and kinds that come more often than they
//! used to.
//!
//! A detector learns the patterns of one group's messages from the two weeks before it was made and from its
//! first quarter of an hour ([`TRAINING`]). From then on it looks at each window of its evaluation frequency
//! once the window is over: a pattern that is new, or far more frequent than in the windows before, is an
//! [`Anomaly`]. All that a detector knows is in its document, written after each window that had events; an
//! evaluation that is cut off is done again.
//!
//! [`detector`] holds the document, [`evaluation`] decides (pure), [`watch`] reads events and writes what was
//! decided.

mod detector;
mod evaluation;
mod finding;
mod watch;

pub(crate) use detector::{Detectors, LogAnomalyDetector};
pub(crate) use finding::{Anomaly, Silence};
pub use watch::LogAnomalyWatch;

use std::time::Duration;

/// How long a detector learns after it was made. Source: CloudWatch Logs user guide, "Log anomaly detection".
pub(crate) const TRAINING: Duration = Duration::from_secs(15 * 60);
/// How far back it learns. Source: as above.
pub(crate) const HISTORY: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Why something about a detector is refused, or is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnomalyError {
    /// There is no detector of that ARN.
    #[error("anomaly detector does not exist")]
    DetectorMissing,
    /// There is no such anomaly or pattern.
    #[error("anomaly or pattern does not exist")]
    AnomalyMissing,
    /// Not exactly one group.
    #[error("a detector watches exactly one group")]
    OneGroup,
    /// The group has a detector.
    #[error("the group has a detector already")]
    Taken,
    /// Neither an anomaly nor a pattern, or both.
    #[error("either an anomaly or a pattern is named")]
    AnomalyOrPattern,
    /// A limited suppression without a period, or with one that is no time.
    #[error("a limited suppression has a period")]
    Period,
}
