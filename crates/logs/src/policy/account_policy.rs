//! Policies of the account, and what they bring about: kept by type and name.
//!
//! Source of the rules: CloudWatch Logs API reference, PutAccountPolicy.

use std::sync::Arc;

use groundwatch_api::logs::{PolicyType, Processor, PutTransformer, PutTransformerInput};
use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::{Catalog, Document, StorageError};
use serde::{Deserialize, Serialize};

use super::retention::RetentionPolicy;
use super::selection::Prefixes;
use super::{PolicyDocumentError, PolicyError};
use crate::error::LogsError;
use crate::history::History;
use crate::index_policy::{self, IndexedFields};
use crate::protection::{self, GroupProtection};
use crate::shelf::Shelf;
use crate::transformer::GroupTransformer;

/// The longest document of a policy, in characters (source: AccountPolicy).
pub(crate) const DOCUMENT_CHARACTERS_MAX: usize = 30_720;
/// How many policies of a type can be about groups of different prefixes.
const POLICIES_MAX: usize = 20;
/// How many deleted policies are remembered for the events that arrived under them.
const DELETED_MAX: usize = 100;

/// A policy of the account, as its document keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AccountPolicy {
    /// Its name.
    pub name: String,
    /// The policy as it was given; absent once it was deleted, and kept for the events that arrived under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Which groups it is about, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<String>,
    /// When it was last put.
    pub updated: Timestamp,
    /// What it brings about.
    pub effect: Effect,
}

/// What a policy of the account brings about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Effect {
    /// Events are sent on: those of batches after `since`.
    Subscription {
        /// The last batch before.
        since: u64,
    },
    /// Sensitive data are masked, of all groups.
    Protection(History<GroupProtection>),
    /// Events are transformed.
    Transformer(History<ChosenTransformer>),
    /// Fields are indexed.
    FieldIndex {
        /// Of which groups.
        prefix: Prefixes,
        /// Which fields.
        fields: IndexedFields,
    },
    /// Events are kept for a while.
    Retention(RetentionPolicy),
}

/// A transformer, and which groups it is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChosenTransformer {
    /// Of which groups.
    pub prefix: Prefixes,
    /// What transforms their events.
    pub transformer: GroupTransformer,
}

impl AccountPolicy {
    /// What kind it is of.
    pub(crate) fn policy_type(&self) -> PolicyType {
        match self.effect {
            Effect::Subscription { .. } => PolicyType::SubscriptionFilterPolicy,
            Effect::Protection(_) => PolicyType::DataProtectionPolicy,
            Effect::Transformer(_) => PolicyType::TransformerPolicy,
            Effect::FieldIndex { .. } => PolicyType::FieldIndexPolicy,
            Effect::Retention(_) => PolicyType::RetentionPolicy,
        }
    }
}

impl Document for AccountPolicy {
    const KIND: &'static str = "log-account-policy";
}

/// A policy that is to be put.
pub(crate) struct NewPolicy {
    /// What kind it is of.
    pub policy_type: PolicyType,
    /// Its name.
    pub name: String,
    /// Its text.
    pub document: String,
    /// Which groups it is about, if not all.
    pub selection: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The last batch of events that came before.
    pub since: u64,
}

