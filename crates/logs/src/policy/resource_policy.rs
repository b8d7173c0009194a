//! Resource policies: who else may write, for the whole account or for one group. Stored and shown: only
//! services of AWS are meant by them, and none of those writes here.

use std::sync::Arc;

use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::{Catalog, Document, StorageError};
use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use super::{PolicyDocument, PolicyDocumentError};
use crate::error::LogsError;
use crate::incarnation::GroupId;
use crate::shelf::Shelf;

/// How many policies an account has besides those of its groups (source: CloudWatch Logs API reference,
/// PutResourcePolicy).
const ACCOUNT_POLICIES_MAX: usize = 10;

/// Names of documents: what stands before the policy's name, or before the group's incarnation.
const OF_ACCOUNT: &str = "account\0";
const OF_GROUP: &str = "group\0";

/// A resource policy, as its document keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResourcePolicy {
    /// Its name; a group's policy may do without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The policy as it was given.
    pub document: String,
    /// When it was last put.
    pub updated: Timestamp,
    /// The group's ARN, if it is the policy of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_arn: Option<String>,
    /// Changes with every put.
    pub revision: String,
}

impl Document for ResourcePolicy {
    const KIND: &'static str = "log-resource-policy";
}

/// Why a policy is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The policy of that name is not there.
    #[error("there is no policy `{name}`")]
    Missing {
        /// What was asked for.
        name: String,
    },
    /// A name that is not allowed.
    #[error("`{name}` is not a name for a policy")]
    Name {
        /// What was given.
        name: String,
    },
    /// The document is too long.
    #[error("policy document is longer than {limit} characters")]
    TooLong {
        /// The longest that is taken.
        limit: usize,
    },
    /// A name is needed.
    #[error("a policy of the account needs a name")]
    NoName,
    /// The document is not given.
    #[error("the policy's document is missing")]
    NoDocument,
    /// The document is none.
    #[error("policy document is not valid")]
    Document(#[source] PolicyDocumentError),
    /// The account has as many as it can have.
    #[error("there are too many policies")]
    TooMany,
    /// The selection cannot be read.
    #[error("the selection is not one by a prefix of names")]
    Selection,
    /// Policies of the type are about all groups.
    #[error("the policy cannot select groups")]
    SelectionNotAllowed,
    /// A preview was asked for that there is none of.
    #[error("there is no dry run of policies of this type")]
    DryRun,
    /// Another policy of the type is about some of the same groups.
    #[error("policy `{other}` is about some of the same groups")]
    Overlap {
        /// The other policy.
        other: String,
    },
    /// Somebody changed it meanwhile, or the expected revision is not given.
    #[error("the policy has another revision than expected")]
    Revision,
}

/// All resource policies. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ResourcePolicies(Shelf<ResourcePolicy>);

impl ResourcePolicies {
    /// Loads the policies; forgets those of groups that are not in `groups`.
    pub(crate) async fn open(catalog: &Catalog, groups: &HashSet<GroupId>) -> Result<Self, StorageError> {
        let shelf = Shelf::open(catalog)?;
        shelf
            .remove_all(|key, _: &ResourcePolicy| {
                let group = key.name.strip_prefix(OF_GROUP).and_then(GroupId::parse);
                group.is_some_and(|group| !groups.contains(&group))
            })
            .await?;
        Ok(Self(shelf))
    }

    /// Adds or replaces a policy of the account.
    pub(crate) async fn put_of_account(
        &self,
        scope: &Scope,
        policy: ResourcePolicy,
    ) -> Result<ResourcePolicy, LogsError> {
        check(&policy.document)?;
        let name = policy.name.clone().filter(|name| !name.is_empty()).ok_or(PolicyError::NoName)?;
        let add = |known: Option<&ResourcePolicy>| {
            if known.is_none() && self.of_account(scope, None, usize::MAX).len() >= ACCOUNT_POLICIES_MAX {
                return Err(PolicyError::TooMany.into());
            }
            Ok(policy)
        };
        self.0.change(scope, &format!("{OF_ACCOUNT}{name}"), add).await
    }

    /// Adds or replaces the policy of a group, whose revision now is `expected`; there is none as long as
    /// there is no policy.
    pub(crate) async fn put_of_group(
        &self,
        scope: &Scope,
        group: GroupId,
        policy: ResourcePolicy,
        expected: Option<&str>,
    ) -> Result<ResourcePolicy, LogsError> {
        check(&policy.document)?;
        let replace = |known: Option<&ResourcePolicy>| {
            if known.map(|known| known.revision.as_str()) != expected {
                return Err(PolicyError::Revision.into());
            }
            Ok(policy)
        };
        self.0.change(scope, &format!("{OF_GROUP}{group}"), replace).await
    }

    /// Removes a policy of the account.
    pub(crate) async fn delete_of_account(&self, scope: &Scope, name: &str) -> Result<(), LogsError> {
        if self.0.remove(scope, &format!("{OF_ACCOUNT}{name}"), |_| Ok(())).await? {
            return Ok(());
        }
        Err(PolicyError::Missing { name: name.to_owned() }.into())
    }

    /// Removes the policy of a group, if its revision is `expected`, or none is expected.
    pub(crate) async fn delete_of_group(
        &self,
        scope: &Scope,
        group: GroupId,
        name: &str,
        expected: Option<&str>,
    ) -> Result<(), LogsError> {
        let is_expected = |policy: &ResourcePolicy| match expected {
            Some(expected) if expected != policy.revision => Err(PolicyError::Revision.into()),
            _ => Ok(()),
        };
        if self.0.remove(scope, &format!("{OF_GROUP}{group}"), is_expected).await? {
            return Ok(());
        }
        Err(PolicyError::Missing { name: name.to_owned() }.into())
    }

    /// Forgets the policy of a group that was deleted.
    pub(crate) async fn forget_group(&self, scope: &Scope, group: GroupId) -> Result<(), LogsError> {
        self.0.remove(scope, &format!("{OF_GROUP}{group}"), |_| Ok(())).await.map(|_| ())
    }

    /// The policy of a group.
    pub(crate) fn of_group(&self, scope: &Scope, group: GroupId) -> Option<Arc<ResourcePolicy>> {
        self.0.get(scope, &format!("{OF_GROUP}{group}"))
    }

    /// Up to `limit` policies of the account by name, after the name `after`.
    pub(crate) fn of_account(
        &self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<Arc<ResourcePolicy>> {
        self.listed(scope, OF_ACCOUNT, after, limit).into_iter().map(|(_, policy)| policy).collect()
    }

    /// Up to `limit` policies of groups, each with what comes next to `after` in the listing.
    pub(crate) fn of_groups(
        &self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Arc<ResourcePolicy>)> {
        self.listed(scope, OF_GROUP, after, limit)
    }

    fn listed(
        &self,
        scope: &Scope,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Arc<ResourcePolicy>)> {
        let after = after.map(|after| format!("{prefix}{after}"));
        let listed = self.0.list(scope, prefix, after.as_deref(), limit);
        listed.into_iter().map(|(name, policy)| (name[prefix.len()..].to_owned(), policy)).collect()
    }
}

fn check(document: &str) -> Result<(), LogsError> {
    PolicyDocument::parse(document).map(|_| ()).map_err(|error| PolicyError::Document(error).into())
}
