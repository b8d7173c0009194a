//! All subscriptions: of groups, and of whole accounts. Which of them an arrival is for.

use std::collections::BTreeSet;
use std::sync::Arc;

use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::{Batch, Catalog, Documents, Expect, Key, StorageError};
use hashbrown::{HashMap, HashSet};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::ForwardingError;
use super::cursor::Cursor;
use super::lanes::{LaneKey, Lanes, Place};
use super::subscription::{CompiledSubscription, Subscription};
use crate::error::LogsError;
use crate::incarnation::GroupId;
use crate::store::{Arrival, ArrivalListener};
use crate::stream::{stream_name, stream_prefix};

/// How many filters a group has, those of the account not counted (source: CloudWatch Logs API reference,
/// PutSubscriptionFilter).
const FILTERS_MAX: usize = 2;
/// Before the policy's name in the name of its lanes: names of filters hold no colon.
const OF_ACCOUNT: char = ':';

/// A subscription of an account, as its policy says it.
pub(crate) struct AccountSubscription {
    pub(crate) compiled: CompiledSubscription,
    /// The groups that it leaves out.
    pub(crate) excluded: BTreeSet<String>,
    /// It is about what arrives behind this batch.
    pub(crate) since: u64,
}

/// All subscriptions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Subscriptions {
    inner: Arc<Inner>,
}

struct Inner {
    catalog: Catalog,
    documents: Documents<Subscription>,
    cursors: Documents<Cursor>,
    compiled: RwLock<Compiled>,
    lanes: Mutex<Lanes>,
    /// Notified when a lane falls due.
    changed: Notify,
    /// One change of the documents at a time.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Compiled {
    of_groups: HashMap<GroupId, Vec<Arc<CompiledSubscription>>>,
    of_accounts: HashMap<Scope, Arc<AccountSubscription>>,
}

