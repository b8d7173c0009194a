//! How a group's events are treated: by the group's own settings, and by those of its account.
//!
//! What is in force when an event arrives holds for that event for ever. Protection adds up: what either
//! policy calls sensitive is masked. A group's own transformer is used in place of its account's, and its
//! account's retention in place of its own. Source: CloudWatch Logs API reference, PutAccountPolicy.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::Timestamp;
use groundwatch_data_protection::{Finding, mask};

use crate::group::{GroupClass, LogGroup};
use crate::policy::{AccountPolicy, Effect, Period};
use crate::protection::GroupProtection;
use crate::store::Found;
use crate::transformer::GroupTransformer;

/// A group with what it has from its account.
#[derive(Clone)]
pub(crate) struct Treatment {
    group: Arc<LogGroup>,
    /// Those that are about this group, deleted ones among them.
    policies: Vec<Arc<AccountPolicy>>,
    name: String,
}

impl Treatment {
    /// The treatment of the group called `name` under the policies of its account.
    pub(crate) fn new(group: Arc<LogGroup>, name: &str, policies: Vec<Arc<AccountPolicy>>) -> Self {
        Self { group, policies, name: name.to_owned() }
    }

    /// The group.
    pub(crate) fn group(&self) -> &LogGroup {
        &self.group
    }

    /// How long events are kept at `now`, and the name of the account's policy that says so, if one does: the
    /// longest of those that are about the group, and of several the first. The retention of groups of class
    /// `DELIVERY` is fixed.
    pub(crate) fn retention(&self, now: Timestamp) -> (Period, Option<&str>) {
        let of_account = self.policies.iter().filter_map(|policy| match &policy.effect {
            Effect::Retention(retention) => {
                let period = retention.period_of(&self.name, self.group.created, now)?;
                Some((period, Reverse(retention.created()), policy.name.as_str()))
            }
            _ => None,
        });
        match of_account.max().filter(|_| self.group.class != GroupClass::Delivery) {
            Some((period, _, name)) => (period, Some(name)),
            None => (Period::of_days(self.group.retention_days), None),
        }
    }

    /// Events before this moment have expired at `now`: nothing shows them any more.
    pub(crate) fn expired_before(&self, now: Timestamp) -> Timestamp {
        self.retention(now).0.expired_before(now)
    }

    /// The policies that protect events which arrive at `moment`: the group's, and the account's.
    pub(crate) fn protections(&self, moment: Timestamp) -> impl Iterator<Item = &GroupProtection> {
        let of_account = self.policies.iter().filter_map(move |policy| match &policy.effect {
            Effect::Protection(history) => history.at(moment),
            _ => None,
        });
        self.group.protection.at(moment).into_iter().chain(of_account).map(Arc::as_ref)
    }

    /// Whether anything may be masked.
    pub(crate) fn protects(&self) -> bool {
        let of_account = |policy: &Arc<AccountPolicy>| matches!(policy.effect, Effect::Protection(_));
        !self.group.protection.is_empty() || self.policies.iter().any(of_account)
    }

    /// Whether a policy of the account protects events that arrive now.
    pub(crate) fn is_protected_by_account(&self) -> bool {
        self.policies.iter().any(|policy| match &policy.effect {
            Effect::Protection(history) => history.current().is_some(),
            _ => false,
        })
    }

    /// What transforms events that arrive at `moment`.
    pub(crate) fn transformer(&self, moment: Timestamp) -> Option<&GroupTransformer> {
        if !self.group.class.readable() {
            return None;
        }
        let own = self.group.transformers.at(moment).map(Arc::as_ref);
        own.or_else(|| {
            self.policies.iter().find_map(|policy| match &policy.effect {
                Effect::Transformer(history) => history
                    .at(moment)
                    .filter(|chosen| chosen.prefix.selects(&self.name))
                    .map(|chosen| &chosen.transformer),
                _ => None,
            })
        })
    }

    /// The account's policy that says which fields are indexed, with what it says: of a group without a
    /// policy of its own.
    pub(crate) fn index_policy(&self) -> Option<&AccountPolicy> {
        let own = self.group.index_policy.as_ref().is_some_and(|policy| policy.document.is_some());
        let selects = |policy: &&Arc<AccountPolicy>| match &policy.effect {
            Effect::FieldIndex { prefix, .. } => prefix.selects(&self.name),
            _ => false,
        };
        let found = self.policies.iter().find(selects).filter(|_| !own && self.group.class.readable());
        found.map(Arc::as_ref)
    }

    /// The text of an event that arrived at `ingested`, as it is shown to those who may not see what is
    /// sensitive.
    pub(crate) fn masked<'m>(&self, ingested: Timestamp, message: &'m [u8]) -> Cow<'m, [u8]> {
        let mut protections = self.protections(ingested).peekable();
        if protections.peek().is_none() {
            return Cow::Borrowed(message);
        }
        let text = String::from_utf8_lossy(message);
        let findings: Vec<Finding<'_>> = protections.flat_map(|protection| protection.find(&text)).collect();
        match findings.is_empty() {
            true => Cow::Borrowed(message),
            false => Cow::Owned(mask(&text, &findings).into_bytes()),
        }
    }

    /// Masks an event that was found.
    pub(crate) fn mask(&self, event: &mut Found) {
        if let Cow::Owned(masked) = self.masked(event.ingested, &event.message) {
            event.message = Bytes::from(masked);
        }
    }
}
