//! Which groups are merged together: a group that has much alone, and small ones by the bunch, because many of
//! them share each row group. Pure.

use std::ops::RangeInclusive;

use crate::incarnation::GroupId;

/// Small groups that have more than this together, as AWS counts bytes, are no bunch: it is in memory at once.
const BUNCH_BYTES_MAX: u64 = 4 << 20;

/// Groups that are merged together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bunch {
    /// From the first to the last group.
    pub(super) groups: RangeInclusive<GroupId>,
    /// Whether it is one that gets files of its own.
    pub(super) is_own: bool,
    bytes: u64,
}

/// Bunches of groups that have so many bytes each, by group; `is_own` says from how many bytes on a group is
/// alone.
pub(super) fn of(
    groups: impl IntoIterator<Item = (GroupId, u64)>,
    is_own: impl Fn(u64) -> bool,
) -> Vec<Bunch> {
    let mut groups: Vec<(GroupId, u64)> = groups.into_iter().collect();
    groups.sort_unstable();
    let mut bunches: Vec<Bunch> = Vec::new();
    for (group, bytes) in groups {
        let is_own = is_own(bytes);
        match bunches.last_mut() {
            Some(last) if !is_own && !last.is_own && last.bytes + bytes <= BUNCH_BYTES_MAX => {
                *last = Bunch { groups: *last.groups.start()..=group, is_own, bytes: last.bytes + bytes };
            }
            _ => bunches.push(Bunch { groups: group..=group, is_own, bytes }),
        }
    }
    bunches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_groups_are_bunched_between_large_ones() {
        let mib = |mib: u64| mib << 20;
        let check = |groups: &[(u128, u64)], expected: &[(u128, u128, bool)]| {
            let groups = groups.iter().map(|(group, bytes)| (GroupId::from_u128(*group), *bytes));
            let bunches = of(groups, |bytes| bytes >= mib(3));
            let shown: Vec<(u128, u128, bool)> = bunches
                .iter()
                .map(|bunch| (bunch.groups.start().as_u128(), bunch.groups.end().as_u128(), bunch.is_own))
                .collect();
            assert_eq!(shown, expected);
        };
        check(&[], &[]);
        check(&[(2, 5), (1, 5), (3, 5)], &[(1, 3, false)]);
        check(&[(1, 5), (2, mib(3)), (3, 5), (4, 5)], &[(1, 1, false), (2, 2, true), (3, 4, false)]);
        check(&[(1, mib(3)), (2, mib(9))], &[(1, 1, true), (2, 2, true)]);
        check(&[(1, mib(2)), (2, mib(2)), (3, 1)], &[(1, 2, false), (3, 3, false)]);
    }
}
