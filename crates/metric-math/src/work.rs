//! How much an evaluation may do.

use std::cell::Cell;

use crate::bounds::ARRAY_SERIES_MAX;
use crate::error::Problem;
use crate::series::Series;

/// The points that one evaluation may still look at.
pub(crate) struct Work {
    left: Cell<usize>,
}

impl Work {
    pub(crate) fn new(points_max: usize) -> Self {
        Self { left: Cell::new(points_max) }
    }

    /// Takes from what is left, or fails because it is not enough.
    pub(crate) fn charge(&self, points: usize) -> Result<(), Problem> {
        let left = self.left.get().checked_sub(points).ok_or(Problem::TooMuchWork)?;
        self.left.set(left);
        Ok(())
    }
}

/// The array, unless it has too many series.
pub(crate) fn bounded(array: Vec<Series>) -> Result<Vec<Series>, Problem> {
    if array.len() > ARRAY_SERIES_MAX { Err(Problem::TooManySeries(array.len())) } else { Ok(array) }
}
