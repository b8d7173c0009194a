//! Series of different periods on one grid.
//!
//! AWS says nothing about it but that they can be combined. Here they meet on the shortest period that holds
//! whole numbers of both (for 60 and 300 seconds that is 300), and points of the shorter one are rolled up as
//! their statistic says: sums are added, minima are compared, all else is averaged.

use std::borrow::Cow;
use std::num::NonZeroU32;

use crate::environment::TimeRange;
use crate::error::Problem;
use crate::series::{Point, Series};

/// The common period of all; `None` if there are none.
pub(crate) fn common(
    periods_secs: impl IntoIterator<Item = NonZeroU32>,
) -> Result<Option<NonZeroU32>, Problem> {
    periods_secs.into_iter().try_fold(None, |so_far, period_secs| match so_far {
        None => Ok(Some(period_secs)),
        Some(so_far) => least_common_multiple(so_far, period_secs).map(Some),
    })
}

/// The points of `series` with a period that is a multiple of its own.
pub(crate) fn on_grid<'a>(series: &'a Series, period_secs: NonZeroU32, range: TimeRange) -> Cow<'a, [Point]> {
    if series.period_secs() == period_secs {
        return Cow::Borrowed(series.points());
    }
    let start = |point: &Point| range.grid_point(point.timestamp_secs, period_secs);
    let rolled =
        series.points().chunk_by(|earlier, later| start(earlier) == start(later)).map(|chunk| Point {
            timestamp_secs: start(&chunk[0]),
            value: series.roll_up().of(chunk.iter().map(|point| point.value)),
        });
    Cow::Owned(rolled.collect())
}

fn least_common_multiple(left: NonZeroU32, right: NonZeroU32) -> Result<NonZeroU32, Problem> {
    let (mut divisor, mut rest) = (left.get(), right.get());
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (left.get() / divisor)
        .checked_mul(right.get())
        .and_then(NonZeroU32::new)
        .ok_or(Problem::Periods(left.get(), right.get()))
}
