//! What a result is called.

use std::cmp::Ordering;

/// What stands for the value of a label that a series does not have ("a null group named `Other`", the
/// guide).
pub const OTHER: &str = "Other";

/// The values of the labels in `GROUP BY`, in its order; none where the series has no such label. No values
/// at all without `GROUP BY`.
///
/// Sorts by what is shown. A label that really has the value `Other` makes a group of its own, before the
/// null group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupKey {
    /// The values.
    pub values: Vec<Option<String>>,
}

impl GroupKey {
    /// The values as they are shown.
    pub fn shown(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|value| value.as_deref().unwrap_or(OTHER))
    }
}

impl Ord for GroupKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let null = |key: &Self| key.values.iter().map(Option::is_none).collect::<Vec<_>>();
        self.shown().cmp(other.shown()).then_with(|| null(self).cmp(&null(other)))
    }
}

impl PartialOrd for GroupKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
