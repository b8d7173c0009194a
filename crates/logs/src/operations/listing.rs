//! Listings by name: a page, and the token of the next one.

use groundwatch_core::page_token;

use crate::error::LogsError;

/// Items a page without a `limit`, and at most.
const PAGE_ITEMS_MAX: usize = 50;

/// A page of the listing called `listing`, and the token that goes on behind it if there is more. `list`
/// gives up to so many items by name, after a name.
pub(super) fn page<T>(
    listing: &str,
    token: Option<&str>,
    limit: Option<i32>,
    list: impl FnOnce(Option<&str>, usize) -> Vec<(String, T)>,
) -> Result<(Vec<T>, Option<String>), LogsError> {
    let after = match token {
        Some(token) => Some(page_token::decode(listing, token).ok_or(LogsError::InvalidToken)?),
        None => None,
    };
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_ITEMS_MAX);
    // One more than the page holds tells that there is a next page.
    let mut items = list(after.as_deref(), limit.saturating_add(1));
    let more = items.len() > limit;
    items.truncate(limit);
    let next_token = items.last().filter(|_| more).map(|(name, _)| page_token::encode(listing, name));
    Ok((items.into_iter().map(|(_, item)| item).collect(), next_token))
}

/// What [`page`] lists when all items are at hand, with the keys that they are ordered by.
pub(super) fn of<T>(mut items: Vec<(String, T)>) -> impl FnOnce(Option<&str>, usize) -> Vec<(String, T)> {
    items.sort_by(|(one, _), (other, _)| one.cmp(other));
    |after, limit| {
        let wanted = |key: &str| after.is_none_or(|after| key > after);
        items.into_iter().filter(|(key, _)| wanted(key)).take(limit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages through the names a to e.
    fn pages(limit: i32) -> Vec<String> {
        let names = ["a", "b", "c", "d", "e"];
        let (mut token, mut pages) = (None, Vec::new());
        loop {
            let list = |after: Option<&str>, limit: usize| {
                let rest = names.iter().filter(|name| after.is_none_or(|after| **name > after));
                rest.take(limit).map(|name| ((*name).to_owned(), *name)).collect()
            };
            let (page, next) = page("Letters", token.as_deref(), Some(limit), list).expect("a good token");
            pages.push(page.concat());
            token = next;
            if token.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn pages_follow_each_other_without_an_empty_one_at_the_end() {
        assert_eq!(pages(2), ["ab", "cd", "e"]);
        assert_eq!(pages(5), ["abcde"]);
        assert_eq!(pages(50), ["abcde"]);
    }
}
