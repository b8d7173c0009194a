//! Paging: an answer has room for so many points; what did not fit comes with the token.

use groundwatch_api::Operation;
use groundwatch_api::cloudwatch::GetMetricData;
use groundwatch_core::page_token;

use crate::Second;
use crate::query::Window;

/// Where a page begins: at which query, and beyond which of its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    query: usize,
    /// The last point of that query that an earlier page had.
    beyond: Option<Second>,
    newest_first: bool,
}

impl Position {
    /// The beginning.
    pub(super) fn start(newest_first: bool) -> Self {
        Self { query: 0, beyond: None, newest_first }
    }

    /// The position in a token.
    pub(super) fn decode(token: &str, newest_first: bool) -> Option<Self> {
        let cursor = page_token::decode(GetMetricData::NAME, token)?;
        let (query, beyond) = cursor.split_once(':')?;
        let beyond = if beyond.is_empty() { None } else { Some(Second(beyond.parse().ok()?)) };
        Some(Self { query: query.parse().ok()?, beyond, newest_first })
    }

    fn encode(self) -> String {
        let beyond = self.beyond.map(|second| second.0.to_string()).unwrap_or_default();
        page_token::encode(GetMetricData::NAME, &format!("{}:{beyond}", self.query))
    }

    /// Whether the period that begins at `start` is still to come.
    pub(super) fn is_ahead(self, start: Second) -> bool {
        match self.beyond {
            None => true,
            Some(beyond) if self.newest_first => start < beyond,
            Some(beyond) => start > beyond,
        }
    }
}

/// One answer in the making.
#[derive(Debug)]
pub(super) struct Page {
    from: Position,
    room: usize,
    /// Where the next page begins, once this one is full.
    next: Option<Position>,
}

impl Page {
    /// A page that begins at `from` and holds up to `room` points, at least one.
    pub(super) fn new(from: Position, room: usize) -> Self {
        Self { from, room, next: None }
    }

    /// Where to begin in query number `query`; `None` if this page has nothing of it.
    pub(super) fn begin(&self, query: usize) -> Option<Position> {
        if self.next.is_some() || query < self.from.query {
            return None;
        }
        let beyond = self.from.beyond.filter(|_| query == self.from.query);
        Some(Position { query, beyond, ..self.from })
    }

    /// Whether the page ends before the query.
    pub(super) fn is_before(&self, query: usize) -> bool {
        self.next.is_some() && query >= self.from.query
    }

    /// What of `parts`, which ascend, is ahead of `position`, in reading order.
    pub(super) fn parts(&self, mut parts: Vec<Window>, position: Position) -> Vec<Window> {
        for part in &mut parts {
            match position.beyond {
                Some(beyond) if position.newest_first => part.until = part.until.min(beyond.max(part.from)),
                Some(beyond) => {
                    let from = beyond.floor_to(part.period.as_secs());
                    part.from = part.from.max(from).min(part.until);
                }
                None => {}
            }
        }
        parts.retain(|part| part.from < part.until);
        if position.newest_first {
            parts.reverse();
        }
        parts
    }

    /// Adds points (ascending) of a query to what the page has of it, in the page's order. Answers whether
    /// all fitted.
    pub(super) fn take(
        &mut self,
        query: usize,
        mut read: Vec<(Second, f64)>,
        taken: &mut Vec<(Second, f64)>,
    ) -> bool {
        if self.from.newest_first {
            read.reverse();
        }
        let fits = read.len() <= self.room;
        read.truncate(self.room);
        self.room -= read.len();
        taken.append(&mut read);
        if !fits {
            let beyond = taken.last().map(|(start, _)| *start).or_else(|| self.begin(query)?.beyond);
            self.next = Some(Position { query, beyond, ..self.from });
        }
        fits
    }

    /// How many points there is room for.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// Whether it continues an earlier page.
    pub(super) fn is_continuation(&self) -> bool {
        self.from != Position::start(self.from.newest_first)
    }

    /// Whether some points did not fit.
    pub(super) fn is_full(&self) -> bool {
        self.next.is_some()
    }

    /// The token of the next page; `None` if this is the last.
    pub(super) fn next_token(&self) -> Option<String> {
        self.next.map(Position::encode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(range: std::ops::Range<u32>) -> Vec<(Second, f64)> {
        range.map(|minute| (Second(minute * 60), f64::from(minute))).collect()
    }

    /// Reads all queries' points page by page, as a client does.
    fn read_all(queries: &[Vec<(Second, f64)>], room: usize, newest_first: bool) -> Vec<Vec<f64>> {
        let mut collected = vec![Vec::new(); queries.len()];
        let mut position = Position::start(newest_first);
        for _ in 0..100 {
            let mut page = Page::new(position, room);
            for (index, all) in queries.iter().enumerate() {
                let Some(position) = page.begin(index) else { continue };
                let ahead = all.iter().copied().filter(|(start, _)| position.is_ahead(*start)).collect();
                let mut taken = Vec::new();
                page.take(index, ahead, &mut taken);
                collected[index].extend(taken.into_iter().map(|(_, value)| value));
            }
            match page.next_token() {
                None => return collected,
                Some(token) => position = Position::decode(&token, newest_first).expect("own token"),
            }
        }
        panic!("paging does not end");
    }

    #[test]
    fn pages_of_any_size_hold_every_point_once_and_in_order() {
        let queries = [points(0..5), Vec::new(), points(3..4), points(10..17)];
        for room in 1..20 {
            let ascending = read_all(&queries, room, false);
            let mut descending = read_all(&queries, room, true);
            descending.iter_mut().for_each(|values| values.reverse());
            for (query, all) in queries.iter().enumerate() {
                let expected: Vec<f64> = all.iter().map(|(_, value)| *value).collect();
                assert_eq!(ascending[query], expected, "room {room}");
                assert_eq!(descending[query], expected, "room {room}");
            }
        }
    }

    #[test]
    fn foreign_tokens_are_recognised() {
        assert_eq!(Position::decode("x", true), None);
        assert_eq!(Position::decode(&page_token::encode("GetMetricData", "1"), true), None);
        assert_eq!(Position::decode(&page_token::encode("GetMetricData", "1:-5"), true), None);
        assert_eq!(Position::decode(&page_token::encode("ListMetrics", "1:"), true), None);
    }
}
