//! Units: so many rows of a row group, one behind the other, that are found and read together.
//!
//! Each column has a page for each unit, and so has what is known of tokens a filter. A search for a rare
//! word reads the pages of one unit, not all of a row group.

use std::ops::Range;

/// How many rows a unit has, except for the last one, and unless there would be too many of them.
const UNIT_ROWS: usize = 4 << 10;
/// How many units a row group has at most: a set of them is the bits of a `u64`.
const UNITS_MAX: usize = u64::BITS as usize;

/// How many rows each unit of a row group with so many rows has.
pub(crate) fn unit_rows(rows: usize) -> usize {
    UNIT_ROWS.max(rows.div_ceil(UNITS_MAX))
}

/// A set of units of a row group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Units {
    /// The bit of each.
    bits: u64,
    /// How many rows each has.
    rows: usize,
}

impl Units {
    /// All of them, where each has so many rows; at least 1.
    pub(crate) fn all(rows: usize) -> Self {
        Self { bits: u64::MAX, rows: rows.max(1) }
    }

    /// None of them.
    pub(crate) fn none_of(self) -> Self {
        Self { bits: 0, ..self }
    }

    /// Whether it is empty.
    pub(crate) fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The numbers of those in it, of the first `count`.
    pub(crate) fn numbers(self, count: usize) -> impl Iterator<Item = usize> {
        (0..count.min(UNITS_MAX)).filter(move |unit| self.bits & 1 << unit != 0)
    }

    /// The same with that one.
    pub(crate) fn with(self, unit: usize) -> Self {
        Self { bits: self.bits | 1 << unit, ..self }
    }

    /// What is in one of both, which are of the same row group.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits, ..self }
    }

    /// What is in this one and not in the other.
    pub(crate) fn without(self, other: Self) -> Self {
        Self { bits: self.bits & !other.bits, ..self }
    }

    /// Those of `rows` that are in these units, ascending.
    pub(crate) fn rows_in(self, rows: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let Range { start, end } = *rows;
        let units = (start / self.rows..end.div_ceil(self.rows))
            .filter(move |unit| *unit >= UNITS_MAX || self.bits & 1 << unit != 0);
        units.map(move |unit| {
            let unit = unit * self.rows..(unit + 1) * self.rows;
            unit.start.max(start)..unit.end.min(end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_group_never_has_too_many_units() {
        for rows in [0, 1, UNIT_ROWS, 131_072, 131_073, 1 << 20] {
            assert!(rows.div_ceil(unit_rows(rows)) <= UNITS_MAX, "{rows}");
        }
    }

    #[test]
    fn rows_are_those_of_units_as_far_as_they_are_asked_for() {
        let units = Units::all(10).none_of().with(1).with(5);
        assert_eq!(units.rows_in(&(0..100)).collect::<Vec<_>>(), [10..20, 50..60]);
        assert_eq!(units.rows_in(&(15..55)).collect::<Vec<_>>(), [15..20, 50..55]);
        assert_eq!(units.rows_in(&(20..50)).count(), 0);
        assert_eq!(Units::all(10).rows_in(&(3..777)).map(|rows| rows.len()).sum::<usize>(), 774);
    }
}
