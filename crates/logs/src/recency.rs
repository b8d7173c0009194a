//! Streams in the order of their last events.
//!
//! A group with few streams is put in order whenever it is listed. The order of a group with many is made at
//! its first listing and kept from then on, by what arrives and what is created. It may be wrong about a
//! stream for a moment, so a page is compared with what is known of its streams, and the order corrected.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use groundwatch_core::Timestamp;
use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::incarnation::GroupId;
use crate::store::{Arrival, ArrivalListener};

/// Groups with more streams have an order that is kept.
const FEW_STREAMS: usize = 1_000;
/// When the orders that are kept have more streams together, those of other groups are given up.
const KEPT_STREAMS_MAX: usize = 2_000_000;
/// How often a page is made again because it was not right.
const CORRECTIONS_MAX: usize = 8;

/// Where a stream stands: the time of its last event, if it has any, and its name.
pub(crate) type Place = (Option<Timestamp>, Arc<str>);

/// What there is to put in order.
pub(crate) trait ListedStreams: Sync {
    /// Up to `limit` streams that come after `after` by name.
    fn after(&self, after: Option<&str>, limit: usize) -> Vec<Place>;

    /// The time of a stream's last event, if it has any; `None` if there is no such stream.
    fn last_event(&self, name: &str) -> Option<Option<Timestamp>>;
}

/// Which part of a group's streams is listed.
pub(crate) struct Page<'a> {
    /// What the page before ended with.
    pub(crate) after: Option<&'a Place>,
    /// Whether the latest come first. Streams without events come last in any case.
    pub(crate) descending: bool,
    pub(crate) limit: usize,
}

/// The orders that are kept. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Recency {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    orders: Mutex<HashMap<GroupId, Order>>,
    /// One order is made at a time.
    making: tokio::sync::Mutex<()>,
    uses: AtomicU64,
}

/// The streams of one group.
#[derive(Default)]
struct Order {
    places: BTreeSet<Place>,
    times: HashMap<Arc<str>, Option<Timestamp>>,
    /// Whether all streams are in it.
    is_complete: bool,
    last_use: u64,
}

impl Recency {
    /// A page of a group's streams.
    pub(crate) async fn page(
        &self,
        group: GroupId,
        page: &Page<'_>,
        streams: &impl ListedStreams,
    ) -> Vec<Place> {
        if !self.is_kept(group) {
            let few = streams.after(None, FEW_STREAMS + 1);
            if few.len() <= FEW_STREAMS {
                return Order::of(few).page(page);
            }
            self.make(group, streams).await;
        }
        let mut corrections = 0;
        loop {
            // Given up meanwhile, or the group was deleted: the next request sees to it.
            let Some(places) = self.kept_page(group, page) else { return Vec::new() };
            let is_wrong = |(time, name): &&Place| streams.last_event(name) != Some(*time);
            let wrong: Vec<Place> = places.iter().filter(is_wrong).cloned().collect();
            if wrong.is_empty() || corrections == CORRECTIONS_MAX {
                return places;
            }
            corrections += 1;
            let mut orders = self.inner.orders.lock();
            let Some(order) = orders.get_mut(&group) else { continue };
            for (_, name) in wrong {
                order.remove(&name);
                if let Some(time) = streams.last_event(&name) {
                    order.raise(&name, time);
                }
            }
        }
    }

    /// Notes a new stream.
    pub(crate) fn created(&self, group: GroupId, name: &str) {
        if let Some(order) = self.inner.orders.lock().get_mut(&group) {
            order.raise(name, None);
        }
    }

    /// Notes that a stream was deleted.
    pub(crate) fn deleted(&self, group: GroupId, name: &str) {
        if let Some(order) = self.inner.orders.lock().get_mut(&group) {
            order.remove(name);
        }
    }

    /// Gives up what is kept of a deleted group.
    pub(crate) fn forget_group(&self, group: GroupId) {
        self.inner.orders.lock().remove(&group);
    }

    fn is_kept(&self, group: GroupId) -> bool {
        self.inner.orders.lock().get(&group).is_some_and(|order| order.is_complete)
    }

    fn kept_page(&self, group: GroupId, page: &Page<'_>) -> Option<Vec<Place>> {
        let mut orders = self.inner.orders.lock();
        let order = orders.get_mut(&group)?;
        order.last_use = self.inner.uses.fetch_add(1, Relaxed);
        Some(order.page(page))
    }

