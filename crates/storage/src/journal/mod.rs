//! The data plane's write-ahead log.

/// Whose records these are: each service that journals has one stream. 0 is the journal's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u8);

impl StreamId {
    /// Metric data.
    pub const METRICS: Self = Self(1);
    /// Log events.
    pub const LOGS: Self = Self(2);
}

/// A record's place in the order of all records. Positions strictly increase; there may be gaps.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Position(pub u64);
