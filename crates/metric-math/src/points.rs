//! Sorted points of several series, brought together moment by moment: merged, never looked up in a map.

use crate::series::Point;

/// Walks two series side by side. `combine` decides on each moment at which at least one has a value; what it
/// makes NaN of is left out by the series that takes the points.
pub(crate) fn join(
    left: &[Point],
    right: &[Point],
    combine: impl Fn(Option<f64>, Option<f64>) -> f64,
) -> Vec<Point> {
    let (mut left, mut right) = (left, right);
    let mut joined = Vec::with_capacity(left.len().max(right.len()));
    loop {
        // Series of one request mostly have the same moments for long stretches.
        let both = left.iter().zip(right).take_while(|(a, b)| a.timestamp_secs == b.timestamp_secs);
        let before = joined.len();
        joined.extend(both.map(|(a, b)| Point { value: combine(Some(a.value), Some(b.value)), ..*a }));
        let same = joined.len() - before;
        (left, right) = (&left[same..], &right[same..]);

        let only_left = match (left.first(), right.first()) {
            (Some(a), Some(b)) => a.timestamp_secs < b.timestamp_secs,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return joined,
        };
        let next = if only_left { left.split_off_first() } else { right.split_off_first() };
        joined.extend(next.map(|only| {
            let (a, b) = if only_left { (Some(only.value), None) } else { (None, Some(only.value)) };
            Point { value: combine(a, b), ..*only }
        }));
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
    // Series of one request mostly have the same moments, so what the longest lacks is little.
    let mut lacking = Vec::new();
    for points in series {
        let mut row = 0;
        for point in *points {
            row = find(&moments, row, point.timestamp_secs);
            match moments.get(row) {
                Some(moment) if *moment == point.timestamp_secs => row += 1,
                _ => lacking.push(point.timestamp_secs),
            }
        }
    }
    // A stable sort recognises ascending runs and merges them, so this is n log n in the number of series at
    // worst.
    lacking.sort();
    lacking.dedup();
    moments.append(&mut lacking);
    moments.sort();
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

/// The first row at or after `from` whose moment is not before `timestamp_secs`: mostly `from` itself.
fn find(moments: &[i64], from: usize, timestamp_secs: i64) -> usize {
    match moments.get(from) {
        Some(moment) if *moment < timestamp_secs => {
            from + moments[from..].partition_point(|moment| *moment < timestamp_secs)
        }
        _ => from,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn rows() -> impl Strategy<Value = Vec<Vec<Point>>> {
        let row = prop::collection::btree_map(-20..20_i64, -5.0..5.0_f64, 0..15);
        let points = |row: BTreeMap<i64, f64>| {
            row.into_iter().map(|(timestamp_secs, value)| Point { timestamp_secs, value }).collect()
        };
        prop::collection::vec(row.prop_map(points), 0..6)
    }

    proptest! {
        /// A map per moment is the obvious way, and the oracle of the fast one.
        #[test]
        fn rows_are_folded_as_a_map_would(rows in rows()) {
            let mut expected: BTreeMap<i64, f64> = BTreeMap::new();
            for point in rows.iter().flatten() {
                *expected.entry(point.timestamp_secs).or_default() += point.value;
            }
            let rows: Vec<&[Point]> = rows.iter().map(Vec::as_slice).collect();
            let moments = moments(&rows);
            let sums = fold_rows(&moments, &rows, 0.0, |_, sum, value| sum + value);
            prop_assert!(moments.into_iter().zip(sums).eq(expected));
        }

        #[test]
        fn a_join_sees_each_moment_once(rows in rows()) {
            let [left, right, ..] = &rows[..] else { return Ok(()) };
            let value = |points: &[Point], at: i64| {
                points.iter().find(|point| point.timestamp_secs == at).map(|point| point.value)
            };
            let joined = join(left, right, |a, b| a.unwrap_or(100.0) * 1000.0 + b.unwrap_or(100.0));
            let expected: Vec<Point> = moments(&[left, right])
                .into_iter()
                .map(|at| {
                    let (a, b) = (value(left, at).unwrap_or(100.0), value(right, at).unwrap_or(100.0));
                    Point { timestamp_secs: at, value: a * 1000.0 + b }
                })
                .collect();
            prop_assert_eq!(joined, expected);
        }
    }
}
