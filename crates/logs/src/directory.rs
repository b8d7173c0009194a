//! Which groups and streams there are, and how they are treated.

use std::sync::Arc;

use groundwatch_core::Scope;
use groundwatch_storage::{Batch, Catalog, Documents, Expect, Key, StorageError, despite_conflicts};
use hashbrown::HashMap;

use crate::error::LogsError;
use crate::group::{LogGroup, group_key};
use crate::incarnation::{GroupId, LogStreamId};
use crate::policy::{AccountPolicies, AccountPolicy};
use crate::store::StreamAddress;
use crate::stream::{LogStream, stream_key, stream_name, stream_prefix};
use crate::treatment::Treatment;

/// How many streams of a deleted group are removed in one transaction, so that others get their turn.
const STREAMS_PER_TRANSACTION: usize = 10_000;

/// The documents of all groups and streams. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Directory {
    pub(crate) catalog: Catalog,
    pub(crate) groups: Documents<LogGroup>,
    pub(crate) streams: Documents<LogStream>,
    pub(crate) account_policies: AccountPolicies,
}

impl Directory {
    /// Loads all groups and streams.
    pub(crate) fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        Ok(Self {
            catalog: catalog.clone(),
            groups: Documents::open(catalog)?,
            streams: Documents::open(catalog)?,
            account_policies: AccountPolicies::open(catalog)?,
        })
    }

    /// The group called `name`, or [`LogsError::GroupMissing`].
    pub(crate) fn group(&self, scope: &Scope, name: &str) -> Result<Arc<LogGroup>, LogsError> {
        self.groups.get(&group_key(scope, name)).ok_or(LogsError::GroupMissing)
    }

    /// How events of a group are treated, by its own settings and by those of its account.
    pub(crate) fn treatment(&self, scope: &Scope, name: &str, group: &Arc<LogGroup>) -> Treatment {
        Treatment::new(Arc::clone(group), name, self.account_policies.of(scope))
    }

    /// The treatments of all groups.
    pub(crate) fn treatments(&self) -> Vec<Treatment> {
        let mut policies: HashMap<Scope, Vec<Arc<AccountPolicy>>> = HashMap::new();
        let groups = self.groups.all().into_iter();
        let treatment = |(key, group): (Key, Arc<LogGroup>)| {
            let of_scope = || self.account_policies.of(&key.scope);
            let policies = policies.entry(key.scope.clone()).or_insert_with(of_scope);
            Treatment::new(group, &key.name, policies.clone())
        };
        groups.map(treatment).collect()
    }

    /// The stream called `name` of a group, or [`LogsError::StreamMissing`].
    pub(crate) fn stream(
        &self,
        scope: &Scope,
        group: GroupId,
        name: &str,
    ) -> Result<Arc<LogStream>, LogsError> {
        self.streams.get(&stream_key(scope, group, name)).ok_or(LogsError::StreamMissing)
    }

    /// Up to `limit` streams of a group by name, whose names begin with `prefix` and come after `after`.
    pub(crate) fn list_streams(
        &self,
        scope: &Scope,
        group: GroupId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Arc<LogStream>)> {
        let after = after.map(|after| stream_prefix(group, after));
        let listed = self.streams.list(scope, &stream_prefix(group, prefix), after.as_deref(), limit);
        listed.into_iter().map(|(key, stream)| (stream_name(&key).to_owned(), stream)).collect()
    }

    /// As [`Self::list_streams`], descending: those whose names come before `before`.
    pub(crate) fn list_streams_descending(
        &self,
        scope: &Scope,
        group: GroupId,
        prefix: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Arc<LogStream>)> {
        let before = before.map(|before| stream_prefix(group, before));
        let listed =
            self.streams.list_descending(scope, &stream_prefix(group, prefix), before.as_deref(), limit);
        listed.into_iter().map(|(key, stream)| (stream_name(&key).to_owned(), stream)).collect()
    }

    /// Whether the group and the stream are still those of `address`.
    pub(crate) fn holds(&self, address: &StreamAddress) -> bool {
        let group = self.groups.get(&group_key(&address.scope, &address.group));
        group.is_some_and(|group| group.id == address.group_id) && self.holds_stream(address)
    }

    /// Whether the stream is still that of `address`, in a group that is known to be.
    pub(crate) fn holds_stream(&self, address: &StreamAddress) -> bool {
        let stream = self.streams.get(&stream_key(&address.scope, address.group_id, &address.stream));
        stream.is_some_and(|stream| stream.id == address.stream_id)
    }

    /// Whether segments hold a batch of the stream whose number is above `sequence`.
    pub(crate) fn is_flushed_beyond(&self, address: &StreamAddress, sequence: u64) -> bool {
        let stream = self.streams.get(&stream_key(&address.scope, address.group_id, &address.stream));
        stream.is_some_and(|stream| {
            stream.id == address.stream_id
                && stream.flushed.is_some_and(|flushed| flushed.last_sequence > sequence)
        })
    }

    /// Adds a group.
    pub(crate) async fn create_group(
        &self,
        scope: &Scope,
        name: &str,
        group: LogGroup,
    ) -> Result<(), LogsError> {
        let mut batch = Batch::new();
        self.groups.put(&mut batch, group_key(scope, name), group, Expect::Absent);
        self.catalog.commit(batch).await.map_err(|error| match error {
            StorageError::Conflict { .. } => LogsError::GroupExists,
            error => error.into(),
        })
    }

    /// Adds a stream to a group. If the group is deleted at the same moment, nothing ever shows the stream.
    pub(crate) async fn create_stream(
        &self,
        scope: &Scope,
        group: GroupId,
        name: &str,
        stream: LogStream,
    ) -> Result<(), LogsError> {
        let mut batch = Batch::new();
        self.streams.put(&mut batch, stream_key(scope, group, name), stream, Expect::Absent);
        self.catalog.commit(batch).await.map_err(|error| match error {
            StorageError::Conflict { .. } => LogsError::StreamExists,
            error => error.into(),
        })
    }

    /// Replaces a group's definition by what `change` makes of it, which must be about the same incarnation.
    pub(crate) async fn change_group(
        &self,
        scope: &Scope,
        name: &str,
        change: impl Fn(&LogGroup) -> Result<LogGroup, LogsError>,
    ) -> Result<(), LogsError> {
        let key = group_key(scope, name);
        despite_conflicts(|| async {
            let (version, group) = self.groups.get_versioned(&key).ok_or(LogsError::GroupMissing)?;
            let mut batch = Batch::new();
            self.groups.put(&mut batch, key.clone(), change(&group)?, Expect::Version(version));
            Ok(self.catalog.commit(batch).await?)
        })
        .await
    }

    /// Removes a stream of a group that is not protected, and returns which they were.
    pub(crate) async fn delete_stream(
        &self,
        scope: &Scope,
        group_name: &str,
        name: &str,
    ) -> Result<(GroupId, LogStreamId), LogsError> {
        let group_key = group_key(scope, group_name);
        despite_conflicts(|| async {
            let (group_version, group) =
                self.groups.get_versioned(&group_key).ok_or(LogsError::GroupMissing)?;
            let stream_key = stream_key(scope, group.id, name);
            let (stream_version, stream) =
                self.streams.get_versioned(&stream_key).ok_or(LogsError::StreamMissing)?;
            if group.deletion_protected {
                return Err(LogsError::GroupProtected);
            }
            let mut changed = (*group).clone();
            let stream_bytes = stream.flushed.map_or(0, |flushed| flushed.stored_bytes);
            changed.flushed_bytes = changed.flushed_bytes.saturating_sub(stream_bytes);
            let mut batch = Batch::new();
            self.streams.remove(&mut batch, stream_key, Expect::Version(stream_version));
            self.groups.put(&mut batch, group_key.clone(), changed, Expect::Version(group_version));
            self.catalog.commit(batch).await?;
            Ok((group.id, stream.id))
        })
        .await
    }

    /// Removes a group that is not protected, then its streams, which nothing shows from the first moment on.
    /// Returns which incarnation it was.
    pub(crate) async fn delete_group(&self, scope: &Scope, name: &str) -> Result<GroupId, LogsError> {
        let key = group_key(scope, name);
        let group = despite_conflicts(|| async {
            let (version, group) = self.groups.get_versioned(&key).ok_or(LogsError::GroupMissing)?;
            if group.deletion_protected {
                return Err(LogsError::GroupProtected);
            }
            let mut batch = Batch::new();
            self.groups.remove(&mut batch, key.clone(), Expect::Version(version));
            self.catalog.commit(batch).await?;
            Ok(group.id)
        })
        .await?;
        if let Err(error) = self.remove_streams(scope, group).await {
            tracing::warn!(group = name, %error, "streams of a deleted group stay until the next start");
        }
        Ok(group)
    }

    /// Removes the streams of groups that are gone, which a crash in the middle of a deletion leaves behind.
    pub(crate) async fn remove_orphans(&self) -> Result<(), StorageError> {
        let groups: hashbrown::HashSet<GroupId> =
            self.groups.all().iter().map(|(_, group)| group.id).collect();
        let is_orphan = |name: &str| {
            let group = name.split_once('\0').and_then(|(group, _)| GroupId::parse(group));
            group.is_none_or(|group| !groups.contains(&group))
        };
        let orphans: Vec<_> =
            self.streams.all().into_iter().map(|(key, _)| key).filter(|key| is_orphan(&key.name)).collect();
        for some in orphans.chunks(STREAMS_PER_TRANSACTION) {
            let mut batch = Batch::new();
            for key in some {
                self.streams.remove(&mut batch, key.clone(), Expect::Any);
            }
            self.catalog.commit(batch).await?;
        }
        Ok(())
    }

    async fn remove_streams(&self, scope: &Scope, group: GroupId) -> Result<(), StorageError> {
        loop {
            let streams = self.list_streams(scope, group, "", None, STREAMS_PER_TRANSACTION);
            if streams.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::new();
            for (name, _) in streams {
                self.streams.remove(&mut batch, stream_key(scope, group, &name), Expect::Any);
            }
            self.catalog.commit(batch).await?;
        }
    }
}
