//! What can go wrong in the store, told apart by what the caller can do about it.

use groundwatch_storage::StorageError;

use crate::codec::Damaged;

/// Why the metric store did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MetricError {
    /// Recent samples fill their memory and could not be flushed: retry later.
    #[error("recent samples fill their memory budget: retry later")]
    Overloaded,
    /// The request would create more series than the budget allows: use fewer distinct dimension values.
    #[error(
        "there are {series} series already, as many as the limits allow: no further metric can be created"
    )]
    TooManySeries {
        /// How many there are.
        series: usize,
    },
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What was read is not what was written: the rest of the data stays readable.
    #[error("{place} is damaged")]
    Damaged {
        /// Which record or block.
        place: String,
        /// How it was noticed.
        #[source]
        source: Damaged,
    },
}

impl MetricError {
    /// Whether something is not what was written.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Storage(StorageError::Corrupt { .. }))
    }

    /// Says where damage was found.
    pub(crate) fn damaged(place: impl Into<String>) -> impl FnOnce(Damaged) -> Self {
        let place = place.into();
        move |source| Self::Damaged { place, source }
    }
}