impl NewPolicy {
    /// What it brings about, on top of what the policy of that name has brought about until now.
    fn effect(&self, known: Option<&Effect>) -> Result<Effect, LogsError> {
        let prefix = || match &self.selection {
            None => Ok(Prefixes::default()),
            Some(selection) => Prefixes::parse(selection).ok_or(PolicyError::Selection),
        };
        match &self.policy_type {
            PolicyType::SubscriptionFilterPolicy => Ok(match known {
                Some(Effect::Subscription { since }) => Effect::Subscription { since: *since },
                _ => Effect::Subscription { since: self.since },
            }),
            PolicyType::DataProtectionPolicy if self.selection.is_some() => {
                Err(PolicyError::SelectionNotAllowed.into())
            }
            PolicyType::DataProtectionPolicy => {
                let history = match known {
                    Some(Effect::Protection(history)) => history.clone(),
                    _ => History::default(),
                };
                let policy = GroupProtection::parse(&self.document)?;
                Ok(Effect::Protection(history.changed(self.at, Some(policy), protection::merge)))
            }
            PolicyType::TransformerPolicy => {
                let history = match known {
                    Some(Effect::Transformer(history)) => history.clone(),
                    _ => History::default(),
                };
                let transformer = transformer(&self.document, self.at)?;
                let chosen = ChosenTransformer { prefix: prefix()?, transformer };
                Ok(Effect::Transformer(history.changed(self.at, Some(chosen), |_, _| {})))
            }
            PolicyType::FieldIndexPolicy => {
                if self.selection.as_ref().is_some_and(|selection| selection.contains("DataSource")) {
                    return Err(LogsError::Unsupported { what: "selectionCriteria by DataSourceName" });
                }
                let fields = index_policy::parse(&self.document)?;
                Ok(Effect::FieldIndex { prefix: prefix()?, fields })
            }
            PolicyType::RetentionPolicy => {
                let known = match known {
                    Some(Effect::Retention(known)) => Some(known),
                    _ => None,
                };
                let policy = RetentionPolicy::put(known, &self.document, prefix()?, self.at);
                Ok(Effect::Retention(policy.map_err(PolicyError::Document)?))
            }
            PolicyType::MetricExtractionPolicy => {
                Err(LogsError::Unsupported { what: "policyType METRIC_EXTRACTION_POLICY" })
            }
            PolicyType::Unknown(_) => Err(LogsError::Unsupported { what: "policyType" }),
        }
    }
}

/// The processors that a document lists.
fn transformer(document: &str, at: Timestamp) -> Result<GroupTransformer, LogsError> {
    let wrong = |reason| PolicyError::Document(PolicyDocumentError { reason });
    let processors: Vec<Processor> =
        serde_json::from_str(document).map_err(|error| wrong(error.to_string()))?;
    let input = PutTransformerInput {
        log_group_identifier: Some("account".to_owned()),
        transformer_config: Some(processors),
    };
    let violated = groundwatch_api::validate::check::<PutTransformer>(&input);
    violated.map_err(|fault| wrong(fault.message.unwrap_or_default()))?;
    let processors = input.transformer_config.unwrap_or_default();
    GroupTransformer::new(processors, at)
}

impl Effect {
    /// The effect when the policy is deleted at `now`; `None` if nothing of it has to be remembered.
    fn ended(&self, now: Timestamp) -> Option<Self> {
        match self {
            Self::Protection(history) => {
                Some(Self::Protection(history.changed(now, None, protection::merge)))
            }
            Self::Transformer(history) => Some(Self::Transformer(history.changed(now, None, |_, _| {}))),
            Self::Subscription { .. } | Self::FieldIndex { .. } | Self::Retention(_) => None,
        }
    }

    /// Whether a group could be meant by both, which are of one type. Of retentions the longest counts.
    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Retention(_), _) => false,
            _ => self.prefix().overlaps(&other.prefix()),
        }
    }

    /// Which groups it is about now.
    fn prefix(&self) -> Prefixes {
        match self {
            Self::FieldIndex { prefix, .. } => prefix.clone(),
            Self::Transformer(history) => {
                history.current().map(|(_, chosen)| chosen.prefix.clone()).unwrap_or_default()
            }
            Self::Subscription { .. } | Self::Protection(_) | Self::Retention(_) => Prefixes::default(),
        }
    }
}

/// The policies of all accounts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AccountPolicies(Shelf<AccountPolicy>);