impl Subscriptions {
    /// Loads the filters of the groups in `groups`; forgets all others, which a crash in a deletion leaves
    /// behind. What they left unsent goes on, up to batch `visible_through`.
    pub(crate) async fn open(
        catalog: &Catalog,
        groups: &HashMap<GroupId, Arc<Place>>,
        visible_through: u64,
    ) -> Result<Self, StorageError> {
        let inner = Inner {
            catalog: catalog.clone(),
            documents: Documents::open(catalog)?,
            cursors: Documents::open(catalog)?,
            compiled: RwLock::default(),
            lanes: Mutex::default(),
            changed: Notify::new(),
            writing: tokio::sync::Mutex::default(),
        };
        let mut orphans = Batch::new();
        let mut known: HashSet<Key> = HashSet::new();
        for (key, subscription) in inner.documents.all() {
            let name = stream_name(&key.name).to_owned();
            let group = group_of(&key).and_then(|group| Some((group, groups.get(&group)?)));
            let Some((group, place)) = group else {
                inner.documents.remove(&mut orphans, key, Expect::Any);
                continue;
            };
            match subscription.compile(&name) {
                Ok(compiled) => {
                    inner.compiled.write().of_groups.entry(group).or_default().push(Arc::new(compiled));
                    let cursor = inner.cursors.get(&key).map(|cursor| (*cursor).clone());
                    let cursor = cursor.unwrap_or_else(|| Cursor::new(visible_through, subscription.created));
                    let lane = LaneKey { group, filter: name };
                    inner.lanes.lock().add(&lane, place.clone(), cursor, visible_through);
                }
                Err(error) => {
                    tracing::error!(filter = name, %error, "a subscription filter is not understood");
                }
            }
            known.insert(key);
        }
        for (key, _) in inner.cursors.all() {
            let is_of_account = stream_name(&key.name).starts_with(OF_ACCOUNT);
            let is_of_a_group = group_of(&key).is_some_and(|group| groups.contains_key(&group));
            let is_wanted = known.contains(&key) || (is_of_account && is_of_a_group);
            if !is_wanted {
                inner.cursors.remove(&mut orphans, key, Expect::Any);
            }
        }
        catalog.commit(orphans).await?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Adds a filter, or replaces the one of that name, which then goes on where it is. A new one sends what
    /// arrives behind batch `since`.
    pub(crate) async fn put(
        &self,
        place: &Place,
        group: GroupId,
        name: &str,
        subscription: Subscription,
        since: u64,
    ) -> Result<(), LogsError> {
        let inner = &*self.inner;
        let _turn = inner.writing.lock().await;
        let key = filter_key(&place.scope, group, name);
        let known = inner.documents.get(&key);
        if known.is_none() && self.count(group) >= FILTERS_MAX {
            return Err(ForwardingError::TooManyFilters.into());
        }
        let created = known.as_ref().map_or(subscription.created, |known| known.created);
        let subscription = Subscription { created, ..subscription };
        let compiled = Arc::new(subscription.compile(name)?);
        let mut batch = Batch::new();
        let cursor = Cursor::new(since, subscription.created);
        if known.is_none() {
            inner.cursors.put(&mut batch, key.clone(), cursor.clone(), Expect::Any);
        }
        inner.documents.put(&mut batch, key, subscription, Expect::Any);
        inner.catalog.commit(batch).await?;
        if known.is_none() {
            let lane = LaneKey { group, filter: name.to_owned() };
            inner.lanes.lock().add(&lane, Arc::new(place.clone()), cursor, since);
        }
        let mut all = inner.compiled.write();
        let filters = all.of_groups.entry(group).or_default();
        filters.retain(|known| known.name != name);
        filters.push(compiled);
        Ok(())
    }

    /// Removes a filter. What it has not sent yet is not sent.
    pub(crate) async fn delete(&self, scope: &Scope, group: GroupId, name: &str) -> Result<(), LogsError> {
        let inner = &*self.inner;
        let _turn = inner.writing.lock().await;
        let key = filter_key(scope, group, name);
        let mut batch = Batch::new();
        inner.documents.remove(&mut batch, key.clone(), Expect::Present);
        inner.cursors.remove(&mut batch, key, Expect::Any);
        inner.catalog.commit(batch).await.map_err(|error| match error {
            StorageError::Conflict { .. } => LogsError::Forwarding(ForwardingError::FilterMissing),
            error => error.into(),
        })?;
        if let Some(filters) = inner.compiled.write().of_groups.get_mut(&group) {
            filters.retain(|known| known.name != name);
        }
        inner.lanes.lock().remove(&LaneKey { group, filter: name.to_owned() });
        Ok(())
    }

    /// Removes all filters of a group that was deleted.
    pub(crate) async fn forget_group(&self, scope: &Scope, group: GroupId) -> Result<(), StorageError> {
        let inner = &*self.inner;
        let _turn = inner.writing.lock().await;
        inner.compiled.write().of_groups.remove(&group);
        inner.lanes.lock().remove_all(|lane| lane.group == group);
        let prefix = stream_prefix(group, "");
        let mut batch = Batch::new();
        for (name, _) in inner.documents.list(scope, &prefix, None, usize::MAX) {
            inner.documents.remove(&mut batch, Key::new(scope, name), Expect::Any);
        }
        for (name, _) in inner.cursors.list(scope, &prefix, None, usize::MAX) {
            inner.cursors.remove(&mut batch, Key::new(scope, name), Expect::Any);
        }
        inner.catalog.commit(batch).await
    }

    /// Has a filter look at what arrived up to batch `newest`: what came while it was being put.
    pub(crate) fn look(&self, group: GroupId, name: &str, newest: u64) {
        let lane = LaneKey { group, filter: name.to_owned() };
        if self.inner.lanes.lock().arrived(&lane, newest, Timestamp::MIN) {
            self.inner.changed.notify_one();
        }
    }

    /// How many filters a group has.
    pub(crate) fn count(&self, group: GroupId) -> usize {
        self.inner.compiled.read().of_groups.get(&group).map_or(0, Vec::len)
    }

    /// The filters of a group by name.
    pub(crate) fn list(
        &self,
        scope: &Scope,
        group: GroupId,
        prefix: &str,
    ) -> Vec<(String, Arc<Subscription>)> {
        let filters = self.inner.documents.list(scope, &stream_prefix(group, prefix), None, FILTERS_MAX);
        filters.into_iter().map(|(key, filter)| (stream_name(&key).to_owned(), filter)).collect()
    }

    /// Sets the subscription of an account, or takes it away. `groups` are those of the account, which may
    /// have something unsent from before a restart.
    pub(crate) fn set_of_account(
        &self,
        scope: &Scope,
        subscription: Option<AccountSubscription>,
        groups: impl Iterator<Item = (GroupId, Arc<Place>)>,
        visible_through: impl FnOnce() -> u64,
    ) {
        let inner = &*self.inner;
        let Some(subscription) = subscription else {
            if let Some(known) = inner.compiled.write().of_accounts.remove(scope) {
                let filter = account_filter(&known.compiled.name);
                inner.lanes.lock().remove_all(|lane| lane.filter == filter);
            }
            return;
        };
        let subscription = Arc::new(subscription);
        inner.compiled.write().of_accounts.insert(scope.clone(), subscription.clone());
        // From here on arrivals are noted; what came before is to be looked for.
        let visible_through = visible_through();
        for (group, place) in groups.filter(|(_, place)| !subscription.excluded.contains(&place.group)) {
            let lane = LaneKey { group, filter: account_filter(&subscription.compiled.name) };
            let cursor = self.account_cursor(&lane, &place.scope, &subscription);
            let mut lanes = inner.lanes.lock();
            if !lanes.contains(&lane) && (cursor.pass.is_some() || cursor.through < visible_through) {
                lanes.add(&lane, place, cursor, visible_through);
            }
        }
        inner.changed.notify_one();
    }

    /// Removes the notes of an account's subscription that is no more.
    pub(crate) async fn forget_account_cursors(
        &self,
        scope: &Scope,
        policy: &str,
    ) -> Result<(), StorageError> {
        let inner = &*self.inner;
        let filter = account_filter(policy);
        let mut batch = Batch::new();
        for (name, _) in inner.cursors.list(scope, "", None, usize::MAX) {
            if stream_name(&name) == filter {
                inner.cursors.remove(&mut batch, Key::new(scope, name), Expect::Any);
            }
        }
        inner.catalog.commit(batch).await
    }

    fn account_cursor(&self, lane: &LaneKey, scope: &Scope, subscription: &AccountSubscription) -> Cursor {
        let known = self.inner.cursors.get(&filter_key(scope, lane.group, &lane.filter));
        let since = Cursor::new(subscription.since, subscription.compiled.subscription.created);
        match known {
            // Notes of an earlier policy of that name do not count.
            Some(known) if known.through >= subscription.since => (*known).clone(),
            _ => since,
        }
    }

    /// The subscription of a lane, if it is still there and still about the lane's group.
    pub(super) fn of_lane(&self, lane: &LaneKey, place: &Place) -> Option<Arc<CompiledSubscription>> {
        let compiled = self.inner.compiled.read();
        let Some(policy) = lane.filter.strip_prefix(OF_ACCOUNT) else {
            return compiled.of_groups.get(&lane.group)?.iter().find(|one| one.name == lane.filter).cloned();
        };
        let found = compiled.of_accounts.get(&place.scope)?;
        let is_meant = found.compiled.name == policy && !found.excluded.contains(&place.group);
        is_meant.then(|| Arc::new(found.compiled.clone()))
    }

    /// Whether a lane belongs to an account's subscription.
    pub(super) fn is_of_account(lane: &LaneKey) -> bool {
        lane.filter.starts_with(OF_ACCOUNT)
    }

    pub(super) fn lanes(&self) -> &Mutex<Lanes> {
        &self.inner.lanes
    }

    pub(super) fn changed(&self) -> &Notify {
        &self.inner.changed
    }

    /// Writes cursors down.
    pub(super) async fn note(&self, cursors: Vec<(LaneKey, Arc<Place>, Cursor)>) -> Result<(), StorageError> {
        let mut batch = Batch::new();
        for (lane, place, cursor) in cursors {
            let key = filter_key(&place.scope, lane.group, &lane.filter);
            self.inner.cursors.put(&mut batch, key, cursor, Expect::Any);
        }
        self.inner.catalog.commit(batch).await
    }
}

impl ArrivalListener for Subscriptions {
    fn arrived(&self, arrival: &Arrival<'_>) {
        let inner = &*self.inner;
        let compiled = inner.compiled.read();
        if compiled.of_groups.is_empty() && compiled.of_accounts.is_empty() {
            return;
        }
        let (group, address) = (arrival.address.group_id, arrival.address);
        let mut falls_due = false;
        for subscription in compiled.of_groups.get(&group).into_iter().flatten() {
            let lane = LaneKey { group, filter: subscription.name.clone() };
            falls_due |= inner.lanes.lock().arrived(&lane, arrival.sequence, arrival.ingested);
        }
        let of_account = compiled.of_accounts.get(&address.scope);
        if let Some(subscription) = of_account.filter(|one| !one.excluded.contains(&address.group)) {
            let lane = LaneKey { group, filter: account_filter(&subscription.compiled.name) };
            let mut lanes = inner.lanes.lock();
            if !lanes.contains(&lane) {
                let place = Arc::new(Place { scope: address.scope.clone(), group: address.group.clone() });
                let cursor = self.account_cursor(&lane, &address.scope, subscription);
                lanes.add(&lane, place, cursor, 0);
            }
            falls_due |= lanes.arrived(&lane, arrival.sequence, arrival.ingested);
        }
        if falls_due {
            inner.changed.notify_one();
        }
    }
}

/// The name that lanes of an account's policy have in place of a filter's.
fn account_filter(policy: &str) -> String {
    format!("{OF_ACCOUNT}{policy}")
}

fn filter_key(scope: &Scope, group: GroupId, filter: &str) -> Key {
    Key::new(scope, stream_prefix(group, filter))
}

fn group_of(key: &Key) -> Option<GroupId> {
    key.name.split_once('\0').and_then(|(group, _)| GroupId::parse(group))
}

/// Where each group is.
pub(crate) fn places(groups: impl IntoIterator<Item = (Key, GroupId)>) -> HashMap<GroupId, Arc<Place>> {
    let place = |(key, group): (Key, GroupId)| (group, Arc::new(Place { scope: key.scope, group: key.name }));
    groups.into_iter().map(place).collect()
}
