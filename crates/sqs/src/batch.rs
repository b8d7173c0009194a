//! What all batches have in common: one to ten entries, each under an id of its own.

use std::collections::HashSet;

use crate::Invalid;

const ENTRIES_MAX: usize = 10;
const ID_LENGTH_MAX: usize = 80;

/// Checks the ids of a batch's entries; `entry` is AWS's name for one.
pub(crate) fn check<'a>(
    entry: &'static str,
    ids: impl ExactSizeIterator<Item = &'a str> + Clone,
) -> Result<(), Invalid> {
    let count = ids.len();
    if count == 0 {
        return Err(Invalid::EmptyBatch { entry });
    }
    if count > ENTRIES_MAX {
        return Err(Invalid::TooManyEntries { count });
    }
    let legal = |id: &str| {
        (1..=ID_LENGTH_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if ids.clone().any(|id| !legal(id)) {
        return Err(Invalid::EntryId);
    }
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(Invalid::IdNotDistinct { id: id.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_one_to_ten_entries_with_ids_of_their_own() {
        let check = |ids: &[&str], expected| assert_eq!(super::check("E", ids.iter().copied()), expected);
        check(&["a", "b-_1"], Ok(()));
        check(&[], Err(Invalid::EmptyBatch { entry: "E" }));
        check(&["a"; 11], Err(Invalid::TooManyEntries { count: 11 }));
        check(&["a", "b", "a"], Err(Invalid::IdNotDistinct { id: "a".to_owned() }));
        check(&["a", ""], Err(Invalid::EntryId));
        check(&["a b"], Err(Invalid::EntryId));
        check(&["x".repeat(81).as_str()], Err(Invalid::EntryId));
    }
}
