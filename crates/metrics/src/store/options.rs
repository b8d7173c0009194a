//! Budgets of the metric store.

use std::time::Duration;

use crate::Retention;

/// How much memory the store may take, and when it flushes.
#[derive(Clone, Copy, Debug)]
pub struct MetricOptions {
    /// A flush is due when recent samples take this many bytes.
    pub head_bytes_flush: usize,
    /// Over this many bytes of samples that are not flushed yet, writes are refused with throttling.
    pub head_bytes_max: usize,
    /// A flush is due when the first sample since the last flush has been there for so long.
    pub head_age_max: Duration,
    /// How many series there can be.
    pub series_max: usize,
    /// How much memory series may take, without samples: each about 300 bytes and twice its names' length.
    /// Beyond it no further series is created.
    pub series_bytes_max: usize,
    /// What was read from blocks is kept for the next read, up to so many bytes.
    pub block_cache_bytes: usize,
    /// Which periods can be read at which age.
    pub retention: Retention,
}

impl Default for MetricOptions {
    fn default() -> Self {
        Self {
            head_bytes_flush: 192 << 20,
            head_bytes_max: 512 << 20,
            head_age_max: Duration::from_secs(2 * 60 * 60),
            series_max: 2_000_000,
            series_bytes_max: 1 << 30,
            block_cache_bytes: 256 << 20,
            retention: Retention::default(),
        }
    }
}
