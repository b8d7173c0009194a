//! Sorted points of several series, brought together moment by moment: merged, never looked up in a map.

use std::cmp::Ordering;

use crate::series::Point;

/// Walks two series side by side. `combine` decides on each moment at which at least one has a value; what it makes NaN
/// of is left out by the series that takes the points.
pub(crate) fn join(
    left: &[Point],
    right: &[Point],
    combine: impl Fn(Option<f64>, Option<f64>) -> f64,
) -> Vec<Point> {
    let (mut left, mut right) = (left, right);
    let mut joined = Vec::with_capacity(left.len().max(right.len()));
    loop {
        let order = match (left.first(), right.first()) {
            (Some(a), Some(b)) => a.timestamp_secs.cmp(&b.timestamp_secs),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return joined,
        };
        let a = if order.is_le() { left.split_off_first() } else { None };
        let b = if order.is_ge() { right.split_off_first() } else { None };
        let value = combine(a.map(|point| point.value), b.map(|point| point.value));
        joined.extend(a.or(b).map(|first| Point { timestamp_secs: first.timestamp_secs, value }));
    }
}

/// Reads a series at ascending moments.
pub(crate) struct Cursor<'a> {
    rest: &'a [Point],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(points: &'a [Point]) -> Self {
        Self { rest: points }
    }

    /// The value at this moment, which is not before the one asked for last.
    pub(crate) fn at(&mut self, timestamp_secs: i64) -> Option<f64> {
        while let Some((first, rest)) = self.rest.split_first() {
            if first.timestamp_secs > timestamp_secs {
                return None;
            }
            if first.timestamp_secs == timestamp_secs {
                return Some(first.value);
            }
            self.rest = rest;
        }
        None
    }
}

/// All moments at which any of the series has a point, ascending.
pub(crate) fn moments(series: &[&[Point]]) -> Vec<i64> {
    let Some(longest) = series.iter().max_by_key(|points| points.len()) else { return Vec::new() };
    let mut moments: Vec<i64> = longest.iter().map(|point| point.timestamp_secs).collect();
    // Series of one request mostly have the same moments: those that add none cost one comparison a point.
    let mut others: Vec<Vec<i64>> = series
        .iter()
        .filter(|points| !is_within(points, &moments))
        .map(|points| points.iter().map(|point| point.timestamp_secs).collect())
        .collect();
    // Merged in pairs, so that many series without a common moment cost n log n.
    while others.len() > 1 {
        others =
            others.chunks(2).map(|pair| merge(&pair[0], pair.get(1).map_or(&[], Vec::as_slice))).collect();
    }
    if let Some(other) = others.first() {
        moments = merge(&moments, other);
    }
    moments
}

/// Folds the values of all series into one state a moment. `moments` hold every moment of every series.
pub(crate) fn fold_rows<S: Copy>(
    moments: &[i64],
    series: &[&[Point]],
    start: S,
    step: impl Fn(usize, S, f64) -> S,
) -> Vec<S> {
    let mut rows = vec![start; moments.len()];
    for points in series {
        let mut row = 0;
        for point in *points {
            row = find(moments, row, point.timestamp_secs);
            rows[row] = step(row, rows[row], point.value);
            row += 1;
        }
    }
    rows
}

fn is_within(points: &[Point], moments: &[i64]) -> bool {
    let mut row = 0;
    points.iter().all(|point| {
        row = find(moments, row, point.timestamp_secs);
        moments.get(row) == Some(&point.timestamp_secs)
    })
}

/// The first row at or after `from` whose moment is not before `timestamp_secs`: mostly `from` itself.
fn find(moments: &[i64], from: usize, timestamp_secs: i64) -> usize {
    match moments.get(from) {
        Some(moment) if *moment < timestamp_secs => {
            from + moments[from..].partition_point(|moment| *moment < timestamp_secs)
        }
        _ => from,
    }
}

fn merge(left: &[i64], right: &[i64]) -> Vec<i64> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    // A stable sort recognises the two ascending runs and merges them.
    merged.sort();
    merged.dedup();
    merged
}
