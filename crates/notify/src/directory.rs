//! Who is subscribed to what: topics and subscriptions, as documents.

use std::sync::Arc;

use groundwatch_core::{AccountId, Scope};
use groundwatch_storage::{Batch, Catalog, Documents, Expect, StorageError};

use crate::subscription::{Standing, Subscriber, Subscription, SubscriptionId};
use crate::topic::{Topic, TopicId};
use crate::{Invalid, NotifyError};

/// The topics and subscriptions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Directory {
    pub(crate) catalog: Catalog,
    pub(crate) topics: Documents<Topic>,
    pub(crate) subscriptions: Documents<Subscription>,
    pub(crate) subscribers: Documents<Subscriber>,
}

impl Directory {
    pub(crate) fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        Ok(Self {
            catalog: catalog.clone(),
            topics: Documents::open(catalog)?,
            subscriptions: Documents::open(catalog)?,
            subscribers: Documents::open(catalog)?,
        })
    }

    /// The existing topic whose ARN a caller from `scope` gave in `parameter`, wanting to do `action` with it.
    pub(crate) fn resolve(
        &self,
        scope: &Scope,
        arn: &str,
        parameter: &'static str,
        action: &'static str,
    ) -> Result<TopicId, NotifyError> {
        let topic = TopicId::parse(arn, parameter)?;
        if topic.scope().region != scope.region {
            return Err(Invalid::OtherArn { parameter }.into());
        }
        allow(scope.account, topic.scope(), arn, action)?;
        if self.topics.get(&topic.key()).is_none() {
            return Err(NotifyError::TopicNotFound);
        }
        Ok(topic)
    }

    pub(crate) fn subscription(&self, id: &SubscriptionId) -> Option<Arc<Subscription>> {
        self.subscriptions.get(&id.key())
    }

    /// The names of all confirmed subscriptions of a topic, under which they are kept.
    pub(crate) fn confirmed(&self, topic: &TopicId) -> Vec<String> {
        let all = self.subscriptions.list(topic.scope(), &SubscriptionId::prefix(topic), None, usize::MAX);
        all.into_iter()
            .filter(|(_, subscription)| subscription.standing == Standing::Confirmed)
            .map(|(name, _)| name)
            .collect()
    }

    /// Removes a subscription of the given version, so that its endpoint may subscribe anew.
    pub(crate) fn remove(
        &self,
        batch: &mut Batch,
        id: &SubscriptionId,
        subscription: &Subscription,
        version: u64,
    ) {
        self.subscriptions.remove(batch, id.key(), Expect::Version(version));
        self.release_endpoint(batch, id, subscription);
    }

    /// Lets the endpoint of a subscription subscribe anew.
    pub(crate) fn release_endpoint(
        &self,
        batch: &mut Batch,
        id: &SubscriptionId,
        subscription: &Subscription,
    ) {
        // A cancelled subscription has released it already, and another may hold it by now.
        if !matches!(subscription.standing, Standing::Cancelled { .. }) {
            self.subscribers.remove(
                batch,
                Subscriber::key(&id.topic_key(), &subscription.endpoint),
                Expect::Any,
            );
        }
    }
}

/// Whether `account` may do `action` with the resource `arn` of `owner`: only its own, as no policies are evaluated yet.
pub(crate) fn allow(
    account: AccountId,
    owner: &Scope,
    arn: &str,
    action: &'static str,
) -> Result<(), NotifyError> {
    if account == owner.account {
        return Ok(());
    }
    Err(NotifyError::OtherAccount { action, account, arn: arn.to_owned() })
}