    /// Makes the order of a group. What arrives meanwhile is noted in it already.
    async fn make(&self, group: GroupId, streams: &impl ListedStreams) {
        let _turn = self.inner.making.lock().await;
        if self.is_kept(group) {
            return;
        }
        self.inner.orders.lock().insert(group, Order::default());
        let mut after: Option<Arc<str>> = None;
        loop {
            let some = streams.after(after.as_deref(), FEW_STREAMS);
            after = some.last().map(|(_, name)| name.clone());
            self.add(group, some);
            if after.is_none() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Adds streams to an order that is being made; it is complete when there are no more.
    fn add(&self, group: GroupId, some: Vec<Place>) {
        let mut orders = self.inner.orders.lock();
        let Some(order) = orders.get_mut(&group) else { return };
        order.is_complete = some.is_empty();
        for (time, name) in some {
            order.raise(&name, time);
        }
        if order.is_complete {
            order.last_use = self.inner.uses.fetch_add(1, Relaxed);
            make_room(&mut orders, group);
        }
    }
}

/// Gives up the orders that were not used for longest, but for that of `group`.
fn make_room(orders: &mut HashMap<GroupId, Order>, group: GroupId) {
    while orders.values().map(|order| order.times.len()).sum::<usize>() > KEPT_STREAMS_MAX {
        let others = orders.iter().filter(|(other, _)| **other != group);
        let Some(oldest) = others.min_by_key(|(_, order)| order.last_use).map(|(other, _)| *other) else {
            return;
        };
        orders.remove(&oldest);
    }
}

impl ArrivalListener for Recency {
    fn arrived(&self, arrival: &Arrival<'_>) {
        if let Some(order) = self.inner.orders.lock().get_mut(&arrival.address.group_id) {
            order.raise(&arrival.address.stream, Some(arrival.last_event));
        }
    }
}

impl Order {
    fn of(places: Vec<Place>) -> Self {
        Self { places: places.into_iter().collect(), ..Self::default() }
    }

    /// Notes a stream, or that it has a later event.
    fn raise(&mut self, name: &str, time: Option<Timestamp>) {
        let name = match self.times.get_key_value(name) {
            Some((_, known)) if *known >= time => return,
            Some((name, known)) => {
                let name = name.clone();
                self.places.remove(&(*known, name.clone()));
                name
            }
            None => Arc::from(name),
        };
        self.times.insert(name.clone(), time);
        self.places.insert((time, name));
    }

    fn remove(&mut self, name: &str) {
        if let Some((name, time)) = self.times.remove_entry(name) {
            self.places.remove(&(time, name));
        }
    }

    fn page(&self, page: &Page<'_>) -> Vec<Place> {
        // `None` sorts before every time.
        let first_event: Place = (Some(Timestamp::from_millis(i64::MIN)), Arc::from(""));
        let (with_events, without) = match page.after {
            None => (Some(None), self.places.range(..&first_event)),
            Some(after) if after.0.is_some() => (Some(Some(after)), self.places.range(..&first_event)),
            Some(after) => (None, self.places.range((Excluded(after), Excluded(&first_event)))),
        };
        let with_events = with_events.into_iter().flat_map(|after| {
            let (ascending, descending) = match (after, page.descending) {
                (None, false) => (Some(self.places.range(&first_event..)), None),
                (Some(after), false) => (Some(self.places.range((Excluded(after), Unbounded))), None),
                (None, true) => (None, Some(self.places.range(&first_event..).rev())),
                (Some(after), true) => (None, Some(self.places.range(&first_event..after).rev())),
            };
            ascending.into_iter().flatten().chain(descending.into_iter().flatten())
        });
        with_events.chain(without).take(page.limit).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Streams as they are, by name.
    #[derive(Default)]
    struct Streams(Mutex<BTreeMap<String, Option<Timestamp>>>);

    impl ListedStreams for Streams {
        fn after(&self, after: Option<&str>, limit: usize) -> Vec<Place> {
            let streams = self.0.lock();
            let later = streams.iter().filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
            later.take(limit).map(|(name, time)| (*time, name.as_str().into())).collect()
        }

        fn last_event(&self, name: &str) -> Option<Option<Timestamp>> {
            self.0.lock().get(name).copied()
        }
    }

    const GROUP: GroupId = GroupId::from_u128(1);

    /// All pages of a listing.
    async fn listed(recency: &Recency, streams: &Streams, descending: bool, limit: usize) -> Vec<Place> {
        let mut all: Vec<Place> = Vec::new();
        loop {
            let after = all.last().cloned();
            let page = Page { after: after.as_ref(), descending, limit };
            let places = recency.page(GROUP, &page, streams).await;
            if places.is_empty() {
                return all;
            }
            all.extend(places);
        }
    }

    fn expected(streams: &Streams, descending: bool) -> Vec<Place> {
        let all = streams.after(None, usize::MAX);
        let (mut with_events, without): (Vec<Place>, Vec<Place>) =
            all.into_iter().partition(|(time, _)| time.is_some());
        with_events.sort();
        if descending {
            with_events.reverse();
        }
        [with_events, without].concat()
    }

    /// What happens to a stream: deleted, created, or its events.
    fn change() -> impl Strategy<Value = (usize, Option<Option<i64>>)> {
        (0..FEW_STREAMS + 20, proptest::option::weighted(0.9, proptest::option::of(0..50_i64)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_kept_order_is_that_of_the_streams(
            count in FEW_STREAMS - 10..FEW_STREAMS + 20,
            changes in proptest::collection::vec(change(), 0..60),
            limit in 1_usize..400,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("starts");
            runtime.block_on(async {
                let (recency, streams) = (Recency::default(), Streams::default());
                let name = |number: usize| format!("s{number:05}");
                let time = |millis: Option<i64>| millis.map(Timestamp::from_millis);
                for number in 0..count {
                    let millis = (number % 3 > 0).then_some((number * 7 % 40) as i64);
                    streams.0.lock().insert(name(number), time(millis));
                }
                for descending in [false, true] {
                    assert_eq!(listed(&recency, &streams, descending, limit).await, expected(&streams, descending));
                }
                for (number, change) in changes {
                    let name = name(number);
                    let Some(millis) = change else {
                        streams.0.lock().remove(&name);
                        // What it is not told of it finds out.
                        if number % 4 > 0 {
                            recency.deleted(GROUP, &name);
                        }
                        continue;
                    };
                    let known = streams.last_event(&name);
                    // A stream's last event is never earlier than before.
                    let millis = time(millis).max(known.flatten());
                    streams.0.lock().insert(name.clone(), millis);
                    if known.is_none() {
                        recency.created(GROUP, &name);
                    }
                    if let Some(order) = recency.inner.orders.lock().get_mut(&GROUP) {
                        order.raise(&name, millis);
                    }
                }
                for descending in [true, false] {
                    let listed = listed(&recency, &streams, descending, limit).await;
                    assert_eq!(listed, expected(&streams, descending));
                }
            });
        }
    }
}
