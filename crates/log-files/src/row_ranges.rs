//! Rows of a part that are read.

use std::ops::Range;

/// Some rows of a part, counted from its first one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowRanges {
    /// Ascending, apart from each other, none of them empty.
    ranges: Vec<Range<usize>>,
    /// How many rows are in the ranges before each.
    before: Vec<usize>,
}

impl RowRanges {
    /// The first `count` rows.
    pub fn first(count: usize) -> Self {
        std::iter::once(0..count).collect()
    }

    /// These, which ascend.
    pub fn of(rows: &[u32]) -> Self {
        rows.iter().map(|row| *row as usize..*row as usize + 1).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.before.last().zip(self.ranges.last()).map_or(0, |(before, last)| before + last.len())
    }

    /// Each of them, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.ranges.iter().cloned().flatten()
    }

    /// Those that lie together.
    pub(crate) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// How many of these rows are before `row`, which is one of them.
    pub(crate) fn place(&self, row: usize) -> usize {
        let range = self.ranges.partition_point(|range| range.end <= row);
        self.before[range] + row - self.ranges[range].start
    }

    /// Those that are in `rows`.
    pub(crate) fn within(&self, rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let Range { start, end } = rows;
        let first = self.ranges.partition_point(|range| range.end <= start);
        let found = self.ranges[first..].iter().take_while(move |range| range.start < end && start < end);
        found.map(move |range| range.start.max(start)..range.end.min(end))
    }
}

impl FromIterator<Range<usize>> for RowRanges {
    /// Of ranges that ascend.
    fn from_iter<I: IntoIterator<Item = Range<usize>>>(ranges: I) -> Self {
        let mut all = Self::default();
        for range in ranges.into_iter().filter(|range| !range.is_empty()) {
            match all.ranges.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => {
                    all.before.push(all.len());
                    all.ranges.push(range);
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined_and_rows_are_counted() {
        let rows = RowRanges::of(&[1, 2, 3, 7, 9]);
        assert_eq!(rows.ranges(), [1..4, 7..8, 9..10]);
        assert_eq!((rows.len(), rows.place(3), rows.place(9)), (5, 2, 4));
        assert_eq!(rows.within(2..8).collect::<Vec<_>>(), [2..4, 7..8]);
        assert_eq!((rows.within(4..7).count(), rows.within(2..2).count()), (0, 0));
        assert!(RowRanges::first(0).is_empty());
    }
}