impl AccountPolicies {
    /// Loads the policies.
    pub(crate) fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        Ok(Self(Shelf::open(catalog)?))
    }

    /// The policies of an account that are of a type, by name.
    pub(crate) fn list(&self, scope: &Scope, policy_type: &PolicyType) -> Vec<Arc<AccountPolicy>> {
        let listed = self.0.list(scope, &key(policy_type, ""), None, usize::MAX).into_iter();
        listed.map(|(_, policy)| policy).filter(|policy| policy.document.is_some()).collect()
    }

    /// All policies of an account, with the deleted ones that events arrived under.
    pub(crate) fn of(&self, scope: &Scope) -> Vec<Arc<AccountPolicy>> {
        self.0.list(scope, "", None, usize::MAX).into_iter().map(|(_, policy)| policy).collect()
    }

    /// Every account's policies.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Scope, Arc<AccountPolicy>)> {
        self.0.all().into_iter().map(|(key, policy)| (key.scope, policy))
    }

    /// Adds a policy, or replaces the one of that name.
    pub(crate) async fn put(&self, scope: &Scope, new: &NewPolicy) -> Result<AccountPolicy, LogsError> {
        self.forget_oldest(scope, &new.policy_type).await?;
        let put = |known: Option<&AccountPolicy>| self.made(scope, new, known);
        self.0.change(scope, &key(&new.policy_type, &new.name), put).await
    }

    /// The policy that [`Self::put`] would put.
    pub(crate) fn preview(&self, scope: &Scope, new: &NewPolicy) -> Result<AccountPolicy, LogsError> {
        let known = self.0.get(scope, &key(&new.policy_type, &new.name));
        self.made(scope, new, known.as_deref())
    }

    /// The policy that is made of the one that there was.
    fn made(
        &self,
        scope: &Scope,
        new: &NewPolicy,
        known: Option<&AccountPolicy>,
    ) -> Result<AccountPolicy, LogsError> {
        let effect = new.effect(known.map(|known| &known.effect))?;
        let mut others = self.list(scope, &new.policy_type);
        others.retain(|other| other.name != new.name);
        let is_alone = matches!(
            new.policy_type,
            PolicyType::SubscriptionFilterPolicy | PolicyType::DataProtectionPolicy
        );
        if others.len() >= if is_alone { 1 } else { POLICIES_MAX } {
            return Err(PolicyError::TooMany.into());
        }
        if let Some(other) = others.iter().find(|other| other.effect.overlaps(&effect)) {
            return Err(PolicyError::Overlap { other: other.name.clone() }.into());
        }
        Ok(AccountPolicy {
            name: new.name.clone(),
            document: Some(new.document.clone()),
            selection: new.selection.clone(),
            updated: new.at,
            effect,
        })
    }

    /// Whether there is such a policy, or the error that there is none.
    pub(crate) fn check_there(
        &self,
        scope: &Scope,
        policy_type: &PolicyType,
        name: &str,
    ) -> Result<(), LogsError> {
        let is_there = self.list(scope, policy_type).iter().any(|policy| policy.name == name);
        if is_there { Ok(()) } else { Err(PolicyError::Missing { name: name.to_owned() }.into()) }
    }

    /// Deletes a policy. It stays in force for the events that arrived under it.
    pub(crate) async fn delete(
        &self,
        scope: &Scope,
        policy_type: &PolicyType,
        name: &str,
        now: Timestamp,
    ) -> Result<(), LogsError> {
        let missing = || PolicyError::Missing { name: name.to_owned() };
        let key = key(policy_type, name);
        let is_there = |policy: &AccountPolicy| policy.name == name && policy.document.is_some();
        let known = self.0.get(scope, &key).filter(|policy| is_there(policy)).ok_or_else(missing)?;
        if known.effect.ended(now).is_none() {
            let removed = self.0.remove(scope, &key, |_| Ok(())).await?;
            return if removed { Ok(()) } else { Err(missing().into()) };
        }
        let end = |known: Option<&AccountPolicy>| {
            let known = known.filter(|policy| is_there(policy)).ok_or_else(missing)?;
            let effect = known.effect.ended(now).ok_or_else(missing)?;
            Ok(AccountPolicy { document: None, updated: now, effect, ..known.clone() })
        };
        self.0.change(scope, &key, end).await.map(drop)
    }

    /// Makes room among the deleted policies of a type.
    async fn forget_oldest(&self, scope: &Scope, policy_type: &PolicyType) -> Result<(), LogsError> {
        let mut deleted = self.0.list(scope, &key(policy_type, ""), None, usize::MAX);
        deleted.retain(|(_, policy)| policy.document.is_none());
        if deleted.len() < DELETED_MAX {
            return Ok(());
        }
        let oldest = deleted.into_iter().min_by_key(|(_, policy)| policy.updated);
        if let Some((key, _)) = oldest {
            self.0.remove(scope, &key, |_| Ok(())).await?;
        }
        Ok(())
    }
}

/// The name of a policy's document. An account has one data protection policy at a time, and its history goes
/// on under whatever name.
fn key(policy_type: &PolicyType, name: &str) -> String {
    let name = if *policy_type == PolicyType::DataProtectionPolicy { "" } else { name };
    format!("{}\0{name}", policy_type.as_str())
}
